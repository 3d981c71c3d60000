import Work

extension WorkContext {
  /// Calls `body` in parallel for chunks of the planes that `output` holds and the same voxels of `input`: the loop of
  /// element-wise operations.
  func forEachChunk(
    of output: ActivationWindow, reading input: ActivationWindow,
    _ body:
      @Sendable (
        _ channel: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
      ) -> Void
  ) throws(Cancelled) {
    precondition(
      input.batch == output.batch && input.extent == output.extent
        && output.planes.clamped(to: input.planes) == output.planes,
      "planes \(input.planes) of \(input.extent) for planes \(output.planes) of \(output.extent)")
    let chunks = Chunks(count: output.planes.count * output.planeStride)
    let skipped = (output.planes.lowerBound - input.planes.lowerBound) * input.planeStride
    try forEach(count: output.batch * output.channels * chunks.number) { index, _ in
      let (sample, channel) = (
        index / chunks.number / output.channels, index / chunks.number % output.channels
      )
      let range = chunks.range(index % chunks.number)
      body(
        channel, input.start(sample: sample, channel: channel) + skipped + range.lowerBound,
        output.start(sample: sample, channel: channel) + range.lowerBound, range.count)
    }
  }
}
