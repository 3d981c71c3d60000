import CKernels
import Work

/// The gradients of a transposed convolution of kernel 3, stride 2 and padding 1 in one pass over the output gradient.
///
/// Some rows at a time are decomposed into phases. While they are in the cache, the input's and the weights' gradients
/// are computed as products of matrices whose rows are runs of the phases. Sums run in an order that depends on the
/// shapes only.
struct PolyphaseGradients: Sendable {
  private let outputGradient: Tensor
  private let inputChannels: Int
  private let inputExtent: Extent3
  private let plan: PolyphasePlan
  /// The layout of a block of rows and of the last block of a plane.
  private let split, lastSplit: PolyphaseSplit

  private static let taps = 27
  /// Voxels whose products are summed in single precision before they are added to the total.
  private static let pieceLength = 1024

  /// Whether `geometry` has kernel 3, stride 2 and padding 1.
  static func supports(_ geometry: TransposedConvolutionGeometry) -> Bool {
    RowTransposedConvolution.supports(geometry)
  }

  /// Whether there are few enough channels for long runs of all of them to stay in the cache, and for each thread to
  /// have sums of its own.
  static func isFaster(inputChannels: Int, outputChannels: Int) -> Bool {
    outputChannels <= 64 && inputChannels * outputChannels <= 4096
  }

  /// The gradients for an input of `inputChannels` channels and `outputGradient`, [N, out, D', H', W'].
  init(outputGradient: Tensor, inputChannels: Int, geometry: TransposedConvolutionGeometry) {
    self.outputGradient = outputGradient
    self.inputChannels = inputChannels
    // The adjoint gives the input's extents for any output padding.
    inputExtent = outputExtent(of: geometry.adjoint, input: outputGradient.extent)
    let outputChannels = outputGradient.channels
    plan = PolyphasePlan(
      inputChannels: inputChannels, outputChannels: outputChannels, taps: Self.taps, extent: inputExtent,
      batch: outputGradient.batch)
    split = PolyphaseSplit(outputChannels: outputChannels, rows: plan.rows, width: inputExtent.w)
    lastSplit = PolyphaseSplit(
      outputChannels: outputChannels, rows: plan.rowsOfLastBlock, width: inputExtent.w)
  }

  /// The gradients of the weights and of the bias.
  struct Sums {
    /// [in][out, tap], empty unless an input was given.
    var weight: [Float]
    /// [out].
    var bias: [Float]
  }

  /// The input's gradient with `weight`, [in, out, 3, 3, 3], and ``sums(input:work:)``.
  /// - Throws: `Cancelled`.
  func inputGradientAndSums(
    weight: Tensor, input: Tensor?, work: WorkContext
  ) throws(Cancelled) -> (inputGradient: Tensor, sums: Sums) {
    let none = TapAxis(kernel: 0, padding: 0, dilation: 1)
    let outputChannels = outputGradient.channels
    let product = ImplicitProduct(
      axes: (none, none, none), step: Extent3(1), origin: Extent3(0), spacing: Extent3(1),
      weights: try PackedWeights(
        weight, rows: inputChannels, channels: outputChannels,
        order: .init(
          rowStride: outputChannels * Self.taps, channelStride: Self.taps, taps: Array(0..<Self.taps)),
        work: work))
    var sums = Sums(weight: [], bias: [])
    let shape = [outputGradient.batch, inputChannels, inputExtent.d, inputExtent.h, inputExtent.w]
    let gradient = try Tensor(shape: shape) { window throws(Cancelled) in
      sums = try run(input: input, inputGradient: InputGradient(product: product, window: window), work: work)
    }
    return (gradient, sums)
  }

  /// The gradients of the bias and, given an `input`, of the weights.
  /// - Throws: `Cancelled`.
  func sums(input: Tensor?, work: WorkContext) throws(Cancelled) -> Sums {
    try run(input: input, inputGradient: nil, work: work)
  }

