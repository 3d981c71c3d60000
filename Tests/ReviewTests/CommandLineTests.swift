import Review
import ReviewFixtures
import Screen
import Testing
import Volumes

/// The text of the command line; nil where none is open.
private func line(_ state: ReviewState) -> String? {
  guard case .command(let line) = state.dialog else { return nil }
  return line.entry.text
}

/// What the screen shows above the command line, from the row that begins with `first` on.
private func list(_ state: ReviewState, from first: String) -> [String] {
  let rows = render(state).text.map { String($0.reversed().drop { $0 == " " }.reversed()) }
  guard let start = rows.firstIndex(where: { $0.hasPrefix(" " + first) }) else { return [] }
  return Array(rows[start...].dropLast())
}

extension ReviewState {
  /// Ends the job that reads earlier lines.
  fileprivate mutating func read(_ history: CommandHistory) throws {
    let id = try #require(jobs[.commandHistory]?.id)
    _ = reduce(&self, .jobEnded(id, .finished(CommandHistoryJob.self, with: history)))
  }
}

@Suite("The command line")
struct CommandLineTests {
  @Test("Up and Down go through the earlier lines that begin with the typed text")
  func history() throws {
    var state = try openedState()
    state.type(":")
    try state.read(CommandHistory(commands: ["window lung", "score 4", "window 40 400"]))
    var found: [String?] = []
    state.type("wi")
    for key: Key in [.up, .up, .up, .down, .down, .down] {
      state.press(key)
      found.append(line(state))
    }
    #expect(found == ["window 40 400", "window lung", "window lung", "window 40 400", "wi", "wi"])
    state.press(.control("u"), .up, .up, .enter)
    #expect(state.message == Message("score 4 of 5"))
    state.press(":", .up)
    #expect(line(state) == "score 4")
  }

  @Test("Up pressed before the earlier lines are read shows them once they are")
  func early() throws {
    var state = try openedState()
    state.press(":", .up, .up)
    #expect(line(state) == "")
    try state.read(CommandHistory(commands: ["score 1", "score 2", "score 3"]))
    #expect(line(state) == "score 2")
    state.press(.down)
    #expect(line(state) == "score 3")
  }

  @Test("a line is stored as it was typed, and lines of this session stay where they could not be stored")
  func storing() throws {
    var state = try openedState()
    let effects = state.command("windw 3")
    #expect(effects.started(CommandHistoryJob.self)?.job == CommandHistoryJob())
    #expect(state.running(CommandHistoryJob.self)?.adding == .init(.command, "windw 3"))
    try state.read(CommandHistory(commands: ["score 2"], places: ["liver"]))
    #expect(state.commandHistory == CommandHistory(commands: ["score 2", "windw 3"], places: ["liver"]))
  }

  @Test("positions after g have their own history")
  func places() throws {
    var state = try openedState()
    state.command("score 2")
    state.type("g3")
    state.press(.enter, "g", .up)
    #expect(line(state) == "3")
    #expect(state.commandHistory == CommandHistory(commands: ["score 2"], places: ["3"]))
  }

  @Test(
    "Tab completes as far as all candidates agree, and what was typed after the cursor stays",
    arguments: [
      ("wi", "window "), ("SC", "score "), ("export", "export "), ("set theta-a", "set theta-alpha "),
      ("set labels liver,sp", "set labels liver,spleen"), ("window au", "window auto"),
      ("paint sp", "paint spleen"),
      ("a man", "a manual.nii.gz"), ("untag mo", "untag motion"), ("tag ca", "tag calcified"),
      ("preset de", "preset defaults"),
      ("liv", "liver"),
      ("nothing like this", "nothing like this"), ("score 4", "score 4"),
    ])
  func completing(typed: String, completed: String) throws {
    var state = try openedState()
    state.command("tag motion")
    state.knownTags = ["calcified", "motion"]
    state.type(":" + typed + "!")
    state.press(.left, .tab)
    #expect(line(state) == completed + "!")
  }

