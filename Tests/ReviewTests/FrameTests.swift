import Foundation
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

@Test("every screen size can be drawn in every mode")
func everySizeIsDrawn() throws {
  let sizes = [
    (0, 0), (1, 1), (0, 80), (24, 0), (3, 200), (11, 40), (12, 39), (12, 40), (12, 80), (15, 59), (16, 60),
    (24, 80), (30, 110), (31, 113), (61, 203),
  ]
  for (rows, columns) in sizes {
    for keys in ["", "b", "v", "t5", "?", "w", ":window", "d", "u", "+++P", "cO", "o"] {
      for depth in TerminalCapabilities.ColourDepth.allCases {
        let capabilities = TerminalCapabilities(colourDepth: depth, showsUnicode: depth != .mono)
        var state = try openedState(
          screen: ScreenSize(rows: rows, columns: columns), capabilities: capabilities)
        state.type(keys)
        let frame = shown(state)
        #expect(frame.rows == rows)
        #expect(frame.columns == columns)
        #expect(frame.cells.allSatisfy { $0.character == "?" || $0.character.asciiReplacement != "?" })
      }
    }
  }
}

@Test("a screen that is too small shows the size that it needs, in as many lines as that takes")
func tooSmallSaysSo() throws {
  func text(_ rows: Int, _ columns: Int) throws -> [String] {
    render(try openedState(screen: ScreenSize(rows: rows, columns: columns))).text.map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }
  #expect(try text(3, 44) == ["segdeck needs 40x12; this screen has 44x3", "q quits", ""])
  #expect(try text(5, 24) == ["", "segdeck needs 40x12;", "this screen has 24x5", "q quits", ""])
  #expect(try text(1, 44) == ["segdeck needs 40x12; this screen has 44x1"])
}

@Test("a screen of 40x12 shows the picture, and the panel in its place while that receives keys")
func smallestScreen() throws {
  var state = try openedState(screen: ScreenSize(rows: 12, columns: 40))
  #expect(state.layout.panel.isEmpty)
  #expect(state.layout.panes.map(\.plane) == [.axial])
  #expect(state.layout.panes[0].title == Rectangle(row: 1, column: 0, rows: 1, columns: 40))
  let picture = render(state).text
  #expect(picture[1].hasPrefix(" Axial  k 3 of 0-15"))
  #expect(picture[8].hasPrefix(" ijk 9 9 3"))
  #expect(picture[11].contains("? help  q quit"))
  state.type("b")
  #expect(state.layout.panes.isEmpty)
  let table = render(state).text
  #expect(table[1].hasPrefix(" Labels"))
  #expect(table[3].contains("spleen") && table[4].contains("liver"))
  #expect(table[8].hasPrefix(" ijk 9 9 3"))
  state.press(.escape)
  #expect(render(state).text[1].hasPrefix(" Axial  k 3 of 0-15"))
}

@Test("on the smallest screen the title has the position, the case, the version shown and the verdict")
func smallestTitle() throws {
  var state = try comparedState(12, 40)
  state.type("yf")
  (state.position, state.listFilter) = ("3/5 of 12", "dice<0.8 and unread")
  let (a, b) = (state.decisions.versions[0].name, state.decisions.versions[1].name)
  for (name, letter) in [(a, "A"), (b, "B")] {
    let title = render(state).text[0]
    #expect(title.contains(" \(letter) \(name.prefix(1))") && title.contains("accepted"), "\(title)")
    #expect(title.hasPrefix(" 3/5 of 12  \(state.content.name.prefix(1))"))
    #expect(!title.contains(letter == "A" ? " B " : " A ") && !title.contains("filter"))
    state.press(.tab)
  }
}

@Test("on the smallest screen lists show the entry that is pointed at, and dialogs leave the key bar free")
func smallestDialogs() throws {
  for keys in ["bc", "w", "U", "?", "M", "bp", "yq"] {
    var state = try openedState(screen: ScreenSize(rows: 12, columns: 40))
    state.type(keys)
    let isList = ["bc", "w", "U"].contains(keys)
    for _ in 0..<20 {
      let frame = render(state)
      #expect(!frame.text[11].contains { "│└".contains($0) }, "\(keys)")
      #expect(!isList || frame.cells.contains { $0.style.isReversed }, "\(keys)")
      state.press(.down)
    }
  }
}

@Test("the key reference is wrapped to the screen, so that nothing of it is cut")
func wrappedReference() throws {
  for (rows, columns) in [(12, 40), (24, 80), (40, 120)] {
    var state = try openedState(screen: ScreenSize(rows: rows, columns: columns))
    state.type("?")
    var (read, last): ([String], [String]) = ([], [])
    while true {
      let shown = render(state).text[2..<rows - 3].map { line in
        line.split(separator: "│", omittingEmptySubsequences: false).dropFirst().dropLast().joined()
      }
      guard shown != last else { break }
      // Each step shows one line more.
      read += last.isEmpty ? shown : [shown.last ?? ""]
      last = shown
      state.press(.down)
    }
    let words = { (lines: [String]) in lines.joined(separator: " ").split(separator: " ") }
    #expect(words(read) == words(KeyReference.lines(width: 1000)))
  }
}

