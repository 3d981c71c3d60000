import Foundation
import Volumes

/// One value of the CRF that a reviewer turns.
package enum Knob: Hashable, Sendable {
  case appearanceWeight, thetaAlpha, thetaBeta, smoothnessWeight, thetaGamma, iterations
  /// τ of the auxiliary head at this position, lowest head first.
  case auxiliaryWeight(Int)
  /// Probability of a loaded mask's label.
  case maskConfidence

  /// The knobs that act on a version.
  static func knobs(of version: Version?) -> [Knob] {
    let kernels: [Knob] = [
      .appearanceWeight, .thetaAlpha, .thetaBeta, .smoothnessWeight, .thetaGamma, .iterations,
    ]
    guard let version, version.probabilities != nil else { return kernels + [.maskConfidence] }
    return kernels + (0..<version.auxiliaryHeadCount).map { .auxiliaryWeight($0) }
  }

  /// What the panel calls it.
  var name: String {
    switch self {
    case .appearanceWeight: "μ1 appearance"
    case .thetaAlpha: "θα reach"
    case .thetaBeta: "θβ contrast"
    case .smoothnessWeight: "μ2 smoothness"
    case .thetaGamma: "θγ reach"
    case .iterations: "iterations"
    case .auxiliaryWeight(let head): "τ head \(head + 1)"
    case .maskConfidence: "mask certainty"
    }
  }

  /// Its unit, where it has one.
  var unit: String {
    switch self {
    case .thetaAlpha, .thetaGamma: "mm"
    case .thetaBeta: "I"
    default: ""
    }
  }

  /// What turning it does, one line.
  var explanation: String {
    switch self {
    case .appearanceWeight: "Pull towards neighbours that look alike; borders move to edges in the image"
    case .thetaAlpha: "How far away a look-alike still counts, in mm"
    case .thetaBeta: "Intensity difference at which two voxels stop looking alike"
    case .smoothnessWeight: "Pull towards all near neighbours; removes specks and thin bridges"
    case .thetaGamma: "How near a neighbour must be to smooth, in mm"
    case .iterations: "Rounds of mean field; 5 is nearly converged"
    case .auxiliaryWeight: "Share of this auxiliary head's opinion in the start probabilities"
    case .maskConfidence: "How sure the loaded mask is; nearer 1 resists change"
    }
  }

  /// Bounds of the value.
  private var range: ClosedRange<Double> {
    switch self {
    case .appearanceWeight, .smoothnessWeight: 0...100
    case .thetaAlpha, .thetaGamma: 0.1...200
    case .thetaBeta: 1e-4...1e6
    case .iterations: 1...100
    case .auxiliaryWeight: 0...1
    case .maskConfidence: 0.5...0.999
    }
  }

  /// The value turned by `steps` fine or coarse steps.
  ///
  /// A step of θβ follows its magnitude (1 at 20, 10 at 200), since intensities have no common scale.
  func turned(_ value: Double, by steps: Int, coarse: Bool) -> Double {
    let step: Double
    switch self {
    case .appearanceWeight, .smoothnessWeight: step = coarse ? 1 : 0.1
    case .thetaAlpha, .thetaGamma: step = coarse ? 2 : 0.25
    case .thetaBeta:
      let magnitude = pow(10, (log10(value) + (steps < 0 ? -1e-9 : 1e-9)).rounded(.down))
      step = coarse ? magnitude : magnitude / 10
    case .iterations: step = coarse ? 5 : 1
    case .auxiliaryWeight: step = coarse ? 0.2 : 0.05
    case .maskConfidence: step = coarse ? 0.1 : 0.01
    }
    // Rounded so that ten fine steps make exactly one coarse step.
    let turned = ((value + Double(steps) * step) * 1e6).rounded() / 1e6
    return min(max(turned, range.lowerBound), range.upperBound)
  }

  /// Whether a typed value is allowed.
  func accepts(_ value: Double) -> Bool { value.isFinite && range.contains(value) }

  /// The bounds as text.
  var rangeText: String { "\(brief(range.lowerBound, atMost: 4)) to \(brief(range.upperBound))" }
}

