import Foundation
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Worklist

extension SessionState {
  /// Opens an image with the command line.
  @discardableResult
  fileprivate mutating func open(_ name: String, failing: Set<CaseID> = []) throws -> [SessionEffect] {
    try type(":open " + name)
    return try finish(reduce(&self, .terminal(.key(.enter))), failing: failing)
  }
}

extension Dialog {
  /// The command line with its prompt; nil for other dialogs.
  fileprivate var line: String? {
    if case .command(let line) = self { line.prompt.rawValue + line.entry.text } else { nil }
  }
}

extension [SessionEffect] {
  /// The cases that are added to the worklist.
  fileprivate var added: [WorklistCase] {
    compactMap { if case .add(let entry) = $0 { entry } else { nil } }
  }
}

@Suite("Opening other images in a session")
struct SessionOpeningTests {
  @Test("in a worklist an image becomes a case at its end, with records as the others")
  func atTheEnd() throws {
    var (session, effects) = begunSession(3)
    effects = try session.finish(effects)
    effects = try session.open("other.nii.gz")
    #expect(effects.added == [WorklistCase(name: "other", images: ["/cases/other.nii.gz"])])
    #expect((session.current, session.review.position) == (CaseID(3), "4/4"))
    #expect(session.worklist.request(of: CaseID(3)).imagePath == "/cases/other.nii.gz")
    #expect(effects.records == ["case-1 closed", "case-4 opened"])
    #expect(effects.closed == [1])
    try session.press(.control("p"))
    #expect(session.current == CaseID(2))
    #expect(try session.open("other.nii.gz").added.isEmpty)
    #expect(session.current == CaseID(3))
  }

  @Test("a case is opened with the series, segment and layer that its columns choose")
  func choices() {
    let entry = WorklistCase(
      name: "a", images: ["a.dcm"],
      masks: [.init(name: "mask", path: "m.dcm"), .init(name: "net", path: "n.seg.nrrd")],
      values: ["series": "2", "segment": "liver", "layer:net": "1"])
    let request = WorklistState(Worklist(cases: [entry]), reader: "ann").request(of: CaseID(0))
    #expect(request.imageSeries == "2")
    #expect(request.maskParts == ["m.dcm": MaskPart(segment: "liver"), "n.seg.nrrd": MaskPart(layer: 1)])
  }

  @Test(
    "a mask whose file changed while its case was closed in this session is another version than the reviewed one"
  )
  func changedMask() throws {
    var (session, effects) = begunSession(5)
    try session.finish(effects)
    let reviewed = session.review.decisions
    try session.press(.control("n"), .control("n"), .control("n"), .control("p"), .control("p"))
    #expect(session.inMemory == [1, 2])
    var changed = phantomCase()
    changed.masks[0].labels = changed.masks[0].labels.relabelled { $1 == 1 ? 0 : $1 }
    effects = reduce(&session, .terminal(.key(.control("p"))))
    try session.finish(
      effects, content: changed,
      journal: OpenedJournal(versions: reviewed.versions, decisions: reviewed, warning: "changed"))
    let versions = session.review.decisions.versions
    #expect(versions.map(\.name) == ["manual.nii.gz as reviewed", "manual.nii.gz"])
    #expect(versions.map(\.labels) == [reviewed.versions[0].labels, changed.masks[0].labels])
    #expect(session.review.decisions.a == versions.last?.id)
  }

  @Test("lines that were typed in one case are recalled in the next, before they are stored")
  func typedLines() throws {
    var (session, effects) = begunSession(3)
    effects = try session.finish(effects)
    try session.open("other.nii.gz")
    try session.type(":zoom 2")
    try session.press(.enter, .control("p"))
    try session.type(":")
    try session.press(.up)
    #expect(session.review.dialog?.line == ":zoom 2")
    try session.press(.up)
    #expect(session.review.dialog?.line == ":open other.nii.gz")
  }

  @Test("the image is shown while its masks are being read, and can be looked at")
  func imageFirst() throws {
    var session = SessionState(
      worklist: WorklistState(OpenCaseRequest(imagePath: "ct.nii.gz", maskPaths: ["organs.nii.gz"])),
      first: CaseID(0), screen: ScreenSize(rows: 24, columns: 80), capabilities: trueColour)
    let begun = session.begin()
    #expect(render(session).text[11].contains("Opening ct.nii.gz"))
    let content = phantomCase(withMask: false)
    let image = OpenedCase(
      content: content, intensities: IntensitySummary(content.image), maskComponents: [])
    _ = reduce(&session, .review(CaseID(0), .imageRead(JobID(2), image)))
    #expect(render(session).text[11].contains("Opening ct.nii.gz"))
    _ = reduce(&session, .review(CaseID(0), .imageRead(JobID(1), image)))
    let shown = render(session)
    #expect(shown.text[1].contains("Axial  k 8 of 0-15"))
    #expect(shown.text[22].contains("reading the mask organs.nii.gz"))
    #expect(shown.text[23].trimmingCharacters(in: .whitespaces) == "q quits")
    let before = session
    for key in "y1fmbnwP" { try session.type(String(key)) }
    #expect(session.review.message?.text.hasPrefix("masks are still being read") == true)
    #expect(session.review.view == before.review.view && session.review.dialog == nil)
    #expect(session.review.decisions == before.review.decisions)
    var unmoved = session
    try unmoved.finish(begun)
    #expect(unmoved.review.view.crosshair != before.review.view.crosshair)
    try session.type("]]s+")
    try session.press(.left)
    let looked = session.review.view
    #expect((looked.activePlane, looked.crosshair.k) == (.sagittal, before.review.view.crosshair.k + 2))
    try session.finish(begun)
    #expect(session.review.phase == .reviewing && session.review.decisions.versions.count == 1)
    #expect(session.review.view == looked)
    _ = reduce(&session, .review(CaseID(0), .imageRead(JobID(1), image)))
    #expect(session.review.decisions.versions.count == 1)
  }

