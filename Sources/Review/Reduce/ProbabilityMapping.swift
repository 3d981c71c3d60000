import Volumes
import Work

/// The map of class probabilities that is drawn over the image.
package enum ProbabilityMap: String, Equatable, Sendable, Codable, CaseIterable {
  /// No map.
  case off
  /// The probability of the selected label, or of any label where none is selected.
  case probability
  /// The entropy of all classes, divided by its maximum.
  case entropy
}

extension ReviewState {
  /// The source of a version's class probabilities: the network that made it, or the file that was given with the image
  /// for a version that no network made; nil for none.
  func probabilitySource(of version: Version) -> ProbabilitySource? {
    guard let handle = version.probabilities else { return request.probabilitiesPath.map { .file(path: $0) } }
    guard case .network = version.origin else { return nil }
    return .run(handle)
  }

  /// The sources for A and B.
  var comparedProbabilitySources: [ProbabilitySource] {
    [decisions.a, decisions.b].compactMap { $0.flatMap { version($0) }.flatMap(probabilitySource) }
  }

  /// Starts the jobs that fetch the probabilities for A and B, and drops those of other sources.
  mutating func fetchProbabilities() -> [ReviewEffect] {
    guard phase == .reviewing else { return [] }
    let sources = comparedProbabilitySources
    for source in probabilities.keys where !sources.contains(source) { probabilities[source] = nil }
    guard jobs[.probabilities] == nil, let source = sources.first(where: { probabilities[$0] == nil }) else {
      return []
    }
    return [start(ProbabilitiesJob(source: source, grid: grid))]
  }

  /// Forgets that the probabilities of a run were not in memory, because its network has run since.
  mutating func forgetMissingProbabilities(of handle: ProbabilitiesHandle) {
    let source = ProbabilitySource.run(handle)
    if probabilities[source] == .notInMemory { probabilities[source] = nil }
    if uncertainty?.source == source, uncertainty?.entropies == nil { uncertainty = nil }
    if componentProbabilities?.source == source, componentProbabilities?.means == nil {
      componentProbabilities = nil
    }
  }

  /// Whether a network made a version, and its probabilities were found not to be in memory: it ran in an earlier session, or
  /// other work needed the memory.
  func lacksProbabilities(_ version: Version) -> Bool {
    probabilitySource(of: version).map { probabilities[$0] == .notInMemory } ?? false
  }

  /// Asks whether the network that made a version should run again for its probabilities.
  mutating func offerToRunAgain(_ version: Version) {
    if let job = running(ComputedProbabilitiesJob.self), job.version == version.id {
      message = Message("still \(job.title ?? "")")
    } else {
      dialog = .question(.runAgain(version.id))
    }
  }

  /// The probabilities of a version; nil where they are not in memory.
  func knownProbabilities(of version: Version?) -> VersionProbabilities? {
    guard let source = version.flatMap(probabilitySource), case .known(let known) = probabilities[source]
    else { return nil }
    return known
  }

  /// Shows the next map of the class probabilities of the version shown.
  mutating func showNextMap() -> [ReviewEffect] {
    let all = ProbabilityMap.allCases
    let next = all[((all.firstIndex(of: view.map) ?? 0) + 1) % all.count]
    guard next == .off || knownProbabilities(of: shownVersion) != nil else { return explainMissingMap() }
    view.map = next
    view.overlay.isShown = true
    message = Message(next == .off ? "no map" : mapTitle(shownVersion))
    return []
  }

  /// Says why there are no probabilities of the version shown, or begins what provides them.
  private mutating func explainMissingMap() -> [ReviewEffect] {
    guard let version = shownVersion else {
      message = Message("no map without a mask: m runs a network, :mask opens one", .warning)
      return []
    }
    guard let source = probabilitySource(of: version) else {
      message = Message(
        "no probabilities of the version shown: its network did not run in this session (m runs one)",
        .warning)
      return []
    }
    switch probabilities[source] {
    case .notInMemory: offerToRunAgain(version)
    case .failed where running(ProbabilitiesJob.self) == nil:
      return [start(ProbabilitiesJob(source: source, grid: grid, isRequestedByReviewer: true))]
    case .failed, .known, nil: message = Message("still reading the probabilities")
    }
    return []
  }

  /// "probability of liver", "entropy".
  func mapTitle(_ version: Version?) -> String {
    switch view.map {
    case .off: return ""
    case .entropy: return "entropy"
    case .probability:
      guard let label = version?.label(selectedLabel) else { return "probability of any label" }
      return "probability of \(cleaned(label.name))"
    }
  }
}
