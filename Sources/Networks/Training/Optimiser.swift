import Foundation
import Tensors
import Work

/// How gradients change weights.
package enum Optimiser: Hashable, Sendable, Codable {
  /// Stochastic gradient descent: v = momentum v + g, w = w - rate v; with Nesterov's look-ahead
  /// w = w - rate (g + momentum v). Weight decay joins the gradient.
  case momentum(Double = 0.9, isNesterov: Bool = false)
  /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
  case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
}

/// What an optimiser remembers between steps, by the names of the tensors it changes.
package struct OptimiserState: Equatable, Sendable {
  /// The velocity, or Adam's first moment.
  package internal(set) var first: [String: [Float]] = [:]
  /// Adam's second moment; empty otherwise.
  package internal(set) var second: [String: [Float]] = [:]
  /// Adam's step count.
  package internal(set) var stepCount = 0

  /// The state before the first step.
  package init() {}
}

extension Optimiser {
  /// The rate and decay of one tensor in one step.
  struct Step {
    var rate: Double
    var decay: Double
    /// Multiplies the gradient: clipping.
    var gradientFactor: Double
  }

  /// Changes `values` by `gradient`; each value only depends on its own history.
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
          let slope = factor * gradient[index] + decay * values[index]
          let velocity = momentum * first[index] + slope
          first[index] = velocity
          values[index] -= rate * (isNesterov ? slope + momentum * velocity : velocity)
        }
      }
    case .adam(let beta1, let beta2, let epsilon):
      var second = state.second.removeValue(forKey: name) ?? [Float](repeating: 0, count: values.count)
      let count = Double(state.stepCount + 1)
      let firstCorrection = Float(1 / (1 - pow(beta1, count)))
      let secondCorrection = Float(1 / (1 - pow(beta2, count)))
      let (keep1, keep2, floor) = (Float(beta1), Float(beta2), Float(epsilon))
      for index in values.indices {
        let slope = factor * gradient[index]
        first[index] = keep1 * first[index] + (1 - keep1) * slope
        second[index] = keep2 * second[index] + (1 - keep2) * slope * slope
        let deviation = (second[index] * secondCorrection).squareRoot() + floor
        values[index] -= rate * (first[index] * firstCorrection / deviation + decay * values[index])
      }
      state.second[name] = second
    }
    state.first[name] = first
  }
}

/// Calls `body` in parallel for parts of three arrays of one length, to the end.
private func forEachPart(
  _ values: inout [Float], _ state: inout [Float], _ gradient: [Float], work: WorkContext,
  _ body:
    @Sendable (
      _ values: UnsafeMutablePointer<Float>, _ state: UnsafeMutablePointer<Float>,
      _ gradient: UnsafePointer<Float>, _ part: Range<Int>
    ) -> Void
) {
  let (count, grain) = (values.count, 65_536)
  // Half an update would be a step that never was, so that nobody may stop it.
  var work = work.silent
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
  } catch { preconditionFailure("an update that nobody can stop was stopped") }
}
