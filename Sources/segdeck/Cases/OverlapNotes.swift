import Foundation
import Metrics
import Segmentation
import Synchronization
import Volumes
import Work

/// Notes about labels of two masks that overlap but are not compared, because their names are missing or different.
///
/// Without the notes, a good mask could look like a bad one.
final class OverlapNotes: Sendable {
  /// A mask with its name in the notes.
  struct Mask {
    /// "b.nii.gz".
    var name: String
    var labels: LabelVolume
    /// The label names beside it, or the model's.
    var table: LabelTable
    /// Whether a model made it.
    var isModel = false

    /// The names, with default names for labels without one.
    fileprivate var completedTable: LabelTable {
      table.completed(for: labels.voxelCounts().keys, coding: labels.coding)
    }
  }

  private static let maximumLineCount = 5
  private let reported = Mutex<Set<String>>([])

  /// Notes about pairs of labels that none of `structures` compares.
  ///
  /// A pair of names is reported once in all cases.
  /// - Parameters:
  ///   - areNamed: Whether the user named the structures, so that none is compared by its value alone.
  ///   - overlaps: The overlaps of the two masks.
  func lines(
    _ structures: [MatchedStructure], areNamed: Bool = false, reference: Mask, other: Mask,
    overlaps: LabelOverlaps
  ) -> [String] {
    // The structures of each label; with --label a label may belong to several.
    var ofReference: [UInt16: Set<Int>] = [:]
    var ofOther: [UInt16: Set<Int>] = [:]
    var declared: [UInt16: UInt16] = [:]
    var taken: Set<UInt16> = []
    for (index, structure) in structures.enumerated() {
      for value in structure.otherValues { ofOther[value, default: []].insert(index) }
      for (position, value) in structure.referenceValues.enumerated() {
        ofReference[value, default: []].insert(index)
        let same = structure.otherValues.contains(value) ? value : nil
        let partner =
          same ?? (position < structure.otherValues.count ? structure.otherValues[position] : nil)
        if let partner, taken.insert(partner).inserted { declared[value] = partner }
      }
    }
    let (first, second) = (reference.completedTable, other.completedTable)
    let matching = LabelMatching(reference: first, other: second, declared: declared, overlaps: overlaps)
    var lines: [String] = []
    var count = 0
    func add(_ one: UInt16, _ two: UInt16, _ line: (Label, Label) -> String) {
      guard let one = first[one], let two = second[two],
        reported.withLock({ $0.insert("\(one.name)\u{0}\(two.name)").inserted })
      else { return }
      count += 1
      if count <= Self.maximumLineCount { lines.append(line(one, two)) }
    }
    for pair in overlaps.pairs where matching.proposed[pair.reference] == pair.other {
      let (one, two) = (ofReference[pair.reference] ?? [], ofOther[pair.other] ?? [])
      guard one.isDisjoint(with: two), !one.isEmpty || !two.isEmpty else { continue }
      add(pair.reference, pair.other) { OverlapNotes.line(pair, ($0, reference), ($1, other)) }
    }
    for (one, two) in areNamed ? [] : matching.unproven.sorted(by: { $0.key < $1.key }) {
      add(one, two) { one, two in
        let (named, nameless) =
          two.isUnnamed ? ((one, reference), (two, other)) : ((two, other), (one, reference))
        return
          "\(nameless.0.name) of \(nameless.1.name) counts as \(named.0.name) of \(named.1.name) by its value "
          + "alone, and hardly overlaps it"
      }
    }
    let more = count - Self.maximumLineCount
    return more > 0 ? lines + ["as much is to be said of \(counted(more, "more label"))"] : lines
  }

  /// Notes about the labels of a case and the mask of a model.
  func lines(
    _ structures: [MatchedStructure], _ source: TrainingFolders.Source, _ truth: LabelVolume,
    _ model: SegmentationModel, _ labels: LabelVolume, overlaps: LabelOverlaps
  ) -> [String] {
    // The names of the structures come last and take precedence.
    let named = source.names.map { LabelSelection(values: [$0], name: $1) } + source.selections
    let names = named.flatMap { selection in
      source.coding.codes(of: selection.values).map {
        Label(value: $0, name: selection.name, colour: LabelTable.colour(ofValue: $0))
      }
    }
    return lines(
      structures,
      reference: Mask(name: FilePath.name(of: source.pair.labels), labels: truth, table: LabelTable(names)),
      other: Mask(name: "the model", labels: labels, table: model.labelTable, isModel: true),
      overlaps: overlaps)
  }

  private static func line(
    _ pair: LabelOverlap, _ reference: (label: Label, mask: Mask), _ other: (label: Label, mask: Mask)
  ) -> String {
    // The note suggests a name for the label without one; a model's labels are always named.
    let namesReference =
      other.mask.isModel || reference.label.isUnnamed && !other.label.isUnnamed
    let (one, two) = namesReference ? (reference, other) : (other, reference)
    let value = one.mask.labels.coding.value(of: namesReference ? pair.reference : pair.other)
    let line =
      "\(one.label.name) of \(one.mask.name) overlaps \(two.label.name) of \(two.mask.name) by "
      + String(format: "%.2f", pair.dice)
    if two.label.isUnnamed {
      return line + ", and neither has a name: names beside the files (NAME.labels.json) match them"
    }
    let isNamed = !one.label.isUnnamed
    let isTaken =
      !two.mask.isModel
      && one.mask.table.labels.contains { $0.nameKey == two.label.nameKey }
    return line + (isNamed ? " under another name" : " but has no name")
      + (isTaken ? "" : "; \(CommandLineText.text(["--label", "\(value)=\(two.label.name)"])) compares them")
  }
}
