import Tensors
import TestSupport
import Testing
import Work

@Suite("Sums and concatenations")
struct JoinTests {
  private let work = WorkContext(threadCount: 2)
  private let extent = Extent3(5, 6, 7)

  /// Tensors of whole numbers, whose sums are exact in any order.
  private func inputs(_ channels: [Int], batch: Int = 2) -> [Tensor] {
    var generator = SplitMix64(seed: 6)
    return channels.map { channels in
      Tensor(
        shape: [batch, channels, extent.d, extent.h, extent.w],
        elements: (0..<batch * channels * extent.product).map { _ in
          Float(generator.index(below: 2001) - 1000)
        })
    }
  }

  /// Some planes of a tensor in `memory`, with other values between the channels.
  private func window(
    of tensor: Tensor, planes: Range<Int>, in memory: UnsafeMutableBufferPointer<Float>
  ) -> ActivationWindow {
    let plane = extent.h * extent.w
    let stride = planes.count * plane + 3
    memory.initialize(repeating: .nan)
    for channel in 0..<tensor.batch * tensor.channels {
      for index in 0..<planes.count * plane {
        memory[channel * stride + index] =
          tensor.elements[(channel * extent.d + planes.lowerBound) * plane + index]
      }
    }
    return ActivationWindow(
      batch: tensor.batch, channels: tensor.channels, extent: extent, planes: planes, channelStride: stride,
      memory: DisjointBuffer(memory))
  }

  @Test("a sum is that of all inputs, with an activation that of the sum", arguments: [2, 3, 5])
  func sums(count: Int) throws {
    let inputs = inputs([Int](repeating: 3, count: count))
    let expected = inputs[0].elements.indices.map { index in
      inputs.reduce(Float(0)) { $0 + $1.elements[index] }
    }
    let sum = try PreparedAdd()(inputs, work: work)
    #expect(sum.elements == expected)
    for activation in resultActivations(channels: sum.channels) {
      #expect(
        try PreparedAdd(activation: activation)(inputs, work: work)
          == piecewiseLinearReference(ReferenceTensor(sum), activation).rounded)
    }
  }

  @Test("a sum may overwrite any of its inputs", arguments: 0..<3)
  func overwritten(input: Int) throws {
    let inputs = inputs([3, 3, 3])
    let expected = try PreparedAdd()(inputs, work: work)
    let count = expected.elements.count
    let memories = inputs.map { _ in UnsafeMutableBufferPointer<Float>.allocate(capacity: count) }
    defer { memories.forEach { $0.deallocate() } }
    let windows = zip(memories, inputs).map { memory, tensor in
      _ = memory.initialize(from: tensor.elements)
      return ActivationWindow(
        batch: 2, channels: 3, extent: extent, planes: 0..<extent.d, memory: DisjointBuffer(memory))
    }
    try PreparedAdd().run(windows, into: windows[input], scratch: windows[input].memory, work: work)
    for (index, memory) in memories.enumerated() {
      #expect(Array(memory) == (index == input ? expected : inputs[index]).elements)
    }
  }

  @Test(
    "one channel or one voxel of an input counts for all of the others, in sums and products",
    arguments: [[[3], [1]], [[3, 1], [3]], [[1, 1], [3]], [[3, 1], [1]], [[1], [3], [3, 1]]])
  func broadcast(channels: [[Int]]) throws {
    // A second number stands for one voxel.
    var generator = SplitMix64(seed: 14)
    let inputs = channels.map { input in
      input.count == 1
        ? generator.tensor([2, input[0], 5, 60, 70]) : generator.tensor([2, input[0], 1, 1, 1])
    }
    let shape = [2, 3, 5, 60, 70]
    func expected(_ join: (Float, Float) -> Float) -> [Float] {
      (0..<shape.reduce(1, *)).map { index in
        let values = inputs.map { input in
          let (voxel, channel) = (index % 21_000, index / 21_000 % 3)
          let plane = index / 63_000 * input.channels + (input.channels == 1 ? 0 : channel)
          return input.elements[input.extent == Extent3(1) ? plane : plane * 21_000 + voxel]
        }
        return values.dropFirst().reduce(values[0], join)
      }
    }
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      for (operation, join) in [(PreparedAdd(), +), (PreparedMultiply(), *)]
        as [(any PreparedOperation, (Float, Float) -> Float)]
      {
        let found = try operation(inputs, work: work)
        expectClose(found, ReferenceTensor(Tensor(shape: shape, elements: expected(join))), what)
      }
    }
  }

  @Test("a concatenation has the channels of its inputs in order, and they are its parts")
  func concatenation() throws {
    let inputs = inputs([1, 3, 2])
    let output = try PreparedConcatenate()(inputs, work: work)
    #expect(output.shape == [2, 6, 5, 6, 7])
    #expect(PreparedConcatenate().placesInOutput([1, 3, 2]) == [0, 1, 4])
    for (input, range) in zip(inputs, [0..<1, 1..<4, 4..<6]) {
      #expect(try output.channels(range, work: work) == input)
    }
  }

  @Test(
    "windows that hold other planes of each input give the same",
    arguments: [PreparedAdd(), PreparedConcatenate()] as [any PreparedOperation])
  func windows(operation: any PreparedOperation) throws {
    let inputs = inputs([3, 3])
    let whole = try operation(inputs, work: work)
    let memories = (0..<3).map { _ in UnsafeMutableBufferPointer<Float>.allocate(capacity: 4000) }
    defer { memories.forEach { $0.deallocate() } }
    let held = [1..<5, 0..<4]
    let windows = inputs.indices.map { window(of: inputs[$0], planes: held[$0], in: memories[$0]) }
    let unwritten = Tensor(shape: whole.shape, repeating: .nan)
    let target = window(of: unwritten, planes: 2..<4, in: memories[2])
    try operation.run(windows, into: target, scratch: target.memory, work: work)
    let plane = extent.h * extent.w
    for channel in 0..<whole.batch * whole.channels {
      let start = (channel * extent.d + 2) * plane
      let found = target.start(sample: channel / whole.channels, channel: channel % whole.channels)
      #expect((0..<2 * plane).map { found[$0] } == Array(whole.elements[start..<start + 2 * plane]))
    }
  }
}
