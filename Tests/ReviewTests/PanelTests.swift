import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

/// The lines of the panel, without the picture beside it.
private func panel(_ state: ReviewState) -> [String] {
  let area = state.layout.panel
  let frame = render(state)
  return (area.row..<area.row + area.rows).map { row in
    String(
      String.UnicodeScalarView((area.column..<area.column + area.columns).map { frame[row, $0].character }))
  }
}

@Test("masks of one name are told apart by their folders, in the list and in the title, at every width")
func equalFileNamesAreToldApart() throws {
  for (rows, columns) in [(24, 80), (40, 120), (60, 200)] {
    let state = try comparedState(rows, columns)
    #expect(state.decisions.versions.map(\.name) == ["reader_one/seg.nii.gz", "reader_two/seg.nii.gz"])
    let title = render(state).text[0]
    #expect(title.contains(" A reader_o") && title.contains(" B reader_t"), "\(title)")
    let list = panel(state).map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(
      list.contains { $0.hasPrefix("A reader_one/") } && list.contains { $0.hasPrefix("B reader_two/") })
  }
}

@Test(
  "numbers of the label table never touch, have the same decimals down a column, and names stay different")
func tableIsAligned() throws {
  for (rows, columns) in [(24, 80), (40, 120), (60, 200), (16, 60)] {
    let lines = panel(try comparedState(rows, columns))
    var decimals: [Set<Int>] = [[], [], []]
    let numbers = lines.compactMap { $0.firstMatch(of: /( +[<]?\d+\.\d+)( +[+-]?\d+\.\d+)( +\d\.\d\d\d) *$/) }
    #expect(!numbers.isEmpty, "\(columns)x\(rows): \(lines)")
    for row in numbers {
      for (column, text) in [row.1, row.2, row.3].enumerated() {
        decimals[column].insert(text.split(separator: ".").last?.count ?? 0)
      }
    }
    #expect(decimals.allSatisfy { $0.count == 1 }, "\(columns)x\(rows): \(decimals)")
  }
  let wide = panel(try comparedState(60, 200)).joined(separator: "\n")
  for name in ["right kidney", "left kidney", "inferior vena cava"] { #expect(wide.contains("■ \(name)")) }
  let narrow = panel(try comparedState(24, 80)).joined(separator: "\n")
  #expect(narrow.contains("■ right") && narrow.contains("■ left"))
}

@Test("a volume that rounds to 0 is shown as less than the last digit")
func smallVolumesAreNotZero() throws {
  var content = phantomCase()
  content.masks[0].labels = content.masks[0].labels.relabelled { $0 == 0 ? 1 : $1 == 1 ? 0 : $1 }
  let lines = panel(try openedState(content))
  #expect(lines.contains { $0.contains("■ spleen") && $0.contains(" <0.01") })
  #expect(lines.contains { $0.contains("■ liver") && $0.contains(" 0.90") })
}

@Test("no row of the CRF panel moves while knobs are selected and changed")
func knobsStayInPlace() throws {
  for (rows, columns) in [(24, 80), (40, 120), (60, 200)] {
    var state = try comparedState(rows, columns)
    let effects = state.type("t")
    if let preview = effects.started(PreviewJob.self) {
      try state.finish(preview, with: preview.job.request.labelsBefore.volume)
    }
    func rowsOfTexts() -> [Int?] {
      let lines = panel(state)
      return ["CRF on ", "μ1 appearance", "labels  ", ": nothing changes"].map { text in
        lines.firstIndex { $0.contains(text) }
      }
    }
    let first = rowsOfTexts()
    #expect(first.allSatisfy { $0 != nil }, "\(columns)x\(rows): \(panel(state))")
    for _ in 0..<8 {
      state.press(.down)
      #expect(rowsOfTexts() == first, "\(columns)x\(rows)")
    }
    // Labels are listed once.
    #expect(panel(state).count { $0.contains("■ spleen") } <= 1)
    #expect(!panel(state).contains { $0.hasPrefix(" Labels") })
  }
}

@Test("the key bar shows the main keys at 80 columns too, and help and quit everywhere")
func keyBarShowsThePurpose() throws {
  for columns in [80, 120, 200] {
    let bar = render(try openedState(screen: ScreenSize(rows: 40, columns: columns))).text[39]
    for word in ["m model", "t CRF", "v versions", "b table", "y accept", "E export", "? help", "q quit"] {
      #expect(bar.contains(" \(word) "), "\(columns): \(bar)")
    }
  }
  #expect(
    render(try openedState(screen: ScreenSize(rows: 40, columns: 120))).text[39].contains(" d difference "))
  let narrow = render(try openedState(screen: ScreenSize(rows: 16, columns: 60))).text[15]
  #expect(narrow.contains("m model") && narrow.contains("? help") && narrow.contains("q quit"))
}

