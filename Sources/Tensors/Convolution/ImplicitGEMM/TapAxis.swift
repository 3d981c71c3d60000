/// The taps of a product along one axis and the source index that each reads.
struct TapAxis: Hashable, Sendable {
  /// The kernel's taps that the product uses, along this axis.
  var taps: [Int]
  /// For each tap the source index that output 0 reads; output i reads index offset + i · step.
  var offsets: [Int32]

  /// All taps of a convolution's axis.
  init(kernel: Int, padding: Int, dilation: Int) {
    taps = Array(0..<kernel)
    offsets = taps.map { Int32($0 * dilation - padding) }
  }

  /// The taps of one phase of the adjoint: those that read input voxels of index `residue` modulo `stride`.
  init(residue: Int, stride: Int, kernel: Int, padding: Int, dilation: Int) {
    taps = (0..<kernel).filter { (residue + padding - $0 * dilation).isMultiple(of: stride) }
    offsets = taps.map { Int32((residue + padding - $0 * dilation) / stride) }
  }
}
