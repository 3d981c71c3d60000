import Work

/// A pooling of windows, channel by channel, without scratch memory.
package protocol PreparedPooling: SingleInputOperation {
  /// Windows, stride and padding.
  var geometry: PoolingGeometry { get }
}

extension PreparedPooling {
  package var worksInPlace: Bool { false }
  package var weightBytes: Int { 0 }
  package func outputChannels(_ channels: Int) -> Int { channels }
  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    geometry.inputPlanes(for: planes, inputDepth: inputDepth)
  }

  package func operationCount(input: Extent3, channels: Int) -> Double { Double(channels * input.product) }
  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    0
  }
}
