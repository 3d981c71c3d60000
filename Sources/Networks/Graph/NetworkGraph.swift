import Tensors

/// The layers of a network, their connections and its heads, as data.
///
/// The layers form a directed acyclic graph: a layer's output may feed several layers, and some operations join several
/// inputs, such as the skip connections of a U-Net. The graph holds no weights; ``Parameters`` names and shapes those. A
/// model file stores the graph as JSON, so that a new network needs no code.
package struct NetworkGraph: Hashable, Sendable {
  /// The name by which layers refer to the input image.
  package static let inputName = "input"

  package var inputChannels: Int
  /// The layers, in any order.
  package var layers: [Layer]
  /// The outputs: the main head first, then the auxiliary heads of deep supervision.
  package var heads: [Head]

  /// A graph that is not checked yet; ``resolved(subject:)`` checks it.
  package init(inputChannels: Int, layers: [Layer], heads: [Head]) {
    self.inputChannels = inputChannels
    self.layers = layers
    self.heads = heads
  }
}

/// One layer: its name, its inputs and its operation.
package struct Layer: Hashable, Sendable {
  /// Unique; tensors are named after it: "conv1a" has "conv1a.weight" and "conv1a.bias".
  package var name: String
  /// The layers that feed this one, in order, or ``NetworkGraph/inputName``.
  package var inputs: [String]
  /// The operation with its geometry.
  package var operation: any NetworkOperation

  /// The layer `name` whose input is the output of the layer `input`.
  package init(_ name: String, from input: String, _ operation: some NetworkOperation) {
    self.init(name, from: [input], operation)
  }

  /// The layer `name` that joins the outputs of the layers `inputs`.
  package init(_ name: String, from inputs: [String], _ operation: some NetworkOperation) {
    self.name = name
    self.inputs = inputs
    self.operation = operation
  }

  package static func == (one: Layer, other: Layer) -> Bool {
    one.name == other.name && one.inputs == other.inputs && one.operation.equals(other.operation)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(inputs)
    hasher.combine(operation)
  }
}

/// The function that turns the logits of a head into probabilities.
package enum HeadActivation: String, Hashable, Sendable, Codable {
  /// A channel for each class, background first, of which each voxel has one.
  case softmax
  /// A channel for each label and none for background: each label has a region of its own, and regions may overlap.
  case sigmoid

  /// Whether a head's first channel is the background.
  package var hasBackgroundChannel: Bool { self == .softmax }

  /// Classes, background included, of a head with so many channels.
  package func classCount(channels: Int) -> Int { hasBackgroundChannel ? channels : channels + 1 }

  /// Channels of a head with so many classes, background included.
  package func channelCount(classes: Int) -> Int { hasBackgroundChannel ? classes : classes - 1 }
}

/// An output of the network: logits, before softmax or sigmoid.
package struct Head: Hashable, Sendable {
  /// "main", "aux1", ...
  package var name: String
  /// The layer whose output is the logits [N, channels, D, H, W].
  package var layer: String
  package var activation: HeadActivation
  /// Of a sigmoid head the classes in the region of each channel, class 1 the first label; nil where the region of each
  /// label is the label alone.
  ///
  /// Only training reads them.
  package var regions: [[Int]]?
  /// Weight of this head's loss in the training loss: eta of deep supervision; 1 for a usual main head, and 0 for a head
  /// whose classes are not those of the main head.
  package var lossWeight: Double

  /// The head `name` on the output of the layer `layer`.
  package init(
    _ name: String, layer: String, activation: HeadActivation = .softmax, regions: [[Int]]? = nil,
    lossWeight: Double
  ) {
    self.name = name
    self.layer = layer
    self.activation = activation
    self.regions = regions
    self.lossWeight = lossWeight
  }
}
