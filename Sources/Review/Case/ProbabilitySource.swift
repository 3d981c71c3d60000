import Metrics
import Volumes

/// Where class probabilities of the image come from.
package enum ProbabilitySource: Hashable, Sendable {
  /// A run of a network in this session.
  case run(ProbabilitiesHandle)
  /// A file that was named with the image.
  case file(path: String)
}

/// The uncertainty of slices, as far as it is known.
package struct SliceUncertainty: Equatable, Sendable {
  /// What it was computed from.
  package var source: ProbabilitySource
  /// The mean entropy of every slice; nil where ``failure`` says why not.
  package var entropies: SliceEntropies?
  /// Why there is none, one line.
  package var failure: String?

  package init(source: ProbabilitySource, entropies: SliceEntropies?, failure: String? = nil) {
    (self.source, self.entropies, self.failure) = (source, entropies, failure)
  }
}

/// The mean probability of a label in each of its components.
package struct ComponentProbabilities: Equatable, Sendable {
  /// The label whose components they are.
  package var request: IslandsRequest
  /// What they were computed from.
  package var source: ProbabilitySource
  /// The mean of each component, in the order of the list; nil where the probabilities are not known.
  package var means: [Double]?

  package init(request: IslandsRequest, source: ProbabilitySource, means: [Double]?) {
    (self.request, self.source, self.means) = (request, source, means)
  }
}
