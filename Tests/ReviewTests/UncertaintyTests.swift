import Metrics
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

/// Entropies of the phantom: peaks at axial 3 and 9, sagittal 20.
private let entropies: SliceEntropies = {
  var sagittal = [Double](repeating: 0.1, count: 24)
  sagittal[20] = 0.5
  var axial = (0..<16).map { 0.0625 - Double($0) / 1000 }
  (axial[9], axial[3]) = (0.25, 0.125)
  return SliceEntropies(means: [sagittal, [Double](repeating: 0, count: 20), axial])
}()

extension ReviewState {
  /// Ends the job that computes the entropies of slices.
  fileprivate mutating func finishUncertainty(_ entropies: SliceEntropies?, _ failure: String? = nil) throws {
    let job = try #require(jobs[.uncertainty])
    let source = try #require((job.job.base as? UncertaintyJob)?.source)
    let outcome = SliceUncertainty(source: source, entropies: entropies, failure: failure)
    _ = reduce(&self, .jobEnded(job.id, .finished(UncertaintyJob.self, with: outcome)))
  }
}

@Suite("Uncertain slices")
struct UncertaintyTests {
  private func afterNetwork(rows: Int = 40, columns: Int = 120) throws -> ReviewState {
    var state = try openedState(screen: ScreenSize(rows: rows, columns: columns))
    try state.runNetwork()
    try state.finishComparison()
    return state
  }

  @Test("! goes to the most uncertain slice of the active plane, then to the next, round and round")
  func going() throws {
    var state = try afterNetwork()
    #expect(
      (state.jobs[.uncertainty]?.job.base as? UncertaintyJob)?.source == .run(ProbabilitiesHandle(7)))
    state.type("!")
    #expect(state.message == Message("still computing the entropy of the slices"))
    try state.finishUncertainty(entropies)
    let before = state.view.crosshair
    state.type("!")
    #expect(state.message == Message("uncertain slice 1 of 3: axial 9, mean entropy 0.2500 of 1"))
    #expect(state.view.crosshair == VoxelIndex(before.i, before.j, 9))
    state.type("!")
    #expect(state.message == Message("uncertain slice 2 of 3: axial 3, mean entropy 0.1250 of 1"))
    state.type("!!")
    #expect(state.view.crosshair.k == 9)
    state.type("s!")
    #expect(state.message == Message("uncertain slice 1 of 1: sagittal 20, mean entropy 0.5000 of 1"))
    state.type("c!")
    #expect(state.message == Message("no slice is uncertain: every voxel has one class for certain"))
  }

  @Test("without probabilities, or where they are no longer in memory, ! shows a message")
  func nothing() throws {
    var state = try openedState()
    #expect(state.jobs[.uncertainty] == nil)
    state.type("!")
    #expect(
      state.message
        == Message(
          "no probabilities: run a network (m), or open the image with --probabilities FILE", .warning))
    state = try afterNetwork()
    try state.finishUncertainty(nil, "not in memory; m runs it again")
    state.type("!")
    #expect(state.message == Message("not in memory; m runs it again", .error))
    try state.finishUncertainty(entropies)
    state.type("!")
    #expect(state.message == Message("uncertain slice 1 of 3: axial 9, mean entropy 0.2500 of 1"))
  }

  @Test("a file of probabilities is read in the background, and an error in it is reported once")
  func file() throws {
    var state = try openedState()
    state.request.probabilitiesPath = "p.npz"
    state.type("]")
    let job = try #require(state.jobs[.uncertainty])
    #expect((job.job.base as? UncertaintyJob)?.source == .file(path: "p.npz"))
    _ = reduce(&state, .jobEnded(job.id, .failed("p.npz: is no ZIP archive, or is cut off")))
    #expect(state.message == Message("p.npz: is no ZIP archive, or is cut off", .error))
    state.press(.escape)
    state.type("]")
    #expect(state.jobs[.uncertainty] == nil)
  }

  @Test("the strip has a column of entropies once they are known")
  func strip() throws {
    var state = try afterNetwork()
    #expect(state.layout.panes[0].strip.columns == 4)
    try state.finishUncertainty(entropies)
    let pane = state.layout.panes[0]
    #expect(pane.strip.columns == 5)
    let frame = render(state)
    let cells = (0..<pane.strip.rows).reduce(into: "") {
      $0.unicodeScalars.append(frame[pane.strip.row + $1, pane.strip.column + 4].character)
    }
    let slices = (0..<pane.strip.rows).map { 15 - $0 * 16 / pane.strip.rows }
    #expect(cells == slices.map { $0 == 9 ? "█" : $0 == 3 ? "▌" : $0 == 0 ? "▎" : "▎" }.joined())
  }
}

