/// Calls `body(output, input, tap)` with flat voxel and tap indices for every product of the convolution `geometry`
/// from a grid of extents `input` to one of extents `output`.
///
/// A transposed convolution has the same products with the two grids exchanged.
/// - Complexity: O(output voxels · taps).
func forEachTap(
  input: Extent3, output: Extent3, geometry: ConvolutionGeometry,
  _ body: (_ output: Int, _ input: Int, _ tap: Int) -> Void
) {
  let kernel = geometry.kernel
  for z in 0..<output.d {
    for y in 0..<output.h {
      for x in 0..<output.w {
        for tz in 0..<kernel.d {
          let sourceZ = z * geometry.stride.d - geometry.padding.before.d + tz * geometry.dilation.d
          guard sourceZ >= 0, sourceZ < input.d else { continue }
          for ty in 0..<kernel.h {
            let sourceY = y * geometry.stride.h - geometry.padding.before.h + ty * geometry.dilation.h
            guard sourceY >= 0, sourceY < input.h else { continue }
            for tx in 0..<kernel.w {
              let sourceX = x * geometry.stride.w - geometry.padding.before.w + tx * geometry.dilation.w
              guard sourceX >= 0, sourceX < input.w else { continue }
              body(
                (z * output.h + y) * output.w + x, (sourceZ * input.h + sourceY) * input.w + sourceX,
                (tz * kernel.h + ty) * kernel.w + tx)
            }
          }
        }
      }
    }
  }
}

/// Calls `body` for every output channel and every input channel of the same group, in the order of the weights' kernels,
/// which it numbers.
func forEachPair(
  inputs: Int, outputs: Int, groups: Int, _ body: (_ output: Int, _ input: Int, _ kernel: Int) -> Void
) {
  let inputsPerGroup = inputs / groups
  for output in 0..<outputs {
    let first = output / (outputs / groups) * inputsPerGroup
    for index in 0..<inputsPerGroup { body(output, first + index, output * inputsPerGroup + index) }
  }
}

/// The definition of ``convolution(_:weight:bias:geometry:activation:work:)``, in double precision.
package func convolutionReference(
  _ input: ReferenceTensor, weight: ReferenceTensor, bias: ReferenceTensor?, geometry: ConvolutionGeometry
) -> ReferenceTensor {
  let (outputChannels, inputChannels) = (weight.shape[0], input.channels)
  let extent = outputExtent(of: geometry, input: input.extent)
  let taps = geometry.kernel.product
  var output = ReferenceTensor(shape: [input.batch, outputChannels, extent.d, extent.h, extent.w])
  if let bias {
    for n in 0..<input.batch {
      for o in 0..<outputChannels {
        for voxel in 0..<extent.product {
          output.elements[(n * outputChannels + o) * extent.product + voxel] = bias.elements[o]
        }
      }
    }
  }
  forEachTap(input: input.extent, output: extent, geometry: geometry) { target, source, tap in
    for n in 0..<input.batch {
      forEachPair(inputs: inputChannels, outputs: outputChannels, groups: geometry.groups) { o, i, pair in
        output.elements[(n * outputChannels + o) * extent.product + target] +=
          weight.elements[pair * taps + tap]
          * input.elements[(n * inputChannels + i) * input.extent.product + source]
      }
    }
  }
  return output
}

/// The definition of ``convolutionInputGradient(_:weight:inputExtent:geometry:work:)``, in double precision.
package func convolutionInputGradientReference(
  _ outputGradient: ReferenceTensor, weight: ReferenceTensor, inputExtent: Extent3,
  geometry: ConvolutionGeometry
) -> ReferenceTensor {
  let (outputChannels, inputChannels) = (weight.shape[0], weight.shape[1] * geometry.groups)
  let extent = outputGradient.extent
  let taps = geometry.kernel.product
  var gradient = ReferenceTensor(
    shape: [outputGradient.batch, inputChannels, inputExtent.d, inputExtent.h, inputExtent.w])
  forEachTap(input: inputExtent, output: extent, geometry: geometry) { source, target, tap in
    for n in 0..<outputGradient.batch {
      forEachPair(inputs: inputChannels, outputs: outputChannels, groups: geometry.groups) { o, i, pair in
        gradient.elements[(n * inputChannels + i) * inputExtent.product + target] +=
          weight.elements[pair * taps + tap]
          * outputGradient.elements[(n * outputChannels + o) * extent.product + source]
      }
    }
  }
  return gradient
}

/// The definition of ``convolutionWeightGradient(input:outputGradient:geometry:work:)``, in double precision.
package func convolutionWeightGradientReference(
  input: ReferenceTensor, outputGradient: ReferenceTensor, geometry: ConvolutionGeometry
) -> ReferenceTensor {
  let (outputChannels, inputChannels) = (outputGradient.channels, input.channels)
  let kernel = geometry.kernel
  var gradient = ReferenceTensor(
    shape: [outputChannels, inputChannels / geometry.groups, kernel.d, kernel.h, kernel.w])
  let (inputVoxels, outputVoxels) = (input.extent.product, outputGradient.extent.product)
  forEachTap(input: input.extent, output: outputGradient.extent, geometry: geometry) { out, source, tap in
    for n in 0..<input.batch {
      forEachPair(inputs: inputChannels, outputs: outputChannels, groups: geometry.groups) { o, i, pair in
        gradient.elements[pair * kernel.product + tap] +=
          outputGradient.elements[(n * outputChannels + o) * outputVoxels + out]
          * input.elements[(n * inputChannels + i) * inputVoxels + source]
      }
    }
  }
  return gradient
}
