import Volumes
import Work

/// The map of a network's probabilities that is drawn over the image.
package enum ProbabilityMap: String, Equatable, Sendable, Codable, CaseIterable {
  /// No map.
  case off
  /// The probability of the selected label, or of any label where none is selected.
  case probability
  /// The entropy of all classes, divided by its maximum.
  case entropy
}

extension ReviewState {
  /// Starts the jobs that fetch the probabilities of A and B from the networks of this session, and drops those of
  /// other versions.
  mutating func fetchProbabilities() -> [ReviewEffect] {
    guard phase == .reviewing else { return [] }
    let compared = [decisions.a, decisions.b].compactMap(\.self)
    for id in probabilities.keys where !compared.contains(id) { probabilities[id] = nil }
    guard jobs[.probabilities] == nil else { return [] }
    for id in compared where probabilities[id] == nil {
      guard let version = version(id), case .network = version.origin, let handle = version.probabilities
      else {
        continue
      }
      return [start(ProbabilitiesJob(version: id, handle: handle))]
    }
    return []
  }

  /// Forgets that the probabilities of a run were not in memory, because its network has run since.
  mutating func forgetMissingProbabilities(of handle: ProbabilitiesHandle) {
    for version in decisions.versions where version.probabilities == handle && lacksProbabilities(version) {
      probabilities[version.id] = nil
    }
    let source = ProbabilitySource.run(handle)
    if uncertainty?.source == source, uncertainty?.entropies == nil { uncertainty = nil }
    if componentProbabilities?.source == source, componentProbabilities?.means == nil {
      componentProbabilities = nil
    }
  }

  /// Whether a network made a version, and its probabilities were found not to be in memory: it ran in an earlier session, or
  /// other work needed the memory.
  func lacksProbabilities(_ version: Version) -> Bool {
    guard case .network = version.origin, version.probabilities != nil else { return false }
    return probabilities[version.id] == .some(nil)
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
  func knownProbabilities(of id: VersionID?) -> VersionProbabilities? {
    id.flatMap { probabilities[$0] ?? nil }
  }

  /// Shows the next map of the network's probabilities.
  mutating func showNextMap() {
    let all = ProbabilityMap.allCases
    let next = all[((all.firstIndex(of: view.map) ?? 0) + 1) % all.count]
    guard next == .off || knownProbabilities(of: shownVersion?.id) != nil else {
      if let version = shownVersion, lacksProbabilities(version) { return offerToRunAgain(version) }
      message = Message(
        "no probabilities of the version shown: its network did not run in this session (m runs one)",
        .warning)
      return
    }
    view.map = next
    view.overlay.isShown = true
    message = Message(next == .off ? "no map" : mapTitle(shownVersion))
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

  /// The value of the map at a continuous voxel index; nil where there is none.
  func mapValue(_ probabilities: VersionProbabilities, of version: Version) -> (SIMD3<Double>) -> Double {
    switch view.map {
    case .off: return { _ in 0 }
    case .entropy: return { probabilities.entropy(at: $0) }
    case .probability:
      if let label = version.label(selectedLabel) {
        guard let position = probabilities.position(of: label.value) else { return { _ in 0 } }
        return { probabilities.probability(of: position, at: $0) }
      }
      guard let background = probabilities.position(of: 0) else { return { _ in 1 } }
      return { 1 - probabilities.probability(of: background, at: $0) }
    }
  }
}
