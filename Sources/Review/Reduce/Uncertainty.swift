import Volumes
import Work

extension ReviewState {
  /// The source of the probabilities for the entropies in the strips and for "!": the version shown, the other one of A
  /// and B, or the file that was given with the image; nil for none.
  var uncertaintySource: ProbabilitySource? {
    let versions = [shownVersion] + [decisions.a, decisions.b].map { $0.flatMap { version($0) } }
    if let handle = versions.lazy.compactMap({ $0?.probabilities }).first { return .run(handle) }
    return request.probabilitiesPath.map { .file(path: $0) }
  }

  /// The entropies of the slices; nil where they are not known.
  var knownUncertainty: SliceUncertainty? {
    guard let uncertainty, uncertainty.source == uncertaintySource else { return nil }
    return uncertainty
  }

  /// Starts the job that computes the entropies of the slices, unless they are known or being computed.
  mutating func computeUncertaintyIfNeeded() -> [ReviewEffect] {
    guard phase == .reviewing, let source = uncertaintySource else { return [] }
    if uncertainty?.source == source || running(UncertaintyJob.self)?.source == source { return [] }
    return [start(UncertaintyJob(source: source, grid: grid))]
  }

  /// Jumps to the most uncertain slice of the active plane, then to the next one with each call.
  mutating func goToUncertainSlice() {
    guard uncertaintySource != nil else {
      message = Message(
        "no probabilities: run a network (m), or open the image with --probabilities FILE", .warning)
      return
    }
    guard let known = knownUncertainty else {
      message = Message("still computing the entropy of the slices")
      return
    }
    guard let entropies = known.entropies else {
      if let version = versionToRunAgain(for: known.source) { return offerToRunAgain(version) }
      message = Message(known.failure ?? "the entropy of the slices is not known", .error)
      // The probabilities may be there when the key is pressed again.
      uncertainty = nil
      return
    }
    let axis = geometry(view.activePlane).sliceAxis
    let peaks = entropies.peaks(across: axis)
    guard !peaks.isEmpty else {
      message = Message("no slice is uncertain: every voxel has one class for certain")
      return
    }
    let last = uncertainSlice.flatMap { $0.axis == axis && $0.source == known.source ? $0.position : nil }
    let position = last.map { ($0 + 1) % peaks.count } ?? 0
    uncertainSlice = UncertainSlice(source: known.source, axis: axis, position: position)
    var index = view.crosshair
    index[axis] = peaks[position]
    moveCrosshair(to: index)
    let entropy = decimals(entropies.means[axis][peaks[position]], 4)
    message = Message(
      "uncertain slice \(position + 1) of \(peaks.count): \(view.activePlane.rawValue) \(peaks[position]), "
        + "mean entropy \(entropy) of 1")
  }

  /// The version whose network would have to run again for probabilities that are not in memory; nil where that is not why
  /// they are not known.
  private func versionToRunAgain(for source: ProbabilitySource) -> Version? {
    guard case .run(let handle) = source else { return nil }
    return decisions.versions.first { version in
      version.probabilities == handle && lacksProbabilities(version)
    }
  }

  // MARK: Components

  /// The source of probabilities for the version shown: its own network, or the file that was given with the image.
  private var shownProbabilitySource: ProbabilitySource? {
    if let handle = shownVersion?.probabilities { return .run(handle) }
    return request.probabilitiesPath.map { .file(path: $0) }
  }

  /// The mean probability of each listed component; nil where they are not known.
  var shownComponentProbabilities: [Double]? {
    guard let known = componentProbabilities, known.request == islands?.request,
      known.source == shownProbabilitySource
    else { return nil }
    return known.means
  }

  /// Starts the job that computes mean probabilities of the components in the table, unless they are known or being
  /// computed.
  mutating func measureComponentProbabilitiesIfNeeded() -> [ReviewEffect] {
    guard phase == .reviewing, focus == .components, let islands, let list = islands.list,
      !list.entries.isEmpty, let source = shownProbabilitySource
    else { return [] }
    if let known = componentProbabilities, known.request == islands.request, known.source == source {
      return []
    }
    if let job = running(ComponentProbabilityJob.self), job.request == islands.request, job.source == source {
      return []
    }
    return [
      start(
        ComponentProbabilityJob(request: islands.request, components: list, source: source, grid: grid))
    ]
  }

  /// The positions of the components that the table shows: all, or those without a voxel in the other version.
  var shownComponents: [Int] {
    let count = islands?.list?.entries.count ?? 0
    guard showsOnlyUnmatchedComponents, let common = islands?.commonVoxelCounts else {
      return Array(0..<count)
    }
    return (0..<count).filter { common[$0] == 0 }
  }

  /// Shows only the components that the other version lacks, or all again.
  mutating func toggleUnmatchedComponents() {
    guard islands != nil else {
      message = Message("still looking for the islands", .warning)
      return
    }
    guard islands?.commonVoxelCounts != nil else {
      message = Message("no other version has the label", .warning)
      return
    }
    showsOnlyUnmatchedComponents.toggle()
    let shown = shownComponents
    let other = shownVersion?.id == decisions.a ? "B" : "A"
    message = Message(
      showsOnlyUnmatchedComponents
        ? "\(counted(shown.count, "island")) without a voxel in \(other)" : "all islands")
    if let position = islandPosition, !shown.contains(position) { islandPosition = shown.first }
  }
}

/// The uncertain slice to which the crosshair last jumped.
package struct UncertainSlice: Equatable, Sendable {
  /// The probabilities, the axis across the slices and the position among the peaks.
  var source: ProbabilitySource
  var axis, position: Int
}
