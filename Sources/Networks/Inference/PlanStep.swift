import Tensors

/// One kernel call of an inference plan, which may compute several fused layers of the graph.
package struct PlanStep: Sendable {
  /// Names of the layers that it computes.
  package let layers: [String]
  /// For each input the index of the step whose output it is; nil for the image.
  package let sources: [Int?]
  /// The kernel with its prepared weights.
  package let operation: any PreparedOperation
  /// Channels of all inputs together.
  package let inputChannels: Int
  /// Extents of the first input, and of the others but for those of one voxel that counts for all voxels, and for what is
  /// added to a convolution, which has the output's.
  package let inputExtent: Extent3
  /// Channels of the output.
  package let channels: Int
  /// Extents of the output.
  package let extent: Extent3

  /// Floating-point operations that direct summation would need for one image.
  package var operationCount: Double {
    operation.operationCount(input: inputExtent, channels: inputChannels)
  }
}

/// The steps of a plan for images of one size, without slabs and buffers.
struct PlanSteps: Sendable {
  let imageChannels: Int
  let imageExtent: Extent3
  let batch: Int
  let steps: [PlanStep]
  /// For each requested head the index of the step whose output is its logits.
  let heads: [Int]
  private let inputs: [[Int]]
  private let readers: [[Int]]

  init(imageChannels: Int, imageExtent: Extent3, batch: Int, steps: [PlanStep], heads: [Int]) {
    self.imageChannels = imageChannels
    self.imageExtent = imageExtent
    self.batch = batch
    self.steps = steps
    self.heads = heads
    inputs = steps.map { $0.sources.map { $0.map { $0 + 1 } ?? 0 } }
    var readers = [[Int]](repeating: [], count: steps.count + 1)
    for (step, inputs) in inputs.enumerated() {
      for input in Set(inputs) { readers[input].append(step) }
    }
    self.readers = readers
  }

  /// Number of activations: activation 0 is the image, activation i + 1 the output of step i.
  var activationCount: Int { steps.count + 1 }

  func channels(ofActivation index: Int) -> Int { index == 0 ? imageChannels : steps[index - 1].channels }
  func extent(ofActivation index: Int) -> Extent3 { index == 0 ? imageExtent : steps[index - 1].extent }

  /// The activations that are the inputs of step `index`.
  func inputs(ofStep index: Int) -> [Int] { inputs[index] }

  /// The steps that have activation `index` as an input, in order.
  func readers(ofActivation index: Int) -> [Int] { readers[index] }

  /// Floats of one plane of an activation, all channels and images together.
  func planeFloats(ofActivation index: Int) -> Int {
    let extent = extent(ofActivation: index)
    return batch * channels(ofActivation: index) * extent.h * extent.w
  }

  /// The planes of one of its inputs that step `index` reads to compute the planes `planes` of its output.
  func inputPlanes(ofStep index: Int, for planes: Range<Int>, input activation: Int) -> Range<Int> {
    let (step, extent) = (steps[index], extent(ofActivation: activation))
    // A voxel that counts for all others is needed for each of their planes.
    if extent == Extent3(1), step.inputExtent != extent { return planes.isEmpty ? 0..<0 : 0..<1 }
    let ranges = inputs(ofStep: index).enumerated().filter { $0.element == activation }.map {
      step.operation.inputPlanes(for: planes, ofInput: $0.offset, inputDepth: extent.d)
    }
    return ranges.dropFirst().reduce(ranges[0]) {
      $1.isEmpty
        ? $0 : $0.isEmpty ? $1 : min($0.lowerBound, $1.lowerBound)..<max($0.upperBound, $1.upperBound)
    }
  }
}
