import Tensors

/// The layers of a network, which feeds which, and where its scores leave: data, not code.
///
/// Any acyclic graph of single-input layers, so that a layer may feed several others (branches). It knows no
/// weights; ``Parameters`` names and shapes those. It is stored as JSON in a model file, so that a network that
/// no code names runs from its file alone.
package struct NetworkGraph: Hashable, Sendable {
  /// The name by which layers refer to the image that enters.
  package static let inputName = "input"

  /// Channels of the image that enters.
  package var inputChannels: Int
  /// The layers, in any order.
  package var layers: [Layer]
  /// Where scores leave: the main head first, then the auxiliary heads of deep supervision.
  package var heads: [Head]

  /// A graph; ``resolved(subject:)`` says whether it makes sense.
  package init(inputChannels: Int, layers: [Layer], heads: [Head]) {
    self.inputChannels = inputChannels
    self.layers = layers
    self.heads = heads
  }
}

/// One layer: a name, the layer that feeds it, and what it does.
package struct Layer: Hashable, Sendable {
  /// Unique; tensors are named after it: "conv1a" has "conv1a.weight" and "conv1a.bias".
  package var name: String
  /// The layer that feeds this one, or ``NetworkGraph/inputName``.
  package var input: String
  /// What it does.
  package var operation: any NetworkOperation

  /// A layer.
  package init(_ name: String, from input: String, _ operation: some NetworkOperation) {
    self.name = name
    self.input = input
    self.operation = operation
  }

  package static func == (one: Layer, other: Layer) -> Bool {
    one.name == other.name && one.input == other.input && one.operation.equals(other.operation)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(input)
    hasher.combine(operation)
  }
}

/// A place where class scores (before softmax) leave the network.
package struct Head: Hashable, Sendable {
  /// "main", "aux1", ...
  package var name: String
  /// The layer whose output are the scores [N, classes, D, H, W].
  package var layer: String
  /// Weight of this head's cross-entropy in the training loss: eta of deep supervision; 1 for a usual main head.
  package var lossWeight: Double

  /// A head.
  package init(_ name: String, layer: String, lossWeight: Double) {
    self.name = name
    self.layer = layer
    self.lossWeight = lossWeight
  }
}
