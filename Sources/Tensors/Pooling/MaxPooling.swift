import CKernels
import Work

/// Max-pooling with argmax indices, as PyTorch's `max_pool3d(return_indices=True)`.
///
/// The first of equal values in memory is taken; NaN counts as the greatest value.
///
/// - Parameter input: [N, C, D, H, W], with fewer than 2³¹ voxels per channel.
/// - Returns: The pooled values, [N, C, D', H', W'], and for each the flat index of its voxel inside the
///   channel's D·H·W voxels, for ``maxPoolingInputGradient(_:argMaxIndices:geometry:reluOutput:inputExtent:work:)``.
/// - Throws: `Cancelled`.
package func maxPooling(
  _ input: Tensor, geometry: PoolingGeometry, work: WorkContext
) throws(Cancelled) -> (output: Tensor, argMaxIndices: [Int32]) {
  try maxOrMinPooling(input, geometry: geometry, takesMinimum: nil, work: work)
}

/// Max-pooling, or min-pooling in the channels where `takesMinimum`; see ``maxPooling(_:geometry:work:)``.
func maxOrMinPooling(
  _ input: Tensor, geometry: PoolingGeometry, takesMinimum: [Bool]?, work: WorkContext
) throws(Cancelled) -> (output: Tensor, argMaxIndices: [Int32]) {
  let channels = input.channels
  let (extent, pooled) = (input.extent, outputExtent(of: geometry, input: input.extent))
  precondition(extent.product <= Int(Int32.max), "\(extent) voxels exceed 32-bit indices")
  let planes = input.batch * input.channels
  let level = KernelLevel.current
  var argMaxIndices: [Int32] = []
  let output = try filledTensor(shape: [input.batch, input.channels, pooled.d, pooled.h, pooled.w]) {
    output throws(Cancelled) in
    argMaxIndices = try filledArray(count: planes * pooled.product) { argMaxIndices throws(Cancelled) in
      try input.elements.withSharedBuffer { input throws(Cancelled) in
        try work.forEach(count: planes * pooled.d) { index, _ in
          let (plane, z) = (index / pooled.d, index % pooled.d)
          let planes = geometry.voxels(ofWindow: z, along: \.d, length: extent.d)
          for y in 0..<pooled.h {
            let rows = geometry.voxels(ofWindow: y, along: \.h, length: extent.h)
            var row = pooling_row(
              channel: input.start + plane * extent.product, plane: extent.h * extent.w, row: extent.w,
              first_z: Int32(planes.lowerBound), first_y: Int32(rows.lowerBound), rows_z: Int32(planes.count),
              rows_y: Int32(rows.count), columns: Int32(geometry.kernel.w), step: Int32(geometry.stride.w),
              input_width: Int32(extent.w), width: Int32(pooled.w),
              before: Int32(geometry.padding.before.w),
              takes_minimum: takesMinimum.map { $0[plane % channels] ? 1 : 0 } ?? 0)
            let target = (index * pooled.h + y) * pooled.w
            pooling_maxima(level, &row, output.start + target, argMaxIndices.start + target)
          }
        }
      }
    }
  }
  return (output, argMaxIndices)
}
