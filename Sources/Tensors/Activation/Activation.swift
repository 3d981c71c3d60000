import CKernels
import Work

/// An element-wise function with a derivative, other than the ReLU.
package enum Activation: Hashable, Sendable {
  /// x where it is not negative, else slope · x.
  case leakyReLU(slope: Float)
  /// x where it is not negative, else alpha (exp(x) - 1).
  case elu(alpha: Float)
  /// x Φ(x), with the distribution function Φ of the standard normal distribution.
  case gelu
  /// x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, an approximation of `gelu`.
  case geluByTanh
  /// x / (1 + exp(-x)), also called Swish.
  case silu
  /// 1 / (1 + exp(-x)).
  case sigmoid
  case tanh
  /// x, but `lower` below it and `upper` above it.
  case clip(lower: Float, upper: Float)
  /// log(1 + exp(x)).
  case softplus

  /// The description that kernels take.
  var kernel: activation {
    switch self {
    case .leakyReLU(let slope): activation(kind: ACTIVATION_LEAKY_RELU, a: slope, b: 0)
    case .elu(let alpha): activation(kind: ACTIVATION_ELU, a: alpha, b: 0)
    case .gelu: activation(kind: ACTIVATION_GELU, a: 0, b: 0)
    case .geluByTanh: activation(kind: ACTIVATION_GELU_TANH, a: 0, b: 0)
    case .silu: activation(kind: ACTIVATION_SILU, a: 0, b: 0)
    case .sigmoid: activation(kind: ACTIVATION_SIGMOID, a: 0, b: 0)
    case .tanh: activation(kind: ACTIVATION_TANH, a: 0, b: 0)
    case .clip(let lower, let upper): activation(kind: ACTIVATION_CLIP, a: lower, b: upper)
    case .softplus: activation(kind: ACTIVATION_SOFTPLUS, a: 0, b: 0)
    }
  }

  /// The same function as operations apply it to their results; nil for one that is not piecewise linear.
  package var piecewiseLinear: PiecewiseLinear? {
    switch self {
    case .leakyReLU(let slope): .leakyReLU(slopes: [slope])
    case .clip(let lower, let upper): .clip(lower: lower, upper: upper)
    case .elu, .gelu, .geluByTanh, .silu, .sigmoid, .tanh, .softplus: nil
    }
  }

  /// Whether the derivative at x is the derivative at the function's value, so that the value suffices for it.
  package var hasDerivativeOfValue: Bool {
    switch self {
    case .leakyReLU(let slope): slope >= 0
    case .clip: true
    case .elu, .gelu, .geluByTanh, .silu, .sigmoid, .tanh, .softplus: false
    }
  }
}

/// Applies functions to every element of [N, C, D, H, W] in place; NaN stays.
///
/// - Parameter functions: One for each channel, or one for all of them.
/// - Throws: `Cancelled`, leaving `tensor` partly changed.
package func activate(_ tensor: inout Tensor, by functions: [Activation], work: WorkContext) throws(Cancelled)
{
  let level = KernelLevel.current
  try tensor.forEachChunk(functions, work: work) { function, range, elements in
    let start = elements.start + range.lowerBound
    activation_apply(level, function, start, start, range.count)
  }
}

/// Replaces the gradient with respect to the functions' values by that with respect to their arguments.
///
/// - Parameters:
///   - gradient: [N, C, D, H, W].
///   - arguments: Of the gradient's shape.
///   - functions: One for each channel, or one for all of them.
/// - Throws: `Cancelled`, leaving `gradient` partly changed.
package func activationGradient(
  _ gradient: inout Tensor, at arguments: Tensor, functions: [Activation], work: WorkContext
) throws(Cancelled) {
  precondition(
    gradient.shape == arguments.shape, "gradient \(gradient.shape) for arguments \(arguments.shape)")
  let level = KernelLevel.current
  try arguments.elements.withSharedBuffer { arguments throws(Cancelled) in
    try gradient.forEachChunk(functions, work: work) { function, range, elements in
      let start = range.lowerBound
      activation_gradient(level, function, elements.start + start, arguments.start + start, range.count)
    }
  }
}

/// The gradients of a loss with respect to the slopes of leaky ReLUs: for each channel the sum of the gradient times the
/// argument, where that is negative.
///
/// - Parameters:
///   - gradient: With respect to the values, [N, C, D, H, W].
///   - arguments: Of the gradient's shape.
/// - Returns: [C].
/// - Throws: `Cancelled`.
package func slopeGradient(
  _ gradient: Tensor, at arguments: Tensor, work: WorkContext
) throws(Cancelled) -> Tensor {
  precondition(
    gradient.shape == arguments.shape, "gradient \(gradient.shape) for arguments \(arguments.shape)")
  let level = KernelLevel.current
  let isNegative = pointwise_gate(scale: -1, shift: 0)
  let sums = try arguments.elements.withSharedBuffer { arguments throws(Cancelled) in
    try channelTotals(of: gradient, work: work) { _, range, gradient in
      let start = range.lowerBound
      return pairOfSums {
        pointwise_gated_products(
          level, gradient.start + start, arguments.start + start, range.count, 0, isNegative, $0)
      }
    }
  }
  return Tensor(shape: [gradient.channels], elements: sums.map { Float($0.y) })
}

extension Tensor {
  /// Calls `body` in parallel for chunks of every channel with the channel's function.
  fileprivate mutating func forEachChunk(
    _ functions: [Activation], work: WorkContext,
    _ body: @Sendable (_ function: activation, _ range: Range<Int>, _ elements: DisjointBuffer<Float>) -> Void
  ) throws(Cancelled) {
    let (channels, planes) = (channels, batch * channels)
    precondition(functions.count == 1 || functions.count == channels, "\(functions.count) for \(channels)")
    let kernels = functions.map(\.kernel)
    let chunks = Chunks(count: extent.product)
    try elements.withDisjointBuffer { elements throws(Cancelled) in
      try work.forEach(count: planes * chunks.number) { index, _ in
        let plane = index / chunks.number
        let range = chunks.range(index % chunks.number)
        let start = plane * chunks.count
        body(
          kernels[plane % channels % kernels.count],
          start + range.lowerBound..<start + range.upperBound, elements)
      }
    }
  }
}