@Test("prompts show examples until something is typed")
func promptsShowExamples() throws {
  var state = try openedState()
  state.type("g")
  #expect(render(state).text[23].hasPrefix(" go to   40, 120,80,40, -12.5,40,81mm, spleen"))
  state.type("4")
  #expect(render(state).text[23].hasPrefix(" go to 4  "))
  #expect(!render(state).text[23].contains("120"))
  state.press(.escape)
  state.type(":")
  #expect(render(state).text[23].hasPrefix(" :  Tab completes, ↑ shows earlier lines, Enter does it"))
}

@Test("the difference ends with its reason: leaving the CRF, another pair; header, legend and panes agree")
func differenceEnds() throws {
  // One mask: the CRF's difference does not outlive its panel.
  var state = try openedState(screen: ScreenSize(rows: 40, columns: 130))
  if let (id, job) = state.type("t").started(PreviewJob.self) {
    let request = job.request
    var labels = request.labelsBefore.volume(croppedTo: request.region!)
    labels.voxels[0] = 6
    let part = try RefinedPart(
      RefinedLabels(box: request.region!, labels: labels), of: request, WorkContext())
    _ = reduce(&state, .jobEnded(id, .finished(PreviewJob.self, with: part)))
  }
  func shownTexts() -> [Bool] {
    let text = render(state).text
    return [
      text[0].contains("difference of"), text[37].contains("■ lost  ■ gained  ■ kept"),
      text[37].contains("only A"),
    ]
  }
  #expect(shownTexts() == [false, false, false])
  state.type("d")
  #expect(shownTexts() == [true, true, false])
  // While the labels before refinement are shown, no difference is drawn or named.
  state.press(.tab)
  #expect(shownTexts() == [false, false, false])
  state.press(.tab)
  #expect(shownTexts() == [true, true, false])
  state.type(" ")
  #expect(shownTexts() == [false, false, false])
  state.type(" ")
  while state.focus != .picture { state.press(.escape) }
  #expect(state.view.comparison == .off)
  #expect(shownTexts() == [false, false, false])

  // Another pair ends the difference of A and B; the same two in the other order do not.
  var pair = try comparedState(40, 130)
  pair.type("dva")
  #expect(pair.view.comparison == .difference)
  pair.press(.down)
  pair.type("a")
  #expect(pair.view.comparison == .difference)
  pair.decisions.versions.append(
    Version(
      id: VersionID(9), name: "third", origin: .mask(path: "/t.nii"),
      labels: pair.decisions.versions[0].labels,
      table: pair.decisions.versions[0].table, components: pair.decisions.versions[0].components))
  pair.press(.end)
  pair.type("b")
  #expect(pair.decisions.b == VersionID(9) && pair.view.comparison == .off)
}

@Test("where versions agree each label is outlined, and the refined box differs from every outline")
func keptLabelsAreOutlined() throws {
  // Two labels side by side that both versions have: a white line runs between them.
  var content = phantomCase()
  let size = content.image.grid.size
  content.masks[0].labels = content.masks[0].labels.relabelled { offset, _ in
    let index = size.index(offset: offset)
    guard (4..<20).contains(index.i), (4..<16).contains(index.j) else { return 0 }
    return index.i < 12 ? 6 : 1
  }
  var other = content.masks[0]
  other.path = "/cases/other.nii.gz"
  content.masks.append(other)
  var state = try openedState(content)
  state.type("xXdg12,10,8")
  state.press(.enter)
  let frame = shown(state)
  let area = state.layout.panes[0].picture
  let row = area.row + area.rows / 2
  let white = Colour.rgb(255, 255, 255)
  let runs = (area.column..<area.column + area.columns).filter {
    frame[row, $0].style.foreground == white || frame[row, $0].style.background == white
  }
  // The outer borders at both sides, and the border between the labels, which takes a pixel of each.
  #expect(runs.count == 4, "\(runs)")

  state.type("dt")
  if let (id, job) = state.press(.right).started(PreviewJob.self) {
    let request = job.request
    let part = try RefinedPart(
      RefinedLabels(
        box: request.region!, labels: request.labelsBefore.volume(croppedTo: request.region!)),
      of: request,
      WorkContext())
    _ = reduce(&state, .jobEnded(id, .finished(PreviewJob.self, with: part)))
  }
  let box = Colour.rgb(170, 255, 0)
  #expect(shown(state).cells.contains { $0.style.foreground == box || $0.style.background == box })
}
