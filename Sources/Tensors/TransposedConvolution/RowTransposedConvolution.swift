import CKernels
import Work

/// Transposed convolution of kernel 3, stride 2 and padding 1 by rows: two rows of two planes of the input give the
/// output rows of all four phases, whose sums stay in registers.
struct RowTransposedConvolution: Sendable {
  private let channels: Int
  private let outputs: Int
  /// [outputs / 2, rounded up][channels][27][2], padded with zeros.
  private let weights: [Float]
  /// One per output, padded to pairs.
  private let bias: [Float]
  private let appliesReLU: Bool

  private static let outputsAtOnce = Int(TRANSPOSED_CONVOLUTION_OUTPUTS)
  /// Input rows per task.
  private static let rowsPerTask = 8

  /// Whether `geometry` has kernel 3, stride 2 and padding 1, and an output padding of 0 or 1.
  static func supports(_ geometry: TransposedConvolutionGeometry) -> Bool {
    geometry.kernel == Extent3(3) && geometry.stride == Extent3(2) && geometry.padding == Extent3(1)
      && [geometry.outputPadding.d, geometry.outputPadding.h, geometry.outputPadding.w].allSatisfy {
        (0...1).contains($0)
      }
  }

  /// Whether this is faster than packed products of the phases: measured.
  ///
  /// Packed products compute blocks of eight output channels, and scatter results from the cache. With vectors of four
  /// lanes they are faster all the same from eight channels on.
  static func isFaster(outputs: Int) -> Bool { outputs < 8 || KernelLevel.current != KERNELS_PORTABLE }

  /// Interleaves `weight`, [in, out, 3, 3, 3]; `bias` is [out], or nil for none.
  init(weight: Tensor, bias: Tensor?, appliesReLU: Bool) {
    let (channels, outputs) = (weight.shape[0], weight.shape[1])
    let pair = Self.outputsAtOnce
    let pairs = (outputs + pair - 1) / pair
    precondition(
      bias.map { $0.elements.count == outputs } ?? true,
      "bias \(bias?.shape ?? []) for \(outputs) channels")
    let taps = weight.extent.product
    let order = (0..<taps).map { Int(transposed_convolution_tap_order(Int32($0))) }
    var interleaved = [Float](repeating: 0, count: pairs * channels * taps * pair)
    weight.elements.withUnsafeBufferPointer { weight in
      for output in 0..<outputs {
        for channel in 0..<channels {
          let source = (channel * outputs + output) * taps
          let target = (output / pair * channels + channel) * taps * pair + output % pair
          for (index, tap) in order.enumerated() {
            interleaved[target + index * pair] = weight[source + tap]
          }
        }
      }
    }
    self.channels = channels
    self.outputs = outputs
    self.appliesReLU = appliesReLU
    weights = interleaved
    self.bias =
      (bias?.elements ?? [Float](repeating: 0, count: outputs))
      + [Float](repeating: 0, count: pairs * pair - outputs)
  }

  var weightBytes: Int { weights.count * MemoryLayout<Float>.stride }

  /// The planes of an input of `inputDepth` planes that the output planes `planes` depend on.
  func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    guard !planes.isEmpty else { return 0..<0 }
    return (planes.lowerBound / 2..<planes.upperBound / 2 + 1).clamped(to: 0..<inputDepth)
  }

  /// Floats of scratch memory: a row of zeros.
  func scratchCount(input: Extent3) -> Int { input.w }

  /// Writes the planes of `output`.
  /// - Throws: `Cancelled`, leaving the output partly written.
  func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    guard !output.planes.isEmpty else { return }
    scratch.start.initialize(repeating: 0, count: input.extent.w)
    let zeros = SharedBuffer(UnsafeBufferPointer(start: scratch.start, count: input.extent.w))
    let level = KernelLevel.current
    // Every input plane gives two planes of the output.
    let planes = output.planes.lowerBound / 2..<(output.planes.upperBound + 1) / 2
    let height = input.extent.h
    let blocks = (height + Self.rowsPerTask - 1) / Self.rowsPerTask
    try weights.withSharedBuffer { weights throws(Cancelled) in
      try work.forEach(count: input.batch * planes.count * blocks) { task, _ in
        let (item, z) = (task / blocks / planes.count, planes.lowerBound + task / blocks % planes.count)
        let first = task % blocks * Self.rowsPerTask
        var rows = transposed_convolution_rows()
        rows.inputs = Int32(channels)
        rows.width = Int32(input.extent.w)
        rows.result_width = Int32(output.extent.w)
        rows.applies_relu = appliesReLU ? 1 : 0
        for y in first..<min(first + Self.rowsPerTask, height) {
          let sources = (
            source(input, item: item, z: z, y: y), source(input, item: item, z: z, y: y + 1),
            source(input, item: item, z: z + 1, y: y), source(input, item: item, z: z + 1, y: y + 1)
          )
          rows.source = (
            sources.0 ?? zeros.start, sources.1 ?? zeros.start, sources.2 ?? zeros.start,
            sources.3 ?? zeros.start
          )
          func step(_ source: UnsafePointer<Float>?) -> Int { source == nil ? 0 : input.channelStride }
          rows.source_stride = (step(sources.0), step(sources.1), step(sources.2), step(sources.3))
          for pair in stride(from: 0, to: outputs, by: Self.outputsAtOnce) {
            rows.weights = weights.start + pair * channels * 27
            rows.bias = (bias[pair], bias[pair + 1])
            rows.result = (
              results(output, item: item, channel: pair, z: z, y: y),
              results(output, item: item, channel: pair + 1, z: z, y: y)
            )
            transposed_convolution_make_rows(level, &rows)
          }
        }
      }
    }
  }

  /// The first voxel of an input row; nil outside the input.
  private func source(_ input: ActivationWindow, item: Int, z: Int, y: Int) -> UnsafePointer<Float>? {
    // Planes outside the window contribute only to results outside the output's window.
    guard input.planes.contains(z), y < input.extent.h else { return nil }
    return UnsafePointer(
      input.start(item: item, channel: 0) + (z - input.planes.lowerBound) * input.planeStride
        + y * input.extent.w)
  }

  private typealias Row = UnsafeMutablePointer<Float>?

  /// The four output rows of one channel that input row (z, y) gives; nil for rows outside the output's window.
  private func results(
    _ output: ActivationWindow, item: Int, channel: Int, z: Int, y: Int
  ) -> (Row, Row, Row, Row) {
    guard channel < outputs else { return (nil, nil, nil, nil) }
    let start = output.start(item: item, channel: channel)
    func row(_ plane: Int, _ y: Int) -> Row {
      guard output.planes.contains(plane), y < output.extent.h else { return nil }
      return start + (plane - output.planes.lowerBound) * output.planeStride + y * output.extent.w
    }
    return (
      row(2 * z, 2 * y), row(2 * z, 2 * y + 1), row(2 * z + 1, 2 * y), row(2 * z + 1, 2 * y + 1)
    )
  }
}
