import Foundation
import Metrics
import Segmentation
import Synchronization
import Volumes
import Work

/// Says where labels of two masks lie on each other but are not compared with each other, because a name is missing or
/// another one stands in the way: a good mask would look like a bad one.
final class OverlapNotes: Sendable {
  /// A mask as the notes call it.
  struct Mask {
    /// "b.nii.gz".
    var name: String
    var labels: LabelVolume
    /// The names that lie beside it, or the model's.
    var table: LabelTable
    /// Whether a model made it.
    var isModel = false
  }

  private static let mostLines = 5
  private let said = Mutex<Set<String>>([])

  /// Lines about pairs of labels that none of `structures` compares; each pair once, whatever the masks are called.
  /// - Throws: ``Cancelled``.
  func lines(
    _ structures: [MatchedStructure], reference: Mask, other: Mask, work: WorkContext
  ) throws(Cancelled) -> [String] {
    let overlaps = try LabelOverlaps(reference: reference.labels, other: other.labels, work: work.silent)
    var declared: [UInt16: UInt16] = [:]
    for structure in structures {
      for (position, value) in structure.referenceValues.enumerated() {
        let same = structure.otherValues.contains(value) ? value : nil
        let partner =
          same ?? (position < structure.otherValues.count ? structure.otherValues[position] : nil)
        if let partner, !declared.values.contains(partner) { declared[value] = partner }
      }
    }
    let first = reference.table.completed(for: reference.labels.voxelCounts().keys)
    let second = other.table.completed(for: other.labels.voxelCounts().keys)
    let matching = LabelMatching(reference: first, other: second, declared: declared, overlaps: overlaps)
    let compared = Set(structures.flatMap { $0.referenceValues })
    let found = overlaps.pairs.filter { pair in
      matching.proposed[pair.reference] == pair.other
        && !structures.contains {
          $0.referenceValues.contains(pair.reference) && $0.otherValues.contains(pair.other)
        }
        && (compared.contains(pair.reference)
          || structures.contains { $0.otherValues.contains(pair.other) })
    }
    var lines: [String] = []
    for pair in found {
      guard let one = first[pair.reference], let two = second[pair.other],
        said.withLock({ $0.insert("\(one.name)\u{0}\(two.name)").inserted })
      else { continue }
      lines.append(Self.line(pair, (one, reference), (two, other)))
    }
    let more = lines.count - Self.mostLines
    return more > 0
      ? lines.prefix(Self.mostLines) + ["\(more) more labels overlap others under another name, or none"]
      : lines
  }

  /// Lines about a case's own labels and what a model made of it.
  func lines(
    _ structures: [MatchedStructure], _ source: TrainingFolders.Source, _ truth: LabelVolume,
    _ model: SegmentationModel, _ labels: LabelVolume, work: WorkContext
  ) throws(Cancelled) -> [String] {
    let names = source.selections.flatMap { selection in
      source.coding.codes(of: selection.values).map {
        Label(value: $0, name: selection.name, colour: LabelTable.colour(ofValue: $0))
      }
    }
    return try lines(
      structures,
      reference: Mask(name: FilePath.name(of: source.pair.labels), labels: truth, table: LabelTable(names)),
      other: Mask(name: "the model", labels: labels, table: model.labelTable, isModel: true), work: work)
  }

  private static func line(
    _ pair: LabelOverlap, _ reference: (label: Label, mask: Mask), _ other: (label: Label, mask: Mask)
  ) -> String {
    // The label to be named is the one without a name; a model's labels have theirs already.
    let namesReference =
      other.mask.isModel || reference.label.isUnnamed && !other.label.isUnnamed
    let (one, two) = namesReference ? (reference, other) : (other, reference)
    let value = namesReference ? pair.reference : pair.other
    let line =
      "\(one.label.name) of \(one.mask.name) overlaps \(two.label.name) of \(two.mask.name) by "
      + String(format: "%.2f", pair.dice)
    if two.label.isUnnamed {
      return line + ", and neither has a name: names beside the files (NAME.labels.json) match them"
    }
    let isNamed = !one.label.isUnnamed
    let isTaken =
      !two.mask.isModel
      && one.mask.table.labels.contains { $0.name.lowercased() == two.label.name.lowercased() }
    return line + (isNamed ? " under another name" : " but has no name")
      + (isTaken ? "" : "; --label \(value)=\(two.label.name) compares them")
  }
}
