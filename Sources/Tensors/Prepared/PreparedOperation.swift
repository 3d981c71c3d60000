import Work

/// An operation whose weights were brought into the form of its kernel once, to run on many images: one step of a
/// prepared network.
///
/// Operations own no memory but their weights: the caller provides input, output and scratch memory, so that a plan
/// decides what lies where. Results depend neither on the number of threads nor on how an activation is cut into
/// windows.
package protocol PreparedOperation: Sendable {
  /// Operation, method and limits, as plans print them: `convolution, FFT 24x48x48`.
  var kernelName: String { get }

  /// Whether `run` may be given one window as input and output.
  var worksInPlace: Bool { get }

  /// Bytes that the prepared weights occupy.
  var weightBytes: Int { get }

  /// Channels of the output for an input of `channels`.
  func outputChannels(_ channels: Int) -> Int

  /// Extents of the output; nil where the input is too small.
  func outputExtent(_ input: Extent3) -> Extent3?

  /// Planes of an input of `inputDepth` planes that the results in `planes` are made of; planes outside the input
  /// count as zeros and are not part of it.
  func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int>

  /// Floating-point operations of one image, counted as direct summation needs them.
  func operationCount(input: Extent3, channels: Int) -> Double

  /// Planes of the output that the method computes together: windows of a multiple of these, from plane 0 on, waste
  /// nothing.
  var windowStep: Int { get }

  /// Floats of scratch memory with which `run` writes a window of `planes` planes.
  ///
  /// - Parameters:
  ///   - input: Extents of the whole input.
  ///   - channels: Channels of the input.
  func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int

  /// Writes the planes of `output` from those of `input`, which holds at least
  /// `inputPlanes(for: output.planes, inputDepth: input.extent.d)`.
  ///
  /// - Parameter scratch: `scratchCount` floats at least, aligned to cache lines; any content.
  /// - Throws: `Cancelled`, polled at least once for every tile or row of work.
  func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled)
}

extension PreparedOperation {
  /// Plane by plane.
  package var windowStep: Int { 1 }

  /// The whole result of `input` in fresh memory.
  package func callAsFunction(_ input: Tensor, work: WorkContext) throws(Cancelled) -> Tensor {
    guard let extent = outputExtent(input.extent) else {
      preconditionFailure("an input of \(input.extent) is too small for \(kernelName)")
    }
    let scratchCount = scratchCount(
      planes: extent.d, input: input.extent, channels: input.channels, batch: input.batch,
      threadCount: work.threadCount)
    let shape = [input.batch, outputChannels(input.channels), extent.d, extent.h, extent.w]
    return try input.withWindow { source throws(Cancelled) in
      try Tensor(shape: shape) { result throws(Cancelled) in
        try AvailableMemory.serve(scratchCount * MemoryLayout<Float>.stride)
        let scratch = UnsafeMutableRawBufferPointer.allocate(
          byteCount: max(scratchCount, 1) * MemoryLayout<Float>.stride, alignment: 64)
        defer { scratch.deallocate() }
        adviseHugePages(scratch)
        try run(
          source, into: result, scratch: DisjointBuffer(scratch.bindMemory(to: Float.self)), work: work)
      }
    }
  }
}
