import Tensors
import Work

/// The mean or the maximum over all voxels of each channel, [N, C, 1, 1, 1]: the squeeze of squeeze-and-excitation.
package struct GlobalPoolingOperation: NetworkOperation {
  package static let kind = "globalPooling"

  /// What is taken of all voxels.
  package var statistic: GlobalStatistic

  package init(_ statistic: GlobalStatistic) { self.statistic = statistic }

  package var isLocal: Bool { false }

  package func outputExtent(_ input: Extent3) -> Extent3? { Extent3(1) }

  package func cumulativeStride(_ input: CumulativeStride, along axis: Axis) -> CumulativeStride? {
    .wholeImage
  }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let statistic = statistic
    let output = try PreparedGlobalPooling(statistic)(input, work: work)
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      LayerGradients(
        input: try globalPoolingGradient(gradient, statistic, input: input, output: output, work: work))
    }
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedGlobalPooling(statistic))
  }
}

extension NetworkOperation where Self == GlobalPoolingOperation {
  package static func globalPooling(_ statistic: GlobalStatistic) -> GlobalPoolingOperation {
    GlobalPoolingOperation(statistic)
  }
}

extension GlobalPoolingOperation {
  private enum CodingKeys: String, CodingKey { case statistic }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let name = try values.decodeIfPresent(String.self, forKey: .statistic) ?? GlobalStatistic.average.rawValue
    guard let statistic = GlobalStatistic(rawValue: name) else {
      throw DecodingError.dataCorruptedError(
        forKey: .statistic, in: values, debugDescription: "found \"\(name)\", expected average or maximum")
    }
    self.statistic = statistic
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(statistic.rawValue, forKey: .statistic)
  }
}
