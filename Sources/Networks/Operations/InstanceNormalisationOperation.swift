import Tensors

/// Instance normalisation: each channel of each image is normalised by its own mean and variance.
package struct InstanceNormalisationOperation: WholeImageNormalisation {
  package static let kind = "instanceNormalisation"

  package var epsilon: Float
  package var isAffine: Bool
  package var groups: Int? { nil }

  package init(epsilon: Float, isAffine: Bool = true) {
    self.epsilon = epsilon
    self.isAffine = isAffine
  }

  package var problem: String? { epsilonProblem }

  /// A single voxel has no variance.
  package func outputExtent(_ input: Extent3) -> Extent3? { input.product > 1 ? input : nil }
}

extension NetworkOperation where Self == InstanceNormalisationOperation {
  package static func instanceNormalisation(
    epsilon: Float, isAffine: Bool = true
  ) -> InstanceNormalisationOperation {
    InstanceNormalisationOperation(epsilon: epsilon, isAffine: isAffine)
  }
}

extension InstanceNormalisationOperation {
  private enum CodingKeys: String, CodingKey { case epsilon, affine }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    epsilon = try values.decodeIfPresent(Float.self, forKey: .epsilon) ?? 1e-5
    isAffine = try values.flag(.affine, absent: true)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(epsilon, forKey: .epsilon)
    try values.encode(isAffine, forKey: .affine)
  }
}
