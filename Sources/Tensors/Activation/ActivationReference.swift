import Foundation

extension Activation {
  /// The definition of the function, in double precision.
  package func value(at x: Double) -> Double {
    switch self {
    case .leakyReLU(let slope): x < 0 ? Double(slope) * x : x
    case .elu(let alpha): x < 0 ? Double(alpha) * expm1(x) : x
    case .gelu: x * erfc(-x / 2.0.squareRoot()) / 2
    case .geluByTanh:
      x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) / 2
    case .silu: x / (1 + exp(-x))
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: Foundation.tanh(x)
    case .clip(let lower, let upper): min(max(x, Double(lower)), Double(upper))
    case .softplus: max(x, 0) + log1p(exp(-abs(x)))
    }
  }

  /// The definition of the function's derivative, in double precision.
  package func derivative(at x: Double) -> Double {
    let sigmoid = 1 / (1 + exp(-x))
    switch self {
    case .leakyReLU(let slope): return x > 0 ? 1 : Double(slope)
    case .elu(let alpha): return x > 0 ? 1 : Double(alpha) * exp(x)
    case .gelu:
      return erfc(-x / 2.0.squareRoot()) / 2 + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
    case .geluByTanh:
      let factor = (2 / Double.pi).squareRoot()
      let secant = 1 / cosh(factor * (x + 0.044715 * x * x * x))
      return value(at: x) / x + x * secant * secant * factor * (1 + 3 * 0.044715 * x * x) / 2
    case .silu: return sigmoid + x * sigmoid * (1 - sigmoid)
    case .sigmoid: return sigmoid * (1 - sigmoid)
    case .tanh: return 1 / (cosh(x) * cosh(x))
    case .clip(let lower, let upper): return x > Double(lower) && x < Double(upper) ? 1 : 0
    case .softplus: return sigmoid
    }
  }
}
