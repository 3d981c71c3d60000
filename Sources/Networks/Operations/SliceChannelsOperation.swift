import Tensors
import Work

/// Some consecutive channels of its input.
package struct SliceChannelsOperation: NetworkOperation {
  package static let kind = "sliceChannels"

  /// The first channel.
  package var first: Int
  /// The number of channels.
  package var count: Int

  package init(first: Int, count: Int) {
    self.first = first
    self.count = count
  }

  package var problem: String? {
    guard (0..<GraphLimit.channels).contains(first) else {
      return "first: found \(first), expected 0 to \(GraphLimit.channels - 1)"
    }
    return (1...GraphLimit.channels).contains(count)
      ? nil : "count: found \(count), expected 1 to \(GraphLimit.channels)"
  }

  private var range: Range<Int> { first..<first + count }

  package func problem(inputChannels: [Int]) -> String? {
    range.upperBound <= inputChannels[0]
      ? nil : "its input has no channels \(first) to \(range.upperBound - 1), counted from 0"
  }

  package func outputChannels(_ inputs: [Int]) -> Int { count }

  package var initialisationGain: InitialisationGain { .ofReaders }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let (range, channels) = (range, input.channels)
    return TrainingOutput(try input.channels(range, work: work)) { gradient, work throws(Cancelled) in
      LayerGradients(input: try gradient.placed(at: range.lowerBound, ofChannels: channels, work: work))
    }
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedChannelSlice(range))
  }
}

extension NetworkOperation where Self == SliceChannelsOperation {
  package static func sliceChannels(first: Int, count: Int) -> SliceChannelsOperation {
    SliceChannelsOperation(first: first, count: count)
  }
}

extension SliceChannelsOperation {
  private enum CodingKeys: String, CodingKey { case first, count }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    first = try values.decode(Int.self, forKey: .first)
    count = try values.decode(Int.self, forKey: .count)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(first, forKey: .first)
    try values.encode(count, forKey: .count)
  }
}
