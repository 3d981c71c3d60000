import CKernels
import Work

/// A pointwise (1x1x1) convolution: the product of a small matrix with the channels, by BLAS.
struct PointwiseConvolution: SingleInputOperation {
  private let weight: Tensor
  /// Whether the transpose of the weights is used.
  private let transposes: Bool
  private let bias: [Float]?
  private let activation: PiecewiseLinear
  private let addsToOutput: Bool

  /// The product with `weight`, [rows, columns, 1, 1, 1], or with its transpose, plus `bias`, plus what the
  /// output's memory holds where it `addsToOutput`; then `activation`.
  init(
    weight: Tensor, transposes: Bool = false, bias: Tensor? = nil, activation: PiecewiseLinear = .identity,
    addsToOutput: Bool = false
  ) {
    self.weight = weight
    self.transposes = transposes
    self.addsToOutput = addsToOutput
    self.bias = bias?.elements
    let rows = weight.shape[transposes ? 1 : 0]
    self.activation = activation.padded(channels: rows, paddedLength: rows)
  }

  /// Columns of one BLAS call: with 32 channels 256 KB, which stays in the second cache level.
  private static let columnsPerCall = 2048

  /// Whether `geometry` maps every voxel to itself alone.
  static func supports(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.kernel == Extent3(1) && geometry.stride == Extent3(1) && geometry.padding == .none
      && geometry.groups == 1
  }

  private var rows: Int { weight.shape[transposes ? 1 : 0] }
  private var depth: Int { weight.shape[transposes ? 0 : 1] }

  var kernelName: String { "convolution, pointwise by BLAS" }
  var worksInPlace: Bool { false }
  var weightBytes: Int { weight.elements.count * MemoryLayout<Float>.stride }
  func outputChannels(_ channels: Int) -> Int { rows }
  func outputExtent(_ input: Extent3) -> Extent3? { input }
  func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> { planes }
  func operationCount(input: Extent3, channels: Int) -> Double { 2 * Double(rows * depth * input.product) }
  func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int { 0 }

  func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      input.channels == depth && output.channels == rows && input.extent == output.extent
        && output.planes.clamped(to: input.planes) == output.planes,
      "planes \(input.planes) of \(input.channels) channels for planes \(output.planes)")
    let voxels = output.planes.count * output.planeStride
    let skipped = (output.planes.lowerBound - input.planes.lowerBound) * input.planeStride
    let calls = (voxels + Self.columnsPerCall - 1) / Self.columnsPerCall
    let level = KernelLevel.current
    try weight.elements.withSharedBuffer { weight throws(Cancelled) in
      try work.forEach(count: calls * output.batch) { index, _ in
        let (sample, first) = (index / calls, index % calls * Self.columnsPerCall)
        let columns = min(Self.columnsPerCall, voxels - first)
        let target = output.start(sample: sample, channel: 0) + first
        if let bias {
          for row in 0..<rows {
            let target = target + row * output.channelStride
            if addsToOutput {
              pointwise_affine(level, target, target, columns, 1, bias[row])
            } else {
              target.update(repeating: bias[row], count: columns)
            }
          }
        }
        BLAS.multiply(
          rows: rows, columns: columns, depth: depth, a: weight.start,
          aStride: transposes ? rows : depth, transposesA: transposes,
          b: input.start(sample: sample, channel: 0) + skipped + first, bStride: input.channelStride,
          beta: bias == nil && !addsToOutput ? 0 : 1, c: target, cStride: output.channelStride)
        guard activation != .identity else { return }
        activation.slopes.withUnsafeBufferPointer { slopes in
          for row in 0..<rows {
            let target = target + row * output.channelStride
            piecewise_linear_apply(
              level, activation.kernel(slopes.baseAddress, from: row), target, target, columns)
          }
        }
      }
    }
  }
}
