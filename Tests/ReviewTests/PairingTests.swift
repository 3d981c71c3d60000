import Metrics
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

/// A case with the phantom's mask and a second one, whose values and names are given.
private func twoMasks(_ values: [UInt16: UInt16], names: [UInt16: String] = [:]) -> ReviewCase {
  var content = phantomCase()
  var second = content.masks[0]
  second.name = "other.nii.gz"
  second.path = "/cases/other.nii.gz"
  second.labels = second.labels.relabelled { values[$1] ?? 0 }
  second.table = LabelTable(
    names.map { Label(value: $0, name: $1, colour: LabelTable.colour(ofValue: $0)) })
  content.masks.append(second)
  return content
}

/// Opens a case and ends the comparison that opening asks for.
private func comparedState(
  _ content: ReviewCase, screen: ScreenSize = ScreenSize(rows: 24, columns: 80),
  remembered: [UInt16: UInt16]? = nil, areOfTheseVersions: Bool = true
) throws -> ReviewState {
  var state = try openedState(content, screen: screen)
  try state.finishComparison(remembered: remembered, areOfTheseVersions: areOfTheseVersions)
  return state
}

extension ReviewState {
  /// Ends the running comparison, and those that follow from it.
  fileprivate mutating func finishComparison(
    remembered: [UInt16: UInt16]? = nil, areOfTheseVersions: Bool = true
  ) throws {
    while let job = jobs[.comparison], let a = decisions.a.flatMap({ version($0) }),
      let b = decisions.b.flatMap({ version($0) })
    {
      let isKnown =
        comparedPairs.isEmpty || askedPairings.contains([a.family, b.family])
        || !(automaticPairings + decisions.pairings).filter { $0.isOf(a.family, b.family) }.isEmpty
      let memory =
        isKnown || a.family == b.family
        ? nil : PairingMemory(a: .init(name: "a", labels: []), b: .init(name: "b", labels: []))
      let request = ComparisonRequest(a: a, b: b, pairs: comparedPairs, memory: memory)
      _ = reduce(
        &self,
        .jobEnded(
          job.id,
          .finished(
            ComparisonJob.self,
            with: try Comparison(
              request,
              remembered: [remembered].compactMap(\.self).map {
                RememberedPartners(codes: $0, areOfTheseVersions: areOfTheseVersions)
              },
              WorkContext())))
      )
    }
  }

  fileprivate var pairing: PairingDialog? {
    if case .pairing(let pairing) = dialog { return pairing }
    return nil
  }

  /// "liver / label 2" and its Dice for each row in which both versions have a label.
  fileprivate var agreement: [String: Double] {
    let rows = (comparison?.rows ?? []).filter { $0.pair.valueA != nil && $0.pair.valueB != nil }
    return Dictionary(uniqueKeysWithValues: rows.map { ($0.pair.name, $0.dice) })
  }
}

@Test(
  "names that differ at their ends stay different beside the names in the other version",
  arguments: [80, 120, 200])
func pairedNamesStayDifferent(columns: Int) throws {
  var content = twoMasks([6: 2, 1: 6])
  let start = "left upper lobe of the lung, segment "
  content.masks[0].table = LabelTable(
    [(1, "anterior"), (6, "posterior")].map {
      Label(value: $0, name: start + $1, colour: LabelTable.colour(ofValue: $0))
    })
  var state = try comparedState(content, screen: ScreenSize(rows: 40, columns: columns))
  state.press(.enter)
  try state.finishComparison()
  let area = state.layout.panel
  let text = render(state).text.map { String($0.dropFirst(area.column)) }
  for (ending, other) in [("anterior", "label 6"), ("posterior", "label 2")] {
    let row = try #require(text.firstIndex { $0.hasPrefix(" ■") && $0.contains(ending) }, "\(text)")
    #expect(text[row + 1].contains("  B: \(other) "), "\(text[row + 1])")
  }
}

@Test(
  "labels of another mask that have no names are proposed by overlap, and Enter compares the pairs")
