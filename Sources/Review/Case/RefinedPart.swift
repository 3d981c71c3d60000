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
  ///
  /// Of a whole image only the chunks that differ are compared, and only their components found anew.
  /// - Throws: `InputError` where memory does not hold the comparison; `Cancelled`.
  /// - Complexity: O(voxels of the box).
  package init(_ refined: RefinedLabels, of request: RefinementRequest, _ work: WorkContext) throws {
    box = refined.box
    // The labels after in chunks.
    try AvailableMemory.requireAllocation(refined.labels.voxels.count * MemoryLayout<UInt16>.stride)
    labels = ChunkedLabels(refined.labels)
    let componentsBefore: LabelComponents
    if box == VoxelBounds(request.labelsBefore.grid.size) {
      labelsBefore = request.labelsBefore
      componentsBefore = request.componentsBefore
    } else {
      labelsBefore = ChunkedLabels(request.labelsBefore.volume(croppedTo: box))
      componentsBefore = try LabelComponents(labelsBefore, work: work.withoutProgress)
    }
    movableFraction = refined.movableFraction
    components = try LabelComponents(
      labels, changedFrom: labelsBefore, componentsBefore, work: work.withoutProgress)
    let difference = try LabelDifference(from: labelsBefore, to: labels, work: work.withoutProgress)
    changedVoxels = difference.voxelCount
    changedRegions = difference.regionCount
    let (before, after) = (componentsBefore.statistics, components.statistics)
    let known = Set(before.map(\.label)).union(after.map(\.label))
    rows = known.sorted().map { label in
      let (old, new) = (before.ascending(label, by: \.label), after.ascending(label, by: \.label))
      let voxelsBefore = old?.voxelCount ?? 0
      return Row(
        label: label, voxelsBefore: voxelsBefore, voxelsAfter: new?.voxelCount ?? 0,
        voxelsCommon: voxelsBefore - (difference.lost[label] ?? 0),
        componentsBefore: old?.componentCount ?? 0, componentsAfter: new?.componentCount ?? 0)
    }
  }

  /// The refined label at a voxel index of the image's grid; nil outside the box.
  package func label(at index: VoxelIndex) -> UInt16? {
    for axis in 0..<3 where !(box.lower[axis]...box.upper[axis]).contains(index[axis]) { return nil }
    return labels[index - box.lower]
  }
}
