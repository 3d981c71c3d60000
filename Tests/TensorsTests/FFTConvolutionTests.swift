import CKernels
import Tensors
import TestSupport
import Testing
import Work

/// One row of the table: a convolution, the tile that computes it, and its data.
private struct FFTCase: CustomTestStringConvertible, Sendable {
  let kernel, padding, input, tile: Extent3
  var batch = 1
  let inputChannels, outputChannels: Int

  var geometry: ConvolutionGeometry { ConvolutionGeometry(kernel: kernel, padding: padding) }
  var result: Extent3 { geometry.output(input)! }
  var testDescription: String {
    "\(batch)x\(inputChannels)->\(outputChannels) kernel \(kernel) padding \(padding) input \(input) tile \(tile)"
  }

  static let table = [
    // The liver network's kernels with same padding.
    FFTCase(
      kernel: Extent3(7, 9, 9), padding: Extent3(3, 4, 4), input: Extent3(13, 11, 35),
      tile: Extent3(12, 16, 32), inputChannels: 1, outputChannels: 8),
    FFTCase(
      kernel: Extent3(7, 9, 9), padding: Extent3(3, 4, 4), input: Extent3(7, 10, 13),
      tile: Extent3(24, 48, 48), inputChannels: 8, outputChannels: 8),
    FFTCase(
      kernel: Extent3(5, 7, 7), padding: Extent3(2, 3, 3), input: Extent3(6, 13, 17),
      tile: Extent3(8, 16, 16), inputChannels: 5, outputChannels: 16),
    FFTCase(
      kernel: Extent3(3, 5, 5), padding: Extent3(1, 2, 2), input: Extent3(15, 9, 13),
      tile: Extent3(16, 32, 16), inputChannels: 16, outputChannels: 3),
    // No padding, more than needed for the same extent, and unequal sides.
    FFTCase(
      kernel: Extent3(9, 9, 7), padding: Extent3(0), input: Extent3(13, 18, 43),
      tile: Extent3(20, 16, 48), inputChannels: 2, outputChannels: 3),
    FFTCase(
      kernel: Extent3(2, 4, 3), padding: Extent3(1, 3, 2), input: Extent3(7, 13, 31),
      tile: Extent3(8, 16, 16), inputChannels: 3, outputChannels: 2),
    FFTCase(
      kernel: Extent3(6, 2, 8), padding: Extent3(5, 0, 3), input: Extent3(5, 40, 9),
      tile: Extent3(36, 32, 16), inputChannels: 1, outputChannels: 1),
    // Several items of a batch, more tiles than one product takes, and an input below the kernel.
    FFTCase(
      kernel: Extent3(3, 5, 4), padding: Extent3(1, 2, 1), input: Extent3(11, 19, 23),
      tile: Extent3(8, 16, 16), batch: 2, inputChannels: 2, outputChannels: 5),
    FFTCase(
      kernel: Extent3(5, 7, 7), padding: Extent3(4, 6, 6), input: Extent3(3, 4, 5),
      tile: Extent3(12, 16, 16), batch: 3, inputChannels: 2, outputChannels: 2),
    // Long transforms.
    FFTCase(
      kernel: Extent3(4, 5, 6), padding: Extent3(2), input: Extent3(43, 20, 74),
      tile: Extent3(48, 16, 80), inputChannels: 1, outputChannels: 1),
    FFTCase(
      kernel: Extent3(2, 3, 3), padding: Extent3(1), input: Extent3(33, 77, 17),
      tile: Extent3(40, 80, 96), inputChannels: 1, outputChannels: 2),
    FFTCase(
      kernel: Extent3(3, 2, 2), padding: Extent3(1), input: Extent3(75, 40, 30),
      tile: Extent3(80, 96, 64), inputChannels: 1, outputChannels: 1),
    FFTCase(
      kernel: Extent3(3, 3, 2), padding: Extent3(1), input: Extent3(58, 14, 30),
      tile: Extent3(60, 16, 16), inputChannels: 1, outputChannels: 2),
    FFTCase(
      kernel: Extent3(3, 3, 2), padding: Extent3(1), input: Extent3(62, 30, 14),
      tile: Extent3(64, 64, 16), inputChannels: 2, outputChannels: 1),
    FFTCase(
      kernel: Extent3(7, 3, 2), padding: Extent3(3, 1, 1), input: Extent3(26, 14, 20),
      tile: Extent3(32, 16, 16), inputChannels: 1, outputChannels: 1),
  ]
}

