import CKernels
import Work

/// The sum of its inputs voxel by voxel, and max(sum, 0) where a ReLU is fused.
///
/// The inputs have equal shapes. The output may be one of them.
package struct PreparedAdd: VoxelwiseOperation {
  /// Whether a ReLU is applied to the sums; NaN stays.
  let appliesReLU: Bool

  package init(appliesReLU: Bool = false) { self.appliesReLU = appliesReLU }

  package var kernelName: String { appliesReLU ? "add, relu" : "add" }
  package var worksInPlace: Bool { true }
  package func outputChannels(_ channels: [Int]) -> Int { channels[0] }

  package func run(
    _ inputs: [ActivationWindow], into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      inputs.count >= 2 && inputs.allSatisfy { $0.channels == output.channels },
      "inputs of \(inputs.map(\.channels)) channels for a sum of \(output.channels)")
    let level = KernelLevel.current
    let appliesReLU = appliesReLU
    // The input that the output overwrites comes first, since every other pass reads the output.
    let overwritten = inputs.firstIndex { $0.part(output.planes).memory.start == output.memory.start }
    var order = Array(inputs.indices)
    if let overwritten { order.swapAt(0, overwritten) }
    let sources = order.map { inputs[$0].part(output.planes) }
    try work.forEachChunk(of: output, reading: sources[0]) { sample, channel, range, first, target in
      var partial = first
      for source in sources.dropFirst() {
        pointwise_combine(
          level, source.start(sample: sample, channel: channel) + range.lowerBound, partial, target,
          range.count,
          1, 1, 0)
        partial = UnsafePointer(target)
      }
      if appliesReLU { pointwise_relu(level, target, range.count) }
    }
  }
}