  @Test("Tab shows one candidate after the other, Shift-Tab the one before, and typing goes on from there")
  func cycling() throws {
    var state = try openedState()
    state.type(":set ")
    var found: [String?] = []
    for key: Key in [.tab, .tab, .backTab, .backTab] {
      state.press(key)
      found.append(line(state))
    }
    #expect(found == ["set mu1 ", "set theta-alpha ", "set mu1 ", "set labels "])
    state.type("sp")
    state.press(.tab, .enter)
    #expect(state.decisions.knobs.refinement.changedLabels == [1])
  }

  @Test("the list above the line has a summary of each candidate, and marks the one that is shown")
  func listOfCandidates() throws {
    var state = try openedState(screen: ScreenSize(rows: 24, columns: 80))
    state.type(":s")
    #expect(
      list(state, from: "slice") == [
        " slice         a slice of the active plane, counted from 0",
        " set           a CRF knob: mu1, theta-alpha, theta-beta, mu2, theta-gamma, iter…",
        " save-preset   save the CRF's kernels",
        " score         the quality of the segmentation, 1 to 5; 0 removes the score",
        " spleen        go to its largest slice",
      ])
    state.type("core ")
    #expect(
      list(state, from: ":score") == [
        " :score 4  the quality of the segmentation, 1 to 5; 0 removes the score"
      ])
  }

  @Test(
    "names of files complete a path once the folder was listed, folders with a slash and hidden ones on demand"
  )
  func paths() throws {
    var state = try openedState()
    state.type(":export da")
    state.press(.tab)
    #expect(line(state) == "export da")
    try state.finishListing(
      "", [FolderEntry("data", isFolder: true), FolderEntry("notes.txt"), FolderEntry(".hidden")])
    #expect(line(state) == "export data/")
    let latin = "caf\u{10ffe9}.nii"
    try state.finishListing("data/", [FolderEntry(latin), FolderEntry("b.nii")])
    state.type("c")
    state.press(.tab)
    #expect(line(state) == "export data/" + latin)
    state.press(.control("w"))
    #expect(line(state) == "export ")
    try state.finishListing(
      "", [FolderEntry("data", isFolder: true), FolderEntry("notes.txt"), FolderEntry(".hidden")])
    state.press(.tab)
    #expect(line(state) == "export data/")
    state.press(.control("w"))
    state.type(".")
    state.press(.tab)
    #expect(line(state) == "export .hidden")
  }

  @Test(
    "a line that is wider than the screen shows its end and the cursor, also of characters of two columns")
  func wideLine() throws {
    var state = try openedState()
    state.press(.character("\""))
    state.type(String(repeating: "漢字", count: 200) + " end")
    let frame = render(state)
    let row = try #require(frame.cursor?.row)
    #expect(frame.text[row].contains(" comment 字漢"))
    #expect(frame.text[row].contains("漢字 end"))
    #expect((frame.columns - 4..<frame.columns).contains(try #require(frame.cursor?.column)))
  }

  @Test("after a folder and the word series, Tab offers its series by their numbers once they are read")
  func series() throws {
    var state = try openedState()
    state.type(":open ct series ")
    #expect(state.running(FilePartsJob.self)?.path == "ct")
    #expect(state.running(FilePartsJob.self)?.part == .series)
    state.press(.tab)
    #expect(line(state) == "open ct series ")
    try state.finishParts([FilePart(1, "CT, head"), FilePart(2, "CT, chest"), FilePart(12, "MR")])
    #expect(line(state) == "open ct series 1")
    #expect(render(state).text.joined().contains("CT, head"))
    state.press(.tab)
    #expect(line(state) == "open ct series 2")
    // What is read once is not read again while the path stays.
    #expect(state.jobs[.fileParts] == nil)
  }

  @Test(
    "after a mask and the word segment or layer, a number or a word of the description completes the number",
    arguments: [
      ("a.seg.nrrd segment le", "a.seg.nrrd segment 2"), ("a.seg.nrrd segment 1", "a.seg.nrrd segment 10"),
      ("\"a b.seg.nrrd\" layer lob", "\"a b.seg.nrrd\" layer 10"),
      ("a.seg.nrrd segment none", "a.seg.nrrd segment none"),
    ])
  func segments(typed: String, completed: String) throws {
    var state = try openedState()
    state.type(":mask " + typed)
    try state.finishParts([FilePart(2, "lesion"), FilePart(10, "upper lobe")])
    state.press(.tab)
    #expect(line(state) == "mask " + completed)
  }

  @Test("a file without parts, or one that cannot be read, has no candidates")
  func noParts() throws {
    for outcome in [
      JobOutcome.finished(FilePartsJob.self, with: FilePartList(path: "ct", kind: .series, parts: [])),
      .failed("ct: cannot be opened"),
    ] {
      var state = try openedState()
      state.type(":open ct series ")
      _ = reduce(&state, .jobEnded(try #require(state.jobs[.fileParts]?.id), outcome))
      try state.finishListing("", [FolderEntry("ct", isFolder: true)])
      state.press(.tab)
      #expect(line(state) == "open ct series ")
    }
  }

  @Test("text that is typed while a folder is listed is not completed")
  func typingOn() throws {
    var state = try openedState()
    state.type(":export da")
    state.press(.tab)
    state.type("y")
    try state.finishListing("", [FolderEntry("data"), FolderEntry("day.nii")])
    #expect(line(state) == "export day")
    #expect(list(state, from: "day.nii").count == 2)
  }

  @Test("a folder that cannot be read has no candidates, and gives no message")
  func unreadableFolder() throws {
    var state = try openedState()
    state.type(":export no/")
    let id = try #require(state.jobs[.folder]?.id)
    let message = state.message
    _ = reduce(&state, .jobEnded(id, .failed("no/: is not a folder that can be read")))
    #expect(state.message == message)
    #expect(state.jobs[.folder] == nil)
    state.press(.tab)
    #expect(line(state) == "export no/")
  }

  @Test("Ctrl-W, Ctrl-K, Ctrl-A, Ctrl-E and paste edit the line")
  func editing() throws {
    var state = try openedState()
    state.type(":window 40 400 ")
    state.press(.control("w"), .control("w"))
    _ = reduce(&state, .terminal(.paste("60\n 150")))
    #expect(line(state) == "window 60  150")
    state.press(.control("a"), .right, .control("k"))
    #expect(line(state) == "w")
    state.type("x")
    state.press(.control("e"), .control("u"), .backspace)
    #expect(state.dialog == nil)
  }

  @Test(
    "a line that means nothing says what was probably meant",
    arguments: [
      (":", "wndow 40 400", "\"wndow 40 400\" is not a command, place or label; did you mean window?"),
      (":", "splen", "\"splen\" is not a command, place or label; did you mean spleen?"),
      (":", "xyzzy", "\"xyzzy\" is not a command, place or label; ? lists them"),
      ("g", "lvier", "\"lvier\" is not a place or label; did you mean liver?"),
      ("g", "window auto", "\"window auto\" is not a place or label; ? lists them"),
    ])
  func unknown(key: String, typed: String, message: String) throws {
    var state = try openedState()
    state.type(key + typed)
    state.press(.enter)
    #expect(state.message == Message(message, .error))
  }

  @Test("a version becomes A or B by its name or a part of it that no other has")
  func versions() throws {
    var state = try comparedState(24, 80)
    let (one, two) = (state.decisions.a, state.decisions.b)
    state.command("a reader_two")
    #expect((state.decisions.a, state.decisions.b) == (two, one))
    state.command("b reader_two/seg.nii.gz")
    #expect((state.decisions.a, state.decisions.b) == (one, two))
    state.command("b seg")
    #expect(
      state.message
        == Message("several versions are called so: reader_one/seg.nii.gz, reader_two/seg.nii.gz", .error))
    state.command("a nobody")
    #expect(
      state.message
        == Message(
          "no version is called \"nobody\"; the versions are reader_one/seg.nii.gz, reader_two/seg.nii.gz",
          .error))
  }
}
