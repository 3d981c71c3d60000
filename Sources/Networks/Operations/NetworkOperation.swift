import Tensors
import Work

/// What a layer does: everything that graphs, training and inference must know of one kind of layer.
///
/// An operation is one file that conforms to this protocol, one line in ``NetworkOperations/all`` and one row in the
/// table of `Tests/NetworksTests/OperationTests.swift`. Elsewhere operations are named only where the paper's networks
/// and their training rules are written down, and in benchmarks. Encoded, its fields stand beside the layer's name and
/// input in one flat JSON object.
package protocol NetworkOperation: Hashable, Sendable, Codable {
  /// The "kind" of its layers in JSON.
  static var kind: String { get }

  /// What is wrong with its numbers, or nil; see ``GraphLimit``.
  var problem: String? { get }

  /// Channels that leave for channels that enter.
  func outputChannels(_ input: Int) -> Int

  /// Extents that leave for extents that enter; nil where the input is too small.
  func outputExtent(_ input: Extent3) -> Extent3?

  /// The layer's tensors when `inputChannels` enter.
  func parameterSlots(layer: String, inputChannels: Int) -> [ParameterSlot]

  /// The scale along `axis` behind this layer, or nil beyond ``Scale/limit``.
  func scale(_ scale: Scale, along axis: Axis) -> Scale?

  /// The indices along `axis` that enter into the outputs `range`, on an unbounded grid.
  func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int>

  /// Whether values that enter meet a rectifier, by which the weights in front of them are initialised.
  var rectification: Rectification { get }

  /// Runs the layer as training does, and says how its gradients are found.
  func trained(
    _ input: consuming Tensor, by layer: TrainedLayer, work: WorkContext
  ) throws(Cancelled) -> TrainedOutput

  /// The layer as the start of a training step.
  var trainedStep: any TrainedStep { get }

  /// What the layer is to a training step in front of it that may take it in; nil where no step can.
  var trainedFollower: TrainedFollower? { get }

  /// The layer as the start of an inference step.
  func draft(_ parameters: LayerParameters) -> any StepDraft

  /// What the layer is to a step in front of it that may take it in; nil where no step can.
  func follower(_ parameters: LayerParameters) -> StepFollower?
}

extension NetworkOperation {
  package func outputChannels(_ input: Int) -> Int { input }
  package func outputExtent(_ input: Extent3) -> Extent3? { input }
  package var problem: String? { nil }
  package func parameterSlots(layer: String, inputChannels: Int) -> [ParameterSlot] { [] }
  package func scale(_ scale: Scale, along axis: Axis) -> Scale? { scale }
  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> { range }
  package var rectification: Rectification { .never }
  package var trainedStep: any TrainedStep { SingleLayerStep(operation: self) }
  package var trainedFollower: TrainedFollower? { nil }
  package func follower(_ parameters: LayerParameters) -> StepFollower? { nil }

  /// Whether `other` is the same operation with the same numbers.
  func equals(_ other: any NetworkOperation) -> Bool { (other as? Self) == self }
}

/// Where values that enter a layer meet a rectifier.
package enum Rectification: Sendable {
  /// The layer is one.
  case here
  /// The layer scales and shifts, so that the layers behind it decide.
  case behind
  /// Nowhere near.
  case never
}

/// Every operation that a graph may use.
package enum NetworkOperations {
  /// One line each.
  package static let all: [any NetworkOperation.Type] = [
    ConvolutionOperation.self,
    TransposedConvolutionOperation.self,
    MaxPoolingOperation.self,
    BatchNormalisationOperation.self,
    RectifierOperation.self,
  ]

  /// The operation of that kind.
  static func named(_ kind: String) -> (any NetworkOperation.Type)? { all.first { $0.kind == kind } }
}

/// The tensors of one layer.
package struct LayerParameters: Sendable {
  /// The layer's name, with which its tensors' names begin.
  package let layer: String
  private let parameters: Parameters

  package init(_ layer: String, _ parameters: Parameters) {
    self.layer = layer
    self.parameters = parameters
  }

  /// The layer's tensor of that role, which it must have.
  package subscript(role: ParameterSlot.Role) -> Tensor { parameters["\(layer).\(role.rawValue)"] }
}