func unnamedLabelsAreAskedFor() throws {
  // The spleen is 6 and the liver 2 there: by value the liver would get a Dice of 0.
  var state = try comparedState(twoMasks([6: 2, 1: 6]))
  #expect(state.pairing?.isOpenedByProgram == true)
  #expect(state.pairing?.partners == [6: 2, 1: 6])
  #expect(state.agreement == [:])
  let effects = state.press(.enter)
  #expect(state.dialog == nil)
  try state.finishComparison()
  #expect(state.agreement == ["liver / label 2": 1, "spleen / label 6": 1])
  let memory = try #require(effects.started(PairingMemoryJob.self), "nothing is remembered")
  #expect(memory.job.partners == [6: 2, 1: 6])
  // Undo removes the pairing and what was remembered of it, without asking again; redo restores both.
  func remembered(_ effects: [ReviewEffect]) -> [[UInt16: UInt16]?] {
    effects.compactMap { effect in
      guard case .start(_, let started) = effect else { return nil }
      return (started.base as? PairingMemoryJob).map(\.partners)
    }
  }
  var redone = state
  #expect(remembered(redone.type("z")) == [nil])
  #expect(remembered(redone.type("Z")) == [[6: 2, 1: 6]])
  state.type("z")
  #expect(state.message == Message("undid: pair labels"))
  try state.finishComparison()
  #expect(state.dialog == nil)
  #expect(state.agreement == [:])
}

@Test(
  "the box and the bar say the same of Esc: it keeps names where the program asked, else leaves the pairs")
func escapeIsExplained() throws {
  var state = try comparedState(twoMasks([6: 2, 1: 6]))
  func lines(with text: String) -> Int { render(state).text.count { $0.contains(text) } }
  #expect(lines(with: "Esc keeps names and values") == 1 && lines(with: "Esc keep names ") == 1)
  state.press(.enter)
  try state.finishComparison()
  state.type("bp")
  #expect(state.pairing?.isOpenedByProgram == false)
  #expect(lines(with: "Esc leaves them") == 1 && lines(with: "Esc leave them ") == 1)
}

@Test("an answer is remembered by a mask's content: another mask at the same path is asked about again")
func answersAreOfContent() throws {
  func memory(_ values: [UInt16: UInt16]) throws -> PairingMemory? {
    var state = try comparedState(twoMasks(values))
    return state.press(.enter).started(PairingMemoryJob.self)?.job.memory
  }
  let (one, swapped) = (try memory([6: 2, 1: 6]), try memory([6: 6, 1: 2]))
  #expect(one != nil)
  #expect(one == (try memory([6: 2, 1: 6])))
  #expect(swapped != one)
  #expect(swapped?.b.labels == one?.b.labels)
}

@Test("Escape keeps names and values, and both names are beside the Dice of such a pair")
func escapeKeepsValues() throws {
  var state = try comparedState(twoMasks([6: 2, 1: 6]))
  state.press(.escape)
  try state.finishComparison()
  #expect(state.agreement == ["liver / label 6": 0])
}

@Test("no question where names, or the values of unnamed labels, agree with the overlaps")
func certainPairsAreNotAsked() throws {
  let byName = try comparedState(twoMasks([6: 3, 1: 4], names: [3: "Liver", 4: "SPLEEN"]))
  #expect(byName.dialog == nil)
  #expect(byName.agreement == ["liver": 1, "spleen": 1])
  let byValue = try comparedState(twoMasks([6: 6, 1: 1]))
  #expect(byValue.dialog == nil)
  #expect(byValue.agreement == ["liver / label 6": 1, "spleen / label 1": 1])
}

@Test("names that contradict overlaps are asked about, and so are labels that share only their value")
func contradictionsAreAsked() throws {
  let swapped = try comparedState(twoMasks([6: 1, 1: 6], names: [6: "liver", 1: "spleen"]))
  #expect(swapped.pairing?.partners == [6: 1, 1: 6])
  let renamed = try comparedState(twoMasks([6: 6, 1: 1], names: [6: "Leber", 1: "Milz"]))
  #expect(renamed.pairing?.partners == [6: 6, 1: 1])
  #expect(renamed.agreement == [:])
  // A label without overlap is not paired by its value.
  let apart = try comparedState(twoMasks([1: 6]))
  #expect(apart.pairing?.partners == [1: 6])
}