  @Test(
    "Esc ends the opening of a single image only before its picture is there, and never a session of several cases"
  )
  func escapeWhileOpening() throws {
    var single = SessionState(
      worklist: WorklistState(OpenCaseRequest(imagePath: "ct.nii.gz", maskPaths: ["organs.nii.gz"])),
      first: CaseID(0), screen: ScreenSize(rows: 24, columns: 80), capabilities: trueColour)
    _ = single.begin()
    var early = single
    let content = phantomCase(withMask: false)
    _ = reduce(
      &early,
      .review(
        CaseID(0),
        .imageRead(
          JobID(1),
          OpenedCase(content: content, intensities: IntensitySummary(content.image), maskComponents: []))))
    for (state, isEnded) in [(single, true), (early, false), (begunSession(3).session, false)] {
      var session = state
      try session.press(.escape)
      #expect(session.end == (isEnded ? .left : nil))
      try session.press("q")
      #expect(session.end == .left)
    }
  }

  @Test("a new case with the name of another gets the folders of its image")
  func names() throws {
    var (session, effects) = begunSession(2)
    effects = try session.finish(effects)
    #expect(try session.open("sub/case-1.nii.gz").added.map(\.name) == ["sub/case-1"])
    #expect(try session.open("other/case-1.nii.gz").added.map(\.name) == ["other/case-1"])
  }

  @Test("an image that is in the list already is not added again, and the reader is told")
  func listed() throws {
    var (session, effects) = begunSession(2)
    effects = try session.finish(effects)
    try session.open("other.nii.gz")
    #expect(session.current == CaseID(2))
    try session.press(.control("p"))
    #expect(try session.open("other.nii.gz").added.isEmpty)
    #expect(session.current == CaseID(2))
    #expect(session.review.message?.text == "other is in the list already")
  }

  @Test("a case that another reader added under the name, with another image, keeps its records")
  func namesInRecords() throws {
    func known(_ image: String) throws -> [String: CaseReview] {
      var records = ReviewRecords(folders: [])
      records.add(
        CaseRecord(
          sequence: 1, time: "2026-11-29T12:00:00.000Z", reader: "bob", host: "here", caseName: "scan",
          image: image, kind: .decided, decision: CaseDecision(verdict: .rejected)), file: "r.jsonl", line: 1)
      return records.reviews
    }
    for (image, name) in [("/elsewhere/scan.nii.gz", "cases/scan"), ("/cases/scan.nii.gz", "scan")] {
      var (session, effects) = begunSession(2, reviews: try known(image))
      effects = try session.finish(effects)
      #expect(try session.open("scan.nii.gz").added.map(\.name) == [name])
    }
  }

  @Test("without a worklist an image takes the place of the case, whose journal is written to the end")
  func inPlace() throws {
    var session = SessionState(
      worklist: WorklistState(OpenCaseRequest(imagePath: "first.nii.gz")), first: CaseID(0),
      screen: ScreenSize(rows: 24, columns: 80), capabilities: trueColour)
    let begun = session.begin()
    _ = try session.finish(begun)
    let effects = try session.open("other.nii.gz")
    #expect((effects.opened, effects.closed, effects.records) == ([1], [0], []))
    #expect((session.current, session.inMemory) == (CaseID(1), [1]))
    try session.type("q")
    #expect(session.end == .left)
  }

  @Test(
    "without a worklist an image that cannot be read leaves the case as it was, with the reason as a message")
  func comesBack() throws {
    var session = SessionState(
      worklist: WorklistState(OpenCaseRequest(imagePath: "first.nii.gz")), first: CaseID(0),
      screen: ScreenSize(rows: 24, columns: 80), capabilities: trueColour)
    let begun = session.begin()
    _ = try session.finish(begun)
    try session.type("f")
    let effects = try session.open("other.nii.gz", failing: [CaseID(1)])
    #expect(effects.closed == [1])
    #expect((session.current, session.inMemory, session.end) == (CaseID(0), [0], nil))
    #expect(session.review.message == Message("case.nii.gz: cannot be read", .error))
    #expect(session.review.decisions.verdicts.isFlagged)
  }
}
