import Foundation
import Volumes
import Work

/// One parameter of the CRF that the reviewer changes.
package enum Knob: Hashable, Sendable {
  case appearanceWeight, thetaAlpha, thetaBeta, smoothnessWeight, thetaGamma, iterations
  /// τ of the auxiliary head at this position, lowest head first.
  case auxiliaryWeight(Int)
  /// Probability of a loaded mask's label.
  case maskConfidence
  /// The labels that may gain or lose voxels.
  case changedLabels

  /// The knobs that act on a version.
  static func knobs(of version: Version?) -> [Knob] {
    let kernels: [Knob] = [
      .appearanceWeight, .thetaAlpha, .thetaBeta, .smoothnessWeight, .thetaGamma, .iterations,
    ]
    guard let version, version.probabilities != nil else {
      return kernels + [.maskConfidence, .changedLabels]
    }
    return kernels + (0..<version.auxiliaryHeadCount).map { .auxiliaryWeight($0) } + [.changedLabels]
  }

  /// The name in the panel.
  var name: String {
    switch self {
    case .appearanceWeight: "μ1 appearance"
    case .thetaAlpha: "θα width"
    case .thetaBeta: "θβ contrast"
    case .smoothnessWeight: "μ2 smoothness"
    case .thetaGamma: "θγ width"
    case .iterations: "iterations"
    case .auxiliaryWeight(let head): "τ head \(head + 1)"
    case .maskConfidence: "mask certainty"
    case .changedLabels: "labels"
    }
  }

  /// The unit of the value, empty where it has none; `intensityUnit` is that of the image.
  func unit(_ intensityUnit: String) -> String {
    switch self {
    case .thetaAlpha, .thetaGamma: "mm"
    case .thetaBeta: intensityUnit
    case .appearanceWeight, .smoothnessWeight, .iterations, .auxiliaryWeight, .maskConfidence, .changedLabels:
      ""
    }
  }

  /// Whether it is a kernel width in millimetres, one for all axes or one for each.
  var isKernelWidth: Bool { self == .thetaAlpha || self == .thetaGamma }

  /// The effect of a change of it, in one line.
  var explanation: String {
    switch self {
    case .appearanceWeight: "Weight of neighbours of similar intensity; borders move to edges"
    case .thetaAlpha: "Distance over which voxels of similar intensity interact"
    case .thetaBeta: "Intensity difference up to which voxels count as similar"
    case .smoothnessWeight: "Weight of neighbours of any intensity; removes specks"
    case .thetaGamma: "Distance over which voxels of any intensity interact"
    case .iterations: "Mean-field iterations; 5 are nearly converged"
    case .auxiliaryWeight: "Weight of this auxiliary head in the initial probabilities"
    case .maskConfidence: "Initial probability of the mask's label; nearer 1 allows less change"
    case .changedLabels: "The labels that may change; all others stay unchanged"
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
    case .changedLabels: 1...65535
    }
  }

  /// A fine and a coarse step at `value`; nil for a knob whose value is not a number on a scale.
  ///
  /// A step of θβ follows its magnitude (1 at 20, 10 at 200), since intensities have no common scale.
  func steps(at value: Double, downwards: Bool = false) -> (fine: Double, coarse: Double)? {
    switch self {
    case .appearanceWeight, .smoothnessWeight: return (0.1, 1)
    case .thetaAlpha, .thetaGamma: return (0.25, 2)
    case .thetaBeta:
      let magnitude = pow(10, (log10(value) + (downwards ? -1e-9 : 1e-9)).rounded(.down))
      return (magnitude / 10, magnitude)
    case .iterations: return (1, 5)
    case .auxiliaryWeight: return (0.05, 0.2)
    case .maskConfidence: return (0.01, 0.1)
    case .changedLabels: return nil
    }
  }

  /// The value changed by `steps` fine or coarse steps.
  func adjusted(_ value: Double, by steps: Int, coarse: Bool) -> Double {
    guard let step = self.steps(at: value, downwards: steps < 0) else { return value }
    // Rounded so that ten fine steps make exactly one coarse step.
    let adjusted = ((value + Double(steps) * (coarse ? step.coarse : step.fine)) * 1e6).rounded() / 1e6
    return min(max(adjusted, range.lowerBound), range.upperBound)
  }

  /// Whether a typed value is allowed.
  func accepts(_ value: Double) -> Bool { value.isFinite && range.contains(value) }

  /// The bounds as text.
  var rangeText: String { "\(brief(range.lowerBound, atMost: 4)) to \(brief(range.upperBound))" }
}