@Test(
  "FFT convolution and its gradients agree with sums of doubles at every instruction level",
  arguments: FFTCase.table)
private func agreesWithDoubles(row: FFTCase) throws {
  var generator = SplitMix64(seed: 7)
  func random(_ shape: [Int]) -> Tensor {
    Tensor(shape: shape, elements: generator.floats(shape.reduce(1, *)))
  }
  let (n, m, k) = (row.input, row.result, row.kernel)
  let input = random([row.batch, row.inputChannels, n.d, n.h, n.w])
  let weight = random([row.outputChannels, row.inputChannels, k.d, k.h, k.w])
  let bias = random([row.outputChannels])
  let outputGradient = random([row.batch, row.outputChannels, m.d, m.h, m.w])
  let (inputValues, weightValues, gradientValues) = (
    ReferenceTensor(input), ReferenceTensor(weight), ReferenceTensor(outputGradient)
  )
  let expectedOutput = convolutionReference(
    inputValues, weight: weightValues, bias: ReferenceTensor(bias), geometry: row.geometry)
  let expectedInputGradient = convolutionInputGradientReference(
    gradientValues, weight: weightValues, inputExtent: n, geometry: row.geometry)
  let expectedWeightGradient = convolutionWeightGradientReference(
    input: inputValues, outputGradient: gradientValues, geometry: row.geometry)
  let work = WorkContext(threadCount: 2)
  for level in KernelLevel.available {
    let tile = FFTTile(extent: row.tile, level: level)
    let convolution = try FFTConvolution(weight: weight, geometry: row.geometry, tile: tile, work: work)
    let output = try convolution.forward(input, bias: bias, work: work)
    expectClose(output, expectedOutput, tolerance: 2e-6, "forward, level \(level.rawValue)")
    for activation in resultActivations(channels: output.channels) {
      let found = try convolution.forward(input, bias: bias, activation: activation, work: work)
      #expect(
        found == piecewiseLinearReference(ReferenceTensor(output), activation).rounded,
        "\(activation), level \(level)")
    }
    for roundsUp in [false, true] {
      let pooling = PoolingGeometry(kernel: Extent3(2), stride: Extent3(2), roundsUp: roundsUp)
      guard convolution.fuses(pooling), pooling.output(m) != nil else { continue }
      let operation = FFTConvolutionOperation(convolution, bias: bias, activation: .relu, pooling: pooling)
      expectClose(
        try operation(input, work: work),
        maxPoolingReference(reluReference(expectedOutput), geometry: pooling).output, tolerance: 2e-6,
        "pooled, rounds up \(roundsUp), level \(level.rawValue)")
    }
    let inputGradient = try convolution.inputGradient(outputGradient, inputExtent: n, work: work)
    expectClose(inputGradient, expectedInputGradient, tolerance: 2e-6, "input, level \(level.rawValue)")
    let weightGradient = try FFTConvolution.weightGradient(
      input: input, outputGradient: outputGradient, geometry: row.geometry, tile: tile, work: work)
    expectClose(weightGradient, expectedWeightGradient, tolerance: 2e-6, "weight, level \(level.rawValue)")
    let both = try convolution.gradients(input: input, outputGradient: outputGradient, work: work)
    #expect(both.weight == weightGradient, "weight of both, level \(level.rawValue)")
    expectClose(both.input, expectedInputGradient, tolerance: 2e-6, "input of both, level \(level.rawValue)")
  }
}

@Test(
  "an FFT convolution, pooled or not, writes windows of planes from windows of its input",
  arguments: [nil, false, true])
