import TestSupport
import Testing
import Volumes
import Work

@Test("resampling, reorientation, components and holes stop at each slice")
func volumeOperationsStop() throws {
  let size = GridSize(30, 26, 22)
  let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1)))
  var generator = SplitMix64(seed: 1)
  let image = ScalarVolume(grid: grid, voxels: generator.floats(size.voxelCount))
  let mask = LabelVolume(grid: grid, voxels: image.voxels.map { $0 > 0 ? 1 : 0 })
  let coarse = try grid.resampled(to: Spacing(2))
  let probabilities = ProbabilityVolume(
    grid: coarse, classCount: 2, values: generator.floats(2 * coarse.size.voxelCount))
  let axes = ReorientedGrid(grid, orientation: Orientation(code: "LIP")!)
  let operations: [(String, Int, (WorkContext) throws -> Void)] = [
    ("resampling", coarse.size.k, { _ = try image.resampled(to: coarse, work: $0) }),
    (
      "most probable labels", size.k,
      {
        _ = try ProbabilityInterpolation(from: coarse, to: grid)
          .argMax(of: probabilities, labelValues: [0, 1], work: $0)
      }
    ),
    ("reorientation", size.j, { _ = try axes.reoriented(image, work: $0) }),
    ("components", size.k, { _ = try ConnectedComponents(mask, work: $0) }),
    (
      "post-processing", size.k,
      { _ = try mask.postProcessed(PostProcessing(keepsLargestComponent: true, fillsHoles: true), work: $0) }
    ),
  ]
  for (name, least, body) in operations { try expectStops(atEachOf: least, Comment(rawValue: name), body) }
}