@Test("the lines at the foot show position, intensity, label and view")
func statusIsWritten() throws {
  var state = try openedState()
  state.type("g6,7,8")
  state.press(.enter)
  let text = render(state).text
  #expect(text[20].hasPrefix(" ijk 6 7 8  RAS 6.0 7.0 8.0 mm  HU 100  label ■ liver"))
  #expect(text[21].hasPrefix(" window 40/400 CT soft tissue  radiological"))
  #expect(text[0].hasPrefix(" segdeck  case-1   A manual.nii.gz"))
  #expect(text[1].contains("Axial  k 8 of 0-15"))
}

@Test("the panel lists labels with their millilitres, versions and the CRF")
func panelListsLabels() throws {
  let text = render(try openedState()).text.map { String($0.suffix(35)) }
  #expect(text[1].hasPrefix("Labels"))
  #expect(text.contains { $0.hasPrefix("■ spleen") && $0.contains("0.06") })
  #expect(text.contains { $0.hasPrefix("■ liver") && $0.contains("0.90") })
  #expect(text.contains { $0.hasPrefix("A manual.nii.gz") })
  #expect(text.contains { $0.hasPrefix("CRF") })
}

@Test("an outline takes the label's colour, a fill mixes it, off leaves the image alone")
func overlaysAreDrawn() throws {
  var state = try openedState()
  state.type("xX")
  let liver = Colour.rgb(230, 159, 0)
  func colours() -> Set<Colour> {
    let frame = shown(state)
    let area = state.layout.panes[0].picture
    var colours: Set<Colour> = []
    for row in area.row..<area.row + area.rows {
      for column in area.column..<area.column + area.columns {
        colours.formUnion([frame[row, column].style.foreground, frame[row, column].style.background])
      }
    }
    return colours
  }
  #expect(state.view.overlay.style == .fill)
  #expect(!colours().contains(liver))
  state.type("u")
  #expect(colours().contains(liver))
  state.type(" ")
  #expect(!colours().contains(liver))
  let greys = colours().allSatisfy { colour in
    guard case .rgb(let red, let green, let blue) = colour else { return true }
    return red == green && green == blue
  }
  #expect(greys)
}

@Test("the difference view ignores labels that only one version can have")
func differenceLeavesOutUnknownLabels() throws {
  var state = try openedState()
  try state.runNetwork()
  state.type("xXdg19,8,7")
  state.press(.enter)
  let with = shown(state)
  let version = state.decisions.versions[0]
  let spleenless = version.labels.relabelled { $1 == 1 ? 0 : $1 }
  state.decisions.versions[0] = Version(
    id: version.id, name: version.name, origin: version.origin, labels: spleenless, table: version.ownTable,
    components: try LabelComponents(spleenless, work: WorkContext()))
  let area = state.layout.panes[0].picture
  let without = shown(state)
  for row in area.row..<area.row + area.rows {
    for column in area.column..<area.column + area.columns {
      #expect(with[row, column] == without[row, column])
    }
  }
}

@Test("a single voxel of a label is seen even where a pixel covers many voxels")
func smallLesionsAreSeen() throws {
  let large = grid(GridSize(301, 299, 5))
  var labels = [UInt16](repeating: 0, count: large.size.voxelCount)
  labels[large.size.offset(VoxelIndex(150, 151, 2))] = 3
  let content = ReviewCase(
    name: "large", imagePath: "/large.nii",
    image: ScalarVolume(grid: large, voxels: [Float](repeating: 0, count: large.size.voxelCount)),
    masks: [
      LoadedMask(
        name: "lesion", path: "/lesion.nii",
        labels: ChunkedLabels(LabelVolume(grid: large, voxels: labels)),
        table: LabelTable([Label(value: 3, name: "lesion", colour: RGBColour(1, 2, 3))]))
    ], exportPath: "/large_seg.nii.gz")
  var state = try openedState(content)
  // No crosshair and no letters, and labels outlined, so that only the label has its colour.
  state.type("xXu")
  let frame = shown(state)
  let lesion = Colour.rgb(1, 2, 3)
  #expect(frame.cells.contains { $0.style.foreground == lesion || $0.style.background == lesion })
}

@Test("a running job shows its progress, its remaining time and how to cancel it")
func progressIsShown() throws {
  var state = try openedState(screen: ScreenSize(rows: 40, columns: 130))
  _ = reduce(
    &state, .jobEnded(state.type("m").started!.id, .finished(ModelsJob.self, with: [pretendedModel])))
  let dialog = render(state).text.joined(separator: "\n")
  #expect(dialog.contains("about 12 s"))
  #expect(dialog.contains("this image does not look like CT"))
  let id = state.press(.enter).started!.id
  _ = reduce(&state, .jobProgressed(id, fraction: 0.5, elapsedSeconds: 6))
  #expect(
    render(state).text[38].contains("running liver network ██████████░░░░░░░░░░ 50%  6 s left  Esc cancels"))
}

@Test("names from files reach the screen without control characters")
func namesAreCleaned() throws {
  var content = phantomCase()
  content.name = "a\u{1B}[2Jb"
  content.masks[0].name = "m\u{7}\u{202E}n"
  for line in render(try openedState(content)).text {
    #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.properties.generalCategory != .format })
  }
}