func writesWindows(roundsUp: Bool?) throws {
  var generator = SplitMix64(seed: 13)
  let geometry = ConvolutionGeometry(kernel: Extent3(5, 3, 4), padding: Extent3(2, 1, 2))
  let input = generator.tensor([2, 3, 29, 20, 21])
  let weight = generator.tensor([4, 3, 5, 3, 4])
  let bias = generator.tensor([4])
  let work = WorkContext(threadCount: 2)
  let pooling = roundsUp.map { PoolingGeometry(kernel: Extent3(2), stride: Extent3(2), roundsUp: $0) }
  for level in KernelLevel.available {
    let tile = FFTTile(extent: Extent3(12, 16, 16), level: level)
    let operation = FFTConvolutionOperation(
      try FFTConvolution(weight: weight, geometry: geometry, tile: tile, work: work), bias: bias,
      activation: .relu, pooling: pooling)
    let step = operation.windowStep
    #expect(step == (pooling == nil ? 8 : 4))
    let whole = try operation(input, work: work)
    let depth = whole.extent.d
    for (planes, isExact) in [
      (0..<step, true), (step..<depth, true), (2 * step..<3 * step, true), (3..<5, false),
      (5..<depth - 2, false), (depth - 1..<depth, false),
    ] {
      let windowed = try planesOfResult(operation, planes, of: input, whole: whole.extent, work: work)
      let expected = wholePlanes(planes, of: whole)
      let what: Comment = "planes \(planes), level \(level.rawValue)"
      if isExact {
        #expect(windowed == expected, what)
      } else {
        expectClose(windowed, ReferenceTensor(expected), tolerance: 2e-6, what)
      }
    }
  }
}

/// The planes of the operation's result, computed from a copy of no more of `input` than they need, with channels
/// that are not dense.
private func planesOfResult(
  _ operation: FFTConvolutionOperation, _ planes: Range<Int>, of input: Tensor, whole: Extent3,
  work: WorkContext
) throws -> Tensor {
  let needed = operation.inputPlanes(for: planes, inputDepth: input.extent.d)
  let held = wholePlanes(needed, of: input)
  let plane = input.extent.h * input.extent.w
  let stride = needed.count * plane + 7
  var source = [Float](repeating: .nan, count: input.batch * input.channels * stride)
  for channel in 0..<input.batch * input.channels {
    for index in 0..<needed.count * plane {
      source[channel * stride + index] = held.elements[channel * needed.count * plane + index]
    }
  }
  let channels = operation.outputChannels(input.channels)
  var result = [Float](repeating: .nan, count: input.batch * channels * planes.count * whole.h * whole.w)
  let scratchCount = operation.scratchCount(
    planes: planes.count, input: input.extent, channels: input.channels, batch: input.batch,
    threadCount: work.threadCount)
  let memory = UnsafeMutableRawBufferPointer.allocate(
    byteCount: scratchCount * MemoryLayout<Float>.stride, alignment: 64)
  defer { memory.deallocate() }
  let scratch = memory.bindMemory(to: Float.self)
  scratch.initialize(repeating: .nan)
  try source.withUnsafeMutableBufferPointer { source in
    try result.withUnsafeMutableBufferPointer { result in
      try operation.run(
        ActivationWindow(
          batch: input.batch, channels: input.channels, extent: input.extent, planes: needed,
          channelStride: stride, memory: DisjointBuffer(source)),
        into: ActivationWindow(
          batch: input.batch, channels: channels, extent: whole, planes: planes,
          memory: DisjointBuffer(result)),
        scratch: DisjointBuffer(scratch), work: work)
    }
  }
  return Tensor(shape: [input.batch, channels, planes.count, whole.h, whole.w], elements: result)
}

/// Some consecutive planes of every channel.
private func wholePlanes(_ planes: Range<Int>, of tensor: Tensor) -> Tensor {
  let plane = tensor.extent.h * tensor.extent.w
  let elements = (0..<tensor.batch * tensor.channels).flatMap { channel in
    let start = channel * tensor.extent.product
    return tensor.elements[start + planes.lowerBound * plane..<start + planes.upperBound * plane]
  }
  return Tensor(
    shape: [tensor.batch, tensor.channels, planes.count, tensor.extent.h, tensor.extent.w],
    elements: elements)
}

@Test("FFT convolution gives the same bits on one thread and on three")
func sameBitsOnAnyThreadCount() throws {
  var generator = SplitMix64(seed: 11)
  let geometry = ConvolutionGeometry(kernel: Extent3(5, 7, 7), padding: Extent3(2, 3, 3))
  let input = Tensor(shape: [2, 4, 17, 40, 50], elements: generator.floats(2 * 4 * 17 * 40 * 50))
  let gradient = Tensor(shape: [2, 3, 17, 40, 50], elements: generator.floats(2 * 3 * 17 * 40 * 50))
  let weight = Tensor(shape: [3, 4, 5, 7, 7], elements: generator.floats(3 * 4 * 245))
  let tile = FFTTile(extent: Extent3(12, 32, 32), level: KernelLevel.current)
  func everything(_ threads: Int) throws -> [Tensor] {
    let work = WorkContext(threadCount: threads)
    let convolution = try FFTConvolution(weight: weight, geometry: geometry, tile: tile, work: work)
    let both = try convolution.gradients(input: input, outputGradient: gradient, work: work)
    return [
      both.input, both.weight, try convolution.forward(input, work: work),
      try convolution.inputGradient(gradient, inputExtent: input.extent, work: work),
      try FFTConvolution.weightGradient(
        input: input, outputGradient: gradient, geometry: geometry, tile: tile, work: work),
    ]
  }
  #expect(try everything(1) == everything(3))
}

