import Foundation
import Tensors
import Work

/// The rule that updates weights from gradients, as PyTorch's optimiser of the name.
package enum Optimiser: Hashable, Sendable, Codable {
  /// Stochastic gradient descent with momentum (`SGD`): v = momentum · v + g, w = w - rate · v; with Nesterov's momentum
  /// w = w - rate · (g + momentum · v). Weight decay is added to the gradient.
  case momentum(Double = 0.9, isNesterov: Bool = false)
  /// `AdamW`: Adam with decoupled weight decay (Loshchilov and Hutter 2019), w = w - rate · decay · w beside the step.
  case adamW(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
  /// `Adam` (Kingma and Ba 2015): m = β1 m + (1 - β1) g, v = β2 v + (1 - β2) g², and
  /// w = w - rate · m / (1 - β1^t) / (sqrt(v / (1 - β2^t)) + ε) in step t. Weight decay is added to the gradient.
  case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
  /// `RMSprop`, not centred: v = α v + (1 - α) g², b = momentum · b + g / (sqrt(v) + ε), w = w - rate · b. Weight decay
  /// is added to the gradient.
  case rmsProp(alpha: Double = 0.99, epsilon: Double = 1e-8, momentum: Double = 0)

  /// The names in checkpoints: "adam" of earlier releases had decoupled weight decay.
  private enum CodingKeys: String, CodingKey {
    case momentum
    case adamW = "adam"
    case adam = "coupledAdam"
    case rmsProp
  }
}

/// The optimiser's state between iterations, by tensor name.
package struct OptimiserState: Equatable, Sendable {
  /// The velocity (momentum buffer), or Adam's first moment.
  package internal(set) var first: [String: [Float]] = [:]
  /// The mean square of the gradients of Adam and RMSprop; empty otherwise.
  package internal(set) var second: [String: [Float]] = [:]
  /// Updates done, for Adam's bias correction.
  package internal(set) var stepCount = 0

  /// The state before the first iteration.
  package init() {}

  /// Counts an update of all tensors.
  package mutating func countStep() { stepCount += 1 }
}

extension Optimiser {
  /// The learning rate, weight decay and clipping of one tensor's update.
  package struct Step: Sendable {
    package var rate: Double
    package var decay: Double
    /// The gradient is multiplied by this: gradient clipping.
    package var gradientFactor: Double

    package init(rate: Double, decay: Double = 0, gradientFactor: Double = 1) {
      self.rate = rate
      self.decay = decay
      self.gradientFactor = gradientFactor
    }
  }

  /// Updates the elements `values` of the tensor `name` by `gradient`; the caller counts the step in `state`.
  ///
  /// Equal on any number of threads.
  package func update(
    _ values: inout [Float], name: String, gradient: [Float], step: Step, state: inout OptimiserState,
    work: WorkContext
  ) {
    precondition(values.count == gradient.count, "\(gradient.count) gradients for \(values.count) of \(name)")
    let (rate, decay, factor) = (Float(step.rate), Float(step.decay), Float(step.gradientFactor))
    func zeros() -> [Float] { [Float](repeating: 0, count: values.count) }
    var first = state.first.removeValue(forKey: name) ?? zeros()
    var second: [Float] = []
    switch self {
    case .momentum(let momentum, let isNesterov):
      let momentum = Float(momentum)
      forEachPart(&values, &first, &second, gradient, work: work) { values, first, _, gradient, part in
        for index in part {
          let decayed = factor * gradient[index] + decay * values[index]
          let velocity = momentum * first[index] + decayed
          first[index] = velocity
          values[index] -= rate * (isNesterov ? decayed + momentum * velocity : velocity)
        }
      }
    case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
      second = state.second.removeValue(forKey: name) ?? zeros()
      let count = Double(state.stepCount + 1)
      let firstCorrection = Float(1 / (1 - pow(beta1, count)))
      let secondCorrection = Float(1 / (1 - pow(beta2, count)))
      let (decay1, decay2, floor) = (Float(beta1), Float(beta2), Float(epsilon))
      let isDecoupled = if case .adamW = self { true } else { false }
      let (coupled, decoupled) = isDecoupled ? (0, decay) : (decay, 0)
      forEachPart(&values, &first, &second, gradient, work: work) { values, first, second, gradient, part in
        for index in part {
          let clipped = factor * gradient[index] + coupled * values[index]
          first[index] = decay1 * first[index] + (1 - decay1) * clipped
          second[index] = decay2 * second[index] + (1 - decay2) * clipped * clipped
          let denominator = (second[index] * secondCorrection).squareRoot() + floor
          values[index] -= rate * (first[index] * firstCorrection / denominator + decoupled * values[index])
        }
      }
    case .rmsProp(let alpha, let epsilon, let momentum):
      second = state.second.removeValue(forKey: name) ?? zeros()
      let (alpha, floor, momentum) = (Float(alpha), Float(epsilon), Float(momentum))
      forEachPart(&values, &first, &second, gradient, work: work) { values, first, second, gradient, part in
        for index in part {
          let decayed = factor * gradient[index] + decay * values[index]
          second[index] = alpha * second[index] + (1 - alpha) * decayed * decayed
          first[index] = momentum * first[index] + decayed / (second[index].squareRoot() + floor)
          values[index] -= rate * first[index]
        }
      }
    }
    state.first[name] = first
    if !second.isEmpty { state.second[name] = second }
  }
}

/// Calls `body` in parallel for parts of the arrays, which have one length, or none in the case of `second`; it cannot be
/// cancelled.
private func forEachPart(
  _ values: inout [Float], _ first: inout [Float], _ second: inout [Float], _ gradient: [Float],
  work: WorkContext,
  _ body:
    @Sendable (
      _ values: UnsafeMutablePointer<Float>, _ first: UnsafeMutablePointer<Float>,
      _ second: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, _ part: Range<Int>
    ) -> Void
) {
  let (count, grain) = (values.count, 65_536)
  // A cancelled update would leave the weights between two iterations.
  var work = work.withoutProgress
  work.cancellation = Cancellation()
  do throws(Cancelled) {
    try values.withDisjointBuffer { values throws(Cancelled) in
      try first.withDisjointBuffer { first throws(Cancelled) in
        try second.withDisjointBuffer { second throws(Cancelled) in
          try gradient.withSharedBuffer { gradient throws(Cancelled) in
            try work.forEach(count: (count + grain - 1) / grain) { part, _ in
              body(
                values.start, first.start, second.start, gradient.start,
                part * grain..<min((part + 1) * grain, count))
            }
          }
        }
      }
    }
  } catch { preconditionFailure("an update that cannot be cancelled was cancelled") }
}

extension Optimiser {
  /// The optimisers with their default numbers.
  package static let all: [Optimiser] = [
    .momentum(), .momentum(isNesterov: true), .adam(), .adamW(), .rmsProp(),
  ]

  /// The optimiser as options name it: "sgd(momentum=0.9)".
  package var setting: NamedSetting {
    switch self {
    case .momentum(let momentum, let isNesterov):
      NamedSetting(isNesterov ? "nesterov" : "sgd", [.init("momentum", momentum)])
    case .adam(let beta1, let beta2, let epsilon):
      NamedSetting("adam", [.init("beta1", beta1), .init("beta2", beta2), .init("epsilon", epsilon)])
    case .adamW(let beta1, let beta2, let epsilon):
      NamedSetting("adamw", [.init("beta1", beta1), .init("beta2", beta2), .init("epsilon", epsilon)])
    case .rmsProp(let alpha, let epsilon, let momentum):
      NamedSetting(
        "rmsprop", [.init("alpha", alpha), .init("epsilon", epsilon), .init("momentum", momentum)])
    }
  }

  /// The optimiser that a text such as "adam(beta1=0.9)" names.
  /// - Throws: ``InputError`` about `option`.
  package init(_ text: String, option: String) throws(InputError) {
    let setting = try NamedSetting(text, of: Self.all.map(\.setting), option: option)
    self =
      switch setting.name {
      case "sgd", "nesterov":
        .momentum(setting["momentum"], isNesterov: setting.name == "nesterov")
      case "adam":
        .adam(beta1: setting["beta1"], beta2: setting["beta2"], epsilon: setting["epsilon"])
      case "adamw":
        .adamW(beta1: setting["beta1"], beta2: setting["beta2"], epsilon: setting["epsilon"])
      case "rmsprop":
        .rmsProp(alpha: setting["alpha"], epsilon: setting["epsilon"], momentum: setting["momentum"])
      default: preconditionFailure("no optimiser is named \(setting.name)")
      }
  }

  /// Whether steps are divided by the size of the gradients, so that learning rates are much smaller.
  package var isAdaptive: Bool { if case .momentum = self { false } else { true } }

  /// Describes the first number out of range; nil where there is none.
  var problem: String? {
    for number in setting.numbers {
      let isInRange =
        number.name == "epsilon"
        ? (1e-30...1).contains(number.value) : (0..<1).contains(number.value)
      if !isInRange {
        return number.name + (number.name == "epsilon" ? " of 1e-30 to 1" : " of 0 to below 1")
      }
    }
    return nil
  }
}