/// The CRF as the panel holds it.
package struct KnobSettings: Equatable, Sendable {
  /// Kernels and iterations.
  package var refinement: RefinementSettings
  /// Probability that a loaded mask gives its own label.
  package var maskConfidence: Double

  /// Settings; a mask counts 0.9.
  package init(refinement: RefinementSettings = RefinementSettings(), maskConfidence: Double = 0.9) {
    self.refinement = refinement
    self.maskConfidence = maskConfidence
  }

  /// A knob's values: three for a reach that differs by axis, else one.
  subscript(knob: Knob) -> [Double] {
    get {
      switch knob {
      case .appearanceWeight: return [refinement.appearanceWeight]
      case .thetaAlpha: return KnobSettings.values(refinement.thetaAlphaMillimetres)
      case .thetaBeta: return [refinement.thetaBeta]
      case .smoothnessWeight: return [refinement.smoothnessWeight]
      case .thetaGamma: return KnobSettings.values(refinement.thetaGammaMillimetres)
      case .iterations: return [Double(refinement.iterations)]
      case .auxiliaryWeight(let head):
        let weights = refinement.auxiliaryHeadWeights
        return [weights.indices.contains(head) ? weights[head] : 0]
      case .maskConfidence: return [maskConfidence]
      }
    }
    set {
      guard let first = newValue.first else { return }
      let reach = newValue.count == 3 ? Spacing(newValue[0], newValue[1], newValue[2]) : Spacing(first)
      switch knob {
      case .appearanceWeight: refinement.appearanceWeight = first
      case .thetaAlpha: refinement.thetaAlphaMillimetres = reach
      case .thetaBeta: refinement.thetaBeta = first
      case .smoothnessWeight: refinement.smoothnessWeight = first
      case .thetaGamma: refinement.thetaGammaMillimetres = reach
      case .iterations: refinement.iterations = Int(first)
      case .auxiliaryWeight(let head):
        while refinement.auxiliaryHeadWeights.count <= head { refinement.auxiliaryHeadWeights.append(0) }
        refinement.auxiliaryHeadWeights[head] = first
      case .maskConfidence: maskConfidence = first
      }
    }
  }

  private static func values(_ reach: Spacing) -> [Double] {
    reach == Spacing(reach.i) ? [reach.i] : [reach.i, reach.j, reach.k]
  }

  /// A knob's value as the panel shows it.
  func text(_ knob: Knob) -> String { self[knob].map { brief($0, atMost: 4) }.joined(separator: ",") }

  /// Takes a typed value: one number, or three with commas for a reach in mm along i, j, k.
  /// - Returns: What is wrong with it; nil when it was taken.
  mutating func type(_ text: String, for knob: Knob) -> String? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
    let allowed = knob == .thetaAlpha || knob == .thetaGamma ? [1, 3] : [1]
    guard values.count == parts.count, allowed.contains(values.count) else {
      return
        "\(knob.name): \"\(cleaned(text))\" is not \(allowed.contains(3) ? "a number or i,j,k" : "a number")"
    }
    guard values.allSatisfy(knob.accepts) else {
      return "\(knob.name): \(cleaned(text)) lies outside \(knob.rangeText)"
    }
    if knob == .iterations, values[0] != values[0].rounded() {
      return "iterations: \(text) is not a whole number"
    }
    if case .auxiliaryWeight(let head) = knob {
      let others = refinement.auxiliaryHeadWeights.enumerated().filter { $0.offset != head }.map(\.element)
      if others.reduce(values[0], +) > 1 { return "τ of all heads together must not exceed 1" }
    }
    self[knob] = values
    return nil
  }

  /// Turns a knob; every axis of a reach turns alike, and the τ of all heads never exceed 1 together.
  mutating func turn(_ knob: Knob, by steps: Int, coarse: Bool) {
    var values = self[knob].map { knob.turned($0, by: steps, coarse: coarse) }
    if case .auxiliaryWeight(let head) = knob {
      let others = refinement.auxiliaryHeadWeights.enumerated().filter { $0.offset != head }.map(\.element)
      values[0] = min(values[0], max(0, 1 - others.reduce(0, +)))
    }
    self[knob] = values
  }
}
