/// The definition of ``GroupNormalisation``, in double precision.
///
/// - Parameters:
///   - input: [N, C, D, H, W].
///   - scale: [C].
///   - shift: [C].
package func groupNormalisationReference(
  _ input: ReferenceTensor, groups: Int, scale: ReferenceTensor, shift: ReferenceTensor, epsilon: Double
) -> ReferenceTensor {
  let (channels, voxels) = (input.channels, input.extent.product)
  let size = channels / groups * voxels
  var output = input
  for start in stride(from: 0, to: input.elements.count, by: size) {
    let values = input.elements[start..<start + size]
    let mean = values.reduce(0, +) / Double(size)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size)
    for index in values.indices {
      let channel = index / voxels % channels
      output.elements[index] =
        (values[index] - mean) / (variance + epsilon).squareRoot() * scale.elements[channel]
        + shift.elements[channel]
    }
  }
  return output
}
