/// A transposed convolution and a pointwise one behind it as the single transposed convolution that both are, and the
/// way back from its gradients to theirs.
///
/// With the weights W[i][m], the offsets b and the mixing S, T of m channels into o, the product has the weights
/// Σ_m S[o][m] W[i][m] and the offsets S b + T. Its gradients G and g by these give Σ_o S[o][m] G[i][o] and Sᵀ g by
/// W and b, and Σ_i G[i][o] · W[i][m] + g[o] b[m] and g by S and T. Nothing is approximated: the channels in between
/// are linear in all four. Sums are taken in double precision.
package struct MixedTransposedConvolution: Sendable {
  private let weight, mixing: Tensor
  private let bias: [Float]
  private let inputs, between, outputs, taps: Int
  /// The one transposed convolution: weights [in, out, z, y, x] and bias [out].
  package let product: (weight: Tensor, bias: Tensor)

  /// The product of both.
  ///
  /// - Parameters:
  ///   - weight: [in, between, z, y, x].
  ///   - bias: [between], or nil for none.
  ///   - mixing: [out, between, 1, 1, 1].
  ///   - mixingBias: [out], or nil for none.
  package init(weight: Tensor, bias: Tensor?, mixing: Tensor, mixingBias: Tensor?) {
    precondition(
      mixing.shape.count == 5 && mixing.shape[1] == weight.shape[1] && mixing.extent == Extent3(1),
      "mixing \(mixing.shape) behind weights \(weight.shape)")
    self.weight = weight
    self.mixing = mixing
    (inputs, between, outputs) = (weight.shape[0], weight.shape[1], mixing.shape[0])
    taps = weight.extent.product
    self.bias = bias?.elements ?? [Float](repeating: 0, count: between)
    let (inputs, between, outputs, taps) = (inputs, between, outputs, taps)
    let folded = linearCombinations(
      of: weight.elements, count: inputs, from: between, to: outputs, length: taps
    ) { mixing.elements[$0 * between + $1] }
    var offsets = mixingBias?.elements ?? [Float](repeating: 0, count: outputs)
    for output in 0..<outputs {
      var sum = Double(offsets[output])
      for channel in 0..<between {
        sum += Double(mixing.elements[output * between + channel]) * Double(self.bias[channel])
      }
      offsets[output] = Float(sum)
    }
    let extent = weight.extent
    product = (
      Tensor(shape: [inputs, outputs, extent.d, extent.h, extent.w], elements: folded),
      Tensor(shape: [outputs], elements: offsets)
    )
  }

  /// The gradients of all four, given those of the product's weights and bias.
  package func gradients(
    productWeight: Tensor, productBias: Tensor
  ) -> (weight: Tensor, bias: Tensor, mixing: Tensor, mixingBias: Tensor) {
    precondition(
      productWeight.shape == product.weight.shape && productBias.shape == product.bias.shape,
      "gradients \(productWeight.shape) and \(productBias.shape) for \(product.weight.shape)")
    let spread = linearCombinations(
      of: productWeight.elements, count: inputs, from: outputs, to: between, length: taps
    ) { mixing.elements[$1 * between + $0] }
    let offsets = linearCombinations(
      of: productBias.elements, count: 1, from: outputs, to: between, length: 1
    ) { mixing.elements[$1 * between + $0] }
    var mixed = [Float](repeating: 0, count: outputs * between)
    for output in 0..<outputs {
      for channel in 0..<between {
        var sum = Double(productBias.elements[output]) * Double(bias[channel])
        for input in 0..<inputs {
          sum += dot(
            productWeight.elements, (input * outputs + output) * taps, weight.elements,
            (input * between + channel) * taps, count: taps)
        }
        mixed[output * between + channel] = Float(sum)
      }
    }
    return (
      Tensor(shape: weight.shape, elements: spread), Tensor(shape: [between], elements: offsets),
      Tensor(shape: mixing.shape, elements: mixed), productBias
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
