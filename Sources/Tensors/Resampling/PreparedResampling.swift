import CKernels
import Work

/// Padding, cropping or resizing of every channel.
package struct PreparedResampling: SingleInputOperation {
  private let geometry: any GridResampling

  package init(_ geometry: any GridResampling) { self.geometry = geometry }

  package var kernelName: String { geometry.kernelName }
  package var worksInPlace: Bool { false }
  package var weightBytes: Int { 0 }
  package func outputChannels(_ channels: Int) -> Int { channels }
  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func producing(_ output: Extent3) -> any PreparedOperation {
    PreparedResampling(geometry.producing(output))
  }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    guard let depth = geometry.outputCount(axis: 0, input: inputDepth) else {
      preconditionFailure("\(inputDepth) planes are too few for \(kernelName)")
    }
    return geometry.taps(axis: 0, input: inputDepth, output: depth).hull(planes)
  }

  package func operationCount(input: Extent3, channels: Int) -> Double {
    8 * Double(channels * (geometry.output(input)?.product ?? 0))
  }

  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    WorkerScratch.count(perWorker: (input.h + 1) * input.w, threadCount: threadCount)
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let taps = geometry.taps(input.extent, output.extent)
    try resample(
      input, taps: taps, fill: geometry.fill, into: output,
      scratch: WorkerScratch(scratch, perWorker: (input.extent.h + 1) * input.extent.w), work: work)
  }
}

/// The gradient with respect to the input, of extents `inputExtent`, of a padding, cropping or resizing, given that of
/// the output.
/// - Throws: `Cancelled`.
package func resamplingGradient(
  _ gradient: Tensor, geometry: any GridResampling, inputExtent: Extent3, work: WorkContext
) throws(Cancelled) -> Tensor {
  let taps = geometry.taps(inputExtent, gradient.extent)
  let transposed = (d: taps.d.transposed, h: taps.h.transposed, w: taps.w.transposed)
  let shape = [gradient.batch, gradient.channels, inputExtent.d, inputExtent.h, inputExtent.w]
  let perWorker = (gradient.extent.h + 1) * gradient.extent.w
  let scratchCount = WorkerScratch.count(perWorker: perWorker, threadCount: work.threadCount)
  return try gradient.withWindow { gradient throws(Cancelled) in
    try Tensor(shape: shape) { result throws(Cancelled) in
      try withScratch(count: scratchCount) { scratch throws(Cancelled) in
        try resample(
          gradient, taps: transposed, fill: 0, into: result,
          scratch: WorkerScratch(scratch, perWorker: perWorker), work: work)
      }
    }
  }
}

/// Writes the planes of `output` from those of `input` by the taps along each axis; voxels without taps are `fill`.
///
/// - Parameter scratch: A plane and a row of the input for every worker.
private func resample(
  _ input: ActivationWindow, taps: (d: AxisTaps, h: AxisTaps, w: AxisTaps), fill: Float,
  into output: ActivationWindow, scratch: WorkerScratch, work: WorkContext
) throws(Cancelled) {
  let (level, planes) = (KernelLevel.current, output.planes)
  let (width, plane) = (input.extent.w, input.planeStride)
  let columns = RowTaps(taps.w)
  let first = input.planes.lowerBound
  try work.forEach(count: output.batch * output.channels * planes.count) { index, worker in
    let (sample, channel) = (
      index / planes.count / output.channels, index / planes.count % output.channels
    )
    let z = planes.lowerBound + index % planes.count
    let source = input.start(sample: sample, channel: channel)
    let target =
      output.start(sample: sample, channel: channel) + (z - planes.lowerBound) * output.planeStride
    let ofPlane = taps.d.range(z)
    guard !ofPlane.isEmpty else { return target.update(repeating: fill, count: output.planeStride) }
    let buffer = scratch.start(worker)
    let combined = taps.d.combination(z, of: source - first * plane, stride: plane, into: buffer, level)
    var before: Int?
    for y in 0..<output.extent.h {
      let row = target + y * output.extent.w
      if taps.h.range(y).isEmpty {
        row.update(repeating: fill, count: output.extent.w)
      } else if let before, taps.h.isEqual(before, y) {
        row.update(from: target + before * output.extent.w, count: output.extent.w)
      } else {
        let values = taps.h.combination(
          y, of: combined, stride: width, into: buffer + plane, level)
        columns.write(values, fill: fill, into: row, level)
      }
      before = y
    }
  }
}

