import Foundation
import Volumes
import Work

extension ReviewState {
  /// The maximum number of previews in a row that are cancelled by newer ones: without a limit, a key that is held down
  /// would never show a result.
  private static let maximumCancelledPreviews = 2
  /// The durations of a preview, in seconds, for which the box keeps its size.
  ///
  /// After a longer preview the next box is smaller, after a shorter one larger.
  private static let boxSeconds = 0.02...0.06
  private static let previewVoxelRange = 4_000.0...200_000

  /// Refines the box around the crosshair with the current knobs; a newer preview cancels an older one.
  mutating func previewIfLive() -> [ReviewEffect] {
    guard isPreviewLive, focus == .refinement, let base = refinementBase else { return [] }
    if live?.base != base.id { live = LiveRefinement(base: base.id) }
    // A move of the crosshair does not stop the refinement of the whole image.
    let stopped = isRefiningInBackground(base.id, decisions.knobs) ? [] : cancel(.backgroundRefinement)
    if let whole = live?.whole, whole.knobs == decisions.knobs {
      // The knobs have the values of the present result again, so it is shown.
      live?.region = nil
      needsPreview = false
      return stopped + cancel(.preview)
    }
    if jobs[.preview] != nil {
      guard cancelledPreviews < ReviewState.maximumCancelledPreviews else {
        needsPreview = true
        return stopped
      }
      cancelledPreviews += 1
    }
    needsPreview = false
    return stopped + [startPreview(base)]
  }

  /// Whether all of the image is being refined with these knobs.
  private func isRefiningInBackground(_ base: VersionID, _ knobs: KnobSettings) -> Bool {
    running(BackgroundRefinementJob.self).map { $0.base == base && $0.knobs == knobs } ?? false
  }

  private mutating func startPreview(_ base: Version) -> ReviewEffect {
    let region = VoxelBounds(around: view.crosshair, side: previewSide, in: grid.size)
    return start(
      PreviewJob(request: refinementRequest(base, region: region), base: base.id, knobs: decisions.knobs))
  }

  /// The size of the box that is refined while knobs change: about equal in millimetres along every axis.
  private var previewSide: GridSize {
    var side = GridSize(1, 1, 1)
    var free = [0, 1, 2]
    var volume = previewVoxels * grid.spacing.i * grid.spacing.j * grid.spacing.k
    // Thin axes first: the others divide the rest of the volume.
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

  /// Makes the next box smaller or larger by the duration of a repeated preview of one box.
  ///
  /// The first preview of a box also reads the image, so its duration does not count.
  private mutating func adaptBox(to seconds: Double) {
    guard seconds > 0, !ReviewState.boxSeconds.contains(seconds) else { return }
    let wanted = previewVoxels * min(max(0.04 / seconds, 0.4), 2)
    let range = ReviewState.previewVoxelRange
    previewVoxels = min(max(wanted, range.lowerBound), range.upperBound)
  }

  /// Shows a refined box, then starts the refinement of the whole image.
  mutating func showRefinedBox(_ preview: RefinedPart, base: VersionID, _ knobs: KnobSettings)
    -> [ReviewEffect]
  {
    guard focus == .refinement, isPreviewLive, refinementBase?.id == base else { return [] }
    if live?.base != base { live = LiveRefinement(base: base) }
    cancelledPreviews = 0
    if live?.region?.part.box == preview.box { adaptBox(to: preview.seconds) }
    if live?.whole?.knobs != knobs { live?.region = LiveRefinement.Result(knobs: knobs, part: preview) }
    guard let version = version(base) else { return [] }
    if needsPreview {
      needsPreview = false
      return [startPreview(version)]
    }
    guard knobs == decisions.knobs, live?.whole?.knobs != knobs, !isRefiningInBackground(base, knobs),
      live?.isOnlyRegion != true, jobs[.refinement] == nil
    else { return [] }
    return [
      start(
        BackgroundRefinementJob(request: refinementRequest(version, region: nil), base: base, knobs: knobs))
    ]
  }

  /// Shows the whole image, refined with `knobs`.
  mutating func showRefinedImage(_ part: RefinedPart, base: VersionID, _ knobs: KnobSettings) {
    guard focus == .refinement, refinementBase?.id == base else { return }
    if live?.base != base { live = LiveRefinement(base: base) }
    var part = part
    // The fraction is measured only for boxes; that of the whole image is similar.
    part.movableFraction = part.movableFraction ?? live?.region?.part.movableFraction
    live?.whole = LiveRefinement.Result(knobs: knobs, part: part)
    if knobs == decisions.knobs { live?.region = nil }
  }

  /// Discards the live results and cancels the live refinement.
  mutating func stopLive() -> [ReviewEffect] {
    live = nil
    showsLabelsBeforeRefinement = false
    needsPreview = false
    cancelledPreviews = 0
    return cancel(.preview) + cancel(.backgroundRefinement)
  }

  /// Starts the jobs of the CRF panel: the refined box, the image's measures and the saved presets.
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

  /// Restarts the CRF panel where an event changed the version that it refines.
  mutating func restartRefinementIfVersionChanged(from earlier: VersionID?) -> [ReviewEffect] {
    guard focus == .refinement, phase == .reviewing, refinementBase?.id != earlier else { return [] }
    knobEntry = nil
    if !Knob.knobs(of: refinementBase).contains(selectedKnob) { selectedKnob = .appearanceWeight }
    return stopLive() + beginRefining()
  }

  /// Performs `body`, then refines the box around the crosshair if it moved.
  mutating func refiningAroundCrosshair(_ body: (inout ReviewState) -> [ReviewEffect]) -> [ReviewEffect] {
    let before = view.crosshair
    let effects = body(&self)
    guard focus == .refinement, view.crosshair != before, phase == .reviewing else { return effects }
    return effects + previewIfLive()
  }
}
