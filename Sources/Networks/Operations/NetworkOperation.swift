import Tensors
import Work

/// The operation of a layer: everything that graphs, training and inference need to know of one kind of layer.
///
/// An operation is one file that conforms to this protocol, one line in ``NetworkOperations/all`` and one row in the
/// table of `Tests/NetworksTests/OperationTests.swift`. Elsewhere operations are named only where the paper's networks
/// and their training rules are written down. In JSON its fields are in one flat object with the layer's name and
/// input.
package protocol NetworkOperation: Hashable, Sendable, Codable {
  /// The "kind" of its layers in JSON.
  static var kind: String { get }

  /// The kinds of it in JSON of earlier releases, which are read and never written.
  static var earlierKinds: [String] { get }

  /// Describes the first field out of range; nil where there is none. See ``GraphLimit``.
  var problem: String? { get }

  /// The numbers of inputs that a layer may have.
  var inputCounts: ClosedRange<Int> { get }

  /// The grids that several inputs may have.
  var inputGrids: InputGrids { get }

  /// Whether outputs depend on the inputs that ``inputs(of:along:)`` names alone, so that an image can be computed in
  /// tiles; otherwise each depends on the whole image.
  var isLocal: Bool { get }

  /// Describes channels of the inputs that do not fit together; nil where they do.
  func problem(inputChannels: [Int]) -> String?

  /// Channels of the output for inputs of `inputs` channels.
  func outputChannels(_ inputs: [Int]) -> Int

  /// The operation with `count` channels of the output; itself where the output has the input's channels.
  func withOutputChannels(_ count: Int) -> any NetworkOperation

  /// Extents of the output for inputs of extents `input`; nil where the input is too small.
  func outputExtent(_ input: Extent3) -> Extent3?

  /// Extents of the output for a first input of extents `input`, where the second of extents `second` is not read; nil
  /// where the first is too small.
  func outputExtent(_ input: Extent3, second: Extent3) -> Extent3?

  /// The slots of the layer's tensors for a first input of `inputChannels` channels.
  func parameterSlots(layer: String, inputChannels: Int) -> [ParameterSlot]

  /// The cumulative stride of the output along `axis`, given that of the inputs; nil beyond
  /// ``CumulativeStride/maximum``.
  func cumulativeStride(_ input: CumulativeStride, along axis: Axis) -> CumulativeStride?

  /// The indices of each input along `axis` that the outputs `range` depend on, on an unbounded grid.
  func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int>

  /// The gain of He initialisation for a layer before this one.
  var initialisationGain: InitialisationGain { get }

  /// The forward pass in training, with a closure for the backward pass.
  func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput

  /// A training step that begins with this layer.
  var fusedTrainingStep: any FusedTrainingStep { get }

  /// A training step that begins with this layer, whose parameters are frozen.
  var frozenTrainingStep: any FusedTrainingStep { get }

  /// This layer as an epilogue of a training step before it; nil where it cannot be fused.
  var trainingEpilogue: TrainingEpilogue? { get }

  /// Whether the layer does nothing at inference, so that it is left out of the step before it.
  var isIdentityAtInference: Bool { get }

  /// The builder of an inference step that begins with this layer.
  func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder

  /// This layer as an epilogue of an inference step before it; nil where it cannot be fused.
  func inferenceEpilogue(_ parameters: LayerParameters) -> InferenceEpilogue?
}

extension NetworkOperation {
  package static var earlierKinds: [String] { [] }
  package var inputCounts: ClosedRange<Int> { 1...1 }
  package var inputGrids: InputGrids { .equal }
  package var isLocal: Bool { true }
  package func problem(inputChannels: [Int]) -> String? { nil }
  package func outputChannels(_ inputs: [Int]) -> Int { inputs[0] }
  package func withOutputChannels(_ count: Int) -> any NetworkOperation { self }
  package func outputExtent(_ input: Extent3) -> Extent3? { input }
  package func outputExtent(_ input: Extent3, second: Extent3) -> Extent3? { outputExtent(input) }
  package var problem: String? { nil }
  package func parameterSlots(layer: String, inputChannels: Int) -> [ParameterSlot] { [] }
  package func cumulativeStride(_ input: CumulativeStride, along axis: Axis) -> CumulativeStride? { input }
  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> { range }
  package var initialisationGain: InitialisationGain { .linear }
  package var fusedTrainingStep: any FusedTrainingStep { UnfusedTrainingStep(operation: self) }
  package var frozenTrainingStep: any FusedTrainingStep { fusedTrainingStep }
  package var trainingEpilogue: TrainingEpilogue? { nil }
  package var isIdentityAtInference: Bool { false }
  package func inferenceEpilogue(_ parameters: LayerParameters) -> InferenceEpilogue? { nil }

  /// Whether `other` is the same operation with the same numbers.
  func equals(_ other: any NetworkOperation) -> Bool { (other as? Self) == self }
}

/// The grids that the inputs of one layer may have.
package enum InputGrids: Sendable {
  /// Equal cumulative strides and equal extents; the layer reads the same range of each.
  case equal
  /// The same but for inputs that have one voxel for the whole image, whose values count for every voxel of the others.
  case equalOrWholeImage
  /// Any two: the second has the grid of the output, and its values are not read.
  case secondIsOutput
}

/// The gain of He initialisation for weights whose outputs a layer reads, as PyTorch's `calculate_gain` has it.
package enum InitialisationGain: Sendable {
  /// The layer is a ReLU, or resembles one: the variance is doubled.
  case relu
  /// The layer only scales, shifts, adds or concatenates: the readers of its output decide.
  case ofReaders
  /// Any other layer: the variance is not changed.
  case linear
}

/// Every operation that a graph may use.
package enum NetworkOperations {
  /// The operations, one per line.
  package static let all: [any NetworkOperation.Type] = [
    ConvolutionOperation.self,
    TransposedConvolutionOperation.self,
    MaxPoolingOperation.self,
    AveragePoolingOperation.self,
    BatchNormalisationOperation.self,
    InstanceNormalisationOperation.self,
    GroupNormalisationOperation.self,
    ReLUOperation.self,
    LeakyReLUOperation.self,
    ParametricReLUOperation.self,
    ELUOperation.self,
    GELUOperation.self,
    SiLUOperation.self,
    SigmoidOperation.self,
    TanhOperation.self,
    ClipOperation.self,
    SoftplusOperation.self,
    AddOperation.self,
    MultiplyOperation.self,
    GlobalPoolingOperation.self,
    PadOperation.self,
    CropOperation.self,
    SliceChannelsOperation.self,
    ResizeOperation.self,
    CentreCropOperation.self,
    ResizeToOperation.self,
    DropoutOperation.self,
    ConcatenateOperation.self,
  ]

  /// The operation of the kind or earlier kind `kind`; nil where there is none.
  static func named(_ kind: String) -> (any NetworkOperation.Type)? {
    all.first { $0.kind == kind || $0.earlierKinds.contains(kind) }
  }
}

/// The tensors of one layer by role.
package struct LayerParameters: Sendable {
  /// The layer's name, which is the prefix of its tensors' names.
  package let layer: String
  private let parameters: Parameters

  package init(_ layer: String, _ parameters: Parameters) {
    self.layer = layer
    self.parameters = parameters
  }

  /// The layer's tensor of the role `role`, which must exist.
  package subscript(role: ParameterSlot.Role) -> Tensor { parameters["\(layer).\(role.rawValue)"] }
}
