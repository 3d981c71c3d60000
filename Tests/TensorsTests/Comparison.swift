import Tensors
import Testing

/// Expects `found` to have the shape of `expected` and values within `tolerance` times its largest magnitude, or that of
/// `unbounded`: the values before a bound that lowers it, but not the errors.
func expectClose(
  _ found: Tensor, _ expected: ReferenceTensor, tolerance: Double = 3e-6, unbounded: ReferenceTensor? = nil,
  _ what: Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.shape == expected.shape, what, sourceLocation: sourceLocation)
  guard found.shape == expected.shape else { return }
  let scale = (unbounded ?? expected).elements.reduce(0) { max($0, abs($1)) }
  var (worst, worstIndex) = (0.0, 0)
  for (index, value) in expected.elements.enumerated() {
    let error = abs(Double(found.elements[index]) - value)
    if !(error <= worst) { (worst, worstIndex) = (error, index) }
  }
  #expect(
    worst <= tolerance * scale,
    "\(what?.rawValue ?? ""): element \(worstIndex) of \(found.shape), scale \(scale)",
    sourceLocation: sourceLocation)
}

/// Runs `body` at every instruction level with one and with three threads.
func atEveryLevel(_ body: (_ threads: Int, _ what: Comment) throws -> Void) rethrows {
  for level in KernelLevel.available {
    for threads in [1, 3] {
      try KernelLevel.$limit.withValue(level) {
        try body(threads, "level \(level.rawValue), \(threads) threads")
      }
    }
  }
}

/// The largest difference between `gradient` and central differences of `loss` around `point`, relative to
/// the gradient's largest magnitude.
func differenceError(
  _ gradient: ReferenceTensor, at point: ReferenceTensor, step: Double = 1e-5,
  _ loss: (ReferenceTensor) -> Double
) -> Double {
  var worst = 0.0
  for index in point.elements.indices {
    var (above, below) = (point, point)
    above.elements[index] += step
    below.elements[index] -= step
    worst = max(worst, abs((loss(above) - loss(below)) / (2 * step) - gradient.elements[index]))
  }
  return worst / gradient.elements.reduce(1e-300) { max($0, abs($1)) }
}

/// The sum of the products: a loss whose gradient with respect to `a` is `b`.
func dot(_ a: ReferenceTensor, _ b: ReferenceTensor) -> Double {
  zip(a.elements, b.elements).reduce(0) { $0 + $1.0 * $1.1 }
}
