import Networks
import Tensors

/// A network while its layers that multiply and shift channels are folded.
struct FoldedNetwork {
  private(set) var layers: [Layer]
  private(set) var tensors: [String: Tensor]
  /// For each layer that was taken away the one that gives its values.
  private var replaced: [String: String] = [:]

  /// Folds the affine layers of `layers` into the layers before them, where these have no other reader and are no head.
  ///
  /// They become the factors and summands of a normalisation without such, or change those of a normalisation or the
  /// weights of a convolution; that is exact but for rounding, since nothing lies between them. Others stay pointwise
  /// convolutions.
  /// - Complexity: O(layers + weights).
  init(layers: [Layer], tensors: [String: Tensor], affines: [String: ChannelAffine], heads: Set<String>) {
    self.layers = []
    self.tensors = tensors
    var readerCounts: [String: Int] = [:]
    for input in layers.flatMap(\.inputs) { readerCounts[input, default: 0] += 1 }
    var positions: [String: Int] = [:]
    for layer in layers {
      var layer = layer
      layer.inputs = layer.inputs.map { replaced[$0] ?? $0 }
      if let affine = affines[layer.name], let position = positions[layer.inputs[0]],
        readerCounts[layer.inputs[0], default: 0] == 1, !heads.contains(layer.inputs[0]),
        fold(affine, into: position)
      {
        // The layer that stays has the readers of the one that goes.
        readerCounts[layer.inputs[0]] = readerCounts[layer.name]
        replaced[layer.name] = layer.inputs[0]
        for role in [ParameterSlot.Role.weight, .bias] {
          self.tensors["\(layer.name).\(role.rawValue)"] = nil
        }
        continue
      }
      positions[layer.name] = self.layers.count
      self.layers.append(layer)
    }
  }

  /// The layer that gives the values of the layer `name`.
  func current(_ name: String) -> String { replaced[name] ?? name }

  /// Changes the layer at `position` so that its output is multiplied and shifted; false where it cannot be.
  private mutating func fold(_ affine: ChannelAffine, into position: Int) -> Bool {
    let name = layers[position].name
    switch layers[position].operation {
    case var operation as InstanceNormalisationOperation:
      setAffine(of: name, isAffine: operation.isAffine, affine)
      operation.isAffine = true
      layers[position].operation = operation
    case var operation as GroupNormalisationOperation:
      setAffine(of: name, isAffine: operation.isAffine, affine)
      operation.isAffine = true
      layers[position].operation = operation
    case is BatchNormalisationOperation: setAffine(of: name, isAffine: true, affine)
    case var operation as ConvolutionOperation:
      guard let weight = tensors["\(name).weight"] else { return false }
      let size = weight.elements.count / operation.outputChannels
      tensors["\(name).weight"] = Tensor(
        shape: weight.shape,
        elements: weight.elements.enumerated().map { index, value in value * affine.scale[index / size] })
      let bias = operation.hasBias ? tensors["\(name).bias"] : nil
      setBias(of: name, bias?.elements, affine)
      operation.hasBias = true
      layers[position].operation = operation
    default: return false
    }
    return true
  }

  private mutating func setAffine(of name: String, isAffine: Bool, _ affine: ChannelAffine) {
    let count = affine.scale.count
    let weight = isAffine ? tensors["\(name).weight"] : nil
    tensors["\(name).weight"] = Tensor(
      shape: [count], elements: weight.map { zip($0.elements, affine.scale).map { $0 * $1 } } ?? affine.scale)
    setBias(of: name, isAffine ? tensors["\(name).bias"]?.elements : nil, affine)
  }

  private mutating func setBias(of name: String, _ bias: [Float]?, _ affine: ChannelAffine) {
    tensors["\(name).bias"] = Tensor(
      shape: [affine.shift.count],
      elements: affine.shift.indices.map { (bias?[$0] ?? 0) * affine.scale[$0] + affine.shift[$0] })
  }
}