@Suite("Probabilities of islands")
struct IslandProbabilityTests {
  /// The table of the liver's islands in the network's version, whose second island the manual mask lacks.
  private func table() throws -> ReviewState {
    var state = try openedState(screen: ScreenSize(rows: 40, columns: 120))
    let size = state.grid.size
    let asked = state.type("m")
    _ = reduce(&state, .jobEnded(asked.started!.id, .finished(ModelsJob.self, with: [pretendedModel])))
    var result = networkResult(for: state.content)
    result.labels = result.labels.relabelled { offset, label in
      size.index(offset: offset) == VoxelIndex(22, 18, 14) ? 1 : label
    }
    let components = try LabelComponents(result.labels, work: WorkContext())
    let id = try #require(state.press(.enter).started?.id)
    _ = reduce(&state, .jobEnded(id, .finished(SegmentationJob.self, with: .init(result, components))))
    try state.finishComparison()
    state.type("T")
    try state.finishSpatialComparison()
    return state
  }

  @Test("the table has the mean probability of each island once it is known")
  func column() throws {
    var state = try table()
    let job = try #require(state.jobs[.componentProbabilities]?.job.base as? ComponentProbabilityJob)
    #expect(job.source == .run(ProbabilitiesHandle(7)))
    let image = ScalarVolume(
      grid: state.grid,
      voxels: (0..<state.grid.size.voxelCount).map { state.grid.size.index(offset: $0).i == 22 ? 0.5 : 0.9 })
    let means = try job.components.means(in: image, work: WorkContext())
    #expect(means.map { Int(($0 * 100).rounded()) } == [90, 50])
    let outcome = ComponentProbabilities(request: job.request, source: job.source, means: means)
    let id = try #require(state.jobs[.componentProbabilities]?.id)
    _ = reduce(&state, .jobEnded(id, .finished(ComponentProbabilityJob.self, with: outcome)))
    let text = render(state).text
    #expect(text.contains { $0.contains("in A") && $0.contains("prob.") })
    #expect(text.contains { $0.contains("›1  axial") && $0.contains("0.90") })
    #expect(text.contains { $0.contains("2  axial 14") && $0.contains("0.50") })
    #expect(state.jobs[.componentProbabilities] == nil)
  }

  @Test("o lists only the islands that the other version lacks, and all again")
  func filter() throws {
    var state = try table()
    state.type("o")
    #expect(state.message == Message("1 island without a voxel in A"))
    #expect(state.islandPosition == 1)
    let text = render(state).text
    #expect(text.contains { $0.contains("›2  axial 14") })
    #expect(!text.contains { $0.contains("1  axial 7") })
    state.type("x")
    #expect(state.history.steps.last?.name == "remove island 2 of Liver")
    state.type("z")
    try state.finishComparison()
    try state.finishSpatialComparison()
    state.type("o")
    #expect(state.message == Message("all islands"))
  }

  @Test("without another version that has the label, the islands cannot be filtered")
  func noOther() throws {
    var state = try openedState()
    state.type("T")
    try state.finishSpatialComparison()
    state.type("o")
    #expect(state.message == Message("no other version has the label", .warning))
  }
}
