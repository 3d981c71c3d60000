import Tensors
import Work

/// A layer that makes each voxel of its output of voxels of its input, without weights that are trained: padding,
/// cropping, resizing.
package protocol ResamplingOperation: NetworkOperation {
  associatedtype Geometry: GridResampling
  var geometry: Geometry { get }
}

extension ResamplingOperation {
  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package var initialisationGain: InitialisationGain { .ofReaders }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let (geometry, extent) = (geometry, input.extent)
    return TrainingOutput(try PreparedResampling(geometry)(input, work: work)) {
      gradient, work throws(Cancelled) in
      LayerGradients(
        input: try resamplingGradient(gradient, geometry: geometry, inputExtent: extent, work: work))
    }
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedResampling(geometry))
  }
}

/// A layer that makes its first input as large as its second one, whose values are not read.
package protocol ResamplingToOperation: NetworkOperation {
  var geometry: any GridResampling { get }
}

extension ResamplingToOperation {
  package var inputCounts: ClosedRange<Int> { 2...2 }
  package var inputGrids: InputGrids { .secondIsOutput }
  /// Where its voxels lie in the first input depends on the extents of both.
  package var isLocal: Bool { false }
  package var initialisationGain: InitialisationGain { .ofReaders }

  package func outputExtent(_ input: Extent3, second: Extent3) -> Extent3? {
    geometry.producing(second).output(input)
  }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let (geometry, extent) = (geometry.producing(inputs[1].extent), inputs[0].extent)
    return TrainingOutput(try PreparedResampling(geometry)(inputs[0], work: work)) {
      gradient, work throws(Cancelled) in
      var gradients = LayerGradients(
        input: try resamplingGradient(gradient, geometry: geometry, inputExtent: extent, work: work))
      gradients.inputs.append(nil)
      return gradients
    }
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedResampling(geometry))
  }
}

extension Axis {
  /// 0 for d, 1 for h, 2 for w.
  var number: Int {
    switch self {
    case .d: 0
    case .h: 1
    case .w: 2
    }
  }
}

extension KeyedDecodingContainer {
  /// Numbers along z, y, x, or one for all three; `absent`, where given, if the field is missing.
  func axisNumbers(_ key: Key, absent: Extent3? = nil) throws -> Extent3 {
    if let absent, !contains(key) { return absent }
    if let number = try? decode(Int.self, forKey: key) { return Extent3(number) }
    let numbers = try decode([Int].self, forKey: key)
    guard numbers.count == 3 else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "found \(numbers.count) numbers, expected 3 (z, y, x)")
    }
    return Extent3(numbers[0], numbers[1], numbers[2])
  }

  /// The case whose raw value the field `key` holds; `absent` if the field is missing.
  func choice<Choice: CaseIterable & RawRepresentable<String>>(
    _ key: Key, absent: Choice
  ) throws -> Choice {
    guard let name = try decodeIfPresent(String.self, forKey: key) else { return absent }
    guard let choice = Choice(rawValue: name) else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self,
        debugDescription: "found \"\(name)\", expected one of "
          + Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return choice
  }
}

extension KeyedEncodingContainer {
  /// Writes numbers as [z, y, x].
  mutating func encode(axisNumbers numbers: Extent3, forKey key: Key) throws {
    try encode([numbers.d, numbers.h, numbers.w], forKey: key)
  }
}
