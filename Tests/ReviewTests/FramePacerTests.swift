import Review
import Screen
import Testing

/// A connection that carries bytes at a rate and answers after a time, and a session on it.
private struct Connection {
  var pacer: FramePacer
  let bytesPerSecond: Double
  let roundTripSeconds: Double
  /// The size of a frame of each detail.
  let byteCounts: [PictureDetail: Int]
  /// The time of each frame, and of its last byte on the screen.
  private(set) var frames: [(detail: PictureDetail, drawn: Double, shown: Double, isComplete: Bool)] = []
  /// Whether frames are sent in parts, as those of pixels are.
  private let sendsParts: Bool
  /// Changes so far, and what of the frame of the last one is not sent yet.
  private var changes = 0
  private var drawnChange = -1
  private var drawnDetail = PictureDetail.full
  private var unsent = 0
  /// The times at which answers arrive.
  private var answers: [Double] = []

  init(
    _ mode: PictureMode, bytesPerSecond: Double, roundTripSeconds: Double,
    byteCounts: [PictureDetail: Int]
  ) {
    pacer = FramePacer(
      TerminalCapabilities(colourDepth: .trueColour, showsUnicode: true, pictureMode: mode))
    self.bytesPerSecond = bytesPerSecond
    self.roundTripSeconds = roundTripSeconds
    self.byteCounts = byteCounts
    sendsParts = mode.isPixels
  }

  /// Lives through events at the given times, and the seconds after them.
  mutating func run(keys: [Double], until end: Double) {
    var keys = keys[...]
    for step in 0...Int(end * 1000) {
      let now = Double(step) / 1000
      while let answer = answers.first, answer <= now {
        answers.removeFirst()
        pacer.show(atSeconds: now, unansweredFrames: answers.count)
      }
      while let key = keys.first, key <= now {
        pacer.change(atSeconds: now, isInput: true)
        keys.removeFirst()
        changes += 1
      }
      guard case .draw(let detail, let graphicsLimit) = pacer.step(atSeconds: now) else { continue }
      if drawnChange != changes || drawnDetail != detail { unsent = byteCounts[detail] ?? 0 }
      (drawnChange, drawnDetail) = (changes, detail)
      let byteCount = sendsParts ? min(unsent, graphicsLimit) : unsent
      unsent -= byteCount
      let begin = max(now + roundTripSeconds / 2, frames.last?.shown ?? 0)
      let shown = begin + Double(byteCount) / bytesPerSecond
      frames.append((detail, now, shown, unsent == 0))
      answers.append(shown + roundTripSeconds / 2)
      pacer.draw(
        detail, SentFrame(byteCount: byteCount, isComplete: unsent == 0), atSeconds: now,
        unansweredFrames: answers.count)
    }
  }
}

@Suite struct FramePacerTests {
  /// Sizes of frames of a screen of 200x60.
  private let pixels: [PictureDetail: Int] = [
    .full: 700_000, .fewShades: 300_000, .coarse: 90_000, .coarsest: 30_000,
  ]

  @Test(
    "on a fast terminal held keys are answered with coarse pictures, and the last one with a full one at rest"
  )
  func fastTerminal() {
    var connection = Connection(
      .kitty, bytesPerSecond: 500e6, roundTripSeconds: 0.001, byteCounts: pixels)
    connection.run(keys: (0..<30).map { 1 + Double($0) * 0.033 }, until: 3)
    let details = connection.frames.map(\.detail)
    #expect(details == [.full, .full] + Array(repeating: .coarse, count: 29) + [.full])
    #expect(connection.frames[31].drawn - connection.frames[30].drawn < 0.2)
  }

  @Test("half blocks have one detail: a frame for each key, and none at rest")
  func halfBlocks() {
    var connection = Connection(
      .halfBlocks, bytesPerSecond: 500e6, roundTripSeconds: 0.001, byteCounts: [.full: 200_000])
    connection.run(keys: (0..<30).map { 1 + Double($0) * 0.033 }, until: 3)
    #expect(connection.frames.map(\.detail) == Array(repeating: .full, count: 31))
  }

  @Test(
    "on a slow connection a key is answered within a quarter of a second, and a full picture follows at rest")
  func slowConnection() {
    var connection = Connection(
      .halfBlocks, bytesPerSecond: 250_000, roundTripSeconds: 0.08,
      byteCounts: [.full: 300_000, .coarsest: 30_000])
    // The first frames teach the pacer how fast the connection is.
    connection.run(keys: [3, 8], until: 12)
    let answer = connection.frames.first { $0.drawn >= 8 }
    #expect(answer?.detail == .coarsest)
    #expect((answer?.shown ?? 99) - 8 < 0.25)
    let full = connection.frames.first { $0.drawn >= 8 && $0.detail == .full }
    #expect((full?.shown ?? 99) - 8 < 1.65)
  }

