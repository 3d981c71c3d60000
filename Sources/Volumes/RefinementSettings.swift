/// The kernels and weights of a fully connected CRF, in physical units.
///
/// Pairwise energy of voxels p, q with different labels (Krähenbühl and Koltun 2011; Dou et al. 2017):
/// μ1 exp(-|s_p-s_q|²/2θα² - |I_p-I_q|²/2θβ²) + μ2 exp(-|s_p-s_q|²/2θγ²), s in millimetres, I in the image's units.
package struct RefinementSettings: Hashable, Sendable, Codable {
  /// The normalisation of messages by the number of neighbours that sent them.
  package enum Normalisation: String, Hashable, Sendable, Codable, CaseIterable {
    /// D^-1/2 K D^-1/2, the default of every peer.
    case symmetric
    /// D^-1 K.
    case after
    /// K D^-1.
    case before
    /// K as it is; weights must then be small.
    case none
  }

  /// μ1, weight of the appearance kernel.
  package var appearanceWeight: Double
  /// θα per grid axis in millimetres: the spatial standard deviation of the appearance kernel.
  package var thetaAlphaMillimetres: Spacing
  /// θβ in the image's intensity units: how different two voxels may look and still agree.
  package var thetaBeta: Double
  /// θβ of every further image that is compared jointly with the first.
  package var furtherThetaBetas: [Double]
  /// μ2, weight of the smoothness kernel.
  package var smoothnessWeight: Double
  /// θγ per grid axis in millimetres: the standard deviation of the smoothness kernel.
  package var thetaGammaMillimetres: Spacing
  /// Mean-field updates.
  package var iterations: Int
  /// τ_d of each auxiliary head, lowest first: the unary is (1-Σ τ_d) main + Σ τ_d auxiliary_d.
  package var auxiliaryHeadWeights: [Double]
  package var normalisation: Normalisation
  /// Whether a voxel's message to itself is excluded, as in the paper; other implementations include it.
  package var excludesSelf: Bool
  /// The labels that may gain or lose voxels; empty for all.
  ///
  /// Background always may.
  package var changedLabels: [UInt16]

  /// Settings; the defaults are a start for CT and MR of 1-3 mm voxels.
  package init(
    appearanceWeight: Double = 3, thetaAlphaMillimetres: Spacing = Spacing(4), thetaBeta: Double = 20,
    smoothnessWeight: Double = 1.5, thetaGammaMillimetres: Spacing = Spacing(2), iterations: Int = 5,
    auxiliaryHeadWeights: [Double] = [], normalisation: Normalisation = .symmetric,
    excludesSelf: Bool = false,
    furtherThetaBetas: [Double] = [], changedLabels: [UInt16] = []
  ) {
    self.appearanceWeight = appearanceWeight
    self.thetaAlphaMillimetres = thetaAlphaMillimetres
    self.thetaBeta = thetaBeta
    self.smoothnessWeight = smoothnessWeight
    self.thetaGammaMillimetres = thetaGammaMillimetres
    self.iterations = iterations
    self.auxiliaryHeadWeights = auxiliaryHeadWeights
    self.normalisation = normalisation
    self.excludesSelf = excludesSelf
    self.furtherThetaBetas = furtherThetaBetas
    self.changedLabels = changedLabels
  }

  /// Reads settings; those of one image may leave out ``furtherThetaBetas``, those of all labels ``changedLabels``.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    appearanceWeight = try values.decode(Double.self, forKey: .appearanceWeight)
    thetaAlphaMillimetres = try values.decode(Spacing.self, forKey: .thetaAlphaMillimetres)
    thetaBeta = try values.decode(Double.self, forKey: .thetaBeta)
    furtherThetaBetas = try values.decodeIfPresent([Double].self, forKey: .furtherThetaBetas) ?? []
    smoothnessWeight = try values.decode(Double.self, forKey: .smoothnessWeight)
    thetaGammaMillimetres = try values.decode(Spacing.self, forKey: .thetaGammaMillimetres)
    iterations = try values.decode(Int.self, forKey: .iterations)
    auxiliaryHeadWeights = try values.decode([Double].self, forKey: .auxiliaryHeadWeights)
    normalisation = try values.decode(Normalisation.self, forKey: .normalisation)
    excludesSelf = try values.decode(Bool.self, forKey: .excludesSelf)
    changedLabels = try values.decodeIfPresent([UInt16].self, forKey: .changedLabels) ?? []
  }

  /// θβ of every image, the first one's first.
  package var thetaBetas: [Double] { [thetaBeta] + furtherThetaBetas }
}
