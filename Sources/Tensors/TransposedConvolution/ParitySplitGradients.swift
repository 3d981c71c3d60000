import CKernels
import Work

/// The gradients of a transposed convolution of kernel 3, stride 2 and padding 1 from one pass over the output's
/// gradient: some rows at a time are sorted by parity, and while they are in the cache both the input's gradient and
/// the weights' are products of matrices whose rows are runs of them.
///
/// Sums run in an order that depends on the shapes alone.
struct ParitySplitGradients: Sendable {
  private let outputGradient: Tensor
  private let inputs: Int
  private let inputExtent: Extent3
  private let plan: ParitySplitPlan
  /// The layout of a block of rows, and of the last one of a plane.
  private let split, lastSplit: ParitySplit

  private static let taps = 27
  /// Voxels whose products are summed in single precision before they join the rest.
  private static let pieceLength = 1024

  /// Whether `geometry` is the one whose gradients these are.
  static func serves(_ geometry: TransposedConvolutionGeometry) -> Bool {
    RowTransposedConvolution.serves(geometry)
  }

  /// Whether the channels are few enough for many rows of all of them to stay in the cache, which make long runs, and
  /// for many threads to have sums of their own.
  static func pays(inputs: Int, outputs: Int) -> Bool { outputs <= 64 && inputs * outputs <= 4096 }

  /// The gradients for an input of `inputs` channels and `outputGradient`, [N, out, D', H', W'].
  init(outputGradient: Tensor, inputs: Int, geometry: TransposedConvolutionGeometry) {
    self.outputGradient = outputGradient
    self.inputs = inputs
    // Some output padding fits every output, so that the adjoint gives the input's extents.
    inputExtent = outputExtent(of: geometry.adjoint, input: outputGradient.extent)
    let outputs = outputGradient.channels
    plan = ParitySplitPlan(
      inputs: inputs, outputs: outputs, taps: Self.taps, extent: inputExtent, batch: outputGradient.batch)
    split = ParitySplit(outputs: outputs, rows: plan.rows, width: inputExtent.w)
    lastSplit = ParitySplit(outputs: outputs, rows: plan.rowsOfLastBlock, width: inputExtent.w)
  }

  /// Sums over all voxels.
  struct Sums {
    /// [in][out, tap], empty unless an input was given.
    var weight: [Float]
    /// [out].
    var bias: [Float]
  }

  /// The input's gradient by `weight`, [in, out, 3, 3, 3], and the sums of ``sums(input:work:)``.
  /// - Throws: `Cancelled`.
  func inputGradientAndSums(
    weight: Tensor, input: Tensor?, work: WorkContext
  ) throws(Cancelled) -> (inputGradient: Tensor, sums: Sums) {
    let none = TapAxis(kernel: 0, padding: 0, dilation: 1)
    let outputs = outputGradient.channels
    let product = ImplicitProduct(
      axes: (none, none, none), step: Extent3(1), origin: Extent3(0), spacing: Extent3(1),
      weights: try PackedWeights(
        weight, rows: inputs, channels: outputs,
        order: .init(
          rowStride: outputs * Self.taps, channelStride: Self.taps, taps: Array(0..<Self.taps)), work: work))
    var sums = Sums(weight: [], bias: [])
    let shape = [outputGradient.batch, inputs, inputExtent.d, inputExtent.h, inputExtent.w]
    let gradient = try Tensor(shape: shape) { window throws(Cancelled) in
      sums = try run(input: input, inputGradient: InputGradient(product: product, window: window), work: work)
    }
    return (gradient, sums)
  }

  /// The sums for the bias, and for the weights where there is an `input`.
  /// - Throws: `Cancelled`.
  func sums(input: Tensor?, work: WorkContext) throws(Cancelled) -> Sums {
    try run(input: input, inputGradient: nil, work: work)
  }

  /// How the input's gradient is computed, and where it goes.
  private struct InputGradient: Sendable {
    let product: ImplicitProduct
    let window: ActivationWindow
  }

