import Tensors
import Testing
import Work

@Suite struct ConvolutionSumTests {
  /// Calls `body` with an operation of every method, what is added and the expected result, at every instruction level.
  private func forEach(
    _ shape: ConvolutionCase,
    _ body: (
      _ operation: ConvolutionSum, _ inputs: [Tensor], _ sum: ReferenceTensor,
      _ expected: ReferenceTensor, _ work: WorkContext,
      _ what: Comment
    ) throws -> Void
  ) throws {
    let (input, weight, bias, summand) = shape.operands()
    let results = convolutionReference(
      ReferenceTensor(input), weight: ReferenceTensor(weight), bias: ReferenceTensor(bias),
      geometry: shape.geometry)
    let sum = ReferenceTensor(
      shape: results.shape, elements: zip(results.elements, summand.elements).map { $0 + Double($1) })
    let problem = ConvolutionMethod.Problem(geometry: shape.geometry, weightShape: weight.shape)
    for method in ConvolutionMethod.allCases where method != .reference && method.supports(problem) {
      try atEveryLevel { threads, what in
        let work = WorkContext(threadCount: threads)
        let prepared = try PreparedConvolution(
          weight: weight, geometry: shape.geometry, method: method, work: work)
        for activation in [.identity] + resultActivations(channels: shape.outputChannels) {
          try body(
            ConvolutionSum(prepared, bias: bias, activation: activation), [input, summand], sum,
            piecewiseLinearReference(sum, activation), work, "\(method), \(activation), \(what)")
        }
      }
    }
  }

  @Test(
    "every method adds its results to a second input, then applies the activation",
    arguments: convolutionCases)
  func sums(_ shape: ConvolutionCase) throws {
    try forEach(shape) { operation, inputs, sum, expected, work, what in
      #expect(operation.kernelName.hasSuffix(", added"))
      let found = try operation(inputs, work: work)
      expectClose(found, expected, tolerance: 8e-6, unbounded: sum, what)
      // The caller's input stays.
      #expect(inputs[1] == shape.operands().gradient)
    }
  }

  @Test("the sum may overwrite the second input, whole and in windows of planes", arguments: convolutionCases)
  func overwrites(_ shape: ConvolutionCase) throws {
    try forEach(shape) { operation, inputs, sum, expected, work, what in
      let (summand, depth) = (inputs[1], shape.outputExtent.d)
      for planes in [1, 3, depth] {
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: summand.elements.count)
        defer { memory.deallocate() }
        _ = memory.initialize(from: summand.elements)
        let output = ActivationWindow(
          batch: summand.batch, channels: summand.channels, extent: summand.extent, planes: 0..<depth,
          memory: DisjointBuffer(memory))
        try inputs[0].withWindow { source throws(Cancelled) in
          for first in stride(from: 0, to: depth, by: planes) {
            let part = output.part(first..<min(first + planes, depth))
            let count = operation.scratchCount(
              planes: part.planes.count, input: shape.extent,
              channels: shape.inputChannels + shape.outputChannels, batch: shape.batch,
              threadCount: work.threadCount)
            let scratch = UnsafeMutableRawBufferPointer.allocate(
              byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
            defer { scratch.deallocate() }
            let values = scratch.bindMemory(to: Float.self)
            values.initialize(repeating: .nan)
            try operation.run([source, part], into: part, scratch: DisjointBuffer(values), work: work)
          }
        }
        let found = Tensor(shape: summand.shape, elements: Array(memory))
        expectClose(
          found, expected, tolerance: 8e-6, unbounded: sum, "\(what.rawValue), windows of \(planes)")
      }
    }
  }

  @Test("only the second input may be overwritten, of which the planes of the output are read")
  func inputs() throws {
    let geometry = ConvolutionGeometry(kernel: Extent3(3), stride: Extent3(2), padding: Extent3(1))
    let prepared = try PreparedConvolution(
      weight: Tensor(shape: [4, 3, 3, 3, 3], repeating: 1), geometry: geometry,
      work: WorkContext(threadCount: 1))
    let operation = ConvolutionSum(prepared, bias: nil, activation: .identity)
    #expect((0...1).map { operation.mayOverwrite(input: $0) } == [false, true])
    #expect(
      (0...1).map { operation.inputPlanes(for: 2..<4, ofInput: $0, inputDepth: 9) } == [3..<8, 2..<4])
    let alone = prepared.operation(bias: nil, activation: .identity)
    #expect(
      operation.operationCount(input: Extent3(9), channels: 7)
        == alone.operationCount(input: Extent3(9), channels: 3))
    #expect(operation.outputChannels([3, 4]) == 4 && operation.outputExtent(Extent3(9)) == Extent3(5))
  }
}
