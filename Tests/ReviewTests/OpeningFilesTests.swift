import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

/// A mask of the phantom's liver alone, with a defect that was repaired.
private func addedMask(_ path: String, findings: [String] = []) throws -> AddedMask {
  let content = phantomCase()
  let labels = content.masks[0].labels.relabelled { $1 == 6 ? 1 : 0 }
  let mask = LoadedMask(
    name: FilePath.name(of: path), path: path, labels: labels,
    table: LabelTable([Label(value: 1, name: "liver", colour: RGBColour(1, 2, 3))]))
  return AddedMask(
    mask: mask, components: try LabelComponents(labels, work: WorkContext()), findings: findings)
}

extension ReviewState {
  /// Ends the job that reads a mask.
  fileprivate mutating func finish(_ mask: AddedMask) throws -> [ReviewEffect] {
    reduce(&self, .jobEnded(try #require(jobs[.mask]?.id), .finished(MaskJob.self, with: mask)))
  }

  /// Ends the job that checks an image.
  fileprivate mutating func finishImageCheck(_ outcome: JobOutcome) throws {
    _ = reduce(&self, .jobEnded(try #require(jobs[.image]?.id), outcome))
  }
}

@Suite("Opening masks and images in a review")
struct OpeningFilesTests {
  @Test(
    "a mask is requested by its file, and may be named",
    arguments: [
      ("a b.nii.gz", "a b.nii.gz", nil), ("a.nii as second reader", "a.nii", "second reader"),
      ("x as y.nii as z", "x as y.nii", "z"), ("\"x as y.nii\"", "x as y.nii", nil),
      ("\"x as y.nii\" as z", "x as y.nii", "z"),
    ] as [(String, String, String?)])
  func request(typed: String, path: String, name: String?) throws {
    var state = try openedState()
    let job = state.command("mask " + typed).started(MaskJob.self)?.job
    #expect(job?.request.path == path)
    #expect(job?.name == name)
    #expect(job?.request.coding == .identity)
    #expect(job?.title == "opening \(FilePath.name(of: path))")
  }

  @Test(
    "quotation marks around the file of an image are not part of its name",
    arguments: ["a b.nii", "\"a b.nii\""])
  func quotedImage(typed: String) throws {
    var state = try openedState()
    #expect(state.command("open " + typed).started(ImageJob.self)?.job.path == "a b.nii")
  }

  @Test(
    "after the file of an image its series is chosen",
    arguments: [
      ("study/CT series 2", "study/CT", "2"), ("\"a series b\" series 1.2.3", "a series b", "1.2.3"),
      ("\"a series b\"", "a series b", nil), ("series 2", "series 2", nil),
    ] as [(String, String, String?)])
  func series(typed: String, path: String, series: String?) throws {
    var state = try openedState()
    let job = state.command("open " + typed).started(ImageJob.self)?.job
    #expect(job?.path == path)
    #expect(job?.series == series)
  }

  @Test(
    "after the file of a mask a segment or layer is chosen, and the version is named",
    arguments: [
      ("a.seg.nrrd segment left lung", "a.seg.nrrd", MaskPart(segment: "left lung"), nil),
      ("a.seg.nrrd layer 0 as lesions", "a.seg.nrrd", MaskPart(layer: 0), "lesions"),
      ("\"a segment b\" segment c as d", "a segment b", MaskPart(segment: "c"), "d"),
    ] as [(String, String, MaskPart, String?)])
  func parts(typed: String, path: String, part: MaskPart, name: String?) throws {
    var state = try openedState()
    let job = state.command("mask " + typed).started(MaskJob.self)?.job
    #expect(job?.request.path == path)
    #expect(job?.request.part == part)
    #expect(job?.name == name)
  }

  @Test(
    "a line without a file, or with other text after it, is refused",
    arguments: [
      (
        "mask",
        "mask: type a file; \"segment NAME\" or \"layer N\" after it chooses a part, \"as NAME\" names the version"
      ),
      ("mask \"a.nii\" b", "mask: \"b\" after the file; type segment NAME, layer N or as NAME"),
      ("mask a.nii layer one", "mask: \"layer one\": type the number of a layer, from 0"),
      ("open", "open: type the file of an image"),
      ("open \"a.nii\" b", "open: \"b\" after the file; type series N"),
    ])
  func refusing(typed: String, message: String) throws {
    var state = try openedState()
    state.command(typed)
    #expect(state.message == Message(message, .error))
    #expect((state.jobs[.mask] == nil, state.jobs[.image] == nil) == (true, true))
  }

  @Test("a mask becomes a version beside the one shown, is compared with it, journalled and undone")
  func adding() throws {
    var state = try openedState()
    state.command("mask /cases/second.nii.gz as reader two")
    let effects = try state.finish(try addedMask("/cases/second.nii.gz"))
    let version = try #require(state.shownVersion)
    #expect(version.name == "reader two")
    #expect(version.origin == .mask(path: "/cases/second.nii.gz"))
    #expect((state.decisions.a, state.decisions.b) == (VersionID(1), VersionID(2)))
    #expect(effects.started(ComparisonJob.self) != nil)
    #expect(state.content.masks.map(\.path) == ["/cases/manual.nii.gz", "/cases/second.nii.gz"])
    #expect(state.message == Message("reader two is shown; Tab flips, d shows the difference"))
    let written = effects.notes.compactMap { if case .version(let version) = $0 { version.id } else { nil } }
    #expect(written == [VersionID(2)])
    #expect(state.provenance(of: version).steps == [.mask(path: "/cases/second.nii.gz")])
    state.type("z")
    #expect(state.message == Message("undid: show reader two"))
    #expect(state.decisions.versions.count == 2)
  }

  @Test("a mask with the file name of another is named with its folder, and its defects are reported")
  func names() throws {
    var state = try openedState()
    state.command("mask other/manual.nii.gz")
    _ = try state.finish(
      try addedMask(
        "/other/manual.nii.gz", findings: ["other/manual.nii.gz: stored as LPS", "a second one"]))
    #expect(state.shownVersion?.name == "other/manual.nii.gz")
    #expect(
      state.message
        == Message(
          "other/manual.nii.gz is shown; Tab flips, d shows the difference; other/manual.nii.gz: stored as LPS"
            + " (M: 1 more)", .warning))
    #expect(state.messageLog.messages.contains(Message("a second one", .warning)))
  }

  @Test("a mask that is open already is shown, not added")
  func twice() throws {
    var state = try openedState()
    for _ in 0..<2 {
      state.command("mask second.nii.gz")
      _ = try state.finish(try addedMask("/cases/second.nii.gz"))
      state.press(.tab)
    }
    #expect(state.decisions.versions.map(\.name) == ["manual.nii.gz", "second.nii.gz"])
    state.command("mask second.nii.gz")
    _ = try state.finish(try addedMask("/cases/second.nii.gz"))
    #expect(state.message == Message("second.nii.gz is open already and is shown"))
    #expect(state.shownVersion?.name == "second.nii.gz")
  }

  @Test("the first mask of a case takes the crosshair to its largest label")
  func first() throws {
    var state = try openedState(phantomCase(withMask: false))
    state.command("g0,0,0")
    state.command("mask second.nii.gz")
    _ = try state.finish(try addedMask("/cases/second.nii.gz"))
    #expect(state.labelAtCrosshair?.name == "liver")
    #expect((state.decisions.a, state.decisions.b) == (VersionID(1), nil))
  }

  @Test("a mask that does not fit is a message, and nothing changes")
  func misfit() throws {
    var state = try openedState()
    let before = state.decisions
    state.command("mask second.nii.gz")
    let line = "second.nii.gz: does not lie on the image's grid"
    _ = reduce(&state, .jobEnded(try #require(state.jobs[.mask]?.id), .failed(line)))
    #expect(state.message == Message(line, .error))
    #expect(state.decisions == before)
  }

  @Test("an image is opened once it is known to be one, and a question asks where something would be lost")
  func images() throws {
    var state = try openedState()
    state.command("open next.nii.gz")
    try state.finishImageCheck(.failed("next.nii.gz: no such file"))
    #expect(state.message == Message("next.nii.gz: no such file", .error))
    #expect(state.requestedImage == nil)
    state.type("y")
    state.command("open next.nii.gz")
    try state.finishImageCheck(.finished(ImageJob.self, with: CheckedImage(path: "/cases/next.nii.gz")))
    #expect(
      state.dialog
        == .question(
          .open(CheckedImage(path: "/cases/next.nii.gz"), losing: [.acceptedVersion(VersionID(1))])))
    #expect(
      render(state).text.joined(separator: " ").contains(
        "manual.nii.gz is accepted and was not exported. Open next.nii.gz?"))
    state.press("n")
    #expect((state.requestedImage, state.dialog) == (nil, nil))
    state.command("open next.nii.gz")
    try state.finishImageCheck(.finished(ImageJob.self, with: CheckedImage(path: "/cases/next.nii.gz")))
    state.press("y")
    #expect(state.requestedImage == CheckedImage(path: "/cases/next.nii.gz"))
  }

  @Test("the image that is shown is not opened again")
  func sameImage() throws {
    var state = try openedState()
    state.command("open case-1.nii.gz")
    try state.finishImageCheck(.finished(ImageJob.self, with: CheckedImage(path: "/cases/case-1.nii.gz")))
    #expect(state.message == Message("case-1 is open already"))
    #expect(state.requestedImage == nil)
  }

  @Test("another series of the file that is shown is opened")
  func otherSeriesOfFile() throws {
    var state = try openedState()
    let second = CheckedImage(path: "/cases/case-1.nii.gz", series: "2")
    state.command("open /cases series 2")
    try state.finishImageCheck(.finished(ImageJob.self, with: second))
    #expect(state.requestedImage == second)
  }
}