@Test("the pairing of the same files in an earlier session is used without a question")
func answersAreRemembered() throws {
  let state = try comparedState(twoMasks([6: 2, 1: 6]), remembered: [6: 2])
  #expect(state.dialog == nil)
  #expect(state.agreement == ["liver / label 2": 1])
  #expect(
    state.message == Message("labels are paired as chosen before; p in the label table changes it"))
}

@Test("pairs that were chosen in another case are used unless overlaps contradict them")
func otherCasesPairs() throws {
  let fitting = try comparedState(
    twoMasks([6: 2, 1: 6]), remembered: [6: 2, 1: 6], areOfTheseVersions: false)
  #expect(fitting.dialog == nil)
  #expect(fitting.agreement == ["liver / label 2": 1, "spleen / label 6": 1])
  let contradicted = try comparedState(
    twoMasks([6: 2, 1: 6]), remembered: [6: 6, 1: 2], areOfTheseVersions: false)
  #expect(contradicted.pairing?.partners == [6: 2, 1: 6])
  // A structure that the other case's mask missed has no partner there, and its own here.
  let partial = try comparedState(twoMasks([6: 2, 1: 6]), remembered: [6: 2], areOfTheseVersions: false)
  #expect(partial.pairing?.partners == [6: 2, 1: 6])
}

@Test(
  "text that is typed while the question about pairs is open answers nothing, with line breaks in it too",
  arguments: ["yn\"no new findings: fey", "Yes fine", "\"a comment\nYes", "l l l"])
func typedTextAnswersNothing(text: String) throws {
  var state = try comparedState(twoMasks([6: 2, 1: 6]))
  let asked = state.dialog
  for character in text { state.press(character == "\n" ? .enter : .character(character)) }
  #expect(state.dialog == asked)
  #expect(state.decisions.verdicts == Verdicts() && state.decisions.pairings == [])
  #expect(state.message?.text.hasSuffix("what is typed is ignored until Enter or Esc") == true)
  state.press(.enter)
  #expect(state.dialog == asked)
  state.press(.enter)
  #expect(state.dialog == nil && state.decisions.pairings.count == 1)
}

@Test("a pair has one colour in both versions and is hidden in both")
func pairsShareColourAndVisibility() throws {
  var state = try comparedState(twoMasks([6: 2, 1: 6]))
  state.press(.enter)
  try state.finishComparison()
  let (a, b) = (state.decisions.versions[0], state.decisions.versions[1])
  #expect(b.table[2]?.colour == a.table[6]?.colour)
  #expect(b.table[6]?.colour == a.table[1]?.colour)
  state.type("gliver")
  state.press(.enter)
  state.type("b ")
  #expect(state.decisions.hiddenLabels == ["liver"])
  #expect(!state.isVisible(b.table[2]!, of: state.decisions.versions[1]))
  #expect(state.isVisible(b.table[6]!, of: state.decisions.versions[1]))
}

@Test("the question shows both names and the overlap, and arrows change the partner of a label")
func partnersAreChanged() throws {
  var state = try comparedState(twoMasks([6: 2, 1: 6]))
  let text = render(state).text.joined(separator: "\n")
  #expect(text.contains("liver"))
  #expect(text.contains("label 2"))
  #expect(text.contains("1.00"))
  #expect(state.pairing?.rows.map(\.valueA) == [1, 6])
  state.press(.left)
  #expect(state.pairing?.partners == [6: 2])
  state.press(.left)
  // Partners of other labels are left out, so the last choice is the label's own partner.
  #expect(state.pairing?.partners == [1: 6, 6: 2])
  state.press(.left, .down, .left)
  #expect(state.pairing?.partners == [:])
  state.press(.left, .up, .right)
  #expect(state.pairing?.partners == [1: 2, 6: 6])
}

