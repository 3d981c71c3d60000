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

  /// The probabilities of a version; nil where they are not in memory.
  func knownProbabilities(of id: VersionID?) -> VersionProbabilities? {
    id.flatMap { probabilities[$0] ?? nil }
  }

  /// Shows the next map of the network's probabilities.
  mutating func showNextMap() {
    let all = ProbabilityMap.allCases
    let next = all[((all.firstIndex(of: view.map) ?? 0) + 1) % all.count]
    guard next == .off || knownProbabilities(of: shownVersion?.id) != nil else {
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
