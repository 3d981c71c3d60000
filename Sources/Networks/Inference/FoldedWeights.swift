import Tensors

/// Weights and bias of a convolution in double precision, into which the layers after it are folded.
package struct FoldedWeights: Sendable {
  var shape: [Int]
  var weight: [Double]
  var bias: [Double]?
  /// The dimension of `shape` that counts output channels, of each group where it is 1: 0 for a convolution, 1 for a
  /// transposed one.
  let outputAxis: Int
  /// Groups of channels.
  let groups: Int

  init(_ parameters: LayerParameters, hasBias: Bool, outputAxis: Int, groups: Int) {
    let tensor = parameters[.weight]
    shape = tensor.shape
    weight = tensor.elements.map(Double.init)
    bias = hasBias ? parameters[.bias].elements.map(Double.init) : nil
    self.outputAxis = outputAxis
    self.groups = groups
  }

  var outputs: Int { outputAxis == 0 ? shape[0] : shape[1] * groups }

  private var taps: Int { shape[2] * shape[3] * shape[4] }

  /// Folds y = scale x + shift per channel after the layer.
  mutating func fold(_ affine: ChannelwiseAffine) {
    for index in weight.indices {
      let row = index / (shape[1] * taps)
      let channel =
        outputAxis == 0 ? row : row / (shape[0] / groups) * shape[1] + index / taps % shape[1]
      weight[index] *= affine.scales[channel]
    }
    let bias = self.bias ?? [Double](repeating: 0, count: affine.scales.count)
    self.bias = bias.indices.map { bias[$0] * affine.scales[$0] + affine.shifts[$0] }
  }

  /// Folds a pointwise convolution with weights [out, between, 1, 1, 1] after a transposed one; both have one group.
  /// - Complexity: O(in · between · out · taps).
  mutating func fold(pointwise: FoldedWeights) {
    let (inputs, between, outputs, taps) = (shape[0], shape[1], pointwise.shape[0], self.taps)
    var folded = [Double](repeating: 0, count: inputs * outputs * taps)
    for input in 0..<inputs {
      for output in 0..<outputs {
        for channel in 0..<between {
          let factor = pointwise.weight[output * between + channel]
          for tap in 0..<taps {
            folded[(input * outputs + output) * taps + tap] +=
              factor * weight[(input * between + channel) * taps + tap]
          }
        }
      }
    }
    if bias != nil || pointwise.bias != nil {
      let own = bias ?? [Double](repeating: 0, count: between)
      var shifts = pointwise.bias ?? [Double](repeating: 0, count: outputs)
      for output in 0..<outputs {
        for channel in 0..<between {
          shifts[output] += pointwise.weight[output * between + channel] * own[channel]
        }
      }
      bias = shifts
    }
    weight = folded
    shape[1] = outputs
  }

  var weightTensor: Tensor { Tensor(shape: shape, elements: weight.map { Float($0) }) }
  var biasTensor: Tensor? { bias.map { Tensor(shape: [$0.count], elements: $0.map { Float($0) }) } }
}
