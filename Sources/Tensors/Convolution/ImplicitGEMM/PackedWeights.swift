import CKernels
import Work

/// A matrix of weights in the order in which the panel product reads it: blocks of eight rows, in each block column by
/// column.
///
/// Columns are (channel, tap), the tap fastest.
struct PackedWeights: Sendable {
  /// Rows: result channels of the product.
  let rows: Int
  /// Columns: products per result.
  let depth: Int
  /// [rows / 8, rounded up][depth][8], padded with zeros.
  let elements: [Float]

  /// The mapping from rows and columns to elements of the weights.
  struct Order: Sendable {
    /// Elements from one row's weights to the next row's.
    var rowStride: Int
    /// Elements from one channel to the next.
    var channelStride: Int
    /// Index of every tap in the kernel.
    var taps: [Int]
  }

  /// Packs `weight` for products with `rows` rows and `channels` channels.
  /// - Throws: `Cancelled`.
  init(
    _ weight: Tensor, rows: Int, channels: Int, order: Order, work: WorkContext
  ) throws(Cancelled) {
    let block = Int(GEMM_ROWS)
    let depth = channels * order.taps.count
    let blocks = (rows + block - 1) / block
    self.rows = rows
    self.depth = depth
    var packed = [Float](repeating: 0, count: blocks * depth * block)
    try weight.elements.withSharedBuffer { weight throws(Cancelled) in
      try packed.withDisjointBuffer { packed throws(Cancelled) in
        try work.forEach(count: blocks) { index, _ in
          // Row innermost: eight streams that advance together for any order of the weights.
          let filled = min(block, rows - index * block)
          let first = weight.start + index * block * order.rowStride
          var target = packed.start + index * depth * block
          for channel in 0..<channels {
            for tap in order.taps {
              let source = first + channel * order.channelStride + tap
              for row in 0..<filled { target[row] = source[row * order.rowStride] }
              target += block
            }
          }
        }
      }
    }
    elements = packed
  }
}