@Test(
  "labels are named and coloured in the table; typing triggers no key, and invalid names are refused with a message"
)
func labelsAreEdited() throws {
  var state = try comparedState(twoMasks([6: 6, 1: 1]))
  state.press(.tab)
  state.type("bjr")
  #expect(state.decisions.shownSide == .b)
  state.type("qy")
  #expect(state.phase == .reviewing)
  #expect(state.decisions.verdicts == Verdicts())
  state.press(.escape)
  #expect(state.shownVersion?.table[6]?.name == "label 6")
  state.type("r")
  state.press(.enter)
  #expect(state.message == Message("a label needs a name; Esc leaves it as it is", .error))
  state.type("label 1")
  state.press(.enter)
  #expect(state.message == Message("label 1 is called label 1 already", .error))
  state.press(.control("u"))
  state.type("Liver\u{1b}")
  state.press(.enter)
  #expect(state.shownVersion?.table[6]?.name == "Liver?")
  #expect(state.message == Message("label 6 is called Liver?"))
  state.type("c#")
  state.type("12zz")
  state.press(.enter)
  #expect(state.message?.kind == .error)
  state.press(.control("u"))
  state.type("#102030")
  state.press(.enter)
  #expect(state.shownVersion?.table[6]?.colour == RGBColour(16, 32, 48))
  // The same structure of the other version, by the pair that the values gave, has the colour too.
  #expect(state.decisions.versions[0].table[6]?.colour == RGBColour(16, 32, 48))
  state.press(.escape)
  state.type("z")
  #expect(state.message == Message("undid: recolour Liver?"))
  state.type("z")
  #expect(state.shownVersion?.table[6]?.name == "label 6")
}

@Test("a label that gets a name of the other version is paired with it")
func namesPair() throws {
  var state = try comparedState(twoMasks([6: 2, 1: 6]))
  state.press(.down, .left, .enter)
  try state.finishComparison()
  #expect(state.agreement == ["spleen / label 6": 1])
  state.press(.tab)
  state.type("glabel 2")
  state.press(.enter)
  state.type("brLiver")
  state.press(.enter)
  try state.finishComparison()
  #expect(state.agreement == ["spleen / label 6": 1, "liver": 1])
}

@Test("labels of one name in one mask are told apart by their values")
func equalNamesAreToldApart() throws {
  let state = try comparedState(twoMasks([6: 2, 1: 3], names: [2: "kidney", 3: "kidney"]))
  #expect(state.decisions.versions[1].table.labels.map(\.name) == ["kidney (2)", "kidney (3)"])
}

// Pairing labels one by one with all others would take minutes.
@Test("sixty thousand labels of two versions are paired")
func manyLabels() throws {
  let grid = grid(GridSize(300, 200, 2))
  let voxels = (0..<grid.size.voxelCount).map { UInt16($0 % 60_000 + 1) }
  var content = ReviewCase(
    name: "instances", imagePath: "/i.nii", image: ScalarVolume(grid: grid, voxels: voxels.map(Float.init)),
    exportPath: "/i_seg.nii")
  let labels = ChunkedLabels(LabelVolume(grid: grid, voxels: voxels))
  let components = try LabelComponents(labels, work: WorkContext())
  content.masks = ["a", "b"].map {
    LoadedMask(name: $0, path: "/\($0)", labels: labels, table: LabelTable())
  }
  let versions = [1, 2].map { number in
    Version(
      id: VersionID(number), name: "\(number)", origin: .mask(path: ""), labels: labels, table: LabelTable(),
      components: components)
  }
  let pairs = LabelPair.pairs(versions[0], versions[1])
  let memory = PairingMemory(a: .init(name: "a", labels: []), b: .init(name: "b", labels: []))
  let request = ComparisonRequest(a: versions[0], b: versions[1], pairs: pairs, memory: memory)
  let partners = try Comparison(request, WorkContext()).partners
  #expect(partners == Dictionary(uniqueKeysWithValues: (1...60_000).map { (UInt16($0), UInt16($0)) }))
}
