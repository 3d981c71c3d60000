import Review
import Volumes
import Work

extension [LoadedMask] {
  /// The masks with the names that `--label` options give, and what there is to say about it.
  ///
  /// An option counts in every mask that names no label itself: there its values become one label, the first that was
  /// listed.
  /// - Throws: ``InputError`` when a value is named twice, or every mask names its labels itself.
  func named(by selections: [LabelSelection]) throws(InputError) -> (masks: [LoadedMask], notes: [String]) {
    try selections.requireOwnValues()
    var masks = self
    var notes: [String] = []
    for selection in selections {
      let open = indices.filter { self[$0].table.labels.allSatisfy(\.isUnnamed) }
      guard !open.isEmpty else {
        throw InputError(
          "--label \(selection)", "every mask names its labels", expected: "a mask without names beside it")
      }
      var isPresent = false
      for index in open { if masks[index].take(selection) { isPresent = true } }
      if !isPresent {
        notes.append("--label \(selection): no voxel of a mask without names has such a label")
      }
    }
    return (masks, notes)
  }
}

extension LoadedMask {
  /// Makes one named label of the selection's values.
  /// - Returns: Whether any voxel has it.
  fileprivate mutating func take(_ selection: LabelSelection) -> Bool {
    let codes = labels.coding.codes(of: selection.values)
    guard let target = codes.first else { return false }
    guard let joined = labels.replacing(Set(codes), by: target) else { return false }
    labels = joined
    if codes.count > 1 { merged.append(selection) }
    let colour = table[target]?.colour ?? LabelTable.colour(ofValue: target)
    table = LabelTable(
      table.labels.filter { !codes.contains($0.value) }
        + [Label(value: target, name: selection.name, colour: colour)])
    return true
  }
}

extension LabelVolume {
  /// Gives every voxel that has one of the selection's values the first of them.
  /// - Returns: Whether any voxel has one.
  @discardableResult
  mutating func merge(_ selection: LabelSelection) -> Bool {
    let codes = coding.codes(of: selection.values)
    guard let target = codes.first else { return false }
    var isMember = [Bool](repeating: false, count: 65536)
    for code in codes { isMember[Int(code)] = true }
    var isPresent = false
    for voxel in voxels.indices where isMember[Int(voxels[voxel])] {
      isPresent = true
      voxels[voxel] = target
    }
    return isPresent
  }
}