  private func run(
    input: Tensor?, inputGradient: InputGradient?, work: WorkContext
  ) throws(Cancelled) -> Sums {
    let outputs = outputGradient.channels
    let size = input == nil ? 0 : inputs * outputs * Self.taps
    let weightParts = AlignedFloats(count: plan.shares * size)
    var biasParts = [Double](repeating: 0, count: plan.shares * outputs)
    let parts = weightParts.shared
    let source = input?.elements ?? []
    let level = KernelLevel.current
    let perWorker = split.count + inputs * lineLength(of: split)
    try withScratch(perWorker: perWorker, work: work) { scratch throws(Cancelled) in
      try outputGradient.elements.withSharedBuffer { gradient throws(Cancelled) in
        try source.withSharedBuffer { source throws(Cancelled) in
          try biasParts.withDisjointBuffer { biasParts throws(Cancelled) in
            try work.forEach(count: plan.shares) { share, worker in
              let memory = scratch.start(worker)
              let sums = parts.start + share * size
              sums.initialize(repeating: 0, count: size)
              let indices = plan.units(of: share)
              for index in indices where !work.cancellation.isRequested {
                let unit = plan.unit(index)
                let split = unit.rows.count == plan.rows ? split : lastSplit
                split.fill(
                  memory, from: gradient.start + unit.item * outputs * outputGradient.extent.product,
                  extent: outputGradient.extent, z: unit.plane, y: unit.rows.lowerBound,
                  follows: index > indices.lowerBound && unit.plane > 0,
                  sums: biasParts.start + share * outputs, level: level)
                let lines = memory + split.count
                if size > 0 {
                  addProducts(
                    of: unit, split, memory,
                    with: source.start + unit.item * inputs * inputExtent.product, lines: lines, to: sums,
                    level: level)
                }
                if let inputGradient {
                  let next = index + 1 < indices.upperBound ? plan.unit(index + 1) : nil
                  write(inputGradient, of: unit, split, memory, results: lines, level: level) { part, parts in
                    guard let next else { return }
                    fetch(
                      next, part: part, of: parts, gradient: gradient.start,
                      input: size > 0 ? source.start : nil)
                  }
                }
              }
            }
          }
        }
      }
    }
    try work.checkCancellation()
    let bias = (0..<outputs).map { output in
      Float((0..<plan.shares).reduce(0.0) { $0 + biasParts[$1 * outputs + output] })
    }
    let weight = [Float](unsafeUninitializedCapacity: size) { weight, count in
      count = size
      for index in 0..<size { weight[index] = parts.start[index] }
      for share in 1..<plan.shares {
        let part = parts.start + share * size
        for index in 0..<size { weight[index] += part[index] }
      }
    }
    return Sums(weight: weight, bias: bias)
  }

  /// Floats from a channel's line of voxels to the next's: whole vectors, and not a power of two.
  private func lineLength(of split: ParitySplit) -> Int { (split.rows * split.pitch + 15) / 16 * 16 + 16 }

  /// Adds the products of the input's rows with all runs.
  private func addProducts(
    of unit: ParitySplitPlan.Unit, _ split: ParitySplit, _ runs: UnsafePointer<Float>,
    with source: UnsafePointer<Float>, lines: UnsafeMutablePointer<Float>,
    to sums: UnsafeMutablePointer<Float>, level: kernels_level
  ) {
    let (width, length) = (inputExtent.w, lineLength(of: split))
    for channel in 0..<inputs {
      let line = lines + channel * length
      let plane = source + (channel * inputExtent.d + unit.plane) * inputExtent.h * width
      for (index, y) in unit.rows.enumerated() {
        (line + index * split.pitch).update(from: plane + y * width, count: width)
        line[index * split.pitch + width] = 0
      }
      let end = split.rows * split.pitch
      (line + end).update(repeating: 0, count: length - end)
    }
    split.runs(z: unit.plane).withUnsafeBufferPointer { offsets in
      for first in stride(from: 0, to: length - 16, by: Self.pieceLength) {
        gemm_multiply_transposed(
          level, Int32(inputs), Int32(offsets.count), Int32(min(Self.pieceLength, length - 16 - first)),
          lines + first, length, runs + first, offsets.baseAddress, sums, offsets.count)
      }
    }
  }

