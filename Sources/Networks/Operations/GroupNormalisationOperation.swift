import Tensors

/// Group normalisation: groups of consecutive channels of each image are normalised by their mean and variance.
///
/// One group is layer normalisation over channels and voxels.
package struct GroupNormalisationOperation: WholeImageNormalisation {
  package static let kind = "groupNormalisation"

  /// The number of groups, which divides that of the channels.
  package var groupCount: Int
  package var epsilon: Float
  package var isAffine: Bool
  package var groups: Int? { groupCount }

  package init(groups: Int, epsilon: Float, isAffine: Bool = true) {
    groupCount = groups
    self.epsilon = epsilon
    self.isAffine = isAffine
  }

  package var problem: String? {
    (1...GraphLimit.channels).contains(groupCount)
      ? epsilonProblem : "groups: found \(groupCount), expected 1 to \(GraphLimit.channels)"
  }

  package func problem(inputChannels: [Int]) -> String? {
    inputChannels[0] % groupCount == 0
      ? nil : "its channels cannot be divided into \(groupCount) equal groups"
  }
}

extension NetworkOperation where Self == GroupNormalisationOperation {
  package static func groupNormalisation(
    groups: Int, epsilon: Float, isAffine: Bool = true
  ) -> GroupNormalisationOperation {
    GroupNormalisationOperation(groups: groups, epsilon: epsilon, isAffine: isAffine)
  }
}

extension GroupNormalisationOperation {
  private enum CodingKeys: String, CodingKey { case groups, epsilon, affine }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    groupCount = try values.decode(Int.self, forKey: .groups)
    epsilon = try values.decodeIfPresent(Float.self, forKey: .epsilon) ?? 1e-5
    isAffine = try values.flag(.affine, absent: true)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(groupCount, forKey: .groups)
    try values.encode(epsilon, forKey: .epsilon)
    try values.encode(isAffine, forKey: .affine)
  }
}
