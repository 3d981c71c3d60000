import Review
import ReviewFixtures
import Screen
import Testing

@Suite struct PaneSamplesTests {
  @Test(
    "a frame that reuses what the one before it read is the frame that reads everything",
    arguments: [
      (24, 80, PictureMode.halfBlocks), (40, 120, .halfBlocks), (40, 120, .blocks), (40, 120, .kitty),
    ])
  func equalFrames(_ rows: Int, _ columns: Int, _ mode: PictureMode) throws {
    let capabilities = TerminalCapabilities(
      colourDepth: .trueColour, showsUnicode: true, pictureMode: mode,
      cellSize: PixelsPerCell(columns: 4, rows: 8))
    var state = try comparedState(rows, columns, capabilities)
    var samples = PaneSamples()
    func expectSame(_ step: String) {
      #expect(render(state, reusing: &samples) == render(state), "after \(step)")
    }
    expectSame("opening")
    for key in "]]]hhjjllkk+]]--0dduu} o]oacs]WOxxXnn||G".map(String.init) {
      state.type(key)
      expectSame(key)
    }
    for command in ["window 40 90", "paint 1", "paint 0", "compare side", "compare checker", "compare off"] {
      state.type(":\(command)")
      _ = reduce(&state, .terminal(.key(.enter)))
      expectSame(command)
    }
    for key in [Key.tab, .character("z"), .character("z"), .character("Z"), .tab, .tab] {
      _ = reduce(&state, .terminal(.key(key)))
      expectSame("\(key)")
    }
    // Another image under the same samples.
    state = try openedState(
      phantomCase(), screen: ScreenSize(rows: rows, columns: columns), capabilities: capabilities)
    expectSame("another case")
  }

  @Test("a picture that did not change is the same memory, so that encoders see it at once")
  func sharedPictures() throws {
    var state = try comparedState(
      40, 120,
      TerminalCapabilities(
        colourDepth: .trueColour, showsUnicode: true, pictureMode: .kitty,
        cellSize: PixelsPerCell(columns: 8, rows: 16)))
    var samples = PaneSamples()
    for command in ["compare off", "compare checker", "compare difference", "compare contours"] {
      state.command(command)
      let before = render(state, reusing: &samples)
      // A key that changes the line at the foot alone.
      state.type("/")
      let after = render(state, reusing: &samples)
      #expect(after != before)
      #expect(after.pictures.count == 3 && after.pictures == before.pictures)
      #expect(addresses(after) == addresses(before), "\(command)")
      state.press(.escape)
    }
  }

  /// Where the pixels and the layers of a frame's pictures lie in memory.
  private func addresses(_ frame: Frame) -> [UnsafeRawPointer?] {
    frame.pictures.flatMap { picture in
      [picture.image.pixels.withUnsafeBufferPointer { UnsafeRawPointer($0.baseAddress) }]
        + picture.layers.map { $0.numbers.withUnsafeBufferPointer { UnsafeRawPointer($0.baseAddress) } }
    }
  }
}
