import Tensors
import Work

/// Weights and bias of a convolution in double precision while layers behind it are folded into them.
private struct FoldedWeights {
  var shape: [Int]
  var weight: [Double]
  var bias: [Double]?
  /// Which dimension of `shape` counts output channels: 0 for a convolution, 1 for a transposed one.
  let outputAxis: Int

  init(layer: String, hasBias: Bool, outputAxis: Int, parameters: Parameters) {
    let tensor = parameters["\(layer).weight"]
    shape = tensor.shape
    weight = tensor.elements.map(Double.init)
    bias = hasBias ? parameters["\(layer).bias"].elements.map(Double.init) : nil
    self.outputAxis = outputAxis
  }

  private var taps: Int { shape[2] * shape[3] * shape[4] }

  /// Follows the layer by y = factor x + offset per channel.
  mutating func fold(_ affine: ChannelwiseAffine) {
    for index in weight.indices {
      let channel = outputAxis == 0 ? index / (shape[1] * taps) : index / taps % shape[1]
      weight[index] *= affine.factors[channel]
    }
    let bias = self.bias ?? [Double](repeating: 0, count: affine.factors.count)
    self.bias = bias.indices.map { bias[$0] * affine.factors[$0] + affine.offsets[$0] }
  }

  /// Follows a transposed convolution by a pointwise one, whose weights are [out, between, 1, 1, 1].
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
      var offsets = pointwise.bias ?? [Double](repeating: 0, count: outputs)
      for output in 0..<outputs {
        for channel in 0..<between {
          offsets[output] += pointwise.weight[output * between + channel] * own[channel]
        }
      }
      bias = offsets
    }
    weight = folded
    shape[1] = outputs
  }

  var weightTensor: Tensor { Tensor(shape: shape, elements: weight.map { Float($0) }) }
  var biasTensor: Tensor? { bias.map { Tensor(shape: [$0.count], elements: $0.map { Float($0) }) } }
}

extension ResolvedGraph {
  /// The kernel calls that the given heads need.
  ///
  /// A layer whose output has a single reader and is no head's takes that reader in: batch normalisation folds
  /// into a convolution of either kind, a rectifier joins it, and a pointwise convolution folds into a transposed
  /// one that nothing but batch normalisation separates from it.
  func inferenceSteps(
    forHeads heads: [Int], parameters: Parameters, work: WorkContext
  ) throws(Cancelled) -> [InferenceStep] {
    let isNeeded = nodesNeeded(byHeads: heads)
    let outputs = Set(heads.map { headNodes[$0] })
    var readers = [[Int]](repeating: [], count: nodes.count)
    for index in nodes.indices where isNeeded[index] {
      if let source = nodes[index].source { readers[source].append(index) }
    }
    func onlyReader(of node: Int) -> Int? {
      !outputs.contains(node) && readers[node].count == 1 ? readers[node][0] : nil
    }
    var steps: [InferenceStep] = []
    var stepOfNode = [Int?](repeating: nil, count: nodes.count)
    for index in nodes.indices where isNeeded[index] && stepOfNode[index] == nil {
      let (operation, taken) = try fusedOperation(
        at: index, parameters: parameters, onlyReader: onlyReader, work: work)
      for node in taken { stepOfNode[node] = steps.count }
      let source = nodes[index].source.map { source in
        guard let step = stepOfNode[source] else {
          preconditionFailure("node \(source) has no step before its reader \(index)")
        }
        return step
      }
      steps.append(InferenceStep(node: taken[taken.count - 1], source: source, operation: operation))
    }
    return steps
  }

  /// The operation of a node with those behind it that fold into it, and all nodes that it stands for.
  private func fusedOperation(
    at index: Int, parameters: Parameters, onlyReader: (Int) -> Int?, work: WorkContext
  ) throws(Cancelled) -> (InferenceStep.Operation, taken: [Int]) {
    let layer = nodes[index].layer
    switch layer.kind {
    case .convolution(let geometry, _, let hasBias):
      var folded = FoldedWeights(
        layer: layer.name, hasBias: hasBias, outputAxis: 0, parameters: parameters)
      let (taken, rectifies) = fold(
        into: &folded, from: index, parameters: parameters, onlyReader: onlyReader)
      let weight = folded.weightTensor
      let prepared = try PreparedConvolution(weight: weight, geometry: geometry, work: work)
      return (
        .convolution(
          prepared, bias: folded.biasTensor, rectifies: rectifies, weightCount: weight.elements.count), taken
      )
    case .transposedConvolution(let geometry, _, let hasBias):
      var folded = FoldedWeights(
        layer: layer.name, hasBias: hasBias, outputAxis: 1, parameters: parameters)
      let (taken, rectifies) = fold(
        into: &folded, from: index, parameters: parameters, onlyReader: onlyReader)
      return (
        .transposedConvolution(
          geometry, weight: folded.weightTensor, bias: folded.biasTensor, rectifies: rectifies), taken
      )
    case .maxPooling(let geometry):
      return (.maxPooling(geometry), [index])
    case .batchNormalisation(let epsilon):
      let affine = ChannelwiseAffine(layer: layer.name, epsilon: epsilon, parameters: parameters)
      return (.batchNormalisation(affine), [index])
    case .rectifier:
      return (.rectifier, [index])
    }
  }

  private func fold(
    into folded: inout FoldedWeights, from start: Int, parameters: Parameters, onlyReader: (Int) -> Int?
  ) -> (taken: [Int], rectifies: Bool) {
    var taken = [start]
    while let reader = onlyReader(taken[taken.count - 1]) {
      let layer = nodes[reader].layer
      switch layer.kind {
      case .batchNormalisation(let epsilon):
        folded.fold(ChannelwiseAffine(layer: layer.name, epsilon: epsilon, parameters: parameters))
      case .rectifier:
        return (taken + [reader], true)
      case .convolution(let geometry, let outputChannels, let hasBias):
        // Exact, and cheaper as long as it does not widen the transposed convolution.
        guard folded.outputAxis == 1, geometry == ConvolutionGeometry(kernel: Extent3(1)),
          outputChannels <= folded.shape[1]
        else { return (taken, false) }
        folded.fold(
          pointwise: FoldedWeights(
            layer: layer.name, hasBias: hasBias, outputAxis: 0, parameters: parameters))
      case .transposedConvolution, .maxPooling:
        return (taken, false)
      }
      taken.append(reader)
    }
    return (taken, false)
  }
}
