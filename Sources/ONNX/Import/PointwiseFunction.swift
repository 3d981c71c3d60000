/// A function of one number, applied to every element of a value, in a form in which equal functions mostly are equal:
/// sums and products are sorted, and constant factors are in front.
///
/// Exporters write an activation as several nodes; their composition is compared with the activations that are layers.
indirect enum PointwiseFunction: Hashable, Sendable {
  /// A function with a name.
  enum Name: String {
    case erf, exp, sigmoid, softplus, sqrt, tanh
  }

  /// A function with a constant factor.
  struct Term: Hashable {
    var factor: Double
    var function: PointwiseFunction
  }

  /// The number itself.
  case argument
  case call(Name, PointwiseFunction)
  /// The sum of the terms and of the constant.
  case sum([Term], constant: Double)
  /// The product of two functions or more.
  case product([PointwiseFunction])

  /// The number of functions in it.
  var size: Int {
    switch self {
    case .argument: 1
    case .call(_, let inner): 1 + inner.size
    case .sum(let terms, _): 1 + terms.reduce(0) { $0 + $1.function.size }
    case .product(let factors): 1 + factors.reduce(0) { $0 + $1.size }
    }
  }

  /// The terms and the constant that it is the sum of.
  private var parts: (terms: [Term], constant: Double) {
    switch self {
    case .sum(let terms, let constant): (terms, constant)
    default: ([Term(factor: 1, function: self)], 0)
    }
  }

  /// `factor` times this, plus `constant`.
  func scaled(_ factor: Double, plus constant: Double = 0) -> PointwiseFunction {
    let parts = parts
    let terms = parts.terms.map { Term(factor: $0.factor * factor, function: $0.function) }
    return Self.sum(of: terms, constant: parts.constant * factor + constant)
  }

  static func + (one: PointwiseFunction, other: PointwiseFunction) -> PointwiseFunction {
    let (first, second) = (one.parts, other.parts)
    var terms = first.terms
    for term in second.terms {
      if let index = terms.firstIndex(where: { $0.function == term.function }) {
        terms[index].factor += term.factor
      } else {
        terms.append(term)
      }
    }
    return sum(of: terms, constant: first.constant + second.constant)
  }

  static func * (one: PointwiseFunction, other: PointwiseFunction) -> PointwiseFunction {
    var (factor, factors) = (1.0, [PointwiseFunction]())
    for function in [one, other] {
      let (own, functions) = function.factors
      factor *= own
      factors += functions
    }
    factors.sort { $0.text < $1.text }
    return (factors.count == 1 ? factors[0] : .product(factors)).scaled(factor)
  }

  private static func sum(of terms: [Term], constant: Double) -> PointwiseFunction {
    if terms.count == 1, terms[0].factor == 1, constant == 0 { return terms[0].function }
    return .sum(terms.sorted { $0.function.text < $1.function.text }, constant: constant)
  }

  /// A constant and functions whose product this is; a sum with a constant is divided by that.
  private var factors: (constant: Double, functions: [PointwiseFunction]) {
    switch self {
    case .argument, .call: return (1, [self])
    case .product(let factors): return (1, factors)
    case .sum(let terms, let constant):
      if terms.count == 1, constant == 0 {
        let inner = terms[0].function.factors
        return (terms[0].factor * inner.constant, inner.functions)
      }
      return constant == 0 ? (1, [self]) : (constant, [scaled(1 / constant)])
    }
  }

  /// A text by which functions are sorted; constants do not count.
  private var text: String {
    switch self {
    case .argument: "x"
    case .call(let name, let inner): "\(name.rawValue)(\(inner.text))"
    case .sum(let terms, _): "[" + terms.map(\.function.text).joined(separator: "+") + "]"
    case .product(let factors): "{" + factors.map(\.text).joined(separator: "*") + "}"
    }
  }

  /// Whether it is the same function but for constants that differ by rounding: by 1e-5 of their size.
  func isNearly(_ other: PointwiseFunction) -> Bool {
    func near(_ one: Double, _ two: Double) -> Bool { abs(one - two) <= 1e-5 * max(abs(one), abs(two)) }
    switch (self, other) {
    case (.argument, .argument): return true
    case (.call(let name, let inner), .call(let otherName, let otherInner)):
      return name == otherName && inner.isNearly(otherInner)
    case (.sum(let terms, let constant), .sum(let otherTerms, let otherConstant)):
      return near(constant, otherConstant) && terms.count == otherTerms.count
        && zip(terms, otherTerms).allSatisfy {
          near($0.factor, $1.factor) && $0.function.isNearly($1.function)
        }
    case (.product(let factors), .product(let others)):
      return factors.count == others.count && zip(factors, others).allSatisfy { $0.isNearly($1) }
    default: return false
    }
  }
}

extension PointwiseFunction {
  /// x sigmoid(x).
  static let silu = argument * .call(.sigmoid, .argument)
  /// x (1 + erf(x / √2)) / 2.
  static let gelu = (argument * .call(.erf, argument.scaled(0.5.squareRoot())).scaled(1, plus: 1)).scaled(0.5)
  /// The ways to write x (1 + tanh(√(2 / π) (x + 0.044715 x³))) / 2.
  static let geluByTanh: [PointwiseFunction] = {
    let (square, factor) = (argument * argument, (2 / Double.pi).squareRoot())
    let sum = (argument + (square * argument).scaled(0.044715)).scaled(factor)
    let product = (argument * square.scaled(0.044715, plus: 1)).scaled(factor)
    return [sum, product].map { (argument * .call(.tanh, $0).scaled(1, plus: 1)).scaled(0.5) }
  }()
}