extension AxisTaps {
  /// Whether two outputs are made of the same.
  fileprivate func isEqual(_ one: Int, _ other: Int) -> Bool {
    let (one, other) = (range(one), range(other))
    return positions[one] == positions[other] && weights[one] == weights[other]
  }

  /// The sum of rows or planes of `stride` floats, with their weights, that an output with taps is made of: itself where
  /// it is one of them, otherwise in `buffer`.
  fileprivate func combination(
    _ output: Int, of source: UnsafePointer<Float>, stride: Int, into buffer: UnsafeMutablePointer<Float>,
    _ level: kernels_level
  ) -> UnsafePointer<Float> {
    let entries = range(output)
    func start(_ entry: Int) -> UnsafePointer<Float> { source + Int(positions[entry]) * stride }
    let first = entries.lowerBound
    if entries.count == 1 {
      if weights[first] == 1 { return start(first) }
      pointwise_affine(level, start(first), buffer, stride, weights[first], 0)
      return UnsafePointer(buffer)
    }
    pointwise_combine(
      level, start(first), start(first + 1), buffer, stride, weights[first], weights[first + 1], 0)
    for entry in entries.dropFirst(2) {
      pointwise_combine(level, buffer, start(entry), buffer, stride, 1, weights[entry], 0)
    }
    return UnsafePointer(buffer)
  }
}

/// The taps along rows in the forms that kernels take.
private struct RowTaps: Sendable {
  let taps: AxisTaps
  /// The longest copy, and the columns around it.
  let copy: (outputs: Range<Int>, first: Int)
  let others: [Int]
  /// For each column two positions and the fraction of the second, where none has more, and none has none; without
  /// fractions where these are 0.
  private let pairs: (first: [Int32], second: [Int32], fraction: [Float]?)?

  init(_ taps: AxisTaps) {
    self.taps = taps
    let copy = taps.longestCopy
    // Short copies are faster as interpolation.
    self.copy = 2 * copy.outputs.count >= taps.outputCount ? copy : (0..<0, 0)
    others = (0..<taps.outputCount).filter { [copy = self.copy] in !copy.outputs.contains($0) }
    let counts = (0..<taps.outputCount).map { taps.range($0).count }
    let isInterpolation = (0..<taps.outputCount).allSatisfy { output in
      (1...2).contains(counts[output])
        && abs(taps.weights[taps.range(output)].reduce(0, +) - 1) < 1e-6
    }
    guard isInterpolation else {
      pairs = nil
      return
    }
    let ranges = (0..<taps.outputCount).map { taps.range($0) }
    pairs = (
      ranges.map { taps.positions[$0.lowerBound] }, ranges.map { taps.positions[$0.upperBound - 1] },
      counts.allSatisfy { $0 == 1 } ? nil : ranges.map { $0.count == 1 ? 0 : taps.weights[$0.lowerBound + 1] }
    )
  }

  /// Writes one row.
  func write(
    _ source: UnsafePointer<Float>, fill: Float, into target: UnsafeMutablePointer<Float>,
    _ level: kernels_level
  ) {
    if copy.outputs.isEmpty, let pairs {
      return elementwise_interpolate(
        level, source, pairs.first, pairs.second, pairs.fraction, target, taps.outputCount)
    }
    (target + copy.outputs.lowerBound).update(from: source + copy.first, count: copy.outputs.count)
    for column in others {
      let entries = taps.range(column)
      target[column] =
        entries.isEmpty
        ? fill : entries.reduce(Float(0)) { $0 + taps.weights[$1] * source[Int(taps.positions[$1])] }
    }
  }
}
