import Review
import ReviewFixtures
import Screen
import Testing

/// A state whose line `:open ` lists a folder with these entries.
private func listing(
  _ entries: [FolderEntry], screen: ScreenSize = ScreenSize(rows: 24, columns: 80)
) throws -> ReviewState {
  var state = try openedState(screen: screen)
  state.type(":open ")
  try state.finishListing("", entries)
  return state
}

private let files = [
  FolderEntry("CT", isFolder: true), FolderEntry("a.nii"), FolderEntry("b.nii"),
]

@Suite("Previews of the files that the command line names")
struct FilePreviewTests {
  @Test("what is pointed at is read, one after the other, and Esc ends it")
  func pointing() throws {
    var state = try listing(files)
    var asked: [String?] = [state.running(FilePreviewJob.self)?.path]
    for key: Key in [.tab, .tab, .tab, .backTab] {
      state.press(key)
      asked.append(state.running(FilePreviewJob.self)?.path)
    }
    #expect(asked == [nil, "CT/", "a.nii", "b.nii", "a.nii"])
    let id = try #require(state.jobs[.filePreview]?.id)
    #expect(state.press(.escape).contains(.cancel(id)))
    #expect((state.dialog, state.jobs[.filePreview]) == (nil, nil))
  }

  @Test("pointing at a file changes the line and starts its job, and nothing else")
  func nothingElse() throws {
    var state = try listing(files)
    expectChange(of: &state) {
      $0.press(.tab)
    } changes: { expected, found in
      expected.dialog = found.dialog
      expected.jobs[.filePreview] = found.jobs[.filePreview]
      expected.nextJobNumber += 1
    }
    let before = state
    try state.finishPreview(.finished(FilePreviewJob.self, with: pretendedPreview))
    expectChange(of: &state, by: { $0.press(.escape) }) { expected in
      expected = before
      expected.dialog = nil
      expected.jobs[.filePreview] = nil
    }
  }

  @Test("the name of a file that was typed to its end is previewed, that of a folder not")
  func typing() throws {
    var state = try listing(files)
    state.type("a.ni")
    #expect(state.running(FilePreviewJob.self) == nil)
    state.type("i")
    #expect(state.running(FilePreviewJob.self)?.path == "a.nii")
    state.press(.control("w"))
    #expect(state.jobs[.filePreview] == nil)
    state.type("CT")
    #expect(state.jobs[.filePreview] == nil)
  }

  @Test(
    "the preview shows the slice and what it is, or why there is none; a folder without an image shows nothing"
  )
  func content() throws {
    func shown(_ outcome: JobOutcome) throws -> [String] {
      var state = try listing(files)
      state.press(.tab, .tab)
      try state.finishPreview(outcome)
      return render(state).text
    }
    let picture = try shown(.finished(FilePreviewJob.self, with: pretendedPreview))
    #expect(picture.contains { $0.contains("┌ a.nii ─") })
    #expect(picture.contains { $0.contains(" 40x30x20, 1x1x1 mm, CT, 16-bit ") })
    let problem = try shown(.failed("a.nii: holds fewer voxels than its header states"))
    #expect(problem.contains { $0.contains("│ a.nii: holds fewer voxels than its header ") })
    #expect(!(try shown(.finished(FilePreviewJob.self, with: nil)).contains { $0.contains("┌ a.nii ─") }))
  }

  @Test(
    "a screen without room shows no preview and reads none",
    arguments: [ScreenSize(rows: 16, columns: 60), ScreenSize(rows: 23, columns: 200)])
  func small(screen: ScreenSize) throws {
    var state = try listing(files, screen: screen)
    state.press(.tab, .tab)
    #expect(state.jobs[.filePreview] == nil)
  }

  @Test("masks are previewed too, files for output are not")
  func otherCommands() throws {
    for (command, path) in [("mask ", "a.nii"), ("export ", nil)] as [(String, String?)] {
      var state = try openedState()
      state.type(":" + command)
      try state.finishListing("", files)
      state.press(.tab, .tab)
      #expect(state.running(FilePreviewJob.self)?.path == path)
    }
  }
}

@Suite("Summaries of listed files")
struct FileSummaryTests {
  private static let many = (10..<60).map { FolderEntry("case\($0).nii", summary: nil) }

  private func names(_ numbers: Range<Int>) -> [String] { numbers.map { "case\($0).nii" } }

  /// Ends the job that reads summaries; each file is what its name says.
  private func finish(_ state: inout ReviewState) throws {
    let job = try #require(state.running(FileSummaryJob.self))
    let found = Dictionary(uniqueKeysWithValues: job.names.map { ($0, "read " + $0.prefix(6)) })
    let id = try #require(state.jobs[.fileSummaries]?.id)
    _ = reduce(&state, .jobEnded(id, .finished(FileSummaryJob.self, with: found)))
  }

  @Test(
    "the names are listed at once; what is on the screen is read first, then what is below it, and no more")
  func order() throws {
    var state = try listing(Self.many)
    #expect(render(state).text.contains { $0.hasPrefix(" case10.nii") })
    #expect(state.running(FileSummaryJob.self)?.names == names(10..<18))
    try finish(&state)
    #expect(render(state).text.contains { $0.hasPrefix(" case17.nii    read case17") })
    #expect(state.running(FileSummaryJob.self)?.names == names(18..<26))
    try finish(&state)
    #expect(state.jobs[.fileSummaries] == nil)
    state.press(.backTab, .backTab)
    #expect(state.running(FileSummaryJob.self)?.names == names(52..<60))
  }

  @Test("what cannot be read has no summary and is not read again")
  func failure() throws {
    var state = try listing([FolderEntry("a.nii", summary: nil)])
    let id = try #require(state.jobs[.fileSummaries]?.id)
    _ = reduce(&state, .jobEnded(id, .failed("no such folder")))
    #expect(state.jobs[.fileSummaries] == nil)
    #expect(state.message?.kind != .error)
  }

  @Test("files of the same folder that are on the screen while others are read are read after them")
  func scrolling() throws {
    var state = try listing(Self.many)
    state.press(.tab)
    #expect(state.running(FileSummaryJob.self)?.names == names(10..<18))
    state.press(.backTab)
    #expect(state.running(FileSummaryJob.self)?.names == names(52..<60))
    state.press(.escape)
    #expect(state.jobs[.fileSummaries] == nil)
  }
}
