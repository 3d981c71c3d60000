import Work

/// The channels of its inputs one after the other, in their order.
///
/// Inputs that are parts of the output's memory are not copied.
package struct PreparedConcatenate: VoxelwiseOperation {
  package init() {}

  package var kernelName: String { "concatenate" }
  package var worksInPlace: Bool { false }
  package func placesInOutput(_ channels: [Int]) -> [Int]? {
    channels.indices.map { channels[..<$0].reduce(0, +) }
  }
  package func outputChannels(_ channels: [Int]) -> Int { channels.reduce(0, +) }

  package func run(
    _ inputs: [ActivationWindow], into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      outputChannels(inputs.map(\.channels)) == output.channels
        && inputs.allSatisfy { $0.batch == output.batch && $0.extent == output.extent },
      "inputs of \(inputs.map(\.channels)) channels for \(output.channels) of them")
    // For every channel of the output its input and channel there.
    let origins = inputs.flatMap { input in
      let source = input.part(output.planes)
      return (0..<input.channels).map { (source, $0) }
    }
    let count = output.planes.count * output.planeStride
    try work.forEach(count: output.batch * output.channels) { index, _ in
      let (sample, channel) = (index / output.channels, index % output.channels)
      let (source, sourceChannel) = origins[channel]
      let from = source.start(sample: sample, channel: sourceChannel)
      let to = output.start(sample: sample, channel: channel)
      if from != to { to.update(from: from, count: count) }
    }
  }
}

extension Tensor {
  /// A copy of some channels of this activation [N, C, D, H, W].
  package func channels(_ range: Range<Int>, work: WorkContext) throws(Cancelled) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= channels, "channels \(range) of \(channels)")
    let shape = [batch, range.count, extent.d, extent.h, extent.w]
    return try withWindow { source throws(Cancelled) in
      try Tensor(shape: shape) { result throws(Cancelled) in
        try work.forEach(count: result.batch * result.channels) { index, _ in
          let (sample, channel) = (index / result.channels, index % result.channels)
          result.start(sample: sample, channel: channel).update(
            from: source.start(sample: sample, channel: range.lowerBound + channel),
            count: result.planes.count * result.planeStride)
        }
      }
    }
  }
}
