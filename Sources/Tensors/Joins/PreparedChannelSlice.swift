import Work

/// Some consecutive channels of its input.
package struct PreparedChannelSlice: SingleInputOperation, VoxelwiseOperation {
  private let range: Range<Int>

  package init(_ range: Range<Int>) { self.range = range }

  package var kernelName: String { "channels \(range.lowerBound) to \(range.upperBound - 1)" }
  package var worksInPlace: Bool { false }
  package func outputChannels(_ channels: Int) -> Int { range.count }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      range.upperBound <= input.channels && output.channels == range.count,
      "channels \(range) of \(input.channels) for \(output.channels)")
    let source = input.part(output.planes)
    let count = output.planes.count * output.planeStride
    try work.forEach(count: output.batch * output.channels) { index, _ in
      let (sample, channel) = (index / output.channels, index % output.channels)
      output.start(sample: sample, channel: channel).update(
        from: source.start(sample: sample, channel: range.lowerBound + channel), count: count)
    }
  }
}

extension Tensor {
  /// An activation of `channels` channels that are 0 but for this one's, which begin at `first`.
  package func placed(
    at first: Int, ofChannels channels: Int, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(
      first >= 0 && first + self.channels <= channels, "\(self.channels) at \(first) of \(channels)")
    let range = first..<first + self.channels
    return try withWindow { source throws(Cancelled) in
      try Tensor(shape: [batch, channels, extent.d, extent.h, extent.w]) { result throws(Cancelled) in
        let count = result.planes.count * result.planeStride
        try work.forEach(count: result.batch * channels) { index, _ in
          let (sample, channel) = (index / channels, index % channels)
          let target = result.start(sample: sample, channel: channel)
          if range.contains(channel) {
            target.update(from: source.start(sample: sample, channel: channel - first), count: count)
          } else {
            target.update(repeating: 0, count: count)
          }
        }
      }
    }
  }
}
