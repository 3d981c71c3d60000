import Review
import ReviewFixtures
import Screen
import Testing

private let screen = ScreenSize(rows: 40, columns: 160)

@Suite("A review that is read aloud")
struct ReadAloudTests {
  private let crosshair = "axial k 3 of 0-15, label liver, HU 100, voxel 9 9 3, 9.0 9.0 3.0 mm RAS"
  private let view = "window 40/400 CT soft tissue, radiological, labels fill 40%"

  /// The lines but for the keys.
  private func lines(_ state: ReviewState) -> [String] {
    readAloud(state).lines.whole.filter { !$0.hasPrefix("keys: ") }
  }

  @Test("says case, versions and view, and last what is under the crosshair")
  func openedCase() throws {
    let state = try openedState(screen: screen)
    #expect(lines(state) == ["case-1, A manual.nii.gz", view, "? lists the keys", crosshair])
    #expect(readAloud(state).pictures.isEmpty)
  }

  @Test("says the labels of both versions, and which is shown")
  func twoVersions() throws {
    var state = try comparedState(40, 160)
    let end = "HU -100, voxel 20 19 23, 80.0 76.0 92.0 mm RAS"
    #expect(lines(state).first == "case-1, A reader_one/seg.nii.gz, shown, B reader_two/seg.nii.gz")
    #expect(lines(state).last == "axial k 23 of 0-39, A liver, B liver, \(end)")
    state.press(.tab)
    #expect(lines(state).first == "case-1, A reader_one/seg.nii.gz, B reader_two/seg.nii.gz, shown")
  }

  @Test("reads a list when it opens, and last the entry that is pointed at")
  func lists() throws {
    var state = try openedState(screen: screen)
    state.type("w")
    state.press(.down)
    #expect(
      lines(state) == [
        "case-1, A manual.nii.gz", view, crosshair, "Window (centre/width)", "auto 0.5-99.5 %, 10/220",
        "percentiles 2-98 %, 0/200", "percentiles 5-95 %, 0/200", "full range, 10/220",
        "CT soft tissue, 40/400", "CT mediastinum, 50/350", "CT lung, -600/1500", "CT bone, 300/2000",
        "CT brain, 40/80", "or type :window CENTRE WIDTH", "CT liver, 60/150",
      ])
    #expect(
      readAloud(state).lines.whole.contains("keys: up down choose, Enter take, / search, Esc back"))
  }

  @Test("reads the table of labels, and last the label that is pointed at")
  func labelTable() throws {
    var state = try openedState(screen: screen)
    state.type("b")
    state.press(.down)
    #expect(
      lines(state) == [
        "case-1, A manual.nii.gz", view, crosshair, "Labels", "name, mL", "spleen, 0.06", "liver, 0.90",
      ])
  }

  @Test("reads a question, and last its answers")
  func question() throws {
    var state = try openedState(screen: screen)
    state.type("yq")
    #expect(
      Array(lines(state).suffix(3)) == [
        "Question", "manual.nii.gz is accepted and was not exported. Quit all the same?", "y yes, n no",
      ])
  }

  @Test("has the line that is being typed below what is under the crosshair")
  func typedLine() throws {
    var state = try openedState(screen: screen)
    state.type(":window ct ")
    #expect(readAloud(state).lines.typed == ":window ct ")
    #expect(lines(state).last == crosshair)
    state.press(.tab, .tab)
    #expect(readAloud(state).lines.typed == ":window CT liver")
    #expect(lines(state).contains("CT liver, 60/150"))
  }

  @Test("says that an image is being opened, and why it cannot be")
  func opening() throws {
    var state = ReviewState(
      request: OpenCaseRequest(imagePath: "case-1.nii.gz"), screen: screen, capabilities: trueColour)
    _ = state.begin()
    #expect(lines(state) == ["Opening case-1.nii.gz"])
    _ = reduce(&state, .jobEnded(JobID(1), .failed("case-1.nii.gz: cannot be read")))
    #expect(lines(state).contains { $0.contains("cannot be opened: case-1.nii.gz: cannot be read") })
  }

  @Test("a step of the tour comes before what is under the crosshair")
  func tour() throws {
    var session = SessionState(
      worklist: WorklistState(OpenCaseRequest()), first: CaseID(0), tour: .firstStep, screen: screen,
      capabilities: trueColour)
    let effects = session.begin()
    _ = try session.finish(effects)
    #expect(
      readAloud(session).lines.whole.suffix(2) == [
        "Tour, 1 of 19: This is a CT of an abdomen with the labels that a reader drew. PgUp goes to the next slice, "
          + "PgDn back. Press PgUp.", crosshair,
      ])
  }
}
