/// The definition of ``transposedConvolution(_:weight:bias:geometry:work:)``, in double precision: every input
/// voxel adds its multiple of the kernel to the output.
package func transposedConvolutionReference(
  _ input: ReferenceTensor, weight: ReferenceTensor, bias: ReferenceTensor?,
  geometry: TransposedConvolutionGeometry
) -> ReferenceTensor {
  let (inputChannels, outputChannels) = (weight.shape[0], weight.shape[1] * geometry.groups)
  let extent = outputExtent(of: geometry, input: input.extent)
  let taps = geometry.kernel.product
  var output = ReferenceTensor(shape: [input.batch, outputChannels, extent.d, extent.h, extent.w])
  if let bias {
    for index in output.elements.indices {
      output.elements[index] = bias.elements[index / extent.product % outputChannels]
    }
  }
  forEachTap(input: extent, output: input.extent, geometry: geometry.adjoint) { source, target, tap in
    for n in 0..<input.batch {
      // The weights are those of the adjoint, whose outputs are this input.
      forEachPair(inputs: outputChannels, outputs: inputChannels, groups: geometry.groups) { i, o, pair in
        output.elements[(n * outputChannels + o) * extent.product + target] +=
          weight.elements[pair * taps + tap]
          * input.elements[(n * inputChannels + i) * input.extent.product + source]
      }
    }
  }
  return output
}

/// The output extents of an input for which they are positive.
func outputExtent(of geometry: TransposedConvolutionGeometry, input: Extent3) -> Extent3 {
  guard let extent = geometry.output(input) else {
    preconditionFailure("an input of \(input) has no output under \(geometry)")
  }
  return extent
}
