import Metrics
import Volumes
import Work

/// The CRF's result for a box or the whole image, compared with the labels before refinement.
package struct RefinedPart: Equatable, Sendable {
  /// The voxels and components of one label before and after refinement.
  package struct Row: Equatable, Sendable {
    package var label: UInt16
    /// Voxels before, after, and both before and after.
    package var voxelsBefore, voxelsAfter, voxelsCommon: Int
    /// Connected components (26 neighbours) before and after.
    package var componentsBefore, componentsAfter: Int

    package init(
      label: UInt16, voxelsBefore: Int, voxelsAfter: Int, voxelsCommon: Int, componentsBefore: Int,
      componentsAfter: Int
    ) {
      self.label = label
      self.voxelsBefore = voxelsBefore
      self.voxelsAfter = voxelsAfter
      self.voxelsCommon = voxelsCommon
      self.componentsBefore = componentsBefore
      self.componentsAfter = componentsAfter
    }

    /// The sum of voxels gained and voxels lost.
    package var changedVoxels: Int { voxelsBefore + voxelsAfter - 2 * voxelsCommon }

    /// 2 |before ∩ after| / (|before| + |after|), defined because a row has a voxel before or after.
    package var dice: Double { diceCoefficient(voxelsBefore, voxelsAfter, common: voxelsCommon) }
  }

  /// The box in the grid of the image.
  package var box: VoxelBounds
  /// Its labels after refinement, `box.size` voxels.
  package var labels: ChunkedLabels
  /// Its labels before refinement, of the same size.
  package var labelsBefore: ChunkedLabels
  /// The components of ``labels``, in the coordinates of the box.
  package var components: LabelComponents
  /// Each label that the box holds before or after, ascending by value.
  package var rows: [Row]
  /// Voxels whose label changed.
  package var changedVoxels: Int
  /// The number of connected regions (26 neighbours) in which labels changed.
  package var changedRegions: Int
  /// See ``RefinedLabels/movableFraction``.
  package var movableFraction: Double?
  /// The duration of the refinement in seconds.
  package var seconds = 0.0

  /// Compares refined labels with those that the request started from.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of the box).
  package init(_ refined: RefinedLabels, of request: RefinementRequest, _ work: WorkContext) throws(Cancelled)
  {
    let isWhole = refined.box == VoxelBounds(request.labelsBefore.grid.size)
    box = refined.box
    let labels = refined.labels
    // Memory for the labels before as one array, and for the labels after in chunks.
    try AvailableMemory.requireAllocation(2 * labels.voxels.count * MemoryLayout<UInt16>.stride)
    let labelsBefore = request.labelsBefore.volume(croppedTo: refined.box)
    self.labels = ChunkedLabels(labels)
    self.labelsBefore = isWhole ? request.labelsBefore : ChunkedLabels(labelsBefore)
    movableFraction = refined.movableFraction
    components = try LabelComponents(self.labels, work: work.withoutProgress)
    let before =
      isWhole
      ? request.statisticsBefore
      : try LabelComponents(self.labelsBefore, work: work.withoutProgress).statistics
    var common = [Int](repeating: 0, count: 65536)
    var changes: VoxelBounds?
    changedVoxels = 0
    let size = box.size
    for k in 0..<size.k {
      try work.checkCancellation()
      for j in 0..<size.j {
        let row = (k * size.j + j) * size.i
        var first = size.i
        var last = -1
        for i in 0..<size.i {
          let label = labels.voxels[row + i]
          if label == labelsBefore.voxels[row + i] {
            common[Int(label)] += 1
          } else {
            changedVoxels += 1
            first = min(first, i)
            last = i
          }
        }
        guard last >= 0 else { continue }
        let part = VoxelBounds(lower: VoxelIndex(first, j, k), upper: VoxelIndex(last, j, k))
        changes = changes?.union(part) ?? part
      }
    }
    changedRegions = 0
    rows = []
    if let changes {
      changedRegions = try RefinedPart.changedRegions(
        labels, labelsBefore, within: changes, work.withoutProgress)
    }
    let after = components.statistics
    let known = Set(before.map(\.label)).union(after.map(\.label))
    rows = known.sorted().map { label in
      let (old, new) = (before.ascending(label, by: \.label), after.ascending(label, by: \.label))
      return Row(
        label: label, voxelsBefore: old?.voxelCount ?? 0, voxelsAfter: new?.voxelCount ?? 0,
        voxelsCommon: common[Int(label)], componentsBefore: old?.componentCount ?? 0,
        componentsAfter: new?.componentCount ?? 0)
    }
  }

  /// The number of connected regions in which two volumes differ, all of them inside `box`.
  private static func changedRegions(
    _ one: LabelVolume, _ other: LabelVolume, within box: VoxelBounds, _ work: WorkContext
  ) throws(Cancelled) -> Int {
    let size = one.grid.size
    try AvailableMemory.requireAllocation(3 * box.size.voxelCount * MemoryLayout<UInt16>.stride)
    let differs = zip(one.voxels.cropped(to: box, size: size), other.voxels.cropped(to: box, size: size))
      .map { $0 == $1 ? UInt16(0) : 1 }
    let difference = LabelVolume(grid: one.grid.cropped(to: box), voxels: differs)
    return try ConnectedComponents(difference, work: work).components.count
  }

  /// The refined label at a voxel index of the image's grid; nil outside the box.
  package func label(at index: VoxelIndex) -> UInt16? {
    for axis in 0..<3 where !(box.lower[axis]...box.upper[axis]).contains(index[axis]) { return nil }
    return labels[index - box.lower]
  }
}
