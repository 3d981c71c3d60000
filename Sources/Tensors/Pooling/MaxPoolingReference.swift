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
          for sourceZ in z * geometry.stride.d..<min(z * geometry.stride.d + geometry.kernel.d, extent.d) {
            for sourceY in y * geometry.stride.h..<min(y * geometry.stride.h + geometry.kernel.h, extent.h) {
              for sourceX in x * geometry.stride.w..<min(x * geometry.stride.w + geometry.kernel.w, extent.w)
              {
                let source = (sourceZ * extent.h + sourceY) * extent.w + sourceX
                let value = input.elements[plane * extent.product + source]
                if argMaxIndex < 0 || value > best || value.isNaN {
                  best = value
                  argMaxIndex = source
                }
              }
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
