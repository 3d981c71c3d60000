import Tensors

/// One kernel call of an inference plan, which may stand for several layers of the graph.
package struct PlanStep: Sendable {
  /// Names of the layers that it stands for.
  package let layers: [String]
  /// The step that feeds it; nil for the image.
  package let source: Int?
  /// What it does.
  package let operation: any PreparedOperation
  /// Channels and extents of what enters.
  package let inputChannels: Int
  package let inputExtent: Extent3
  /// Channels and extents of what leaves.
  package let channels: Int
  package let extent: Extent3

  /// Floating-point operations of one image, counted as direct summation needs them.
  package var operationCount: Double {
    operation.operationCount(input: inputExtent, channels: inputChannels)
  }
}

/// What a plan runs: the steps for images of one size, before anything is said about memory.
struct PlanSteps: Sendable {
  let imageChannels: Int
  let imageExtent: Extent3
  let batch: Int
  let steps: [PlanStep]
  /// The step whose output are the scores of each asked head.
  let heads: [Int]

  /// Activation 0 is the image, activation i + 1 the output of step i.
  var activationCount: Int { steps.count + 1 }

  func channels(ofActivation index: Int) -> Int { index == 0 ? imageChannels : steps[index - 1].channels }
  func extent(ofActivation index: Int) -> Extent3 { index == 0 ? imageExtent : steps[index - 1].extent }

  /// The activation that step `index` reads.
  func input(ofStep index: Int) -> Int { steps[index].source.map { $0 + 1 } ?? 0 }

  /// The steps that read activation `index`.
  func readers(ofActivation index: Int) -> [Int] { steps.indices.filter { input(ofStep: $0) == index } }

  /// Floats of one plane of an activation, all channels and images together.
  func planeFloats(ofActivation index: Int) -> Int {
    let extent = extent(ofActivation: index)
    return batch * channels(ofActivation: index) * extent.h * extent.w
  }

  func inputPlanes(ofStep index: Int, for planes: Range<Int>) -> Range<Int> {
    steps[index].operation.inputPlanes(for: planes, inputDepth: steps[index].inputExtent.d)
  }
}