  /// The product that computes the input's gradient and the window it is written to.
  private struct InputGradient: Sendable {
    let product: ImplicitProduct
    let window: ActivationWindow
  }

  private func run(
    input: Tensor?, inputGradient: InputGradient?, work: WorkContext
  ) throws(Cancelled) -> Sums {
    let outputChannels = outputGradient.channels
    let size = input == nil ? 0 : inputChannels * outputChannels * Self.taps
    let weightParts = AlignedFloats(count: plan.partitions * size)
    var biasParts = [Double](repeating: 0, count: plan.partitions * outputChannels)
    let parts = weightParts.shared
    let source = input?.elements ?? []
    let level = KernelLevel.current
    let perWorker = split.count + inputChannels * lineLength(of: split)
    try withScratch(perWorker: perWorker, work: work) { scratch throws(Cancelled) in
      try outputGradient.elements.withSharedBuffer { gradient throws(Cancelled) in
        try source.withSharedBuffer { source throws(Cancelled) in
          try biasParts.withDisjointBuffer { biasParts throws(Cancelled) in
            try work.forEach(count: plan.partitions) { partition, worker in
              let memory = scratch.start(worker)
              let sums = parts.start + partition * size
              sums.initialize(repeating: 0, count: size)
              let indices = plan.units(of: partition)
              for index in indices where !work.cancellation.isRequested {
                let unit = plan.unit(index)
                let split = unit.rows.count == plan.rows ? split : lastSplit
                split.fill(
                  memory, from: gradient.start + unit.sample * outputChannels * outputGradient.extent.product,
                  extent: outputGradient.extent, z: unit.plane, y: unit.rows.lowerBound,
                  follows: index > indices.lowerBound && unit.plane > 0,
                  sums: biasParts.start + partition * outputChannels, level: level)
                let lines = memory + split.count
                if size > 0 {
                  addProducts(
                    of: unit, split, memory,
                    with: source.start + unit.sample * inputChannels * inputExtent.product, lines: lines,
                    to: sums,
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
    let bias = (0..<outputChannels).map { output in
      Float((0..<plan.partitions).reduce(0.0) { $0 + biasParts[$1 * outputChannels + output] })
    }
    let weight = [Float](unsafeUninitializedCapacity: size) { weight, count in
      count = size
      for index in 0..<size { weight[index] = parts.start[index] }
      for partition in 1..<plan.partitions {
        let part = parts.start + partition * size
        for index in 0..<size { weight[index] += part[index] }
      }
    }
    return Sums(weight: weight, bias: bias)
  }

  /// Floats from a channel's line of voxels to the next's: whole vectors, and not a power of two.
  private func lineLength(of split: PolyphaseSplit) -> Int { (split.rows * split.pitch + 15) / 16 * 16 + 16 }

  /// Adds the products of the input's rows and all runs to `sums`.
  private func addProducts(
    of unit: PolyphasePlan.Unit, _ split: PolyphaseSplit, _ runs: UnsafePointer<Float>,
    with source: UnsafePointer<Float>, lines: UnsafeMutablePointer<Float>,
    to sums: UnsafeMutablePointer<Float>, level: kernels_level
  ) {
    let (width, length) = (inputExtent.w, lineLength(of: split))
    for channel in 0..<inputChannels {
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
          level, Int32(inputChannels), Int32(offsets.count),
          Int32(min(Self.pieceLength, length - 16 - first)),
          lines + first, length, runs + first, offsets.baseAddress, sums, offsets.count)
      }
    }
  }

  /// Prefetches a part of the data of `unit`, except the plane that the unit before it has read.
  private func fetch(
    _ unit: PolyphasePlan.Unit, part: Int, of parts: Int, gradient: UnsafePointer<Float>,
    input: UnsafePointer<Float>?
  ) {
    let (outputChannels, extent) = (outputGradient.channels, outputGradient.extent)
    func fetch(_ start: UnsafePointer<Float>, stride: Int, length: Int, runs: Int) {
      let lines = (length + 15) / 16
      transposed_convolution_fetch(
        start, stride, lines, part * runs * lines / parts, (part + 1) * runs * lines / parts)
    }
    for plane in 2 * unit.plane...2 * unit.plane + 1 {
      fetch(
        gradient + ((unit.sample * outputChannels * extent.d + plane) * extent.h + 2 * unit.rows.lowerBound)
          * extent.w,
        stride: extent.product, length: 2 * unit.rows.count * extent.w, runs: outputChannels)
    }
    if let input {
      let row =
        (unit.sample * inputChannels * inputExtent.d + unit.plane) * inputExtent.h + unit.rows.lowerBound
      fetch(
        input + row * inputExtent.w, stride: inputExtent.product, length: unit.rows.count * inputExtent.w,
        runs: inputChannels)
    }
  }

  /// Computes the input's gradient of the unit's rows in `results` and writes it.
  private func write(
    _ gradient: InputGradient, of unit: PolyphasePlan.Unit, _ split: PolyphaseSplit,
    _ runs: UnsafePointer<Float>, results: UnsafeMutablePointer<Float>, level: kernels_level,
    meanwhile: (_ part: Int, _ parts: Int) -> Void
  ) {
    let panelColumns = Int(gemm_panel_columns(level))
    let (columns, length) = (split.rows * split.pitch - 1, lineLength(of: split))
    split.runs(z: unit.plane).withUnsafeBufferPointer { offsets in
      gradient.product.multiply(
        level: level, columns: columns, result: results, resultStride: length, bias: [], activation: .identity
      ) { rows, column, _ in
        if rows.lowerBound == 0 {
          meanwhile(column / panelColumns, (columns + panelColumns - 1) / panelColumns)
        }
        return (runs + column, offsets.baseAddress! + rows.lowerBound)
      }
    }
    gradient.product.scatter(
      level: level, results, resultStride: length, columns: columns,
      first: unit.rows.lowerBound * split.pitch,
      pitch: split.pitch, z: unit.plane, grid: inputExtent, to: gradient.window, sample: unit.sample)
  }
}

/// The partition of the work on these gradients, which depends on the shapes only.
private struct PolyphasePlan: Sendable {
  /// Rows of the input per block.
  let rows: Int
  /// Rows of the last block of a plane.
  let rowsOfLastBlock: Int
  /// Partitions of the work, each with its own sums.
  let partitions: Int
  private let height, depth, blocks, count, unitsPerPartition: Int

  /// Floats of a block's rows and their phases at most, which stay in the second cache level.
  private static let maximumFloats = 224 * 1024

  init(inputChannels: Int, outputChannels: Int, taps: Int, extent: Extent3, batch: Int) {
    let perRow = (12 * outputChannels + inputChannels) * (extent.w + 1)
    let maximumRows = max(1, min(extent.h, Self.maximumFloats / perRow))
    blocks = (extent.h + maximumRows - 1) / maximumRows
    rows = (extent.h + blocks - 1) / blocks
    rowsOfLastBlock = extent.h - (blocks - 1) * rows
    (height, depth) = (extent.h, extent.d)
    count = batch * extent.d * blocks
    // Several tasks for each of a few threads; the sums of all partitions stay below 16 MB.
    let maximum = max(1, min(24, 4_000_000 / (inputChannels * outputChannels * taps)))
    unitsPerPartition = (count + maximum - 1) / maximum
    partitions = (count + unitsPerPartition - 1) / unitsPerPartition
  }

  /// A block of rows of one plane of the input.
  struct Unit {
    let sample, plane: Int
    let rows: Range<Int>
  }

  func units(of partition: Int) -> Range<Int> {
    partition * unitsPerPartition..<min((partition + 1) * unitsPerPartition, count)
  }

  func unit(_ index: Int) -> Unit {
    // Consecutive units are neighbouring planes, which have one plane of the gradient in common.
    let first = index / depth % blocks * rows
    return Unit(
      sample: index / depth / blocks, plane: index % depth, rows: first..<min(first + rows, height))
  }
}
