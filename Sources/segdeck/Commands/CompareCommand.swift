import ArgumentParser
import Foundation
import ImageFormats
import Metrics
import Volumes
import Work

/// `segdeck compare`: how far two masks of the same image agree.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare two masks: volumes, overlap, distances, challenge scores.",
    discussion: """
      Labels are matched by name where files beside both masks name them, else by value; a --label by its name in a \
      mask that names its labels, else by its values. Structures of --label may \
      share values: 1,2=liver and 2=tumour. --segment and --layer choose of each mask that is a segmentation.

      Dice: 2 |A and B| / (|A| + |B|), of voxels.
      VOE: 100 (1 - |A and B| / |A or B|), percent.
      RVD: 100 (|B| - |A|) / |A|, percent; B is OTHER, above 0 it is too large.
      Border: voxels of a structure with one of their 26 neighbours outside it; \
      what lies beyond the image is outside.
      Distance: of a border voxel to the nearest of the other border, centre to \
      centre, mm, Euclidean in space even where axes are not perpendicular.
      ASSD, RMSD: mean, and root of the mean square, of both borders' distances, \
      pooled.
      max: the largest distance (Hausdorff).
      HD95: the larger of the two borders' 95th percentiles, linear between ranks.
      Surface Dice: the fraction of both borders' voxels within --tolerance.
      SLIVER07: mean of max(0, 100 - 25 e / r), r being 6.4 % of VOE, 4.7 % of \
      |RVD|, and 1.0, 1.8, 19 mm of ASSD, RMSD, max.
      HVSMR: 0.5 Dice - 0.25 ASSD - max / 30.

      A structure that one mask lacks has Dice 0 and no distances; one that both \
      lack has no measures. MedPy takes 6 neighbours and pools for HD95, \
      surface-distance weighs by area: docs/algorithms/metrics.md has the numbers.
      """)

  @Argument(help: "The reference mask.", completion: .file())
  var reference: String

  @Argument(help: "The mask that is compared with it.", completion: .file())
  var other: String

  @Option(help: "Compare only this structure, as in 6=liver or 1,2=liver; may be repeated.")
  var label: [String] = []

  @OptionGroup var segments: SegmentOptions

  @Option(
    help: "Tolerance of the surface Dice in millimetres.",
    transform: OptionParsing.number)
  var tolerance = 2.0

  @Option(help: "Threads to use.", transform: OptionParsing.wholeNumber)
  var threads = WorkContext.coreCount

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    try OptionParsing.require(tolerance, in: 0...1e6, option: "--tolerance", unit: " mm")
    try WorkOptions.requireThreads(threads)
  }

  func run() throws {
    let work = WorkContext(threadCount: threads, cancellation: Interruption.cancellation())
    let selections = try LabelSelection.parsed(label)
    let paths = [reference, other]
    let files = try zip(paths, segments.options(forMasks: paths)).map {
      try ImageFile.open($0, options: $1, work: work)
    }
    let masks = try FittedMask.masks(files, work: work)
    let (first, second) = (masks[0], masks[1])
    for mask in masks { mask.reportFindings() }
    FindingNotes.print()
    let coding = first.labels.coding
    let structures =
      selections.isEmpty
      ? MatchedStructure.matches(
        reference: Array(first.labels.voxelCounts().keys), referenceNames: first.names,
        other: Array(second.labels.voxelCounts().keys), otherNames: second.names,
        coding: coding)
      : selections.map {
        MatchedStructure($0, coding: coding, referenceNames: first.names, otherNames: second.names)
      }
    if !selections.isEmpty {
      try refuseSameValues(structures)
      let occurring = masks.reduce(into: Set<Int>()) { $0.formUnion($1.labels.values()) }
      for note in selections.notes(absentFrom: occurring, "either mask", coding: coding) {
        Console.note(note)
      }
    }
    func compared(_ path: String, _ mask: FittedMask) -> OverlapNotes.Mask {
      OverlapNotes.Mask(
        name: FilePath.name(of: path), labels: mask.labels, table: mask.names ?? LabelTable())
    }
    let extents = try LabelExtents(reference: first.labels, other: second.labels, work: work)
    let notes = OverlapNotes().lines(
      structures, areNamed: !selections.isEmpty, reference: compared(reference, first),
      other: compared(other, second), overlaps: LabelOverlaps(extents))
    for note in notes { Console.note(note) }
    let comparisons = try structures.map {
      try StructureComparison(
        $0, reference: first.labels, other: second.labels, toleranceMillimetres: tolerance,
        extents: extents,
        work: work)
    }
    let report = ComparisonReport(
      reference: reference, other: other, toleranceMm: tolerance,
      structures: comparisons.map(ComparisonRow.init))
    let absent = comparisons.filter { $0.foundIn == .neither }.map(\.name)
    if !absent.isEmpty { Console.note("neither mask has a voxel of \(absent.joined(separator: ", "))") }
    if json { try Console.print(json: report.json()) } else { try Console.print(report.table) }
  }
}

/// Refuses two names for the same set of values.
///
/// Structures may share some of their values, such as an organ and its tumour.
private func refuseSameValues(_ structures: [MatchedStructure]) throws(InputError) {
  var owners: [[Set<UInt16>]: String] = [:]
  for structure in structures {
    let values = [Set(structure.referenceValues), Set(structure.otherValues)]
    if !values.allSatisfy(\.isEmpty), let owner = owners.updateValue(structure.name, forKey: values) {
      throw InputError(
        "--label", "has two names for the same values", found: "\(owner) and \(structure.name)")
    }
  }
}
