import Tensors
import Testing
import Work

/// The largest relative error of a method: Winograd cancels more than it sums.
private func tolerance(of method: ConvolutionMethod) -> Double { method == .winograd ? 8e-6 : 3e-6 }

@Suite struct ConvolutionTests {
  @Test("every method's convolution equals the reference", arguments: convolutionCases)
  func forward(_ shape: ConvolutionCase) throws {
    let (input, weight, bias, _) = shape.operands()
    let expected = convolutionReference(
      ReferenceTensor(input), weight: ReferenceTensor(weight), bias: ReferenceTensor(bias),
      geometry: shape.geometry)
    let problem = ConvolutionMethod.Problem(geometry: shape.geometry, weightShape: weight.shape)
    for method in ConvolutionMethod.allCases where method.supports(problem) {
      try atEveryLevel { threads, what in
        let work = WorkContext(threadCount: threads)
        let prepared = try PreparedConvolution(
          weight: weight, geometry: shape.geometry, method: method, work: work)
        expectClose(
          try prepared.apply(input, bias: bias, work: work), expected, tolerance: tolerance(of: method),
          "\(method), \(what)")
        for activation in resultActivations(channels: shape.outputChannels) {
          expectClose(
            try prepared.apply(input, bias: bias, activation: activation, work: work),
            piecewiseLinearReference(expected, activation), tolerance: tolerance(of: method),
            unbounded: expected, "\(method), \(activation), \(what)")
        }
      }
    }
  }

