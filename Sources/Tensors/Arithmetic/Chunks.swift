import Work

/// Splits `count` elements into chunks of a fixed size, so that neither the work of one element nor the order
/// of a sum depends on the number of threads.
struct Chunks: Sendable {
  /// Elements of one array (or of one channel of one sample).
  let count: Int
  /// Elements of one chunk but the last: 64 KB, which stays in the first two cache levels.
  static let size = 16_384

  var number: Int { (count + Chunks.size - 1) / Chunks.size }

  /// The elements of chunk `index`.
  func range(_ index: Int) -> Range<Int> {
    index * Chunks.size..<min((index + 1) * Chunks.size, count)
  }
}

/// Makes a tensor of the shape of `source` by calling `body(channel, range, source, result)` in parallel for
/// chunks of every channel of every sample; `body` writes the elements `range` of the result.
func mapChunks(
  of source: Tensor, work: WorkContext,
  _ body:
    @Sendable (
      _ channel: Int, _ range: Range<Int>, _ source: SharedBuffer<Float>, _ result: DisjointBuffer<Float>
    ) -> Void
) throws(Cancelled) -> Tensor {
  let chunks = Chunks(count: source.extent.product)
  let (channels, planes) = (source.channels, source.batch * source.channels)
  return try filledTensor(shape: source.shape) { result throws(Cancelled) in
    try source.elements.withSharedBuffer { source throws(Cancelled) in
      try work.forEach(count: planes * chunks.number) { index, _ in
        let plane = index / chunks.number
        let range = chunks.range(index % chunks.number)
        let start = plane * chunks.count
        body(plane % channels, start + range.lowerBound..<start + range.upperBound, source, result)
      }
    }
  }
}

extension Array {
  /// Lends the array's memory to the workers of a parallel loop, which write disjoint parts of it.
  package mutating func withDisjointBuffer<Result>(
    _ body: (DisjointBuffer<Element>) throws(Cancelled) -> Result
  ) throws(Cancelled) -> Result {
    try withUnsafeMutableBufferPointer { buffer throws(Cancelled) in try body(DisjointBuffer(buffer)) }
  }

  /// Lends the array's memory to the workers of a parallel loop, which only read it.
  package func withSharedBuffer<Result>(
    _ body: (SharedBuffer<Element>) throws(Cancelled) -> Result
  ) throws(Cancelled) -> Result {
    try withUnsafeBufferPointer { buffer throws(Cancelled) in try body(SharedBuffer(buffer)) }
  }
}
