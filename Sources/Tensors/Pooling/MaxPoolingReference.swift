/// Calls `body` with the flat indices of the voxels of the window `window` of a pooling, in order of memory.
func forEachVoxel(
  ofWindow window: Extent3, _ geometry: PoolingGeometry, input: Extent3, _ body: (_ voxel: Int) -> Void
) {
  let (kernel, before) = (geometry.kernel, geometry.padding.before)
  for tap in 0..<kernel.product {
    let z = window.d * geometry.stride.d - before.d + tap / (kernel.h * kernel.w)
    let y = window.h * geometry.stride.h - before.h + tap / kernel.w % kernel.h
    let x = window.w * geometry.stride.w - before.w + tap % kernel.w
    if 0..<input.d ~= z, 0..<input.h ~= y, 0..<input.w ~= x { body((z * input.h + y) * input.w + x) }
  }
}

/// The definition of ``maxPooling(_:geometry:work:)``, in double precision.
package func maxPoolingReference(
  _ input: ReferenceTensor, geometry: PoolingGeometry
) -> (output: ReferenceTensor, argMaxIndices: [Int32]) {
  let extent = input.extent
  let pooled = outputExtent(of: geometry, input: extent)
  var output = ReferenceTensor(shape: [input.batch, input.channels, pooled.d, pooled.h, pooled.w])
  var argMaxIndices = [Int32](repeating: 0, count: output.elements.count)
  for plane in 0..<input.batch * input.channels {
    for z in 0..<pooled.d {
      for y in 0..<pooled.h {
        for x in 0..<pooled.w {
          var best = -Double.infinity
          var argMaxIndex = -1
          forEachVoxel(ofWindow: Extent3(z, y, x), geometry, input: extent) { source in
            let value = input.elements[plane * extent.product + source]
            if argMaxIndex < 0 || value > best || value.isNaN {
              best = value
              argMaxIndex = source
            }
          }
          let target = plane * pooled.product + (z * pooled.h + y) * pooled.w + x
          output.elements[target] = best
          argMaxIndices[target] = Int32(argMaxIndex)
        }
      }
    }
  }
  return (output, argMaxIndices)
}

/// The definition of ``maxPoolingInputGradient(_:argMaxIndices:inputExtent:work:)``, in double precision.
package func maxPoolingInputGradientReference(
  _ outputGradient: ReferenceTensor, argMaxIndices: [Int32], inputExtent: Extent3
) -> ReferenceTensor {
  let (batch, channels) = (outputGradient.batch, outputGradient.channels)
  var gradient = ReferenceTensor(shape: [batch, channels, inputExtent.d, inputExtent.h, inputExtent.w])
  for index in outputGradient.elements.indices {
    let plane = index / outputGradient.extent.product
    gradient.elements[plane * inputExtent.product + Int(argMaxIndices[index])] +=
      outputGradient.elements[index]
  }
  return gradient
}

/// The output extents, which the caller must have made sure of.
func outputExtent(of geometry: PoolingGeometry, input: Extent3) -> Extent3 {
  guard let extent = geometry.output(input) else {
    preconditionFailure("an input of \(input) has no complete window of \(geometry)")
  }
  return extent
}