  @Test("convolution and gradients by the best method equal the references", arguments: convolutionCases)
  func gradients(_ shape: ConvolutionCase) throws {
    let (input, weight, _, gradient) = shape.operands()
    let (x, w, g) = (ReferenceTensor(input), ReferenceTensor(weight), ReferenceTensor(gradient))
    let geometry = shape.geometry
    let tolerance = tolerance(of: .best(for: .init(geometry: geometry, weightShape: weight.shape)))
    let output = convolutionReference(x, weight: w, bias: nil, geometry: geometry)
    let inputGradient = convolutionInputGradientReference(
      g, weight: w, inputExtent: shape.extent, geometry: geometry)
    let weightGradient = convolutionWeightGradientReference(input: x, outputGradient: g, geometry: geometry)
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      expectClose(
        try convolution(input, weight: weight, geometry: geometry, work: work), output, tolerance: tolerance,
        what)
      expectClose(
        try convolutionInputGradient(
          gradient, weight: weight, inputExtent: shape.extent, geometry: geometry, work: work),
        inputGradient, tolerance: tolerance, what)
      expectClose(
        try convolutionWeightGradient(
          input: input, outputGradient: gradient, geometry: geometry, work: work),
        weightGradient, tolerance: tolerance, what)
    }
  }

  @Test("the references' gradients are the derivatives of the reference", arguments: convolutionCases)
  func finiteDifferences(_ shape: ConvolutionCase) {
    var small = shape
    small.inputChannels = min(shape.inputChannels, 2 * shape.geometry.groups)
    small.outputChannels = min(shape.outputChannels, 2 * shape.geometry.groups)
    guard shape.geometry.kernel.product <= 60 else { return }
    let (input, weight, _, gradient) = small.operands()
    let (x, w, g) = (ReferenceTensor(input), ReferenceTensor(weight), ReferenceTensor(gradient))
    let weightGradient = convolutionWeightGradientReference(
      input: x, outputGradient: g, geometry: shape.geometry)
    let weightError = differenceError(weightGradient, at: w) {
      dot(convolutionReference(x, weight: $0, bias: nil, geometry: shape.geometry), g)
    }
    #expect(weightError < 1e-7)
    // A convolution is linear, so its input gradient is the adjoint exactly when the inner products agree.
    let inputGradient = convolutionInputGradientReference(
      g, weight: w, inputExtent: shape.extent, geometry: shape.geometry)
    let output = convolutionReference(x, weight: w, bias: nil, geometry: shape.geometry)
    #expect(abs(dot(inputGradient, x) - dot(output, g)) < 1e-9 * max(1, abs(dot(output, g))))
  }

  @Test("results are the same to the last bit for any number of threads")
  func determinism() throws {
    for shape in convolutionCases {
      let (input, weight, bias, gradient) = shape.operands()
      let results = try [1, 2, 5].map { threads in
        let work = WorkContext(threadCount: threads)
        return [
          try convolution(input, weight: weight, bias: bias, geometry: shape.geometry, work: work),
          try convolutionInputGradient(
            gradient, weight: weight, inputExtent: shape.extent, geometry: shape.geometry, work: work),
          try convolutionWeightGradient(
            input: input, outputGradient: gradient, geometry: shape.geometry, work: work),
        ]
      }
      #expect(results[1] == results[0] && results[2] == results[0], "\(shape.testDescription)")
    }
  }

  @Test("a convolution cut into windows of planes gives the same bits", arguments: convolutionCases)
  func windows(_ shape: ConvolutionCase) throws {
    let (input, weight, bias, _) = shape.operands()
    try atEveryLevel { threads, what in
      let convolution = try ImplicitConvolution(
        weight: weight, bias: bias, geometry: shape.geometry, activation: .relu,
        work: WorkContext(threadCount: threads))
      for planes in [1, 3] {
        try expectSameThroughWindows(convolution, input, planes: planes, threads: threads, what)
      }
    }
  }

  @Test(
    "Winograd convolution cut into windows of whole steps gives the same bits",
    arguments: winogradCases + dilatedCases)
  func winogradWindows(_ shape: ConvolutionCase) throws {
    let (input, weight, bias, _) = shape.operands()
    try atEveryLevel { threads, what in
      let convolution = try PreparedConvolution(
        weight: weight, geometry: shape.geometry, method: .winograd, work: WorkContext(threadCount: threads)
      ).operation(bias: bias, activation: .relu)
      for steps in [1, 3] {
        try expectSameThroughWindows(
          convolution, input, planes: steps * convolution.windowStep, threads: threads, what)
      }
    }
  }

  @Test("dilated Winograd convolution in windows of any planes equals the reference", arguments: dilatedCases)
  func dilatedWindows(_ shape: ConvolutionCase) throws {
    let (input, weight, bias, _) = shape.operands()
    let expected = convolutionReference(
      ReferenceTensor(input), weight: ReferenceTensor(weight), bias: ReferenceTensor(bias),
      geometry: shape.geometry)
    try atEveryLevel { threads, what in
      let convolution = try PreparedConvolution(
        weight: weight, geometry: shape.geometry, method: .winograd, work: WorkContext(threadCount: threads)
      ).operation(bias: bias, activation: .identity)
      for planes in [1, 3, 5] {
        expectClose(
          try throughWindows(convolution, input, planes: planes, threads: threads), expected,
          tolerance: tolerance(of: .winograd), "windows of \(planes), \(what)")
      }
    }
  }

  @Test("a dilated convolution is by Winograd between enough channels where its grids fill enough tiles")
  func dilatedMethod() {
    func isWinograd(_ channels: Int, _ dilation: Extent3, on extent: Extent3?) -> Bool {
      ConvolutionMethod.best(
        for: .init(
          geometry: .init(kernel: Extent3(3), padding: dilation, dilation: dilation),
          weightShape: [channels, channels, 3, 3, 3], inputExtent: extent)) == .winograd
    }
    #expect(isWinograd(21, Extent3(16), on: Extent3(256)))
    #expect(isWinograd(21, Extent3(16), on: nil))
    #expect(isWinograd(21, Extent3(2), on: Extent3(9)))
    #expect(!isWinograd(21, Extent3(16), on: Extent3(20)))
    #expect(!isWinograd(5, Extent3(2), on: Extent3(256)))
    // Beyond the longest run of voxels that is stored at once.
    #expect(isWinograd(21, Extent3(32, 32, 16), on: Extent3(256)))
    #expect(!isWinograd(21, Extent3(16, 16, 17), on: Extent3(256)))
  }

  @Test("a cancelled convolution throws and returns nothing")
  func cancellation() {
    let shape = convolutionCases[0]
    let (input, weight, bias, _) = shape.operands()
    let work = WorkContext()
    work.cancellation.request()
    #expect(throws: Cancelled()) {
      try convolution(input, weight: weight, bias: bias, geometry: shape.geometry, work: work)
    }
  }
}

