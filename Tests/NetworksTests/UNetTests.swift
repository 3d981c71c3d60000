import Networks
import Tensors
import Testing
import Work

private func stages(_ extent: Extent3, spacing: [Double]) -> UNetStages {
  UNetStages(extent: extent) { axis in spacing[Axis.allCases.firstIndex(of: axis)!] }
}

/// Patches and spacings (z, y, x) of data sets with the strides and kernels that nnU-Net plans for them.
private let plans:
  [(name: String, extent: Extent3, spacing: [Double], strides: [Extent3], kernels: [Extent3])] = [
    (
      "ACDC", Extent3(20, 256, 224), [5, 1.5625, 1.5625],
      [Extent3(1), Extent3(1, 2, 2), Extent3(2), Extent3(2), Extent3(1, 2, 2), Extent3(1, 2, 2)],
      [Extent3(1, 3, 3)] + Array(repeating: Extent3(3), count: 5)
    ),
    (
      "hippocampus", Extent3(40, 56, 40), [1, 1, 1], [Extent3(1), Extent3(2), Extent3(2), Extent3(2)],
      Array(repeating: Extent3(3), count: 4)
    ),
    (
      "brain tumour", Extent3(128, 128, 128), [1, 1, 1],
      [Extent3(1)] + Array(repeating: Extent3(2), count: 5), Array(repeating: Extent3(3), count: 6)
    ),
    (
      "prostate", Extent3(20, 320, 256), [3.6, 0.62, 0.62],
      [
        Extent3(1), Extent3(1, 2, 2), Extent3(1, 2, 2), Extent3(2), Extent3(2), Extent3(1, 2, 2),
        Extent3(1, 2, 2),
      ],
      [Extent3(1, 3, 3), Extent3(1, 3, 3)] + Array(repeating: Extent3(3), count: 5)
    ),
    ("slices of a few voxels", Extent3(1, 6, 7), [1, 1, 1], [Extent3(1)], [Extent3(1, 3, 3)]),
    (
      "single slices of fine spacing", Extent3(1, 64, 48), [0.3, 1, 1],
      [Extent3(1), Extent3(1, 2, 2), Extent3(1, 2, 2), Extent3(1, 2, 2)],
      Array(repeating: Extent3(1, 3, 3), count: 4)
    ),
  ]

@Test("strides and kernels of a U-Net are those that nnU-Net plans", arguments: plans.indices)
func stagesFollowSpacing(_ index: Int) {
  let plan = plans[index]
  let planned = stages(plan.extent, spacing: plan.spacing)
  #expect(planned.stages.map(\.stride) == plan.strides, "\(plan.name)")
  #expect(planned.stages.map(\.kernel) == plan.kernels, "\(plan.name)")
}

@Test("a padded crop is planned as the crop is")
func paddedCropHasTheSamePlan() {
  for extent in [Extent3(7, 90, 61), Extent3(33, 34, 35), Extent3(3, 11, 100), Extent3(9, 9, 9)] {
    for spacing in [[1.0, 1, 1], [5, 1.5, 1.5], [2, 0.4, 0.7]] {
      let planned = stages(extent, spacing: spacing)
      let padded = planned.padded(extent)
      #expect(stages(padded, spacing: spacing) == planned)
      #expect(planned.padded(padded) == padded)
    }
  }
}

@Test("a planned U-Net doubles its channels to ten times the first, and its heads have the image's extents")
func plannedNetwork() throws {
  let planned = stages(Extent3(20, 256, 224), spacing: [5, 1.5625, 1.5625])
  let graph = try NetworkGraph.uNet(planned, classes: 4, inputChannels: 2, channels: 8).resolved()
  let encoder = graph.nodes.filter { $0.layer.name.hasPrefix("convDown") && $0.layer.name.hasSuffix("a") }
  #expect(encoder.map(\.outputChannels) == [8, 16, 32, 64, 80, 80])
  #expect(graph.graph.heads.map(\.name) == ["main", "auxiliary1", "auxiliary2"])
  #expect(graph.graph.heads.map(\.lossWeight) == [1, 0.5, 0.25])
  #expect(graph.receptiveField()?.totalStride == Extent3(4, 32, 32))
  let image = Extent3(8, 64, 96)
  let extents = try graph.outputExtents(input: image, subject: "test")
  #expect(graph.headNodes.map { extents[$0] } == [image, image, image])
  #expect(graph.classCount == 4)
}
