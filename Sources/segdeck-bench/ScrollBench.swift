import ArgumentParser
import Foundation
import Review
import Screen
import TerminalPictures
import Volumes
import Work

/// `segdeck-bench scroll`: how long the review takes from a key to the cells and bytes of a frame, without a terminal.
struct ScrollBench: ParsableCommand {
  /// The computation that runs while frames are made.
  enum Companion: String, ExpressibleByArgument, CaseIterable {
    case nothing, network
    case networkOfUsualPriority = "selfish-network"
  }

  static let configuration = CommandConfiguration(
    commandName: "scroll", abstract: "Time frames of the review while it scrolls, from the key to the cells.")

  @Option(help: "Columns and rows of the screen, as 200x60.", transform: screenSize)
  var size = ScreenSize(rows: 60, columns: 200)
  @Option(help: "Voxels of the image, as XxYxZ.", transform: voxelShape) var shape = GridSize(512, 512, 400)
  @Option(help: "Frames of each view.") var frames = 100
  @Flag(help: "Intensities are 16-bit integers, as those of a CT, instead of floats.") var integers = false
  @Option(
    help:
      "What runs meanwhile: nothing, a network at the low priority of the review's jobs, or one at usual priority."
  )
  var beside = Companion.nothing
  @Option(
    help:
      "How pictures are shown: \(PictureMode.allCases.map(\.rawValue).joined(separator: ", ")); cells are 8x16 pixels."
  )
  var pictures = PictureMode.halfBlocks
  @OptionGroup var bench: BenchOptions

  func validate() throws {
    guard (2...100_000).contains(frames) else {
      throw ValidationError("--frames is 2 to 100000, not \(frames)")
    }
  }

  func run() throws {
    let load =
      beside == .nothing
      ? nil : try BackgroundLoad(threadCount: bench.threads, hasLowPriority: beside == .network)
    defer { load?.stop() }
    let views = [
      ("three planes, outlines", "x"), ("three planes, fills", ""), ("axial, fills", "o"),
      ("coronal, fills", "oc"), ("sagittal, fills", "os"),
    ]
    try measure(views, of: ScrolledCase.content(shape, storesIntegers: integers, work: bench.work))
    let comparisons = [
      ("difference", "D"), ("side by side", "DD"), ("contours", "DDD"), ("checkerboard", "DDDD"),
      ("spyglass", "DDDDD"),
    ]
    try measure(
      comparisons, of: ScrolledCase.content(shape, storesIntegers: integers, isPair: true, work: bench.work))
  }

  /// Times each view, which its keys choose.
  private func measure(_ views: [(name: String, keys: String)], of content: ReviewCase) throws {
    let opened = OpenedCase(
      content: content, intensities: IntensitySummary(content.image),
      maskComponents: try content.masks.map { try LabelComponents($0.labels, work: bench.work) })
    for (name, keys) in views {
      var state = ReviewState(
        request: OpenCaseRequest(imagePath: content.imagePath), screen: size,
        capabilities: TerminalCapabilities(
          colourDepth: .trueColour, showsUnicode: true, pictureMode: pictures,
          cellSize: PixelsPerCell(columns: 8, rows: 16)))
      _ = state.begin()
      _ = reduce(&state, .jobEnded(JobID(1), .finished(OpeningJob.self, with: opened)))
      for key in keys { _ = reduce(&state, .terminal(.key(.character(key)))) }
      PeakMemory.reset()
      let found = Self.scroll(state, frames: frames)
      let measurement = found.latency
      var line = JSONLine("scroll")
      line.add("view", name)
      line.add("size", "\(size.columns)x\(size.rows)")
      line.add("shape", "\(shape)")
      line.add("voxels", integers ? "int16" : "float32")
      line.add("pictures", pictures.rawValue)
      line.add("frames", frames)
      line.add("beside", beside.rawValue)
      line.add(measurement)
      line.add("p95_s", measurement.percentile(0.95))
      line.add("p99_s", measurement.percentile(0.99))
      line.add("max_s", measurement.maximum)
      line.add("cpu_s", found.processor.percentile(0.5))
      line.add("bytes", Int(found.graphicsBytes.percentile(0.5)))
      bench.print(line)
    }
  }

  /// Scrolls to and fro for `frames` frames after the first.
  /// - Returns: The time from a key to its frame, the time of all cores for it, and the bytes of its pixels.
  private static func scroll(
    _ start: ReviewState, frames: Int
  ) -> (latency: Measurement, processor: Measurement, graphicsBytes: Measurement) {
    var state = start
    let plane = state.view.activePlane
    var (seconds, processor, bytes): ([Double], [Double], [Double]) = ([], [], [])
    var samples = PaneSamples()
    var encoder = pictureEncoder(for: start.capabilities)
    var key = Key.pageUp
    for _ in 0...frames {
      let before = state.view.crosshair
      // A held key repeats every 30 ms; a late wake-up of the loop is part of the measured time.
      let due = ContinuousClock.now + .milliseconds(30)
      usleep(30_000)
      let processorBefore = clock()
      _ = reduce(&state, .terminal(.key(key)))
      let encoded = encoder.encode(render(state, reusing: &samples))
      seconds.append((ContinuousClock.now - due) / .seconds(1))
      processor.append(Double(clock() - processorBefore) / Double(CLOCKS_PER_SEC))
      bytes.append(Double(encoded.graphics.count))
      if state.view.crosshair == before { key = key == .pageUp ? .pageDown : .pageUp }
    }
    precondition(state.view.activePlane == plane, "scrolling left the \(plane) plane")
    return (Measurement(seconds), Measurement(processor), Measurement(bytes))
  }
}

extension PictureMode: ExpressibleByArgument {}

/// Reads "200x60", columns and rows.
private func screenSize(_ text: String) throws -> ScreenSize {
  let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
  guard parts.count == 2, let columns = parts[0], let rows = parts[1],
    (ScreenLayout.minimum.columns...2000).contains(columns), (ScreenLayout.minimum.rows...2000).contains(rows)
  else {
    throw ValidationError(
      "--size is columns and rows such as 200x60, at least \(ScreenLayout.minimum.columns)x"
        + "\(ScreenLayout.minimum.rows), not '\(text)'")
  }
  return ScreenSize(rows: rows, columns: columns)
}
