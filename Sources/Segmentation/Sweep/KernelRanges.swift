import Foundation
import Volumes
import Work

/// A hyperparameter of the CRF that a search may change.
package enum KernelParameter: String, Sendable, Hashable, Codable, CodingKeyRepresentable, CaseIterable {
  case appearanceWeight, thetaAlpha, thetaBeta, smoothnessWeight, thetaGamma

  /// Its value; for a width per axis the geometric mean of the axes.
  package func value(in settings: RefinementSettings) -> Double {
    func mean(_ theta: Spacing) -> Double { cbrt(theta.i * theta.j * theta.k) }
    return switch self {
    case .appearanceWeight: settings.appearanceWeight
    case .thetaAlpha: mean(settings.thetaAlphaMillimetres)
    case .thetaBeta: settings.thetaBeta
    case .smoothnessWeight: settings.smoothnessWeight
    case .thetaGamma: mean(settings.thetaGammaMillimetres)
    }
  }

  /// Sets it; widths keep the ratio of their axes, rounded to three digits each.
  package func set(_ value: Double, in settings: inout RefinementSettings) {
    let fraction = value / self.value(in: settings)
    func scaled(_ theta: Spacing) -> Spacing {
      Spacing(
        (theta.i * fraction).toThreeDigits, (theta.j * fraction).toThreeDigits,
        (theta.k * fraction).toThreeDigits)
    }
    switch self {
    case .appearanceWeight: settings.appearanceWeight = value
    case .thetaAlpha: settings.thetaAlphaMillimetres = scaled(settings.thetaAlphaMillimetres)
    case .thetaBeta: settings.thetaBeta = value
    case .smoothnessWeight: settings.smoothnessWeight = value
    case .thetaGamma: settings.thetaGammaMillimetres = scaled(settings.thetaGammaMillimetres)
    }
  }

  /// The largest value that a CRF accepts.
  fileprivate var maximum: Double {
    switch self {
    case .appearanceWeight, .smoothnessWeight: UsableRange.weight.upperBound
    case .thetaAlpha, .thetaGamma: UsableRange.millimetres.upperBound
    case .thetaBeta: UsableRange.thetaBeta.upperBound
    }
  }

  /// The factors by which a search may decrease and increase the start value.
  fileprivate var factors: (smaller: Double, larger: Double) {
    switch self {
    case .appearanceWeight, .smoothnessWeight: (8, 8)
    case .thetaAlpha: (2, 5)
    case .thetaBeta: (3, 3)
    case .thetaGamma: (2.5, 2.5)
    }
  }
}

/// The search space of a hyperparameter search: ranges of parameters around settings that fix all others.
package struct KernelRanges: Sendable, Hashable, Codable {
  /// The start of the search, inside all ranges.
  package let start: RefinementSettings
  private let ranges: [KernelParameter: [Double]]

  /// Around `start` within a factor of 8 for weights, 3 for θβ, 2.5 for θγ, and from half to five times θα, since wide
  /// kernels cost least; `held` parameters are fixed.
  ///
  /// A weight of 0 that is not held starts at the program's default.
  package init(around start: RefinementSettings, holding held: Set<KernelParameter>) {
    var start = start
    for weight in [KernelParameter.appearanceWeight, .smoothnessWeight]
    where weight.value(in: start) <= 0 && !held.contains(weight) {
      weight.set(weight.value(in: RefinementSettings()), in: &start)
    }
    self.start = start
    var ranges: [KernelParameter: [Double]] = [:]
    for parameter in KernelParameter.allCases where !held.contains(parameter) {
      let value = parameter.value(in: start)
      let maximum = parameter.maximum
      ranges[parameter] = [
        min(value / parameter.factors.smaller, maximum / parameter.factors.smaller),
        min(value * parameter.factors.larger, maximum),
      ]
    }
    self.ranges = ranges
  }

  /// The parameters that are searched, in the order of the kernels.
  package var searched: [KernelParameter] { KernelParameter.allCases.filter { ranges[$0] != nil } }

  /// The range of a parameter; nil where it is held.
  package func range(of parameter: KernelParameter) -> ClosedRange<Double>? {
    ranges[parameter].map { $0[0]...$0[1] }
  }

  /// The position of a value in its range on a logarithmic scale, 0...1; nil where the parameter is held.
  package func fraction(of parameter: KernelParameter, in settings: RefinementSettings) -> Double? {
    range(of: parameter).map {
      log(parameter.value(in: settings) / $0.lowerBound) / log($0.upperBound / $0.lowerBound)
    }
  }

  /// Sets a searched parameter to the position `fraction` of its range on a logarithmic scale, rounded to three digits.
  func set(_ parameter: KernelParameter, fraction: Double, in settings: inout RefinementSettings) {
    guard let range = range(of: parameter) else { return }
    let inside = min(max(fraction, 0), 1)
    let value = range.lowerBound * pow(range.upperBound / range.lowerBound, inside)
    parameter.set(value.toThreeDigits, in: &settings)
  }

  /// The Euclidean distance of two settings in units of the ranges.
  func distance(_ one: RefinementSettings, _ other: RefinementSettings) -> Double {
    searched.reduce(0.0) { sum, parameter in
      let difference =
        (fraction(of: parameter, in: one) ?? 0) - (fraction(of: parameter, in: other) ?? 0)
      return sum + difference * difference
    }.squareRoot()
  }
}
