import Foundation
import Volumes
import Work

/// A number of the CRF that a search may change.
package enum KernelParameter: String, Sendable, Hashable, Codable, CodingKeyRepresentable, CaseIterable {
  case appearanceWeight, thetaAlpha, thetaBeta, smoothnessWeight, thetaGamma

  /// Its value; of a width per axis the geometric mean.
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

  /// Changes it; widths keep the ratio of their axes, to three digits each.
  package func set(_ value: Double, in settings: inout RefinementSettings) {
    let share = value / self.value(in: settings)
    func scaled(_ theta: Spacing) -> Spacing {
      Spacing(
        (theta.i * share).toThreeDigits, (theta.j * share).toThreeDigits, (theta.k * share).toThreeDigits)
    }
    switch self {
    case .appearanceWeight: settings.appearanceWeight = value
    case .thetaAlpha: settings.thetaAlphaMillimetres = scaled(settings.thetaAlphaMillimetres)
    case .thetaBeta: settings.thetaBeta = value
    case .smoothnessWeight: settings.smoothnessWeight = value
    case .thetaGamma: settings.thetaGammaMillimetres = scaled(settings.thetaGammaMillimetres)
    }
  }

  /// What a CRF takes at most.
  fileprivate var most: Double {
    switch self {
    case .appearanceWeight, .smoothnessWeight: UsableRange.weight.upperBound
    case .thetaAlpha, .thetaGamma: UsableRange.millimetres.upperBound
    case .thetaBeta: UsableRange.thetaBeta.upperBound
    }
  }

  /// How many times smaller and larger than at the start a search may make it.
  fileprivate var factors: (smaller: Double, larger: Double) {
    switch self {
    case .appearanceWeight, .smoothnessWeight: (8, 8)
    case .thetaAlpha: (2, 5)
    case .thetaBeta: (3, 3)
    case .thetaGamma: (2.5, 2.5)
    }
  }
}

/// The kernels that a search may try: ranges around settings that fix everything else.
package struct KernelRanges: Sendable, Hashable, Codable {
  /// Where the search starts: inside all ranges.
  package let start: RefinementSettings
  private let ranges: [KernelParameter: [Double]]

  /// Around `start` within a factor of 8 for weights, 3 for θβ, 2.5 for θγ, and from half to five times θα, since wide
  /// kernels cost least; `held` ones stay as they are.
  ///
  /// A weight of 0 that is not held starts at the program's own.
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
      let most = parameter.most
      ranges[parameter] = [
        min(value / parameter.factors.smaller, most / parameter.factors.smaller),
        min(value * parameter.factors.larger, most),
      ]
    }
    self.ranges = ranges
  }

  /// What may be changed, in the order of the kernels.
  package var searched: [KernelParameter] { KernelParameter.allCases.filter { ranges[$0] != nil } }

  /// The range of a parameter; nil when it is held.
  package func range(of parameter: KernelParameter) -> ClosedRange<Double>? {
    ranges[parameter].map { $0[0]...$0[1] }
  }

  /// Where a value lies in its range on a logarithmic scale, 0...1; nil when it is held.
  package func share(of parameter: KernelParameter, in settings: RefinementSettings) -> Double? {
    range(of: parameter).map {
      log(parameter.value(in: settings) / $0.lowerBound) / log($0.upperBound / $0.lowerBound)
    }
  }

  /// Sets a parameter that is searched to a share of its range, kept to three digits.
  func set(_ parameter: KernelParameter, share: Double, in settings: inout RefinementSettings) {
    guard let range = range(of: parameter) else { return }
    let inside = min(max(share, 0), 1)
    let value = range.lowerBound * pow(range.upperBound / range.lowerBound, inside)
    parameter.set(value.toThreeDigits, in: &settings)
  }

  /// How far two settings lie apart, the length of each range being 1.
  func distance(_ one: RefinementSettings, _ other: RefinementSettings) -> Double {
    searched.reduce(0.0) { sum, parameter in
      let difference =
        (share(of: parameter, in: one) ?? 0) - (share(of: parameter, in: other) ?? 0)
      return sum + difference * difference
    }.squareRoot()
  }
}
