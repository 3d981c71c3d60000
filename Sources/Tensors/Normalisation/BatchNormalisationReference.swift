/// The definition of ``batchNormalisation(_:scale:shift:epsilon:work:)``, in double precision.
package func batchNormalisationReference(
  _ input: ReferenceTensor, scale: ReferenceTensor, shift: ReferenceTensor, epsilon: Double = 1e-5
) -> (output: ReferenceTensor, mean: [Double], biasedVariance: [Double]) {
  let voxels = input.extent.product
  let count = Double(input.batch * voxels)
  var output = input
  var means: [Double] = []
  var variances: [Double] = []
  for channel in 0..<input.channels {
    let indices = (0..<input.batch).flatMap { n in
      (0..<voxels).map { (n * input.channels + channel) * voxels + $0 }
    }
    let mean = indices.reduce(0) { $0 + input.elements[$1] } / count
    let variance =
      indices.reduce(0) { $0 + (input.elements[$1] - mean) * (input.elements[$1] - mean) } / count
    for index in indices {
      output.elements[index] =
        (input.elements[index] - mean) / (variance + epsilon).squareRoot() * scale.elements[channel]
        + shift.elements[channel]
    }
    means.append(mean)
    variances.append(variance)
  }
  return (output, means, variances)
}

/// The definition of ``batchNormalisationGradients(input:outputGradient:scale:statistics:work:)``, in double
/// precision: the derivative of the reference, mean and variance included.
package func batchNormalisationGradientsReference(
  input: ReferenceTensor, outputGradient: ReferenceTensor, scale: ReferenceTensor, epsilon: Double = 1e-5
) -> (input: ReferenceTensor, scale: ReferenceTensor, shift: ReferenceTensor) {
  let voxels = input.extent.product
  let count = Double(input.batch * voxels)
  let unit = ReferenceTensor(
    shape: [input.channels], elements: [Double](repeating: 1, count: input.channels))
  let (normalised, _, variances) = batchNormalisationReference(
    input, scale: unit, shift: ReferenceTensor(shape: [input.channels]), epsilon: epsilon)
  var gradient = input
  var scaleGradient = ReferenceTensor(shape: [input.channels])
  var shiftGradient = scaleGradient
  for channel in 0..<input.channels {
    let indices = (0..<input.batch).flatMap { n in
      (0..<voxels).map { (n * input.channels + channel) * voxels + $0 }
    }
    let shiftSum = indices.reduce(0) { $0 + outputGradient.elements[$1] }
    let scaleSum = indices.reduce(0) { $0 + outputGradient.elements[$1] * normalised.elements[$1] }
    let factor = scale.elements[channel] / (variances[channel] + epsilon).squareRoot()
    for index in indices {
      gradient.elements[index] =
        factor
        * (outputGradient.elements[index] - shiftSum / count
          - normalised.elements[index] * scaleSum / count)
    }
    scaleGradient.elements[channel] = scaleSum
    shiftGradient.elements[channel] = shiftSum
  }
  return (gradient, scaleGradient, shiftGradient)
}
