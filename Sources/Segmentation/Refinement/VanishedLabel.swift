import Volumes
import Work

/// A label that had voxels and lost the last of them.
package struct VanishedLabel: Hashable, Sendable {
  /// The label's value.
  package var value: UInt16
  /// Its voxels before.
  package var voxelsBefore: Int

  /// Labels of `before` that `after` lacks, ascending; background is none.
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
  /// Labels of what the refinement began with that `refined` lacks.
  /// - Throws: ``Cancelled``; as ``labels(settings:exact:work:)``.
  package func vanished(
    in refined: LabelVolume, settings: RefinementSettings, work: WorkContext
  ) throws -> [VanishedLabel] {
    let left = refined.voxelCounts()
    // What all labels survived needs no look at the beginning.
    guard labelValues.contains(where: { $0 != 0 && left[$0] ?? 0 == 0 }) else { return [] }
    var none = settings
    (none.appearanceWeight, none.smoothnessWeight, none.iterations) = (0, 0, 0)
    return VanishedLabel.all(before: try labels(settings: none, work: work), after: refined)
  }
}
