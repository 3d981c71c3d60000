/// A transposed convolution fused with the pointwise convolution after it into one transposed convolution, and the
/// gradients of both from those of the fused one.
///
/// The transposed convolution has weights W[i][m] and bias b, the pointwise convolution weights S[o][m] and bias T. The
/// fused one has weights Σ_m S[o][m] W[i][m] and bias S b + T. Given its gradients G and g, the gradients of W and b
/// are Σ_o S[o][m] G[i][o] and Sᵀ g, those of S and T are Σ_i G[i][o] · W[i][m] + g[o] b[m] and g. Nothing is
/// approximated, because there is no nonlinearity in between. Sums are taken in double precision.
package struct TransposedConvolutionPointwise: Sendable {
  private let weight, pointwiseWeight: Tensor
  private let bias: [Float]
  private let inputChannels, middleChannels, outputChannels, taps: Int
  /// The fused transposed convolution: weights [in, out, z, y, x] and bias [out].
  package let product: (weight: Tensor, bias: Tensor)

  /// Fuses both.
  ///
  /// - Parameters:
  ///   - weight: [in, middle, z, y, x].
  ///   - bias: [middle], or nil for none.
  ///   - pointwiseWeight: [out, middle, 1, 1, 1].
  ///   - pointwiseBias: [out], or nil for none.
  package init(weight: Tensor, bias: Tensor?, pointwiseWeight: Tensor, pointwiseBias: Tensor?) {
    precondition(
      pointwiseWeight.shape.count == 5 && pointwiseWeight.shape[1] == weight.shape[1]
        && pointwiseWeight.extent == Extent3(1),
      "pointwise weights \(pointwiseWeight.shape) after weights \(weight.shape)")
    self.weight = weight
    self.pointwiseWeight = pointwiseWeight
    (inputChannels, middleChannels, outputChannels) = (
      weight.shape[0], weight.shape[1], pointwiseWeight.shape[0]
    )
    taps = weight.extent.product
    self.bias = bias?.elements ?? [Float](repeating: 0, count: middleChannels)
    let (inputChannels, middleChannels, outputChannels, taps) = (
      inputChannels, middleChannels, outputChannels, taps
    )
    let folded = linearCombinations(
      of: weight.elements, count: inputChannels, from: middleChannels, to: outputChannels, length: taps
    ) { pointwiseWeight.elements[$0 * middleChannels + $1] }
    var foldedBias = pointwiseBias?.elements ?? [Float](repeating: 0, count: outputChannels)
    for output in 0..<outputChannels {
      var sum = Double(foldedBias[output])
      for channel in 0..<middleChannels {
        sum +=
          Double(pointwiseWeight.elements[output * middleChannels + channel]) * Double(self.bias[channel])
      }
      foldedBias[output] = Float(sum)
    }
    let extent = weight.extent
    product = (
      Tensor(shape: [inputChannels, outputChannels, extent.d, extent.h, extent.w], elements: folded),
      Tensor(shape: [outputChannels], elements: foldedBias)
    )
  }

  /// The gradients of both convolutions, given those of the fused weights and bias.
  package func gradients(
    productWeight: Tensor, productBias: Tensor
  ) -> (weight: Tensor, bias: Tensor, pointwiseWeight: Tensor, pointwiseBias: Tensor) {
    precondition(
      productWeight.shape == product.weight.shape && productBias.shape == product.bias.shape,
      "gradients \(productWeight.shape) and \(productBias.shape) for \(product.weight.shape)")
    let weightGradient = linearCombinations(
      of: productWeight.elements, count: inputChannels, from: outputChannels, to: middleChannels, length: taps
    ) { pointwiseWeight.elements[$1 * middleChannels + $0] }
    let biasGradient = linearCombinations(
      of: productBias.elements, count: 1, from: outputChannels, to: middleChannels, length: 1
    ) { pointwiseWeight.elements[$1 * middleChannels + $0] }
    var pointwiseGradient = [Float](repeating: 0, count: outputChannels * middleChannels)
    for output in 0..<outputChannels {
      for channel in 0..<middleChannels {
        var sum = Double(productBias.elements[output]) * Double(bias[channel])
        for input in 0..<inputChannels {
          sum += dot(
            productWeight.elements, (input * outputChannels + output) * taps, weight.elements,
            (input * middleChannels + channel) * taps, count: taps)
        }
        pointwiseGradient[output * middleChannels + channel] = Float(sum)
      }
    }
    return (
      Tensor(shape: weight.shape, elements: weightGradient),
      Tensor(shape: [middleChannels], elements: biasGradient),
      Tensor(shape: pointwiseWeight.shape, elements: pointwiseGradient), productBias
    )
  }
}

/// For each of `count` blocks of `from` rows the `to` rows Σ factor(to, from) row(from), rows of `length` elements.
private func linearCombinations(
  of rows: [Float], count: Int, from: Int, to: Int, length: Int, factor: (_ to: Int, _ from: Int) -> Float
) -> [Float] {
  var result = [Float](repeating: 0, count: count * to * length)
  var sums = [Double](repeating: 0, count: length)
  for block in 0..<count {
    for target in 0..<to {
      for index in 0..<length { sums[index] = 0 }
      for source in 0..<from {
        let factor = Double(factor(target, source))
        let start = (block * from + source) * length
        for index in 0..<length { sums[index] += factor * Double(rows[start + index]) }
      }
      let start = (block * to + target) * length
      for index in 0..<length { result[start + index] = Float(sums[index]) }
    }
  }
  return result
}

private func dot(_ a: [Float], _ aStart: Int, _ b: [Float], _ bStart: Int, count: Int) -> Double {
  var sum = 0.0
  for index in 0..<count { sum += Double(a[aStart + index]) * Double(b[bStart + index]) }
  return sum
}
