import Metrics
import Volumes
import Work
import Worklist

/// A label of version A and the corresponding label of version B; nil where a version has none.
package struct LabelPair: Equatable, Sendable {
  /// The label's value in each version.
  package var valueA, valueB: UInt16?
  /// The label's name in each version.
  package var nameA, nameB: String?

  package init(_ a: Label?, _ b: Label?) {
    (valueA, valueB) = (a?.value, b?.value)
    (nameA, nameB) = (a?.name, b?.name)
  }

  /// The common name: "liver", or "liver / label 6" where the names differ.
  package var name: String {
    guard let nameA, let nameB, nameA.nameKey != nameB.nameKey else {
      return nameA ?? nameB ?? ""
    }
    return "\(nameA) / \(nameB)"
  }

  /// The labels of two versions in A's order, then those that only B has.
  /// - Complexity: O(labels).
  package static func pairs(_ a: Version, _ b: Version) -> [LabelPair] {
    guard a.family != b.family else {
      let values = Set(a.table.labels.map(\.value)).union(b.table.labels.map(\.value))
      return values.sorted().map { LabelPair(a.table[$0], b.table[$0]) }
    }
    var unmatched = Dictionary(
      b.keyedLabels.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let pairs = a.keyedLabels.map { label, key in LabelPair(label, unmatched.removeValue(forKey: key)) }
    return pairs + b.keyedLabels.filter { unmatched[$1] != nil }.map { label, _ in LabelPair(nil, label) }
  }

  /// The labels of two versions, paired by `partners`.
  static func pairs(_ a: Version, _ b: Version, _ partners: [UInt16: UInt16]) -> [LabelPair] {
    let used = Set(partners.values)
    return a.table.labels.map { label in
      LabelPair(label, partners[label.value].flatMap { b.table[$0] })
    } + b.table.labels.filter { !used.contains($0.value) }.map { LabelPair(nil, $0) }
  }
}

/// Which of two versions can have labels that their tables do not name.
///
/// A mask can, because its table holds what was drawn in it. A network's result cannot: what its model does not
/// distinguish is not missing.
package struct OpenLabels: Equatable, Sendable {
  package var a, b: Bool

  package init(a: Bool, b: Bool) { (self.a, self.b) = (a, b) }

  /// Whether a pair is compared: both versions have the label, or the one that lacks it could have it.
  func allow(_ pair: LabelPair) -> Bool { (pair.valueA != nil || a) && (pair.valueB != nil || b) }
}

extension [LabelPair] {
  /// The structure of each pair, from 1; 0 for a label that the other version cannot have, which is not a difference.
  ///
  /// Where the versions have no label in common, all labels are one structure.
  func comparedStructures(_ open: OpenLabels) -> [UInt16] {
    guard contains(where: { $0.valueA != nil && $0.valueB != nil }) else { return map { _ in 1 } }
    var last: UInt16 = 0
    return map { pair in
      guard open.allow(pair) else { return 0 }
      last += 1
      return last
    }
  }

  /// The value in B by the value in A, for each pair with a label of both.
  package var partners: [UInt16: UInt16] {
    Dictionary(
      compactMap { pair in pair.valueA.flatMap { one in pair.valueB.map { (one, $0) } } },
      uniquingKeysWith: { first, _ in first })
  }
}

/// Two versions to be compared label by label.
package struct ComparisonRequest: Equatable, Sendable {
  package var a, b: Version
  /// The pairs of labels, by name or as the reviewer chose them.
  package var pairs: [LabelPair]
  /// The key under which the reviewer's answer is stored; nil where no answer is needed, because the versions share
  /// their labels or the reviewer already chose the pairs.
  package var memory: PairingMemory?

  package init(a: Version, b: Version, pairs: [LabelPair], memory: PairingMemory?) {
    self.a = a
    self.b = b
    self.pairs = pairs
    self.memory = memory
  }
}

/// The names and content of two versions: the key of a pairing that the reviewer chose.
package struct PairingMemory: Equatable, Sendable {
  /// The source of a version's labels.
  package struct Source: Equatable, Sendable {
    /// A mask's file or a model's name.
    package var name: String
    /// The name in the list of versions, such as that of a folder of masks.
    package var versionName: String
    /// The labels with their codes and names.
    package var labels: [Label]
    /// The values in the file of the labels' codes.
    package var coding: LabelCoding
    /// The statistics of a mask's labels.
    ///
    /// Another mask at the same path is another source. Empty for a model, whose labels mean the same on every image.
    package var content: [LabelStatistics]

    package init(
      name: String, versionName: String = "", labels: [Label], coding: LabelCoding = .identity,
      content: [LabelStatistics] = []
    ) {
      self.name = name
      self.versionName = versionName
      self.labels = labels
      self.coding = coding
      self.content = content
    }

    /// The labels as a worklist's records have them.
    package var side: MaskPairing.Side {
      MaskPairing.Side(
        mask: versionName,
        labels: Dictionary(
          labels.map { (coding.value(of: $0.value), $0.name) }, uniquingKeysWith: { first, _ in first }))
    }
  }

  package var a, b: Source

  package init(a: Source, b: Source) {
    self.a = a
    self.b = b
  }

  /// A pairing of these versions as a worklist's records have it.
  /// - Parameter partners: The code in B by the code in A.
  package func pairing(_ partners: [UInt16: UInt16], isConfirmed: Bool) -> MaskPairing {
    MaskPairing(
      first: a.side, second: b.side,
      partners: Dictionary(
        partners.map { (a.coding.value(of: $0), b.coding.value(of: $1)) }, uniquingKeysWith: min),
      isConfirmed: isConfirmed)
  }

  /// The pairing as a decision in the records has it: from the mask whose name comes first to the other.
  package func recordedPairing(_ partners: [UInt16: UInt16], isConfirmed: Bool) -> MaskPairing {
    let recorded = pairing(partners, isConfirmed: isConfirmed)
    return recorded.first.mask <= recorded.second.mask ? recorded : recorded.swapped
  }

  /// The code in B by the code in A in a pairing of a worklist's records; nil where it does not apply to these versions.
  package func partners(_ pairing: MaskPairing) -> [UInt16: UInt16]? {
    pairing.partners(a.side, b.side).map { partners in
      Dictionary(
        partners.compactMap { value, partner in
          a.coding.code(of: value).flatMap { code in b.coding.code(of: partner).map { (code, $0) } }
        }, uniquingKeysWith: min)
    }
  }
}

/// A pairing of the labels of two versions from an earlier choice.
package struct RememberedPartners: Equatable, Sendable {
  /// The code in B by the code in A.
  package var codes: [UInt16: UInt16]
  /// Whether it was chosen for these versions; else for versions of the same names of another case.
  package var areOfTheseVersions: Bool

  package init(codes: [UInt16: UInt16], areOfTheseVersions: Bool) {
    self.codes = codes
    self.areOfTheseVersions = areOfTheseVersions
  }
}

/// The agreement of two versions, label by label.
package struct Comparison: Equatable, Sendable {
  /// The voxels of one pair of labels.
  package struct Row: Equatable, Sendable {
    package var pair: LabelPair
    /// Voxels in A, in B, in both.
    package var voxelsA, voxelsB, voxelsCommon: Int

    /// 2 |A∩B| / (|A| + |B|); 1 when both are empty.
    package var dice: Double { diceCoefficient(voxelsA, voxelsB, common: voxelsCommon) }
  }

  /// How the labels were paired.
  package enum Pairing: Equatable, Sendable {
    /// The request gave the pairs.
    case given
    /// The value in B by the value in A: names and overlaps agree, or these pairs were chosen before (`isRemembered`).
    case found([UInt16: UInt16], isRemembered: Bool)
    /// Names are missing or overlaps contradict them: the reviewer is asked to confirm the pairs.
    case doubtful(proposed: [UInt16: UInt16])
  }

  package var a, b: VersionID
  /// In the order of the pairs.
  package var rows: [Row]
  package var pairing: Pairing
  /// The overlaps of all labels, independent of their names; nil where the versions share their labels.
  package var overlaps: LabelOverlaps?
  private var rowOfValueA: [UInt16: Int]
  private var rowOfValueB: [UInt16: Int]

  /// The value in B by the value in A, for every pair that has both.
  package var partners: [UInt16: UInt16] { rows.map(\.pair).partners }

  /// The row of a label of A, or of B.
  package func row(of value: UInt16, inA: Bool) -> Row? {
    (inA ? rowOfValueA[value] : rowOfValueB[value]).map { rows[$0] }
  }

  /// Pairs the labels of two versions and counts their common voxels.
  /// - Parameter remembered: The pairs that were chosen before, of which the first counts. Those of another case do not
  ///   count where they do not fit the overlaps.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels + labels), in at most three passes.
  package init(
    _ request: ComparisonRequest, remembered: [RememberedPartners] = [], _ work: WorkContext
  ) throws(Cancelled) {
    let (versionA, versionB) = (request.a, request.b)
    (a, b) = (versionA.id, versionB.id)
    var pairs = request.pairs
    pairing = .given
    if versionA.family != versionB.family {
      let overlaps = try LabelOverlaps(
        reference: versionA.labels, other: versionB.labels, work: work.withoutProgress)
      self.overlaps = overlaps
      let known = remembered.first { remembered in
        remembered.areOfTheseVersions
          || LabelMatching(
            reference: versionA.table, other: versionB.table, declared: remembered.codes, overlaps: overlaps
          ).fitsOverlaps
      }
      if request.memory != nil, let known {
        pairing = .found(known.codes, isRemembered: true)
        pairs = LabelPair.pairs(versionA, versionB, known.codes)
      } else if request.memory != nil {
        let matching = LabelMatching(
          reference: versionA.table, other: versionB.table, declared: pairs.partners, overlaps: overlaps)
        if matching.isDoubtful {
          pairing = .doubtful(proposed: matching.proposed)
        } else {
          pairing = .found(matching.proposed, isRemembered: false)
          pairs = LabelPair.pairs(versionA, versionB, matching.proposed)
        }
      }
    }
    work.report(0.5)
    // The position of each value's pair, from 1; 0 for background.
    var positionA = [Int32](repeating: 0, count: 65536)
    var positionB = positionA
    for (position, pair) in pairs.enumerated() {
      if let value = pair.valueA { positionA[Int(value)] = Int32(position + 1) }
      if let value = pair.valueB { positionB[Int(value)] = Int32(position + 1) }
    }
    // Voxels of each pair in A, then in B, then in both; row 0 is background.
    let rowCount = pairs.count + 1
    var counts = [Int](repeating: 0, count: 3 * rowCount)
    try versionA.labels.forEachPair(with: versionB.labels, work: work) { labelA, labelB, count in
      let (one, other) = (Int(positionA[Int(labelA)]), Int(positionB[Int(labelB)]))
      counts[one] += count
      counts[rowCount + other] += count
      if one == other { counts[2 * rowCount + one] += count }
    }
    work.report(1)
    rows = pairs.enumerated().map { position, pair in
      Row(
        pair: pair, voxelsA: counts[position + 1], voxelsB: counts[rowCount + position + 1],
        voxelsCommon: counts[2 * rowCount + position + 1])
    }
    rowOfValueA = [:]
    rowOfValueB = [:]
    for (position, pair) in pairs.enumerated() {
      if let value = pair.valueA { rowOfValueA[value] = position }
      if let value = pair.valueB { rowOfValueB[value] = position }
    }
  }
}