/// The CRF settings of the panel.
package struct KnobSettings: Equatable, Sendable {
  /// Kernels and iterations.
  package var refinement: RefinementSettings
  /// The probability of the mask's label in each voxel, for a loaded mask.
  package var maskConfidence: Double

  /// Settings; `maskConfidence` is 0.9 unless given.
  package init(refinement: RefinementSettings = RefinementSettings(), maskConfidence: Double = 0.9) {
    self.refinement = refinement
    self.maskConfidence = maskConfidence
  }

  /// A knob's values: three for a kernel width that differs by axis, else one.
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
      case .changedLabels: return refinement.changedLabels.map(Double.init)
      }
    }
    set {
      if knob == .changedLabels {
        refinement.changedLabels = Set(newValue.map { UInt16(saturating: $0) }).sorted()
      }
      guard let first = newValue.first else { return }
      let width = newValue.count == 3 ? Spacing(newValue[0], newValue[1], newValue[2]) : Spacing(first)
      switch knob {
      case .appearanceWeight: refinement.appearanceWeight = first
      case .thetaAlpha: refinement.thetaAlphaMillimetres = width
      case .thetaBeta: refinement.thetaBeta = first
      case .smoothnessWeight: refinement.smoothnessWeight = first
      case .thetaGamma: refinement.thetaGammaMillimetres = width
      case .iterations: refinement.iterations = Int(saturating: first)
      case .auxiliaryWeight(let head):
        while refinement.auxiliaryHeadWeights.count <= head { refinement.auxiliaryHeadWeights.append(0) }
        refinement.auxiliaryHeadWeights[head] = first
      case .maskConfidence: maskConfidence = first
      case .changedLabels: break
      }
    }
  }

  private static func values(_ width: Spacing) -> [Double] {
    width == Spacing(width.i) ? [width.i] : [width.i, width.j, width.k]
  }

  /// A knob's value as the panel shows it.
  func text(_ knob: Knob) -> String {
    if knob == .changedLabels, refinement.changedLabels.isEmpty { return "all" }
    return self[knob].map { brief($0, atMost: 4) }.joined(separator: ",")
  }

  /// Sets a knob to a typed value: one number, three with commas for a kernel width in mm along i, j, k, or label
  /// values.
  /// - Returns: What is wrong with the value; nil when it was set.
  mutating func type(_ text: String, for knob: Knob) -> String? {
    if knob == .changedLabels, text.lowercased() == "all" {
      refinement.changedLabels = []
      return nil
    }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap { Double(stated: $0.trimmingCharacters(in: .whitespaces)) }
    let allowed = knob == .changedLabels ? Array(1...256) : knob.isKernelWidth ? [1, 3] : [1]
    guard values.count == parts.count, allowed.contains(values.count) else {
      return
        "\(knob.name): \"\(cleaned(text))\" is not \(knob.isKernelWidth ? "a number or i,j,k" : "a number")"
    }
    guard values.allSatisfy(knob.accepts) else {
      return "\(knob.name): \(cleaned(text)) lies outside \(knob.rangeText)"
    }
    if knob == .iterations || knob == .changedLabels, values.contains(where: { $0 != $0.rounded() }) {
      return "\(knob.name): \(cleaned(text)) is not whole"
    }
    if case .auxiliaryWeight(let head) = knob {
      let others = refinement.auxiliaryHeadWeights.enumerated().filter { $0.offset != head }.map(\.element)
      if others.reduce(values[0], +) > 1 { return "τ of all heads together must not exceed 1" }
    }
    self[knob] = values
    return nil
  }

  /// Changes a knob by steps; the sum of the τ of all heads stays at most 1.
  ///
  /// - Parameters:
  ///   - axis: the only axis along which a kernel width changes; nil for all axes.
  ///   - labels: the values that the labels' knob goes through: all of them, then each alone.
  mutating func adjust(_ knob: Knob, by steps: Int, coarse: Bool, axis: Int? = nil, labels: [UInt16] = []) {
    if knob == .changedLabels {
      let choices: [[UInt16]] = [[]] + labels.map { [$0] }
      let position = choices.firstIndex(of: refinement.changedLabels) ?? 0
      refinement.changedLabels = choices[((position + steps) % choices.count + choices.count) % choices.count]
      return
    }
    var values = self[knob]
    if knob.isKernelWidth, axis != nil, values.count == 1 { values = [values[0], values[0], values[0]] }
    for index in values.indices where axis == nil || values.count == 1 || index == axis {
      values[index] = knob.adjusted(values[index], by: steps, coarse: coarse)
    }
    if case .auxiliaryWeight(let head) = knob {
      let others = refinement.auxiliaryHeadWeights.enumerated().filter { $0.offset != head }.map(\.element)
      values[0] = min(values[0], max(0, 1 - others.reduce(0, +)))
    }
    self[knob] = values
  }
}
