/// One axis of the correspondence between output and source voxels: which taps take part, and where each
/// reads.
struct TapAxis: Hashable, Sendable {
  /// The kernel's taps that take part, along this axis.
  var taps: [Int]
  /// For each of them, the source index that output 0 reads; output i reads i · step further.
  var offsets: [Int32]

  /// All taps of a convolution's axis.
  init(kernel: Int, padding: Int, dilation: Int) {
    taps = Array(0..<kernel)
    offsets = taps.map { Int32($0 * dilation - padding) }
  }

  /// One phase of the adjoint: the taps through which a strided convolution's input voxels with index
  /// `residue` modulo `stride` were read.
  init(residue: Int, stride: Int, kernel: Int, padding: Int, dilation: Int) {
    taps = (0..<kernel).filter { (residue + padding - $0 * dilation).isMultiple(of: stride) }
    offsets = taps.map { Int32((residue + padding - $0 * dilation) / stride) }
  }
}
