import Tensors
import Work

/// A pooling: an operation on windows of each channel.
package protocol PoolingOperation: NetworkOperation {
  /// Windows, stride and padding; its padding is none where there is a rule for it.
  var geometry: PoolingGeometry { get }
  /// The rule that gives the padding of an input; nil where the geometry states it.
  var samePadding: SamePadding? { get }

  /// The kernel of an inference step for a geometry with its padding.
  func prepared(_ geometry: PoolingGeometry) -> any PreparedOperation
}

extension PoolingOperation {
  package var problem: String? {
    let (kernel, padding) = (geometry.kernel, geometry.padding)
    return GraphLimit.problem(kernel, "kernel", from: 1)
      ?? GraphLimit.problem(geometry.stride, "stride", from: 1)
      ?? GraphLimit.problem(padding)
      ?? (Axis.allCases.allSatisfy { max($0(padding.before), $0(padding.after)) < $0(kernel) }
        ? nil : "padding: expected less than the kernel")
  }

  /// The geometry with the padding of an input.
  package func geometry(for input: Extent3) -> PoolingGeometry {
    guard let samePadding else { return geometry }
    var geometry = geometry
    geometry.padding = samePadding.padding(
      kernel: geometry.kernel, stride: geometry.stride, dilation: Extent3(1), input: input)
    return geometry
  }

  package func outputExtent(_ input: Extent3) -> Extent3? { geometry(for: input).output(input) }

  package func cumulativeStride(_ input: CumulativeStride, along axis: Axis) -> CumulativeStride? {
    input.strided(axis(geometry.stride))
  }

  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> {
    // A rule for the padding gives that of an input whose extents are multiples of the stride.
    let (stride, before) = (axis(geometry.stride), axis(geometry(for: geometry.stride).padding.before))
    return
      (range.lowerBound * stride - before)...(range.upperBound * stride - before
      + axis(geometry.kernel) - 1)
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    PoolingStepBuilder(operation: self)
  }
}

/// A step of nothing but a pooling, whose padding may depend on the input.
private struct PoolingStepBuilder<Operation: PoolingOperation>: StepBuilder {
  let operation: Operation

  func fuse(_ epilogue: InferenceEpilogue) -> Bool { false }
  func variant(for input: Extent3, slabDepth: Int) -> PoolingGeometry { operation.geometry(for: input) }

  func operations(_ variant: PoolingGeometry, work: WorkContext) -> [any PreparedOperation] {
    [operation.prepared(variant)]
  }
}

/// The fields in JSON that poolings share.
struct PoolingFields {
  var geometry: PoolingGeometry
  var samePadding: SamePadding?

  private enum CodingKeys: String, CodingKey { case kernel, stride, padding, dilation, roundsUp }
}

extension PoolingFields {
  /// Reads the fields; without a stride it is the kernel, and without padding it is 0.
  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let grid = try CodedGrid(from: decoder)
    let padding = try values.padding(.padding, in: grid)
    guard try values.extent(.dilation, absent: Extent3(1), in: grid, depth: 1) == Extent3(1) else {
      throw DecodingError.dataCorruptedError(
        forKey: .dilation, in: values, debugDescription: "expected 1, since poolings are not dilated")
    }
    geometry = PoolingGeometry(
      kernel: grid.kernel, stride: try values.extent(.stride, absent: grid.kernel, in: grid, depth: 1),
      padding: padding.numbers, roundsUp: try values.flag(.roundsUp, absent: false))
    samePadding = padding.rule
  }

  /// Writes the fields but for a padding of 0.
  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(geometry.kernel, forKey: .kernel)
    try values.encode(geometry.stride, forKey: .stride)
    let padding = CodedPadding(numbers: geometry.padding, rule: samePadding)
    if padding != CodedPadding(numbers: .none) { try values.encode(padding, forKey: .padding) }
    try values.encode(geometry.roundsUp, forKey: .roundsUp)
  }
}
