import ArgumentParser
import Networks
import Tensors
import Work

/// A layer with noise as its input and as its output gradient.
struct LayerSubject {
  /// One computation to time.
  struct Part {
    /// "forward", "input gradient", "weight gradient" or "gradients".
    var name: String
    var kernel: String
    /// Additions and multiplications of direct summation.
    var operations: Double
    /// Seconds of the preparation of the weights, where it is done once.
    var preparationSeconds: Double?
    var run: () throws -> Void
  }

  let node: ResolvedGraph.Node
  let inputExtent: Extent3
  let outputExtent: Extent3
  let parameters: Parameters
  let method: ConvolutionMethod?
  let work: WorkContext

  /// "8 x 160x160x72": channels and extents.
  func text(_ channels: Int, _ extent: Extent3) -> String { "\(channels) x \(extent.shapeText)" }

  /// The computations of this layer.
  /// - Throws: `ValidationError` when the layer is not a convolution and a method is given, or does not support it.
  func parts() throws -> [Part] {
    if let layer = node.layer.operation as? ConvolutionOperation {
      return try convolutionParts(layer.geometry(for: inputExtent))
    }
    guard method == nil else {
      throw ValidationError("--method is for convolutions; \(node.layer.name) is none")
    }
    switch node.layer.operation {
    case let layer as TransposedConvolutionOperation: return transposedConvolutionParts(layer.geometry)
    case let layer as MaxPoolingOperation: return poolingParts(layer.geometry(for: inputExtent))
    case let layer as BatchNormalisationOperation: return normalisationParts(layer.epsilon)
    case is ReLUOperation: return reluParts()
    default: return trainingParts(node.layer.operation)
    }
  }

  private var input: Tensor { inputs[0] }
  private var inputs: [Tensor] {
    node.inputChannels.map {
      Tensor(noise: [1, $0, inputExtent.d, inputExtent.h, inputExtent.w], seed: 1)
    }
  }
  private var outputGradient: Tensor {
    Tensor(noise: [1, node.outputChannels, outputExtent.d, outputExtent.h, outputExtent.w], seed: 2)
  }
  private var name: String { node.layer.name }
  private var weight: Tensor { parameters["\(name).weight"] }

  private func convolutionParts(_ geometry: ConvolutionGeometry) throws -> [Part] {
    let (input, gradient, weight, work) = (input, outputGradient, weight, work)
    let problem = ConvolutionMethod.Problem(
      geometry: geometry, weightShape: weight.shape, inputExtent: inputExtent)
    if let method, !method.supports(problem) {
      throw ValidationError("\(name) cannot be computed by --method \(method)")
    }
    var prepared: PreparedConvolution?
    let preparation = try Measurement.seconds {
      prepared = try PreparedConvolution(
        weight: weight, geometry: geometry, inputExtent: inputExtent, method: method, work: work)
    }
    guard let convolution = prepared else { preconditionFailure("\(name) was prepared and is not there") }
    let operations = 2 * Double(weight.elements.count) * Double(outputExtent.product)
    return [
      Part(
        name: "forward", kernel: "\(convolution.method)", operations: operations,
        preparationSeconds: preparation
      ) { _ = try convolution.apply(input, activation: .relu, work: work) },
      Part(name: "gradients", kernel: "\(convolution.method)", operations: 2 * operations) {
        _ = try convolution.gradients(input: input, outputGradient: gradient, work: work)
      },
      Part(name: "weight gradient", kernel: "\(ConvolutionMethod.best(for: problem))", operations: operations)
      {
        _ = try convolutionWeightGradient(
          input: input, outputGradient: gradient, geometry: geometry, work: work)
      },
    ]
  }

  private func transposedConvolutionParts(_ geometry: TransposedConvolutionGeometry) -> [Part] {
    let (input, gradient, weight, work) = (input, outputGradient, weight, work)
    let operations = 2 * Double(weight.elements.count) * Double(inputExtent.product)
    let kernel = "transposedConvolution"
    return [
      Part(name: "forward", kernel: kernel, operations: operations) {
        _ = try transposedConvolution(input, weight: weight, geometry: geometry, work: work)
      },
      Part(name: "input gradient", kernel: kernel, operations: operations) {
        _ = try transposedConvolutionInputGradient(gradient, weight: weight, geometry: geometry, work: work)
      },
      Part(name: "weight gradient", kernel: kernel, operations: operations) {
        _ = try transposedConvolutionWeightGradient(
          input: input, outputGradient: gradient, geometry: geometry, work: work)
      },
    ]
  }

  private func poolingParts(_ geometry: PoolingGeometry) -> [Part] {
    let (input, gradient, extent, work) = (input, outputGradient, inputExtent, work)
    let comparisons = Double(input.elements.count)
    var argMaxIndices: [Int32] = []
    return [
      Part(name: "forward", kernel: "maxPooling", operations: comparisons) {
        argMaxIndices = try maxPooling(input, geometry: geometry, work: work).argMaxIndices
      },
      Part(name: "input gradient", kernel: "maxPooling", operations: comparisons) {
        _ = try maxPoolingInputGradient(
          gradient, argMaxIndices: argMaxIndices, geometry: geometry, inputExtent: extent, work: work)
      },
    ]
  }

  private func normalisationParts(_ epsilon: Float) -> [Part] {
    let (input, gradient, scale, work) = (input, outputGradient, weight, work)
    let shift = parameters["\(name).bias"]
    let operations = 2 * Double(input.elements.count)
    var statistics: BatchStatistics?
    return [
      Part(name: "forward", kernel: "batchNormalisation", operations: operations) {
        statistics =
          try batchNormalisation(input, scale: scale, shift: shift, epsilon: epsilon, work: work).statistics
      },
      Part(name: "gradients", kernel: "batchNormalisation", operations: 2 * operations) {
        guard let statistics else { preconditionFailure("gradients before the forward pass") }
        _ = try batchNormalisationGradients(
          input: input, outputGradient: gradient, scale: scale, statistics: statistics, work: work)
      },
    ]
  }

  /// The passes of an operation that has no parts of its own above, as training runs them; one operation is counted for
  /// each element of the output.
  private func trainingParts(_ operation: any NetworkOperation) -> [Part] {
    let (inputs, gradient, work) = (inputs, outputGradient, work)
    let layer = TrainingLayer(parameters: LayerParameters(name, parameters), passesGradient: true)
    let kernel = type(of: operation).kind
    let elements = Double(gradient.elements.count)
    var output: TrainingOutput?
    return [
      Part(name: "forward", kernel: kernel, operations: elements) {
        output = try operation.forward(inputs, by: layer, work: work)
      },
      Part(name: "gradients", kernel: kernel, operations: elements) {
        guard let output else { preconditionFailure("gradients before the forward pass") }
        _ = try output.backward(gradient, work)
      },
    ]
  }

  private func reluParts() -> [Part] {
    let (input, work) = (input, work)
    var (output, gradient) = (input, outputGradient)
    let operations = Double(input.elements.count)
    return [
      Part(name: "forward", kernel: "relu", operations: operations) { try relu(&output, work: work) },
      Part(name: "input gradient", kernel: "relu", operations: operations) {
        try reluGradient(&gradient, output: input, work: work)
      },
    ]
  }
}
