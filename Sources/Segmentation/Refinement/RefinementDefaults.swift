import Foundation
import Volumes
import Work

/// CRF settings for an image of which nobody has said any, and why they are these.
///
/// θβ is three times the noise, so that voxels of one tissue agree, but no more than half the step at the borders, so
/// that those of two do not, and no less than the noise. θα is five voxels and θγ one, of the voxels' geometric mean
/// edge, both the same in millimetres along every axis. Weights and iterations are the program's own.
package struct RefinementDefaults: Hashable, Sendable {
  /// The settings.
  package var settings: RefinementSettings
  /// A sentence for each number that comes from the image.
  package var reasons: [String]

  /// Voxels of θα and θγ.
  private static let reach = (alpha: 5.0, gamma: 1.0)

  /// Defaults for images of one grid.
  /// - Parameter contrasts: What ``Refinement/contrasts(auxiliaryHeadWeights:work:)`` found, one per image; nil or
  ///   none where nothing could be measured, which leaves θβ at the program's own.
  package init(contrasts: [ImageContrast?], spacing: Spacing) {
    var settings = RefinementSettings()
    let edge = cbrt(spacing.i * spacing.j * spacing.k)
    settings.thetaAlphaMillimetres = Spacing((Self.reach.alpha * edge).toThreeDigits)
    settings.thetaGammaMillimetres = Spacing((Self.reach.gamma * edge).toThreeDigits)
    reasons = [
      "theta alpha \(settings.thetaAlphaMillimetres.i) mm and theta gamma \(settings.thetaGammaMillimetres.i) mm, "
        + "five voxels and one of \(edge.toThreeDigits) mm"
    ]
    let unmeasured = settings.thetaBeta
    var thetaBetas: [Double] = []
    for contrast in contrasts {
      guard let contrast else {
        thetaBetas.append(unmeasured)
        reasons.append("theta beta \(unmeasured), because the image's noise could not be measured")
        continue
      }
      let wanted = 3 * contrast.noise
      let limit = contrast.edge.map { max($0 / 2, contrast.noise) } ?? wanted
      let usable = UsableRange.thetaBeta
      let thetaBeta = min(max(min(wanted, limit), usable.lowerBound), usable.upperBound).toThreeDigits
      thetaBetas.append(thetaBeta)
      let noise = "a noise of \(contrast.noise.toThreeDigits)"
      let edges = contrast.edge.map { " and edges of \($0.toThreeDigits)" } ?? ""
      reasons.append("theta beta \(thetaBeta), from \(noise)\(edges)")
    }
    settings.thetaBeta = thetaBetas.first ?? unmeasured
    settings.furtherThetaBetas = Array(thetaBetas.dropFirst())
    self.settings = settings
  }
}

extension RefinementSettings {
  /// Whether these are the settings that stand where nobody has said any; the heads' mix does not count.
  package var areUnsaid: Bool {
    var own = self
    own.auxiliaryHeadWeights = []
    return own == RefinementSettings()
  }
}

extension Double {
  /// The number of three significant digits next to this one, as short as such a decimal is written.
  package var toThreeDigits: Double {
    guard isNormal, abs(self) > 1e-300 else { return self }
    // Dividing by a whole number keeps short decimals short.
    let digits = Int(saturating: floor(log10(abs(self)))) - 2
    let unit = pow(10, Double(abs(digits)))
    return digits >= 0 ? (self / unit).rounded() * unit : (self * unit).rounded() / unit
  }
}
