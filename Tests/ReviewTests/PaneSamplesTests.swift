import Review
import ReviewFixtures
import Screen
import Testing

@Suite struct PaneSamplesTests {
  @Test(
    "a frame that reuses what the one before it read is the frame that reads everything",
    arguments: [(24, 80), (40, 120)])
  func equalFrames(_ rows: Int, _ columns: Int) throws {
    var state = try comparedState(rows, columns)
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
    state = try openedState(phantomCase(), screen: ScreenSize(rows: rows, columns: columns))
    expectSame("another case")
  }
}