  /// Fetches a part of what `unit` will read into the cache, but for the plane that the one before it has read.
  private func fetch(
    _ unit: ParitySplitPlan.Unit, part: Int, of parts: Int, gradient: UnsafePointer<Float>,
    input: UnsafePointer<Float>?
  ) {
    let (outputs, extent) = (outputGradient.channels, outputGradient.extent)
    func fetch(_ start: UnsafePointer<Float>, stride: Int, length: Int, runs: Int) {
      let lines = (length + 15) / 16
      transposed_convolution_fetch(
        start, stride, lines, part * runs * lines / parts, (part + 1) * runs * lines / parts)
    }
    for plane in 2 * unit.plane...2 * unit.plane + 1 {
      fetch(
        gradient + ((unit.item * outputs * extent.d + plane) * extent.h + 2 * unit.rows.lowerBound)
          * extent.w,
        stride: extent.product, length: 2 * unit.rows.count * extent.w, runs: outputs)
    }
    if let input {
      let place = (unit.item * inputs * inputExtent.d + unit.plane) * inputExtent.h + unit.rows.lowerBound
      fetch(
        input + place * inputExtent.w, stride: inputExtent.product, length: unit.rows.count * inputExtent.w,
        runs: inputs)
    }
  }

  /// Writes the input's gradient of the unit's rows, which are computed in `results`.
  private func write(
    _ gradient: InputGradient, of unit: ParitySplitPlan.Unit, _ split: ParitySplit,
    _ runs: UnsafePointer<Float>, results: UnsafeMutablePointer<Float>, level: kernels_level,
    meanwhile: (_ part: Int, _ parts: Int) -> Void
  ) {
    let panelColumns = Int(gemm_panel_columns(level))
    let (columns, length) = (split.rows * split.pitch - 1, lineLength(of: split))
    split.runs(z: unit.plane).withUnsafeBufferPointer { offsets in
      gradient.product.multiply(
        level: level, columns: columns, result: results, resultStride: length, bias: [], rectifies: false
      ) { rows, column, _ in
        if rows.lowerBound == 0 {
          meanwhile(column / panelColumns, (columns + panelColumns - 1) / panelColumns)
        }
        return (runs + column, offsets.baseAddress! + rows.lowerBound)
      }
    }
    gradient.product.scatter(
      results, resultStride: length, columns: columns, first: unit.rows.lowerBound * split.pitch,
      pitch: split.pitch, z: unit.plane, grid: inputExtent, to: gradient.window, item: unit.item)
  }
}

/// How the work on these gradients is split, by its shape alone.
private struct ParitySplitPlan: Sendable {
  /// Rows of the input that are served at a time.
  let rows: Int
  /// Rows of the last block of a plane.
  let rowsOfLastBlock: Int
  /// Parts of the work, each with its own sums.
  let shares: Int
  private let height, depth, blocks, count, unitsPerShare: Int

  /// Floats that the rows may take with all that is made of them, which stay in the second cache level.
  private static let mostFloats = 224 * 1024

  init(inputs: Int, outputs: Int, taps: Int, extent: Extent3, batch: Int) {
    let perRow = (12 * outputs + inputs) * (extent.w + 1)
    let mostRows = max(1, min(extent.h, Self.mostFloats / perRow))
    blocks = (extent.h + mostRows - 1) / mostRows
    rows = (extent.h + blocks - 1) / blocks
    rowsOfLastBlock = extent.h - (blocks - 1) * rows
    (height, depth) = (extent.h, extent.d)
    count = batch * extent.d * blocks
    // Several tasks for each of a few threads; the sums of all stay below 16 MB.
    let most = max(1, min(24, 4_000_000 / (inputs * outputs * taps)))
    unitsPerShare = (count + most - 1) / most
    shares = (count + unitsPerShare - 1) / unitsPerShare
  }

  /// A block of rows of one plane of the input.
  struct Unit {
    let item, plane: Int
    let rows: Range<Int>
  }

  /// The blocks that a share sums up.
  func units(of share: Int) -> Range<Int> {
    share * unitsPerShare..<min((share + 1) * unitsPerShare, count)
  }

  func unit(_ index: Int) -> Unit {
    // Neighbouring planes share one of the gradient's.
    let first = index / depth % blocks * rows
    return Unit(
      item: index / depth / blocks, plane: index % depth, rows: first..<min(first + rows, height))
  }
}
