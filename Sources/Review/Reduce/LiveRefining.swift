import Foundation
import Volumes
import Work

extension ReviewState {
  /// A newer turn cancels an older one, but after so many in a row the one under way is let finish: a knob that is
  /// held down would otherwise never show anything.
  private static let mostCancelledPreviews = 2
  /// Seconds between which a box keeps its size: longer, and the next is smaller; shorter, and it is larger.
  private static let boxSeconds = 0.02...0.06
  private static let previewVoxelRange = 4_000.0...200_000

  /// Refines the box around the crosshair with the knobs as they stand; a newer one cancels an older one.
  mutating func previewIfLive() -> [ReviewEffect] {
    guard isPreviewLive, focus == .refinement, let base = refinementBase else { return [] }
    if live?.base != base.id { live = LiveRefinement(base: base.id) }
    // A crosshair that moves leaves what all of the image is waiting for alone.
    let stopped = isFollowing(base.id, decisions.knobs) ? [] : cancel(.following)
    if let whole = live?.whole, whole.knobs == decisions.knobs {
      // Back where the knobs were: what is known is shown again.
      live?.region = nil
      previewIsDue = false
      return stopped + cancel(.preview)
    }
    if jobs[.preview] != nil {
      guard cancelledPreviews < ReviewState.mostCancelledPreviews else {
        previewIsDue = true
        return stopped
      }
      cancelledPreviews += 1
    }
    previewIsDue = false
    return stopped + [startPreview(base)]
  }

  /// Whether all of the image is being refined with these knobs.
  private func isFollowing(_ base: VersionID, _ knobs: KnobSettings) -> Bool {
    running(FollowingJob.self).map { $0.base == base && $0.knobs == knobs } ?? false
  }

  private mutating func startPreview(_ base: Version) -> ReviewEffect {
    let region = VoxelBounds(around: view.crosshair, side: previewSide, in: grid.size)
    return start(
      PreviewJob(request: refinementRequest(base, region: region), base: base.id, knobs: decisions.knobs))
  }

  /// The box that is refined while a knob turns: about equal in millimetres along every axis.
  private var previewSide: GridSize {
    var side = GridSize(1, 1, 1)
    var free = [0, 1, 2]
    var volume = previewVoxels * grid.spacing.i * grid.spacing.j * grid.spacing.k
    // Thin axes first: what they leave is shared by the others.
    for axis in free.sorted(by: {
      Double(grid.size[$0]) * grid.spacing[$0] < Double(grid.size[$1]) * grid.spacing[$1]
    }) {
      let length = pow(volume, 1 / Double(free.count))
      side[axis] = min(grid.size[axis], max(1, Int(saturating: (length / grid.spacing[axis]).rounded())))
      volume /= Double(side[axis]) * grid.spacing[axis]
      free.removeLast()
    }
    return side
  }

  /// Makes the next box smaller or larger, by what another turn on the same box took; the first on a box, which reads
  /// the image, says little.
  private mutating func adaptBox(to seconds: Double) {
    guard seconds > 0, !ReviewState.boxSeconds.contains(seconds) else { return }
    let wanted = previewVoxels * min(max(0.04 / seconds, 0.4), 2)
    let range = ReviewState.previewVoxelRange
    previewVoxels = min(max(wanted, range.lowerBound), range.upperBound)
  }

  /// Takes a refined box, and has all of the image follow it.
  mutating func takeRefinedBox(_ preview: RefinedPart, base: VersionID, _ knobs: KnobSettings)
    -> [ReviewEffect]
  {
    guard focus == .refinement, isPreviewLive, refinementBase?.id == base else { return [] }
    if live?.base != base { live = LiveRefinement(base: base) }
    cancelledPreviews = 0
    if live?.region?.part.box == preview.box { adaptBox(to: preview.seconds) }
    if live?.whole?.knobs != knobs { live?.region = LiveRefinement.Result(knobs: knobs, part: preview) }
    guard let version = version(base) else { return [] }
    if previewIsDue {
      previewIsDue = false
      return [startPreview(version)]
    }
    guard knobs == decisions.knobs, live?.whole?.knobs != knobs, !isFollowing(base, knobs),
      live?.isOnlyRegion != true, jobs[.refinement] == nil
    else { return [] }
    return [
      start(FollowingJob(request: refinementRequest(version, region: nil), base: base, knobs: knobs))
    ]
  }

  /// Takes all of the image, refined with `knobs`.
  mutating func takeRefinedImage(_ part: RefinedPart, base: VersionID, _ knobs: KnobSettings) {
    guard focus == .refinement, refinementBase?.id == base else { return }
    if live?.base != base { live = LiveRefinement(base: base) }
    var part = part
    // Not measured of all of the image, which has as good as the same borders as the box.
    part.movableShare = part.movableShare ?? live?.region?.part.movableShare
    live?.whole = LiveRefinement.Result(knobs: knobs, part: part)
    if knobs == decisions.knobs { live?.region = nil }
  }

  /// Forgets what was refined live, and stops refining.
  mutating func stopLive() -> [ReviewEffect] {
    live = nil
    showsUnrefined = false
    previewIsDue = false
    cancelledPreviews = 0
    return cancel(.preview) + cancel(.following)
  }

  /// Begins what the CRF panel shows: the refined box, the image's measures and the saved presets.
  mutating func beginRefining() -> [ReviewEffect] {
    var effects = previewIfLive()
    if let base = refinementBase, measures?.version != base.id,
      running(MeasurementJob.self)?.base != base.id
    {
      effects.append(start(MeasurementJob(request: refinementRequest(base, region: nil), base: base.id)))
    }
    if savedPresets == nil, jobs[.presets] == nil {
      effects.append(start(PresetsJob()))
    }
    return effects
  }

  /// Brings the CRF panel to the version that is shown now, where an event changed which one that is.
  mutating func followShownVersion(from earlier: VersionID?) -> [ReviewEffect] {
    guard focus == .refinement, phase == .reviewing, refinementBase?.id != earlier else { return [] }
    knobEntry = nil
    if !Knob.knobs(of: refinementBase).contains(selectedKnob) { selectedKnob = .appearanceWeight }
    return stopLive() + beginRefining()
  }

  /// Does something, and refines where the crosshair went when only a box is refined.
  mutating func followingCrosshair(_ body: (inout ReviewState) -> [ReviewEffect]) -> [ReviewEffect] {
    let before = view.crosshair
    let effects = body(&self)
    guard focus == .refinement, view.crosshair != before, phase == .reviewing else { return effects }
    return effects + previewIfLive()
  }
}