@Suite struct TransposedConvolutionTests {
  @Test(
    "a transposed convolution's fused activation is that of the reference",
    arguments: transposedConvolutionCases)
  func activations(_ shape: TransposedConvolutionCase) throws {
    let (input, weight, bias, _) = shape.operands()
    let expected = transposedConvolutionReference(
      ReferenceTensor(input), weight: ReferenceTensor(weight), bias: ReferenceTensor(bias),
      geometry: shape.geometry)
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      for activation in resultActivations(channels: shape.outputChannels) {
        let convolution = try PreparedTransposedConvolution(
          weight: weight, bias: bias, geometry: shape.geometry, activation: activation, work: work)
        expectClose(
          try convolution(input, work: work), piecewiseLinearReference(expected, activation),
          unbounded: expected, "\(activation), \(what)")
      }
    }
  }

  @Test(
    "transposed convolution and its gradients equal the references", arguments: transposedConvolutionCases)
  func everything(_ shape: TransposedConvolutionCase) throws {
    let (input, weight, bias, gradient) = shape.operands()
    let (x, w, g) = (ReferenceTensor(input), ReferenceTensor(weight), ReferenceTensor(gradient))
    let adjoint = shape.geometry.adjoint
    let tolerance = tolerance(of: .best(for: .init(geometry: adjoint, weightShape: weight.shape)))
    let output = transposedConvolutionReference(
      x, weight: w, bias: ReferenceTensor(bias), geometry: shape.geometry)
    let inputGradient = convolutionReference(g, weight: w, bias: nil, geometry: adjoint)
    let weightGradient = convolutionWeightGradientReference(input: g, outputGradient: x, geometry: adjoint)
    var biasGradient = ReferenceTensor(shape: [shape.outputChannels])
    for index in g.elements.indices {
      biasGradient.elements[index / g.extent.product % shape.outputChannels] += g.elements[index]
    }
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      expectClose(
        try transposedConvolution(
          input, weight: weight, bias: bias, geometry: shape.geometry, work: work), output,
        tolerance: tolerance, what)
      expectClose(
        try transposedConvolutionInputGradient(
          gradient, weight: weight, geometry: shape.geometry, work: work), inputGradient,
        tolerance: tolerance, what)
      expectClose(
        try transposedConvolutionWeightGradient(
          input: input, outputGradient: gradient, geometry: shape.geometry, work: work), weightGradient,
        tolerance: tolerance, what)
      let all = try transposedConvolutionGradients(
        input: input, outputGradient: gradient, weight: weight, geometry: shape.geometry,
        passesGradient: true,
        work: work)
      expectClose(all.weight, weightGradient, tolerance: tolerance, what)
      expectClose(all.bias, biasGradient, tolerance: tolerance, what)
      expectClose(try #require(all.input), inputGradient, tolerance: tolerance, what)
      let withoutInput = try transposedConvolutionGradients(
        input: input, outputGradient: gradient, weight: weight, geometry: shape.geometry,
        passesGradient: false, work: work)
      expectClose(withoutInput.weight, weightGradient, tolerance: tolerance, what)
      #expect(withoutInput.input == nil)
    }
  }

  @Test(
    "results are the same to the last bit for any number of threads", arguments: transposedConvolutionCases)
  func determinism(_ shape: TransposedConvolutionCase) throws {
    let (input, weight, bias, gradient) = shape.operands()
    let results = try [1, 2, 5].map { threads in
      let work = WorkContext(threadCount: threads)
      let gradients = try transposedConvolutionGradients(
        input: input, outputGradient: gradient, weight: weight, geometry: shape.geometry,
        passesGradient: true,
        work: work)
      return [
        try transposedConvolution(input, weight: weight, bias: bias, geometry: shape.geometry, work: work),
        gradients.weight, gradients.bias, try #require(gradients.input),
      ]
    }
    #expect(results[1] == results[0] && results[2] == results[0])
  }

  @Test(
    "a transposed convolution cut into windows of whole steps gives the same bits",
    arguments: transposedConvolutionCases)
  func windows(_ shape: TransposedConvolutionCase) throws {
    let (input, weight, bias, _) = shape.operands()
    try atEveryLevel { threads, what in
      let convolution = try PreparedTransposedConvolution(
        weight: weight, bias: bias, geometry: shape.geometry, activation: .relu,
        work: WorkContext(threadCount: threads))
      for steps in [1, 3] {
        try expectSameThroughWindows(
          convolution, input, planes: steps * convolution.windowStep, threads: threads, what)
      }
    }
  }

  @Test(
    "the references' gradients are the derivatives of the reference", arguments: transposedConvolutionCases)
  func finiteDifferences(_ shape: TransposedConvolutionCase) {
    var small = shape
    small.inputChannels = 2 * shape.geometry.groups
    small.outputChannels = 2 * shape.geometry.groups
    small.extent.w = min(shape.extent.w, 5)
    let (input, weight, _, gradient) = small.operands()
    let (x, w, g) = (ReferenceTensor(input), ReferenceTensor(weight), ReferenceTensor(gradient))
    let inputError = differenceError(
      convolutionReference(g, weight: w, bias: nil, geometry: shape.geometry.adjoint), at: x
    ) { dot(transposedConvolutionReference($0, weight: w, bias: nil, geometry: shape.geometry), g) }
    let weightError = differenceError(
      convolutionWeightGradientReference(input: g, outputGradient: x, geometry: shape.geometry.adjoint),
      at: w
    ) { dot(transposedConvolutionReference(x, weight: $0, bias: nil, geometry: shape.geometry), g) }
    #expect(inputError < 1e-7)
    #expect(weightError < 1e-7)
  }
}
