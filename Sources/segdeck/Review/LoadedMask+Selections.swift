import Review
import Volumes
import Work

extension [LoadedMask] {
  /// The masks with the names of `--label` options, and notes about the options.
  ///
  /// An option applies to every mask that has no label names of its own: its values become one label with the first
  /// value.
  /// - Throws: ``InputError`` when a value is named twice, or every mask has label names of its own.
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
      let occurring =
        selection.values.count > 1
        ? open.reduce(into: Set<Int>()) { $0.formUnion(masks[$1].labels.values()) } : []
      var isPresent = false
      for index in open { if masks[index].merge(selection) { isPresent = true } }
      if !isPresent {
        notes.append("--label \(selection): no voxel of a mask without names has such a label")
      }
      notes += [selection].notes(
        absentFrom: occurring, "a mask without names", coding: masks[open[0]].labels.coding)
    }
    return (masks, notes)
  }
}

extension LoadedMask {
  /// Merges the selection's values into one named label.
  /// - Returns: Whether any voxel has the label.
  mutating func merge(_ selection: LabelSelection) -> Bool {
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
