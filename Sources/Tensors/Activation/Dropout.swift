import Work

/// Dropout as in training: values are 0 with some probability, and the others are scaled so that the mean is kept.
package struct Dropout: Sendable {
  /// The probability of 0, 0..<1.
  package let probability: Double
  /// Whether whole channels of a sample are dropped, as PyTorch's `Dropout3d`, instead of single values.
  package let dropsChannels: Bool
  /// Decides which; forks of it give the same values in any order.
  private let generator: SplitMix64

  package init(probability: Double, dropsChannels: Bool, generator: SplitMix64) {
    self.probability = probability
    self.dropsChannels = dropsChannels
    self.generator = generator
  }

  /// Drops values of `tensor`, [N, C, D, H, W]: the same ones at every call, so that it is its own gradient.
  /// - Throws: `Cancelled`, leaving `tensor` partly changed.
  package func callAsFunction(_ tensor: inout Tensor, work: WorkContext) throws(Cancelled) {
    guard probability > 0 else { return }
    let scale = Float(1 / (1 - probability))
    // Of 2^32 equally probable numbers.
    let limit = UInt64(probability * 0x1p32)
    let chunks = Chunks(count: tensor.extent.product)
    let planes = tensor.batch * tensor.channels
    try tensor.elements.withDisjointBuffer { elements throws(Cancelled) in
      try work.forEach(count: planes * chunks.number) { index, _ in
        let (plane, range) = (index / chunks.number, chunks.range(index % chunks.number))
        let values = elements.start + plane * chunks.count
        if dropsChannels {
          var generator = generator.forked(plane)
          let factor = generator.next() >> 32 < limit ? 0 : scale
          for voxel in range { values[voxel] *= factor }
          return
        }
        var generator = generator.forked(index)
        var voxel = range.lowerBound
        while voxel < range.upperBound {
          let bits = generator.next()
          values[voxel] = bits >> 32 < limit ? 0 : values[voxel] * scale
          if voxel + 1 < range.upperBound {
            values[voxel + 1] = bits & 0xFFFF_FFFF < limit ? 0 : values[voxel + 1] * scale
          }
          voxel += 2
        }
      }
    }
  }
}
