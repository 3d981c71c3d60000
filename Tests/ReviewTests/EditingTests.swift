import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

@Suite struct EditingTests {
  private let first = VoxelIndex(1, 1, 1)
  private let second = VoxelIndex(2, 2, 2)

  @Test(
    "the first change makes a copy of the version, further changes edit it; each is a step that can be undone"
  )
  func changesGoToACopy() throws {
    var state = try openedState()
    let mask = state.decisions.versions[0]
    state.paint(first, "spleen")
    #expect(state.decisions.versions.map(\.name) == ["manual.nii.gz", "manual.nii.gz edited"])
    #expect(state.decisions.versions[0] == mask)
    #expect(state.message == Message("manual.nii.gz edited is shown; Tab flips, d shows the difference"))
    state.paint(second, "6")
    #expect(state.message == Message("paint liver in manual.nii.gz edited"))
    let edited = try #require(state.shownVersion)
    #expect(edited.origin == .edit(of: mask.id) && edited.family == mask.family)
    #expect(
      edited.labels
        == mask.labels.relabelled { offset, label in
          let voxel = state.grid.size.index(offset: offset)
          return voxel == first ? 1 : voxel == second ? 6 : label
        })
    #expect(edited.statistics == (try LabelComponents(edited.labels, work: WorkContext())).statistics)
    #expect(edited.statistics(of: 6)?.voxelCount == 901 && edited.statistics(of: 6)?.componentCount == 2)
    #expect(
      state.history.steps.map(\.name) == ["opening", "paint spleen", "paint liver"])

    state.type("z")
    #expect(state.message == Message("undid: paint liver"))
    #expect(state.shownVersion?.labels[second] == 0 && state.shownVersion?.labels[first] == 1)
    state.type("Z")
    #expect(
      state.shownVersion?.labels == edited.labels && state.shownVersion?.statistics == edited.statistics)
    // A change after an undone one: both can be reached.
    state.type("z")
    state.paint(second, "spleen")
    state.type("zz")
    #expect(state.message == Message("undid: back to before paint liver"))
    #expect(state.shownVersion?.labels == edited.labels)
    state.type("z")
    #expect(state.shownVersion?.labels[second] == 0)
  }

  @Test("undo shows the version that was edited, not another one, and redo shows the edited version again")
  func undoShowsWhatWasEdited() throws {
    for side in [Decisions.Side.a, .b] {
      var state = try comparedState(24, 80)
      if side == .b { state.press(.tab) }
      let versions = (state.decisions.a, state.decisions.b)
      let edited = state.shownVersion?.id
      state.paint(first, "liver")
      let copy = state.shownVersion?.id
      #expect(copy != edited)
      state.type("z")
      #expect((state.decisions.a, state.decisions.b) == versions)
      #expect(state.shownVersion?.id == edited)
      state.type("Z")
      #expect(state.shownVersion?.id == copy)
      state.type("U")
      state.press(.home, .enter)
      #expect(state.shownVersion?.id == edited)
    }
  }

  @Test("undoing an edit takes the version that it made out of every list, and redoing brings it back")
  func undoneVersions() throws {
    var state = try openedState()
    let (mask, edited) = ("manual.nii.gz", "manual.nii.gz edited")
    func expect(_ names: [String], _ sourceLocation: SourceLocation = #_sourceLocation) {
      #expect(state.presentVersions.map(\.name) == names, sourceLocation: sourceLocation)
      let selected = state.version(state.selectedVersion ?? VersionID(0))?.name
      #expect(names.contains(selected ?? ""), sourceLocation: sourceLocation)
      var listed = state
      listed.type("v")
      listed.press(.end)
      #expect(listed.selectedVersion == state.presentVersions.last?.id, sourceLocation: sourceLocation)
    }
    state.paint(first, "liver")
    expect([mask, edited])
    // The second edit changes the version that the first one made.
    state.paint(second, "liver")
    state.type("z")
    expect([mask, edited])
    state.type("z")
    expect([mask])
    state.command("b \(edited)")
    #expect(state.message?.text == "no version is called \"\(edited)\"; the versions are \(mask)")
    state.type("ZZ")
    expect([mask, edited])
    // A decision after undo leads on without it; undone steps lead back to it.
    state.type("zz")
    state.type("f")
    expect([mask])
    state.type("z")
    expect([mask])
    state.type("z")
    expect([mask, edited])
    state.type("ZZ")
    expect([mask])
    state.paint(second, "spleen")
    expect([mask, "manual.nii.gz edited 2"])
  }

  @Test("clearing painted voxels restores the labels of the mask")
  func clearing() throws {
    var state = try openedState()
    state.paint(first, "spleen")
    state.paint(first, "0")
    #expect(state.shownVersion?.labels == state.decisions.versions[0].labels)
    #expect(state.shownVersion?.components == state.decisions.versions[0].components)
  }

  @Test(
    "an impossible edit is reported and changes nothing",
    arguments: [
      ("paint", "paint: type a label's name or value, or 0"),
      ("paint kidney", "paint: manual.nii.gz has no label \"kidney\""),
      ("paint 65536", "paint: manual.nii.gz has no label \"65536\""),
      ("paint -6", "paint: manual.nii.gz has no label \"-6\""),
      ("paint 0", "nothing changes: the label is there already"),
    ])
  func refusals(line: String, text: String) throws {
    var state = try openedState()
    state.command("1,1,1")
    let before = state.decisions
    state.command(line)
    #expect(state.message?.text == text)
    #expect(state.decisions == before && state.history.steps.count == 1)
    var empty = try openedState(phantomCase(withMask: false))
    empty.command("paint liver")
    #expect(empty.message?.text == "no version to change: open a mask, or run a network (m)")
  }

  @Test("an edit discards the version's comparison, export and acceptance; undo restores them")
  func whatAChangeForgets() throws {
    var state = try openedState()
    try state.runNetwork()
    state.paint(first, "liver")
    let edited = try #require(state.shownVersion)
    // The network's probabilities do not contain the change, so the CRF starts from the labels.
    #expect(edited.probabilities == nil && edited.name == "liver network edited")
    #expect(state.refinementBase?.id == edited.id)
    state.type("y")
    state.files[edited.id] = WrittenVersion(path: "/out.nii.gz", version: edited)
    let effects = state.paint(second, "liver")
    #expect(state.exported[edited.id] == nil)
    #expect(state.decisions.verdicts.accepted == nil)
    #expect(state.message == Message("paint Liver in liver network edited, which is no longer accepted"))
    #expect(effects.started(.comparison) != nil && state.comparison == nil)
    #expect(
      state.provenance(of: state.shownVersion!).steps == [
        .network(modelID: "liver"), .edit(changedVoxels: 2),
      ])
    state.type("z")
    #expect(state.exported[edited.id] == "/out.nii.gz")
    #expect(state.decisions.verdicts.accepted == edited.id)
    // Quitting asks about an accepted version that changed since its export.
    state.type("Zyq")
    #expect(state.dialog == .question(.quit(losing: [.acceptedVersion(edited.id)])))
  }

  @Test("a version that changes while it is written does not count as exported")
  func changedWhileWritten() throws {
    var state = try openedState()
    state.paint(first, "liver")
    let id = try #require(state.shownVersion?.id)
    for isChanged in [false, true] {
      state.type("yE")
      let job = try #require(state.jobs[.export]?.id)
      if isChanged { state.paint(second, "spleen") }
      _ = reduce(&state, .jobEnded(job, .finished(ExportJob.self, with: .written(path: "/o.nii.gz"))))
      #expect((state.exported[id] == nil) == isChanged)
    }
  }

  @Test("a step that returns over changes of two versions contains both, and so does the journal")
  func twoVersions() throws {
    var state = try openedState()
    try state.runNetwork()
    state.paint(first, "liver")
    state.paint(second, "liver")
    let network = try #require(state.shownVersion?.id)
    state.type("v")
    state.selectedVersion = VersionID(1)
    state.press(.enter, .escape)
    #expect(state.shownVersion?.id == VersionID(1))
    state.paint(first, "spleen")
    state.paint(second, "spleen")
    let mask = try #require(state.shownVersion?.id)
    func labels(_ voxel: VoxelIndex) -> [UInt16?] {
      [network, mask].map { state.version($0)?.labels[voxel] }
    }
    #expect(labels(second) == [1, 1])
    let painted = state.history.position
    state.type("zzzz")
    #expect(labels(second) == [0, 0])
    var edits: [JournalStep.Edit] = []
    for case .step(let step) in state.type("f").notes { edits += step.edits }
    #expect(edits.map(\.version) == [network, mask])
    #expect(edits.map { $0.labels[second] } == [0, 0])
    #expect(
      edits.map(\.change.box) == [VoxelBounds](repeating: VoxelBounds(lower: second, upper: second), count: 2)
    )
    state.type("zz")
    #expect(state.history.position == painted)
    #expect(labels(second) == [1, 1])
  }

  @Test("a name or colour that is not in the exported file makes the version one that is not exported")
  func namesAreExportedToo() throws {
    var state = try openedState()
    state.type("yE")
    _ = reduce(
      &state,
      .jobEnded(
        try #require(state.jobs[.export]?.id), .finished(ExportJob.self, with: .written(path: "/o.nii.gz"))))
    #expect(state.exported == [VersionID(1): "/o.nii.gz"])
    state.type("br")
    for _ in 0..<8 { state.press(.backspace) }
    state.type("Milz")
    state.press(.enter)
    #expect(state.exported == [:])
    state.type("qq")
    #expect(state.dialog == .question(.quit(losing: [.acceptedVersion(VersionID(1))])))
  }

  @Test("while the CRF shows a result that is not a version, painting is refused")
  func liveResultsAreNoVersions() throws {
    var state = try openedState()
    try state.refineLive()
    state.command("paint spleen")
    #expect(
      state.message == Message("the shown refinement is not a version yet: Enter keeps it as one", .warning))
  }

  @Test("the journal gets each change as its box, and a later session can undo what it restores")
  func journalled() throws {
    var state = try openedState()
    var notes = state.paint(first, "spleen").notes + state.paint(second, "liver").notes
    notes += state.type("z").notes
    let id = try #require(state.shownVersion?.id)
    var edits: [JournalStep.Edit] = []
    for case .step(let step) in notes { edits += step.edits }
    #expect(edits.map(\.version) == [id])
    #expect(edits.map(\.change.box) == [VoxelBounds(lower: second, upper: second)])
    #expect(edits.map { $0.labels[second] } == [6])
    guard case .position(1, _)? = notes.last else {
      Issue.record("the undone step was not noted: \(notes.last as Any)")
      return
    }

    // Another session, whose journal holds the copy with the first change.
    var opened = OpenedJournal(
      versions: state.decisions.versions, knownMasks: [0: state.decisions.versions[0].id], step: 1)
    for case .step(let step) in notes { opened.steps.append(step) }
    opened.decisions = opened.steps[1].decisions
    let before = try #require(state.shownVersion?.labels)
    state.type("Z")
    let edited = try #require(state.shownVersion?.labels)
    var later = try openedState(journal: opened)
    #expect(later.shownVersion?.labels == before)
    later.type("Z")
    #expect(later.message == Message("redid: paint liver"))
    #expect(later.shownVersion?.labels == edited)
    later.type("z")
    #expect(later.message == Message("undid: paint liver"))
    #expect(later.shownVersion?.labels == before)
  }
}
