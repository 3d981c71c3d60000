import Tensors
import TestSupport
import Testing
import Work

@Suite struct PooledConvolutionTests {
  private static let pooling2x2x2 = PoolingGeometry(kernel: Extent3(2), stride: Extent3(2))

  /// Cases of step 1 with at least one window of results.
  private static let cases = convolutionCases.filter {
    $0.geometry.stride == Extent3(1) && pooling2x2x2.output($0.outputExtent) != nil
  }

  @Test(
    "fused with a 2x2x2 max-pooling, only the maxima are stored, whole and in windows of planes",
    arguments: cases)
  func maxima(_ shape: ConvolutionCase) throws {
    let (input, weight, bias, _) = shape.operands()
    let results = convolutionReference(
      ReferenceTensor(input), weight: ReferenceTensor(weight), bias: ReferenceTensor(bias),
      geometry: shape.geometry)
    let problem = ConvolutionMethod.Problem(geometry: shape.geometry, weightShape: weight.shape)
    for method in [ConvolutionMethod.winograd, .implicitProduct]
    where method.supports(problem) && (method != .winograd || shape.geometry.dilation == Extent3(1)) {
      try atEveryLevel { threads, what in
        let work = WorkContext(threadCount: threads)
        let prepared = try PreparedConvolution(
          weight: weight, geometry: shape.geometry, inputExtent: shape.extent, method: method, work: work)
        for activation in resultActivations(channels: shape.outputChannels) {
          let operation = try #require(
            prepared.operation(bias: bias, activation: activation, pooling: Self.pooling2x2x2), what)
          #expect(operation.kernelName.hasSuffix(", pooled"))
          let expected = maxPoolingReference(
            piecewiseLinearReference(results, activation), geometry: Self.pooling2x2x2
          ).output
          expectClose(try operation(input, work: work), expected, tolerance: 8e-6, unbounded: results, what)
          for planes in [1, 2] {
            try expectSameThroughWindows(operation, input, planes: planes, threads: threads, what)
          }
        }
      }
    }
  }

  @Test("no pooling is fused with a dilated Winograd convolution, whose tiles it would cross")
  func dilated() throws {
    let prepared = try PreparedConvolution(
      weight: Tensor(shape: [16, 16, 3, 3, 3], repeating: 1),
      geometry: ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(2), dilation: Extent3(2)),
      method: .winograd, work: WorkContext(threadCount: 1))
    #expect(prepared.operation(bias: nil, activation: .relu, pooling: Self.pooling2x2x2) == nil)
  }

  @Test("windows that overlap, or end beyond the results, are not fused")
  func otherWindows() throws {
    let geometry = ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1))
    let weight = Tensor(shape: [16, 16, 3, 3, 3], repeating: 1)
    let work = WorkContext(threadCount: 1)
    for method in [ConvolutionMethod.winograd, .implicitProduct] {
      let prepared = try PreparedConvolution(weight: weight, geometry: geometry, method: method, work: work)
      for pooling in [
        PoolingGeometry(kernel: Extent3(3), stride: Extent3(2)),
        PoolingGeometry(kernel: Extent3(2), stride: Extent3(1)),
        PoolingGeometry(kernel: Extent3(2), stride: Extent3(2), roundsUp: true),
      ] {
        #expect(prepared.operation(bias: nil, activation: .relu, pooling: pooling) == nil)
      }
    }
  }
}
