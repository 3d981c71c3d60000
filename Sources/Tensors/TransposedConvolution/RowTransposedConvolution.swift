import CKernels
import Work

/// Transposed convolution of kernel 3, stride 2 and padding 1 by rows: two rows of two planes of the input give the
/// output rows of all four phases, whose sums stay in registers.
struct RowTransposedConvolution: Sendable {
  private let inputChannels: Int
  private let outputChannels: Int
  /// [out / 2, rounded up][in][27][2], padded with zeros.
  private let weights: [Float]
  /// One per output, padded to pairs.
  private let bias: [Float]
  /// One slope per output, padded to pairs.
  private let activation: PiecewiseLinear

  private static let outputChannelsAtATime = Int(TRANSPOSED_CONVOLUTION_OUTPUTS)
  /// Input rows per task.
  private static let rowsPerTask = 8

  /// Whether `geometry` has kernel 3, stride 2 and padding 1, and an output padding of 0 or 1.
  static func supports(_ geometry: TransposedConvolutionGeometry) -> Bool {
    geometry.kernel == Extent3(3) && geometry.stride == Extent3(2) && geometry.padding == Padding(Extent3(1))
      && geometry.dilation == Extent3(1) && geometry.groups == 1
      && [geometry.outputPadding.d, geometry.outputPadding.h, geometry.outputPadding.w].allSatisfy {
        (0...1).contains($0)
      }
  }

  /// Whether this is faster than packed products of the phases: measured.
  ///
  /// Packed products compute blocks of eight output channels, and scatter results from the cache. With vectors of four
  /// lanes they are faster all the same from eight channels on.
  static func isFaster(outputChannels: Int) -> Bool {
    outputChannels < 8 || KernelLevel.current != KERNELS_PORTABLE
  }

  /// Interleaves `weight`, [in, out, 3, 3, 3]; `bias` is [out], or nil for none.
  init(weight: Tensor, bias: Tensor?, activation: PiecewiseLinear) {
    let (inputChannels, outputChannels) = (weight.shape[0], weight.shape[1])
    let pair = Self.outputChannelsAtATime
    let pairs = (outputChannels + pair - 1) / pair
    precondition(
      bias.map { $0.elements.count == outputChannels } ?? true,
      "bias \(bias?.shape ?? []) for \(outputChannels) channels")
    let taps = weight.extent.product
    let order = (0..<taps).map { Int(transposed_convolution_tap_order(Int32($0))) }
    var interleaved = [Float](repeating: 0, count: pairs * inputChannels * taps * pair)
    weight.elements.withUnsafeBufferPointer { weight in
      for output in 0..<outputChannels {
        for channel in 0..<inputChannels {
          let source = (channel * outputChannels + output) * taps
          let target = (output / pair * inputChannels + channel) * taps * pair + output % pair
          for (index, tap) in order.enumerated() {
            interleaved[target + index * pair] = weight[source + tap]
          }
        }
      }
    }
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.activation = activation.padded(channels: outputChannels, paddedLength: pairs * pair)
    weights = interleaved
    self.bias =
      (bias?.elements ?? [Float](repeating: 0, count: outputChannels))
      + [Float](repeating: 0, count: pairs * pair - outputChannels)
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
      try activation.slopes.withSharedBuffer { slopes throws(Cancelled) in
        try work.forEach(count: input.batch * planes.count * blocks) { task, _ in
          let (sample, z) = (task / blocks / planes.count, planes.lowerBound + task / blocks % planes.count)
          let first = task % blocks * Self.rowsPerTask
          var rows = transposed_convolution_rows()
          rows.inputs = Int32(inputChannels)
          rows.width = Int32(input.extent.w)
          rows.result_width = Int32(output.extent.w)
          for y in first..<min(first + Self.rowsPerTask, height) {
            let sources = (
              source(input, sample: sample, z: z, y: y), source(input, sample: sample, z: z, y: y + 1),
              source(input, sample: sample, z: z + 1, y: y), source(input, sample: sample, z: z + 1, y: y + 1)
            )
            rows.source = (
              sources.0 ?? zeros.start, sources.1 ?? zeros.start, sources.2 ?? zeros.start,
              sources.3 ?? zeros.start
            )
            func step(_ source: UnsafePointer<Float>?) -> Int { source == nil ? 0 : input.channelStride }
            rows.source_stride = (step(sources.0), step(sources.1), step(sources.2), step(sources.3))
            for pair in stride(from: 0, to: outputChannels, by: Self.outputChannelsAtATime) {
              rows.weights = weights.start + pair * inputChannels * 27
              rows.bias = (bias[pair], bias[pair + 1])
              rows.activation = activation.kernel(slopes.start, from: pair)
              rows.result = (
                results(output, sample: sample, channel: pair, z: z, y: y),
                results(output, sample: sample, channel: pair + 1, z: z, y: y)
              )
              transposed_convolution_make_rows(level, &rows)
            }
          }
        }
      }
    }
  }

  /// The first voxel of an input row; nil outside the input.
  private func source(_ input: ActivationWindow, sample: Int, z: Int, y: Int) -> UnsafePointer<Float>? {
    // Planes outside the window contribute only to results outside the output's window.
    guard input.planes.contains(z), y < input.extent.h else { return nil }
    return UnsafePointer(
      input.start(sample: sample, channel: 0) + (z - input.planes.lowerBound) * input.planeStride
        + y * input.extent.w)
  }

  private typealias Row = UnsafeMutablePointer<Float>?

  /// The four output rows of one channel that input row (z, y) gives; nil for rows outside the output's window.
  private func results(
    _ output: ActivationWindow, sample: Int, channel: Int, z: Int, y: Int
  ) -> (Row, Row, Row, Row) {
    guard channel < outputChannels else { return (nil, nil, nil, nil) }
    let start = output.start(sample: sample, channel: channel)
    func row(_ plane: Int, _ y: Int) -> Row {
      guard output.planes.contains(plane), y < output.extent.h else { return nil }
      return start + (plane - output.planes.lowerBound) * output.planeStride + y * output.extent.w
    }
    return (
      row(2 * z, 2 * y), row(2 * z, 2 * y + 1), row(2 * z + 1, 2 * y), row(2 * z + 1, 2 * y + 1)
    )
  }
}
