/// The definition of ``PreparedAveragePooling``, in double precision: zeros around the input, and ones that are counted.
package func averagePoolingReference(
  _ input: ReferenceTensor, geometry: PoolingGeometry, countsPadding: Bool
) -> ReferenceTensor {
  let (extent, padding) = (input.extent, geometry.padding)
  let pooled = outputExtent(of: geometry, input: extent)
  // The grid whose voxels count, in which windows begin where they do in the padded input.
  let counted = Extent3(
    extent.d + padding.before.d + padding.after.d, extent.h + padding.before.h + padding.after.h,
    extent.w + padding.before.w + padding.after.w)
  var unpadded = geometry
  unpadded.padding = .none
  var output = ReferenceTensor(shape: [input.batch, input.channels, pooled.d, pooled.h, pooled.w])
  for index in output.elements.indices {
    let (plane, window) = (index / pooled.product, index % pooled.product)
    let position = Extent3(
      window / (pooled.h * pooled.w), window / pooled.w % pooled.h, window % pooled.w)
    var (sum, count) = (0.0, 0)
    forEachVoxel(ofWindow: position, geometry, input: extent) { voxel in
      sum += input.elements[plane * extent.product + voxel]
      count += 1
    }
    if countsPadding {
      count = 0
      forEachVoxel(ofWindow: position, unpadded, input: counted) { _ in count += 1 }
    }
    output.elements[index] = sum / Double(count)
  }
  return output
}
