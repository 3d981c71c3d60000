import Tensors
import Work

/// One kernel call of a prepared network, which may stand for several layers of the graph.
struct InferenceStep: Sendable {
  enum Operation: Sendable {
    case convolution(PreparedConvolution, bias: Tensor?, rectifies: Bool, weightCount: Int)
    case transposedConvolution(
      TransposedConvolutionGeometry, weight: Tensor, bias: Tensor?, rectifies: Bool)
    case maxPooling(PoolingGeometry)
    case batchNormalisation(ChannelwiseAffine)
    case rectifier
  }

  /// The graph's node whose output this step's is: the last of those it stands for.
  let node: Int
  /// The step that feeds this one; nil for the image.
  let source: Int?
  let operation: Operation

  func run(_ input: consuming Tensor, work: WorkContext) throws(Cancelled) -> Tensor {
    switch operation {
    case .convolution(let convolution, let bias, let rectifies, _):
      return try convolution.apply(input, bias: bias, rectifies: rectifies, work: work)
    case .transposedConvolution(let geometry, let weight, let bias, let rectifies):
      var output = try transposedConvolution(
        input, weight: weight, bias: bias, geometry: geometry, work: work)
      if rectifies { try rectify(&output, work: work) }
      return output
    case .maxPooling(let geometry):
      return try maxPooling(input, geometry: geometry, work: work).output
    case .batchNormalisation(let affine):
      return try affine.apply(input, work: work)
    case .rectifier:
      try rectify(&input, work: work)
      return input
    }
  }

  /// Floating-point operations of one sample.
  func cost(entering: Extent3, leaving: Extent3) -> Double {
    switch operation {
    case .convolution(_, _, _, let weightCount): 2 * Double(weightCount) * Double(leaving.product)
    case .transposedConvolution(_, let weight, _, _):
      2 * Double(weight.elements.count) * Double(entering.product)
    case .maxPooling, .batchNormalisation, .rectifier: Double(entering.product)
    }
  }
}

/// y = factor x + offset per channel: what a batch normalisation is at inference.
struct ChannelwiseAffine: Sendable {
  var factors: [Double]
  var offsets: [Double]

  /// From running statistics: factor = weight / sqrt(variance + epsilon), offset = bias - mean factor.
  init(layer: String, epsilon: Float, parameters: Parameters) {
    func values(_ role: ParameterSlot.Role) -> [Double] {
      parameters["\(layer).\(role.rawValue)"].elements.map(Double.init)
    }
    let variances = values(.runningVariance)
    factors = zip(values(.weight), variances).map { $0 / ($1 + Double(epsilon)).squareRoot() }
    offsets = zip(values(.bias), zip(values(.runningMean), factors)).map { $0 - $1.0 * $1.1 }
  }

  func apply(_ input: Tensor, work: WorkContext) throws(Cancelled) -> Tensor {
    let channels = [factors.count]
    return try batchNormalisation(
      input, scale: Tensor(shape: channels, elements: factors.map { Float($0) }),
      shift: Tensor(shape: channels, elements: offsets.map { Float($0) }), mean: Tensor(shape: channels),
      variance: Tensor(shape: channels, repeating: 1), epsilon: 0, work: work)
  }
}
