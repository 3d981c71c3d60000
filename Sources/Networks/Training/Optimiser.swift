import Foundation
import Tensors
import Work

/// The rule that updates weights from gradients.
package enum Optimiser: Hashable, Sendable, Codable {
  /// Stochastic gradient descent with momentum: v = momentum · v + g, w = w - rate · v; with Nesterov's momentum
  /// w = w - rate · (g + momentum · v). Weight decay is added to the gradient.
  case momentum(Double = 0.9, isNesterov: Bool = false)
  /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
  case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
}

/// The optimiser's state between iterations, by tensor name.
package struct OptimiserState: Equatable, Sendable {
  /// The velocity (momentum buffer), or Adam's first moment.
  package internal(set) var first: [String: [Float]] = [:]
  /// Adam's second moment; empty otherwise.
  package internal(set) var second: [String: [Float]] = [:]
  /// Updates done, for Adam's bias correction.
  package internal(set) var stepCount = 0

  /// The state before the first iteration.
  package init() {}
}

extension Optimiser {
  /// The learning rate, weight decay and clipping of one tensor's update.
  struct Step {
    var rate: Double
    var decay: Double
    /// The gradient is multiplied by this: gradient clipping.
    var gradientFactor: Double
  }

  /// Updates `values` by `gradient`, element by element.
  func update(
    _ values: inout [Float], name: String, gradient: [Float], step: Step, state: inout OptimiserState,
    work: WorkContext
  ) {
    precondition(values.count == gradient.count, "\(gradient.count) gradients for \(values.count) of \(name)")
    let (rate, decay, factor) = (Float(step.rate), Float(step.decay), Float(step.gradientFactor))
    var first = state.first.removeValue(forKey: name) ?? [Float](repeating: 0, count: values.count)
    switch self {
    case .momentum(let momentum, let isNesterov):
      let momentum = Float(momentum)
      forEachPart(&values, &first, gradient, work: work) { values, first, gradient, part in
        for index in part {
          let decayed = factor * gradient[index] + decay * values[index]
          let velocity = momentum * first[index] + decayed
          first[index] = velocity
          values[index] -= rate * (isNesterov ? decayed + momentum * velocity : velocity)
        }
      }
    case .adam(let beta1, let beta2, let epsilon):
      var second = state.second.removeValue(forKey: name) ?? [Float](repeating: 0, count: values.count)
      let count = Double(state.stepCount + 1)
      let firstCorrection = Float(1 / (1 - pow(beta1, count)))
      let secondCorrection = Float(1 / (1 - pow(beta2, count)))
      let (decay1, decay2, floor) = (Float(beta1), Float(beta2), Float(epsilon))
      for index in values.indices {
        let clipped = factor * gradient[index]
        first[index] = decay1 * first[index] + (1 - decay1) * clipped
        second[index] = decay2 * second[index] + (1 - decay2) * clipped * clipped
        let denominator = (second[index] * secondCorrection).squareRoot() + floor
        values[index] -= rate * (first[index] * firstCorrection / denominator + decay * values[index])
      }
      state.second[name] = second
    }
    state.first[name] = first
  }
}

/// Calls `body` in parallel for parts of three arrays of one length; it cannot be cancelled.
private func forEachPart(
  _ values: inout [Float], _ state: inout [Float], _ gradient: [Float], work: WorkContext,
  _ body:
    @Sendable (
      _ values: UnsafeMutablePointer<Float>, _ state: UnsafeMutablePointer<Float>,
      _ gradient: UnsafePointer<Float>, _ part: Range<Int>
    ) -> Void
) {
  let (count, grain) = (values.count, 65_536)
  // A cancelled update would leave the weights between two iterations.
  var work = work.withoutProgress
  work.cancellation = Cancellation()
  do throws(Cancelled) {
    try values.withDisjointBuffer { values throws(Cancelled) in
      try state.withDisjointBuffer { state throws(Cancelled) in
        try gradient.withSharedBuffer { gradient throws(Cancelled) in
          try work.forEach(count: (count + grain - 1) / grain) { part, _ in
            body(values.start, state.start, gradient.start, part * grain..<min((part + 1) * grain, count))
          }
        }
      }
    }
  } catch { preconditionFailure("an update that cannot be cancelled was cancelled") }
}