@Test("a cancelled FFT convolution throws")
func cancelledConvolutionThrows() throws {
  let geometry = ConvolutionGeometry(kernel: Extent3(3, 5, 5))
  let weight = Tensor(shape: [1, 1, 3, 5, 5], repeating: 1)
  let input = Tensor(shape: [1, 1, 8, 8, 8])
  let convolution = try FFTConvolution(weight: weight, geometry: geometry, work: WorkContext())
  let cancelled = WorkContext()
  cancelled.cancellation.request()
  #expect(throws: Cancelled()) { _ = try convolution.forward(input, work: cancelled) }
}

@Test("FFT convolution supports kernels of 2 to 9 taps with stride and dilation 1")
func servedGeometries() {
  func supports(_ kernel: Extent3, _ padding: Int = 0, stride: Int = 1, dilation: Int = 1) -> Bool {
    FFTConvolution.supports(
      ConvolutionGeometry(
        kernel: kernel, stride: Extent3(stride), padding: Extent3(padding),
        dilation: Extent3(dilation)))
  }
  #expect(supports(Extent3(7, 9, 9), 3))
  #expect(supports(Extent3(2), 1))
  #expect(!supports(Extent3(2), 2))
  #expect(!supports(Extent3(1, 3, 3)))
  #expect(!supports(Extent3(3, 3, 10)))
  #expect(!supports(Extent3(5), stride: 2))
  #expect(!supports(Extent3(5), dilation: 2))
}

@Test("FFT convolution fuses poolings of 2x2x2 voxels with its store")
func fusedPoolings() throws {
  let work = WorkContext()
  func convolution(_ tile: Extent3) throws -> FFTConvolution {
    try FFTConvolution(
      weight: Tensor(shape: [1, 1, 8, 5, 5], repeating: 1), geometry: .init(kernel: Extent3(8, 5, 5)),
      tile: FFTTile(extent: tile, level: KernelLevel.current), work: work)
  }
  let pair = Extent3(2)
  let wide = try convolution(Extent3(12, 16, 16))
  #expect(wide.fuses(PoolingGeometry(kernel: pair, stride: pair)))
  #expect(wide.fuses(PoolingGeometry(kernel: pair, stride: pair, roundsUp: true)))
  #expect(!wide.fuses(PoolingGeometry(kernel: Extent3(3), stride: pair)))
  #expect(!wide.fuses(PoolingGeometry(kernel: Extent3(1, 2, 2), stride: Extent3(1, 2, 2))))
  // A tile that yields one plane at a time holds no pair.
  #expect(!(try convolution(Extent3(8, 16, 16)).fuses(PoolingGeometry(kernel: pair, stride: pair))))
}

@Test("tiles waste little on small and on large volumes")
func cheapestTilesFit() {
  let geometry = ConvolutionGeometry(kernel: Extent3(7, 9, 9), padding: Extent3(3, 4, 4))
  for extent in [Extent3(8, 8, 8), Extent3(48, 64, 64), Extent3(72, 160, 160), Extent3(300, 512, 512)] {
    let tile = FFTConvolution.cheapestTile(
      geometry: geometry, inputChannels: 8, outputChannels: 8, inputExtent: extent)
    let valid = Extent3(tile.extent.d - 6, tile.extent.h - 8, tile.extent.w - 8)
    func covered(_ n: Int, _ valid: Int, _ tile: Int) -> Int { (n + valid - 1) / valid * tile }
    let transformed =
      covered(extent.d, valid.d, tile.extent.d) * covered(extent.h, valid.h, tile.extent.h)
      * covered(extent.w, valid.w, tile.extent.w)
    // The least possible is the padded volume.
    let padded = (extent.d + 6) * (extent.h + 8) * (extent.w + 8)
    #expect(Double(transformed) <= 2.5 * Double(padded), "\(extent) in tiles of \(tile.extent)")
  }
}
