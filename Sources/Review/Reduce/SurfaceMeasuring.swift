import Volumes
import Work

extension ReviewState {
  /// Starts the job that measures distances between the borders of A and B, unless they are known or being measured,
  /// and stops one for other versions.
  ///
  /// It starts when the differences are known, so that it does not delay them.
  mutating func measureSurfacesIfNeeded() -> [ReviewEffect] {
    guard let spatialComparison, spatialComparison.request.b != nil else {
      guard surfaceDistances != nil else { return [] }
      (surfaceDistances, furthestPosition) = (nil, nil)
      return cancel(.surfaceDistances)
    }
    guard !spatialComparison.request.isIdentical(to: surfaceDistances?.request) else { return [] }
    furthestPosition = nil
    let selected = spatialComparison.request.pairs.firstIndex { pair in
      shownVersion?.label(selectedLabel).map {
        $0.value == (shownSide == .a ? pair.valueA : pair.valueB)
      } ?? false
    }
    let unmeasured = SurfaceDistances(spatialComparison.request, first: selected)
    return receiveSurfaceDistances(unmeasured)
  }

  /// Stores measured distances, and starts a job for the remaining labels.
  mutating func receiveSurfaceDistances(_ measured: SurfaceDistances) -> [ReviewEffect] {
    surfaceDistances = measured
    return measured.remaining.isEmpty
      ? cancel(.surfaceDistances) : [start(SurfaceDistanceJob(measured: measured))]
  }

  /// Jumps to the furthest border voxel of the label that lies `count` labels further in the list, which begins with
  /// the largest distance.
  mutating func goToFurthestPoint(_ count: Int) {
    guard decisions.a != nil, decisions.b != nil else {
      message = Message("no two versions to compare: open masks, or run a network (m)", .warning)
      return
    }
    guard let surfaceDistances else {
      message = Message("still comparing A and B")
      return
    }
    let rows = surfaceDistances.worstFirst
    guard !rows.isEmpty else {
      message =
        surfaceDistances.remaining.isEmpty
        ? Message("A and B have no label in common that has voxels in both", .warning)
        : surfaceDistances.failure.map { Message($0, .error) } ?? Message("still measuring distances")
      return
    }
    let next = furthestPosition.map { min($0, rows.count - 1) + count } ?? (count < 0 ? -1 : 0)
    goToFurthestPoint(at: (next % rows.count + rows.count) % rows.count)
  }

  /// Goes to the furthest border voxel of a row of the list, which must have it, and selects its label.
  mutating func goToFurthestPoint(at position: Int) {
    guard let surfaceDistances else { return }
    let rows = surfaceDistances.worstFirst
    let row = rows[position]
    furthestPosition = position
    let pair = surfaceDistances.request.pairs[row.pair]
    let (version, value) =
      shownSide == .a ? (decisions.a, pair.valueA) : (decisions.b, pair.valueB)
    if let version = version.flatMap({ self.version($0) }), let label = value.flatMap({ version.table[$0] }) {
      selectedLabel = version.key(of: label)
    }
    moveCrosshair(to: row.furthest.index)
    if view.zoom > 1 { view.centre = continuous(view.crosshair) }
    let (own, other) = row.furthest.isOfReference ? ("A", "B") : ("B", "A")
    let axis = geometry(view.activePlane).sliceAxis
    let still = surfaceDistances.remaining.isEmpty ? "" : " so far"
    message = Message(
      "\(position + 1) of \(rows.count)\(still), \(cleaned(pair.name)): \(own)'s border is "
        + "\(decimals(row.furthest.distanceMillimetres, 1)) mm from \(other)'s, "
        + "\(view.activePlane.rawValue) \(view.crosshair[axis])")
  }
}
