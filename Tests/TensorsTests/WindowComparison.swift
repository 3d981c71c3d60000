import Tensors
import Testing
import Work

/// Expects `operation` to give the same bits when the output is made window by window, each of `planes` planes.
func expectSameThroughWindows(
  _ operation: any SingleInputOperation, _ input: Tensor, planes: Int, threads: Int, _ what: Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let whole = try operation(input, work: WorkContext(threadCount: threads))
  let windowed = try throughWindows(operation, input, planes: planes, threads: threads)
  #expect(windowed == whole, what, sourceLocation: sourceLocation)
}

/// The output of `operation` made window by window, each of `planes` planes, from inputs that hold only the planes asked
/// for, in memory whose other values would be noticed.
func throughWindows(
  _ operation: any SingleInputOperation, _ input: Tensor, planes: Int, threads: Int
) throws -> Tensor {
  let work = WorkContext(threadCount: threads)
  let extent = try #require(operation.outputExtent(input.extent))
  let depth = extent.d
  var windowed = Tensor(
    shape: [input.batch, operation.outputChannels(input.channels), depth, extent.h, extent.w],
    repeating: .nan)
  for first in stride(from: 0, to: depth, by: planes) {
    let outputs = first..<min(first + planes, depth)
    let inputs = operation.inputPlanes(for: outputs, inputDepth: input.extent.d)
    let scratchCount = operation.scratchCount(
      planes: outputs.count, input: input.extent, channels: input.channels, batch: input.batch,
      threadCount: threads)
    try withWindow(of: input, planes: inputs) { source in
      try withWindow(of: windowed, planes: outputs) { target in
        let scratch = UnsafeMutableRawBufferPointer.allocate(
          byteCount: max(scratchCount, 1) * MemoryLayout<Float>.stride, alignment: 64)
        defer { scratch.deallocate() }
        let values = scratch.bindMemory(to: Float.self)
        values.initialize(repeating: .nan)
        try operation.run(source, into: target, scratch: DisjointBuffer(values), work: work)
        let planeStride = target.planeStride
        for sample in 0..<target.batch {
          for channel in 0..<target.channels {
            let start = ((sample * target.channels + channel) * depth + outputs.lowerBound) * planeStride
            for index in 0..<outputs.count * planeStride {
              windowed.elements[start + index] = target.start(sample: sample, channel: channel)[index]
            }
          }
        }
      }
    }
  }
  return windowed
}

/// Lends a copy of some planes of `tensor`, with other values between the channels.
private func withWindow<Result>(
  of tensor: Tensor, planes: Range<Int>, _ body: (ActivationWindow) throws -> Result
) rethrows -> Result {
  let planeStride = tensor.extent.h * tensor.extent.w
  let channelStride = planes.count * planeStride + 5
  var memory = [Float](repeating: .nan, count: tensor.batch * tensor.channels * channelStride)
  for channel in 0..<tensor.batch * tensor.channels {
    for index in 0..<planes.count * planeStride {
      memory[channel * channelStride + index] =
        tensor.elements[(channel * tensor.extent.d + planes.lowerBound) * planeStride + index]
    }
  }
  return try memory.withUnsafeMutableBufferPointer { memory in
    try body(
      ActivationWindow(
        batch: tensor.batch, channels: tensor.channels, extent: tensor.extent, planes: planes,
        channelStride: channelStride, memory: DisjointBuffer(memory)))
  }
}
