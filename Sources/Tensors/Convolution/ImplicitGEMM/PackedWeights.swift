import CKernels
import Work

/// A matrix of weights in the order in which the panel product reads it: blocks of eight rows, in each block column by
/// column.
///
/// Columns are (channel, tap), the tap fastest. Groups of channels have a matrix each.
struct PackedWeights: Sendable {
  /// The number of matrices.
  let groups: Int
  /// Rows of each matrix: result channels of the product.
  let rows: Int
  /// Columns: products per result.
  let depth: Int
  /// [groups][rows / 8, rounded up][depth][8], padded with zeros.
  let elements: [Float]

  /// Rows of each matrix with those of zeros.
  var paddedRows: Int { (rows + Int(GEMM_ROWS) - 1) / Int(GEMM_ROWS) * Int(GEMM_ROWS) }

  /// Elements of each matrix.
  var countPerGroup: Int { elements.count / groups }

  /// The mapping from rows and columns to elements of the weights.
  struct Order: Sendable {
    /// Elements from one row's weights to the next row's.
    var rowStride: Int
    /// Elements from one channel to the next.
    var channelStride: Int
    /// Index of every tap in the kernel.
    var taps: [Int]
  }

  /// Packs `weight` for products with `rows` rows and `channels` channels in each group, whose weights follow one
  /// another.
  /// - Throws: `Cancelled`.
  init(
    _ weight: Tensor, rows: Int, channels: Int, groups: Int = 1, order: Order, work: WorkContext
  ) throws(Cancelled) {
    let block = Int(GEMM_ROWS)
    let depth = channels * order.taps.count
    let blocks = (rows + block - 1) / block
    let groupStride = weight.elements.count / groups
    self.groups = groups
    self.rows = rows
    self.depth = depth
    var packed = [Float](repeating: 0, count: groups * blocks * depth * block)
    try weight.elements.withSharedBuffer { weight throws(Cancelled) in
      try packed.withDisjointBuffer { packed throws(Cancelled) in
        try work.forEach(count: groups * blocks) { index, _ in
          // Row innermost: eight streams that advance together for any order of the weights.
          let (group, row) = (index / blocks, index % blocks * block)
          let filled = min(block, rows - row)
          let first = weight.start + group * groupStride + row * order.rowStride
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
