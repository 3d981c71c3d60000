import CKernels
import Work

/// A convolution whose kernel is one voxel: the product of a small matrix with the channels, which needs no
/// gathering, by BLAS.
enum PointwiseConvolution {
  /// Columns of one call: with 32 channels 256 KB, which stays in the second cache level.
  private static let columnsPerCall = 2048

  /// Whether `geometry` maps every voxel to itself alone.
  static func serves(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.kernel == Extent3(1) && geometry.stride == Extent3(1) && geometry.padding == Extent3(0)
  }

  /// The matrix `weight` [rows, columns, 1, 1, 1], or its transpose, times the channels of `input`.
  static func apply(
    _ input: Tensor, weight: Tensor, transposes: Bool, bias: Tensor?, rectifies: Bool, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    let (rows, depth) =
      transposes ? (weight.shape[1], weight.shape[0]) : (weight.shape[0], weight.shape[1])
    let (extent, voxels) = (input.extent, input.extent.product)
    let calls = (voxels + columnsPerCall - 1) / columnsPerCall
    let bias = bias?.elements
    let level = KernelLevel.current
    return try filledTensor(shape: [input.batch, rows, extent.d, extent.h, extent.w]) {
      output throws(Cancelled) in
      try input.elements.withSharedBuffer { input throws(Cancelled) in
        try weight.elements.withSharedBuffer { weight throws(Cancelled) in
          try work.forEach(count: calls * (output.count / (rows * voxels))) { index, _ in
            let (sample, first) = (index / calls, index % calls * columnsPerCall)
            let columns = min(columnsPerCall, voxels - first)
            let target = output.start + sample * rows * voxels + first
            if let bias {
              for row in 0..<rows {
                (target + row * voxels).update(repeating: bias[row], count: columns)
              }
            }
            BLAS.multiply(
              rows: rows, columns: columns, depth: depth, a: weight.start,
              aStride: transposes ? rows : depth, transposesA: transposes,
              b: input.start + sample * depth * voxels + first, bStride: voxels,
              beta: bias == nil ? 0 : 1, c: target, cStride: voxels)
            guard rectifies else { return }
            for row in 0..<rows { pointwise_rectify(level, target + row * voxels, columns) }
          }
        }
      }
    }
  }
}
