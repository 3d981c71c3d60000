import Work

/// An operation with prepared weights, to run on many images: one step of an inference plan.
///
/// An operation owns no memory but its weights: the caller provides input, output and scratch memory, so that a plan
/// assigns all buffers. Results depend neither on the number of threads nor on the windows that an activation is cut
/// into.
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

  /// The planes of an input of `inputDepth` planes that the output planes `planes` depend on, clamped to the input
  /// (planes outside count as zeros).
  func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int>

  /// Floating-point operations that direct summation would need for one image.
  func operationCount(input: Extent3, channels: Int) -> Double

  /// Planes of the output that the method computes together: windows that start and end at multiples of it waste
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

  /// The output for the whole of `input` as a new tensor.
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
        try withScratch(count: scratchCount) { scratch throws(Cancelled) in
          try run(source, into: result, scratch: scratch, work: work)
        }
      }
    }
  }
}
