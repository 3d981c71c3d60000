import Metrics
import Volumes
import Worklist

/// The source of class probabilities of the image.
package enum ProbabilitySource: Hashable, Sendable {
  /// A run of a network in this session.
  case run(ProbabilitiesHandle)
  /// A file that was named with the image.
  case file(path: String)
}

/// The result of fetching the class probabilities of a source.
package enum FetchedProbabilities: Equatable, Sendable {
  case known(VersionProbabilities)
  /// A network ran in an earlier session, or other work needed the memory.
  case notInMemory
  /// The file cannot be read, or its probabilities exceed the permitted fraction of memory; the reason in one line.
  case failed(String)
}

/// The uncertainty of slices, or the reason why it is unknown.
package struct SliceUncertainty: Equatable, Sendable {
  /// The probabilities that it was computed from.
  package var source: ProbabilitySource
  /// The mean entropy of every slice; nil where ``failure`` says why not.
  package var entropies: SliceEntropies?
  /// The uncertainty about each label that the probabilities find.
  package var labels: [LabelUncertainty]
  /// The reason why there is none, in one line.
  package var failure: String?

  package init(
    source: ProbabilitySource, entropies: SliceEntropies?, labels: [LabelUncertainty] = [],
    failure: String? = nil
  ) {
    (self.source, self.entropies, self.labels, self.failure) = (source, entropies, labels, failure)
  }
}

/// The mean probability of a label in each of its components.
package struct ComponentProbabilities: Equatable, Sendable {
  /// The label whose components they are.
  package var request: IslandsRequest
  /// The probabilities that they were computed from.
  package var source: ProbabilitySource
  /// The mean of each component, in the order of the list; nil where the probabilities are not known.
  package var means: [Double]?

  package init(request: IslandsRequest, source: ProbabilitySource, means: [Double]?) {
    (self.request, self.source, self.means) = (request, source, means)
  }
}
