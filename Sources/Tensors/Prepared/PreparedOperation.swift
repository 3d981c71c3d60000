import Work

/// An operation with prepared weights, to run on many images: one step of an inference plan.
///
/// An operation owns no memory but its weights: the caller provides input, output and scratch memory, so that a plan
/// assigns all buffers. Results depend neither on the number of threads nor on the windows that an activation is cut
/// into.
package protocol PreparedOperation: Sendable {
  /// Operation, method and limits, as plans print them: `convolution, FFT 24x48x48`.
  var kernelName: String { get }

  /// Whether `run` may be given the window of any one of its inputs as the output, too.
  var worksInPlace: Bool { get }

  /// Whether `run` may be given the window of input `index` as the output, too.
  func mayOverwrite(input index: Int) -> Bool

  /// For each input of `channels` the first of the output's channels that are this input, so that `run` may be given that
  /// part of the output's window as the input; nil where the output does not consist of its inputs.
  func placesInOutput(_ channels: [Int]) -> [Int]?

  /// Bytes that the prepared weights occupy.
  var weightBytes: Int { get }

  /// Channels of the output for inputs of `channels`.
  func outputChannels(_ channels: [Int]) -> Int

  /// Extents of the output; nil where the input is too small.
  ///
  /// All inputs have the same extents, but for those of one voxel that counts for all voxels of the others.
  func outputExtent(_ input: Extent3) -> Extent3?

  /// The operation with an output of extents `output`, for those whose output does not follow from the input; others are
  /// returned as they are.
  func producing(_ output: Extent3) -> any PreparedOperation

  /// The planes of each input, of `inputDepth` planes, that the output planes `planes` depend on, clamped to the input
  /// (planes outside count as zeros).
  func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int>

  /// The same of input `index` alone.
  func inputPlanes(for planes: Range<Int>, ofInput index: Int, inputDepth: Int) -> Range<Int>

  /// Floating-point operations that direct summation would need for one image.
  ///
  /// - Parameter channels: Channels of all inputs together.
  func operationCount(input: Extent3, channels: Int) -> Double

  /// Planes of the output that the method computes together: windows that start and end at multiples of it waste
  /// nothing.
  var windowStep: Int { get }

  /// Floats of scratch memory with which `run` writes a window of `planes` planes.
  ///
  /// - Parameters:
  ///   - input: Extents of the whole input.
  ///   - channels: Channels of all inputs together.
  func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int

  /// Writes the planes of `output` from those of `inputs`, each of which holds at least
  /// `inputPlanes(for: output.planes, ofInput: index, inputDepth: input.extent.d)`.
  ///
  /// - Parameter scratch: `scratchCount` floats at least, aligned to cache lines; any content.
  /// - Throws: `Cancelled`, polled at least once for every tile or row of work.
  func run(
    _ inputs: [ActivationWindow], into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled)
}

extension PreparedOperation {
  package func placesInOutput(_ channels: [Int]) -> [Int]? { nil }
  package func mayOverwrite(input index: Int) -> Bool { worksInPlace }

  package func inputPlanes(for planes: Range<Int>, ofInput index: Int, inputDepth: Int) -> Range<Int> {
    inputPlanes(for: planes, inputDepth: inputDepth)
  }

  package func producing(_ output: Extent3) -> any PreparedOperation { self }

  /// Plane by plane.
  package var windowStep: Int { 1 }

  /// The output for the whole of `inputs` as a new tensor.
  package func callAsFunction(_ inputs: [Tensor], work: WorkContext) throws(Cancelled) -> Tensor {
    let channels = inputs.map(\.channels)
    // Beside others an input of one voxel counts for all of theirs.
    let input = inputs.first { $0.extent != Extent3(1) } ?? inputs[0]
    guard let extent = outputExtent(input.extent) else {
      preconditionFailure("an input of \(input.extent) is too small for \(kernelName)")
    }
    let scratchCount = scratchCount(
      planes: extent.d, input: input.extent, channels: channels.reduce(0, +), batch: input.batch,
      threadCount: work.threadCount)
    let shape = [input.batch, outputChannels(channels), extent.d, extent.h, extent.w]
    return try withWindows(of: inputs[...]) { sources throws(Cancelled) in
      try Tensor(shape: shape) { result throws(Cancelled) in
        try withScratch(count: scratchCount) { scratch throws(Cancelled) in
          try run(sources, into: result, scratch: scratch, work: work)
        }
      }
    }
  }
}

/// An operation with one input.
package protocol SingleInputOperation: PreparedOperation {
  /// Channels of the output for an input of `channels`.
  func outputChannels(_ channels: Int) -> Int

  /// Writes the planes of `output` from those of `input`, as ``PreparedOperation/run(_:into:scratch:work:)`` says.
  func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled)
}

extension SingleInputOperation {
  package func outputChannels(_ channels: [Int]) -> Int {
    precondition(channels.count == 1, "\(channels.count) inputs of \(kernelName)")
    return outputChannels(channels[0])
  }

  package func run(
    _ inputs: [ActivationWindow], into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(inputs.count == 1, "\(inputs.count) inputs of \(kernelName)")
    try run(inputs[0], into: output, scratch: scratch, work: work)
  }

  /// The output for the whole of `input` as a new tensor.
  package func callAsFunction(_ input: Tensor, work: WorkContext) throws(Cancelled) -> Tensor {
    try self([input], work: work)
  }
}

/// Calls `body` with windows of the whole of `tensors`, which must only be read.
private func withWindows<Result>(
  of tensors: ArraySlice<Tensor>, _ body: ([ActivationWindow]) throws(Cancelled) -> Result
) throws(Cancelled) -> Result {
  guard let first = tensors.first else { return try body([]) }
  return try first.withWindow { window throws(Cancelled) in
    try withWindows(of: tensors.dropFirst()) { others throws(Cancelled) in try body([window] + others) }
  }
}
