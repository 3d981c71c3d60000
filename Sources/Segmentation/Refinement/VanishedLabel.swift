import Volumes
import Work

/// A label that has voxels before refinement and none after.
package struct VanishedLabel: Hashable, Sendable {
  package var value: UInt16
  /// The number of voxels before refinement.
  package var voxelsBefore: Int

  /// Labels of `before` that `after` lacks, ascending, without background.
  package static func all(before: LabelVolume, after: LabelVolume) -> [VanishedLabel] {
    let left = after.voxelCounts()
    return before.voxelCounts().filter { $0.key != 0 && left[$0.key] ?? 0 == 0 && $0.value > 0 }
      .map { VanishedLabel(value: $0.key, voxelsBefore: $0.value) }.sorted { $0.value < $1.value }
  }

  /// "liver vanished (293 voxels before)".
  package func note(_ table: LabelTable) -> String {
    "\(table[value]?.name ?? "label \(value)") vanished (\(counted(voxelsBefore, "voxel")) before)"
  }
}

extension Refinement {
  /// The labels before refinement that `refined` lacks.
  /// - Throws: ``Cancelled``; as ``labels(settings:exact:work:)``.
  package func vanished(
    in refined: LabelVolume, settings: RefinementSettings, work: WorkContext
  ) throws -> [VanishedLabel] {
    let left = refined.voxelCounts()
    // Where all labels are present, those before refinement need not be computed.
    guard labelValues.contains(where: { $0 != 0 && left[$0] ?? 0 == 0 }) else { return [] }
    var none = settings
    (none.appearanceWeight, none.smoothnessWeight, none.iterations) = (0, 0, 0)
    return VanishedLabel.all(before: try labels(settings: none, work: work), after: refined)
  }
}
