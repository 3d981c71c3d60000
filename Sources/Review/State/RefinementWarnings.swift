import Foundation
import Volumes
import Work

extension RefinementSettings {
  /// The maximum amount by which messages can change the log-odds of two labels; nil where it is not limited.
  ///
  /// A message is a mean of neighbours' probabilities, weighted by a kernel and 0...1, so that a kernel moves the
  /// log-odds by at most its weight: exactly so with the normalisation ``Normalisation/after``, about so with
  /// ``Normalisation/symmetric``, where a voxel and its neighbours have about as many neighbours each.
  var maximumInfluence: Double? {
    switch normalisation {
    case .symmetric, .after: appearanceWeight + smoothnessWeight
    case .before, .none: nil
    }
  }
}

extension KnobSettings {
  /// ln of the odds of a mask's own label against one other, of `classCount` classes with background.
  func maskLogOdds(classCount: Int) -> Double {
    log(maskConfidence * Double(max(1, classCount - 1)) / (1 - maskConfidence))
  }
}

/// A problem with the knobs of a refinement or with its result.
enum RefinementWarning: Equatable {
  /// The label lost its last voxel.
  case vanished(label: UInt16)
  /// The label has `ratio` times as many voxels as before.
  case grew(label: UInt16, ratio: Double)
  /// The label has `fraction` of the voxels that it had before.
  case shrank(label: UInt16, fraction: Double)
  /// No message of these weights can change a voxel of the mask.
  case maskSaturated(logOdds: Double, influence: Double)
  /// Messages of these weights can change no border voxel, or only this small fraction of them.
  case probabilitiesSaturated(movableFraction: Double)
  /// Both weights are 0, or there is no iteration.
  case noEffect
  /// The kernel is narrower than a voxel along these axes.
  case narrow(Knob, axes: [Int])

  /// The minimum number of changed voxels for a warning about a volume that more than doubled or halved.
  private static let minimumVoxels = 64
  /// The fraction of movable border voxels below which borders count as fixed.
  private static let minimumMovableFraction = 0.05

  /// All warnings, those about labels first.
  static func all(
    knobs: KnobSettings, base: Version, grid: VolumeGrid, part: RefinedPart?
  ) -> [RefinementWarning] {
    var warnings: [RefinementWarning] = []
    for row in part?.rows ?? [] where row.voxelsBefore > 0 {
      let ratio = Double(row.voxelsAfter) / Double(row.voxelsBefore)
      if row.voxelsAfter == 0 {
        warnings.append(.vanished(label: row.label))
      } else if abs(row.voxelsAfter - row.voxelsBefore) >= minimumVoxels {
        if ratio > 2 { warnings.append(.grew(label: row.label, ratio: ratio)) }
        if ratio < 0.5 { warnings.append(.shrank(label: row.label, fraction: ratio)) }
      }
    }
    let settings = knobs.refinement
    if settings.appearanceWeight + settings.smoothnessWeight == 0 || settings.iterations == 0 {
      return warnings + [.noEffect]
    }
    if let influence = settings.maximumInfluence {
      if base.probabilities == nil {
        let logOdds = knobs.maskLogOdds(classCount: base.statistics.count + 1)
        if logOdds > influence { warnings.append(.maskSaturated(logOdds: logOdds, influence: influence)) }
      } else if let fraction = part?.movableFraction, fraction < minimumMovableFraction {
        warnings.append(.probabilitiesSaturated(movableFraction: fraction))
      }
    }
    for (knob, weight, theta) in [
      (Knob.thetaAlpha, settings.appearanceWeight, settings.thetaAlphaMillimetres),
      (.thetaGamma, settings.smoothnessWeight, settings.thetaGammaMillimetres),
    ] where weight > 0 {
      let axes = (0..<3).filter { grid.size[$0] > 1 && theta[$0] < grid.spacing[$0] }
      if !axes.isEmpty { warnings.append(.narrow(knob, axes: axes)) }
    }
    return warnings
  }

  /// The warning as one line.
  func text(table: LabelTable, spacing: Spacing, isWhole: Bool) -> String {
    func name(_ label: UInt16) -> String { cleaned(table[label]?.name ?? "label \(label)") }
    let scope = isWhole ? "" : " in the box"
    switch self {
    case .vanished(let label): return "\(name(label)) vanished\(scope)"
    case .grew(let label, let ratio): return "\(name(label)) grew \(decimals(ratio, 1))-fold\(scope)"
    case .shrank(let label, let fraction):
      return "\(name(label)) shrank to \(Int(saturating: (fraction * 100).rounded()))%\(scope)"
    case .maskSaturated(let logOdds, let influence):
      return
        "mask too confident: \(decimals(logOdds, 1)) outweighs μ1 + μ2 = \(brief(influence))"
    case .probabilitiesSaturated(let fraction):
      return fraction == 0
        ? "saturated: these weights can move no border\(scope)"
        : "saturated: these weights can move \(decimals(fraction * 100, 1))% of the border\(scope)"
    case .noEffect: return "nothing to do: weights or iterations are 0"
    case .narrow(let knob, let axes):
      let symbol = knob == .thetaAlpha ? "θα" : "θγ"
      let sides = axes.map { "\(["i", "j", "k"][$0]) \(brief(spacing[$0], atMost: 2)) mm" }
      return "\(symbol) is narrower than a voxel: \(sides.joined(separator: ", "))"
    }
  }
}