  @Test("on a slow connection the pixels of a picture are sent in parts, between which a key is answered")
  func parts() throws {
    var connection = Connection(
      .kitty, bytesPerSecond: 250_000, roundTripSeconds: 0.08, byteCounts: pixels)
    // The second key comes while the full picture after the first is on its way.
    connection.run(keys: [6, 7, 12], until: 17)
    for key in [6.0, 7.0, 12.0] {
      let answer = try #require(connection.frames.first { $0.drawn >= key })
      #expect(answer.detail == .coarsest)
      #expect(answer.shown - key < 0.45, "the key at \(key) s is answered at \(answer.shown) s")
    }
    // All pixels would need 2.8 s; in fewer shades they stand within 1.5 s of rest. The connection is hardly ever idle.
    let last = try #require(connection.frames.last)
    #expect(last.isComplete && last.detail == .fewShades)
    #expect(last.shown - 12 < 1.65)
  }

  @Test("a picture whose shades would take all the time that there is after a key has fewer of them")
  func nearlyInTime() throws {
    var connection = Connection(
      .kitty, bytesPerSecond: 250_000, roundTripSeconds: 0.08,
      byteCounts: [.full: 290_000, .fewShades: 180_000, .coarse: 50_000, .coarsest: 14_000])
    connection.run(keys: [6, 10], until: 14)
    let last = try #require(connection.frames.last)
    #expect(last.isComplete && last.detail == .fewShades)
    #expect(last.shown - 10 < 1.25)
  }

  @Test("never more than one frame or two parts of one are on their way, once the terminal has answered")
  func oneFrameAtATime() {
    var connection = Connection(
      .kitty, bytesPerSecond: 250_000, roundTripSeconds: 0.08, byteCounts: pixels)
    connection.run(keys: (0..<200).map { 1 + Double($0) * 0.03 }, until: 12)
    let frames = connection.frames.dropFirst(2)
    for ((one, next), third) in zip(zip(frames, frames.dropFirst()), frames.dropFirst(2)) {
      #expect(third.drawn >= one.shown)
      if one.isComplete { #expect(next.drawn >= one.shown) }
    }
    #expect(connection.frames.last?.detail == .fewShades)
    #expect(connection.frames.last?.isComplete == true)
  }

  @Test("a terminal that never answers is waited for as long as a slow connection needs, two seconds at most")
  func silentTerminals() {
    for (byteCount, seconds) in [(0, 0.3), (50_000, 0.5), (1_000_000, 2.0)] {
      var pacer = FramePacer(TerminalCapabilities(colourDepth: .trueColour, showsUnicode: true))
      #expect(pacer.step(atSeconds: 0) == .draw(.full))
      pacer.draw(.full, SentFrame(byteCount: byteCount), atSeconds: 0, unansweredFrames: 1)
      #expect(pacer.step(atSeconds: 0.125) == .wait(seconds: nil))
      pacer.change(atSeconds: 0.125, isInput: true)
      #expect(pacer.step(atSeconds: 0.125) == .wait(seconds: seconds - 0.125))
      #expect(pacer.step(atSeconds: seconds) == .draw(.full))
      pacer.draw(.full, SentFrame(byteCount: byteCount), atSeconds: seconds, unansweredFrames: 0)
      pacer.change(atSeconds: seconds + 0.125, isInput: true)
      #expect(pacer.step(atSeconds: seconds + 0.125) == .draw(.full))
    }
  }
}

@Test("answers that are read late, and the next one right after it, do not make a connection look fast")
func lateAnswers() {
  var pacer = FramePacer(
    TerminalCapabilities(colourDepth: .trueColour, showsUnicode: true, pictureMode: .kitty))
  // 250 kB/s: parts of 25 kB every 0.1 s, whose answers are read in pairs.
  pacer.change(atSeconds: 0, isInput: true)
  var now = 0.0
  for pair in 0..<6 {
    now = 0.2 * Double(pair)
    let last = pair == 5
    pacer.draw(.full, SentFrame(byteCount: 25_000, isComplete: false), atSeconds: now, unansweredFrames: 1)
    pacer.draw(
      .full, SentFrame(byteCount: 25_000, isComplete: last), atSeconds: now + 0.1, unansweredFrames: 2)
    pacer.show(atSeconds: now + 0.195, unansweredFrames: 1)
    pacer.show(atSeconds: now + 0.199, unansweredFrames: 0)
  }
  pacer.change(atSeconds: 5, isInput: true)
  pacer.draw(.coarsest, SentFrame(byteCount: 3000, isComplete: true), atSeconds: 5, unansweredFrames: 0)
  // The whole picture of 300 kB would take 1.2 s.
  guard case .draw(let detail, _) = pacer.step(atSeconds: 5.2) else {
    Issue.record("nothing is drawn at rest")
    return
  }
  #expect(detail == .fewShades)
}
