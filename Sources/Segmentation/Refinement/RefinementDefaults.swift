import Foundation
import Volumes
import Work

/// Default CRF settings for an image, with the reasons.
///
/// θβ is three times the noise, so that voxels of one tissue are similar, but at most half the step at borders, so that
/// those of two tissues are not, and at least the noise. θα is five and θγ one of the voxels' geometric mean edge, in
/// millimetres along every axis. Weights and iterations are the program's defaults.
package struct RefinementDefaults: Hashable, Sendable {
  package var settings: RefinementSettings
  /// A sentence for each number that comes from the image.
  package var reasons: [String]

  /// θα and θγ in voxels.
  private static let widthVoxels = (alpha: 5.0, gamma: 1.0)

  /// Defaults for images of one grid.
  /// - Parameter contrasts: The result of ``Refinement/contrasts(auxiliaryHeadWeights:work:)``, one per image; nil
  ///   where it could not be estimated, for which θβ is the program's default.
  package init(contrasts: [ImageContrast?], spacing: Spacing) {
    var settings = RefinementSettings()
    let edge = cbrt(spacing.i * spacing.j * spacing.k)
    settings.thetaAlphaMillimetres = Spacing((Self.widthVoxels.alpha * edge).toThreeDigits)
    settings.thetaGammaMillimetres = Spacing((Self.widthVoxels.gamma * edge).toThreeDigits)
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
  /// Whether these are the program's default settings; the weights of auxiliary heads are ignored.
  package var areDefaults: Bool {
    var own = self
    own.auxiliaryHeadWeights = []
    return own == RefinementSettings()
  }
}

extension Double {
  /// This number rounded to three significant digits, so that its decimal text is short.
  package var toThreeDigits: Double {
    guard isNormal, abs(self) > 1e-300 else { return self }
    // Dividing by a whole number keeps short decimals short.
    let digits = Int(saturating: floor(log10(abs(self)))) - 2
    let unit = pow(10, Double(abs(digits)))
    return digits >= 0 ? (self / unit).rounded() * unit : (self * unit).rounded() / unit
  }
}
