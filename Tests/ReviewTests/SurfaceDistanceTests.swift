import Foundation
import Metrics
import Review
import ReviewFixtures
import Screen
import TestSupport
import Testing
import Volumes
import Work

/// The phantom with a second mask: the liver has a spike of five voxels along i, the spleen lacks its last plane.
private func pair() -> ReviewCase {
  var content = phantomCase(grid(GridSize(24, 20, 16), spacing: 2))
  var other = content.masks[0]
  other.name = "second.nii.gz"
  other.path = "/cases/second.nii.gz"
  let size = content.image.grid.size
  other.labels = other.labels.relabelled { offset, label in
    let index = size.index(offset: offset)
    if (14..<19).contains(index.i), index.j == 12, index.k == 10 { return 6 }
    return label == 1 && index.i == 20 ? 0 : label
  }
  content.masks.append(other)
  return content
}

private func pairState() throws -> ReviewState {
  var state = try openedState(pair(), screen: ScreenSize(rows: 40, columns: 120))
  try state.finishComparison()
  return state
}

@Suite struct SurfaceDistanceTests {
  @Test("rows have the measures of whole masks, with the furthest voxel in the image's grid")
  func measures() throws {
    var state = try pairState()
    try state.finishMeasuring()
    let found = try #require(state.surfaceDistances)
    #expect(found.remaining.isEmpty && found.failure == nil)
    let masks = try pair().masks.map { try $0.labels.volume }
    for (row, value) in zip(found.rows, [UInt16(1), 6]) {
      let whole = try StructureComparison(
        MatchedStructure(name: "", referenceValues: [value], otherValues: [value]), reference: masks[0],
        other: masks[1], toleranceMillimetres: SurfaceDistances.toleranceMillimetres, work: WorkContext())
      #expect(row.measures == whole.distances)
      #expect(row.furthest == whole.furthest)
      #expect(found.row(of: value, inA: true) == row && found.row(of: value, inA: false) == row)
    }
    #expect(found.rows.map(\.furthest.index) == [VoxelIndex(20, 6, 5), VoxelIndex(18, 12, 10)])
    #expect(found.row(of: 7, inA: true) == nil)
  }

  @Test(
    "; goes to the furthest point of each label, the worst first, selects the label and shows the distance")
  func furthest() throws {
    var state = try pairState()
    try state.finishMeasuring()
    state.type(";")
    #expect(state.message == Message("1 of 2, liver: B's border is 10.0 mm from A's, axial 10"))
    #expect(state.view.crosshair == VoxelIndex(18, 12, 10))
    #expect(state.selectedLabel == "liver")
    state.type(";")
    #expect(state.message == Message("2 of 2, spleen: A's border is 2.0 mm from B's, axial 5"))
    #expect(state.selectedLabel == "spleen")
    state.type(";")
    #expect(state.selectedLabel == "liver")
  }

  @Test("labels are measured one after the other in the background, the selected one first")
  func behindTheScreen() throws {
    var state = try openedState(pair(), screen: ScreenSize(rows: 40, columns: 120))
    state.selectedLabel = "liver"
    try state.finishComparison()
    var measured = try #require(state.running(SurfaceDistanceJob.self)?.measured)
    #expect(measured.remaining == [1, 0])
    state.type(";")
    #expect(state.message == Message("still measuring distances"))
    let first = try #require(state.jobs[.surfaceDistances]?.id)
    try measured.measure(for: 0, WorkContext())
    let effects = reduce(
      &state, .jobEnded(first, .finished(SurfaceDistanceJob.self, with: measured)))
    #expect(effects.started(SurfaceDistanceJob.self)?.job.measured.remaining == [0])
    state.type(";")
    #expect(state.message == Message("1 of 1 so far, liver: B's border is 10.0 mm from A's, axial 10"))
    try state.finishMeasuring()
    #expect(state.jobs[.surfaceDistances] == nil)
  }

  @Test("another pair stops the measuring and begins its own; one version has none")
  func stopping() throws {
    var state = try pairState()
    let job = try #require(state.jobs[.surfaceDistances])
    try state.runNetwork()
    #expect(state.surfaceDistances == nil && state.jobs[.surfaceDistances] == nil)
    // The outcome of the stopped job is late and changes nothing.
    let measured = try #require((job.job.base as? SurfaceDistanceJob)?.measured)
    _ = reduce(&state, .jobEnded(job.id, .finished(SurfaceDistanceJob.self, with: measured)))
    #expect(state.surfaceDistances == nil)
    try state.finishComparison()
    #expect(state.surfaceDistances != nil)
    var one = try openedState()
    one.type(";")
    #expect(
      one.message == Message("no two versions to compare: open masks, or run a network (m)", .warning))
  }

  @Test("a failure is shown in the section, and earlier measurements stay")
  func failure() throws {
    var state = try pairState()
    var measured = try #require(state.running(SurfaceDistanceJob.self)?.measured)
    try measured.measure(for: 0, WorkContext())
    _ = reduce(
      &state,
      .jobEnded(
        try #require(state.jobs[.surfaceDistances]?.id), .finished(SurfaceDistanceJob.self, with: measured)))
    // The worst label is not known yet.
    #expect(render(state).text.contains { $0.contains("Borders, 1 to measure") })
    #expect(!render(state).text.contains { $0.contains("HD95") })
    _ = reduce(&state, .jobEnded(try #require(state.jobs[.surfaceDistances]?.id), .failed("memory ran out")))
    #expect(state.surfaceDistances?.rows.count == 1)
    state.type("B")
    #expect(render(state).text.contains { $0.contains("memory ran out") })
    #expect(state.message?.kind != .error)
  }

  @Test("B lists every label with its distances, and the pointer takes the crosshair along")
  func section() throws {
    var state = try pairState()
    try state.finishMeasuring()
    #expect(render(state).text.contains { $0.contains("Borders: HD95 0.0, ASSD ") })
    state.type("B")
    state.press(.down)
    #expect(state.view.crosshair == VoxelIndex(18, 12, 10))
    let text = render(state).text
    #expect(text.contains { $0.contains("max  HD95 sDice") })
    let row = try #require(state.surfaceDistances?.worstFirst.first)
    #expect(
      text.contains {
        $0.contains("›liver")
          && $0.contains(String(format: "%.3f", row.measures.surfaceDice))
      })
    state.press(.down)
    #expect(state.view.crosshair == VoxelIndex(20, 6, 5))
  }

  @Test("measuring stops wherever it is asked to")
  func cancelled() throws {
    let request = try #require(try pairState().running(SurfaceDistanceJob.self)?.measured)
    try expectStops(atEachOf: 4) { work in
      var measured = request
      while !measured.remaining.isEmpty { try measured.measure(for: 0, work) }
    }
  }
}
