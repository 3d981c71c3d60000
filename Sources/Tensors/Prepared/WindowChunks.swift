import Work

extension WorkContext {
  /// Calls `body` in parallel for chunks of the planes that `output` holds and the same voxels of `input`: the loop of
  /// element-wise operations.
  ///
  /// - Parameter body: Gets the voxels `range` of a channel's held planes, and where they lie in both windows.
  func forEachChunk(
    of output: ActivationWindow, reading input: ActivationWindow,
    _ body:
      @Sendable (
        _ sample: Int, _ channel: Int, _ range: Range<Int>, _ source: UnsafePointer<Float>,
        _ target: UnsafeMutablePointer<Float>
      ) -> Void
  ) throws(Cancelled) {
    precondition(
      input.batch == output.batch && input.extent == output.extent
        && output.planes.clamped(to: input.planes) == output.planes,
      "planes \(input.planes) of \(input.extent) for planes \(output.planes) of \(output.extent)")
    let chunks = Chunks(count: output.planes.count * output.planeStride)
    let source = input.part(output.planes)
    try forEach(count: output.batch * output.channels * chunks.number) { index, _ in
      let (sample, channel) = (
        index / chunks.number / output.channels, index / chunks.number % output.channels
      )
      let range = chunks.range(index % chunks.number)
      body(
        sample, channel, range, source.start(sample: sample, channel: channel) + range.lowerBound,
        output.start(sample: sample, channel: channel) + range.lowerBound)
    }
  }
}
