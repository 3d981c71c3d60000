import Metrics
import Volumes

/// The pairings that may apply to two masks of a case, the one that counts first.
///
/// Those that readers chose in the case itself come before those of other cases, confirmed ones before those that were
/// kept, and later ones before earlier ones.
package struct CasePairings: Equatable, Sendable {
  /// The pairings that were chosen in the case.
  package var own: [MaskPairing]
  /// The pairings that were confirmed in other cases.
  package var inherited: [MaskPairing]

  /// No pairings, unless given.
  package init(own: [MaskPairing] = [], inherited: [MaskPairing] = []) {
    self.own = own
    self.inherited = inherited
  }

  /// Whether the pairings lead from a mask of one name to a mask of the other.
  package func areOf(_ one: String, _ other: String) -> Bool {
    (own + inherited).allSatisfy { ($0.first.mask, $0.second.mask) == (one, other) }
  }

  package var isEmpty: Bool { own.isEmpty && inherited.isEmpty }

  /// The codes of two masks' labels that a reader paired.
  package struct Partners: Equatable, Sendable {
    /// The code in the second mask by the code in the first.
    package var codes: [UInt16: UInt16]
    /// Whether a reader kept them although overlaps suggest others.
    package var areKept: Bool

    package init(codes: [UInt16: UInt16], areKept: Bool) {
      self.codes = codes
      self.areKept = areKept
    }
  }

  /// The pairs of the first pairing that applies to the labels that occur in two masks; nil where none does.
  ///
  /// Of those that were chosen in other cases the first counts that fits the overlaps.
  /// - Parameters:
  ///   - names: The names of the first mask's labels; nil where it has none.
  ///   - otherNames: Those of the second mask's.
  ///   - overlaps: The overlaps of the labels that occur.
  ///   - coding: Both masks'.
  /// - Complexity: O(n log n) in overlapping labels, for each pairing.
  package func partners(
    _ names: LabelTable?, _ otherNames: LabelTable?, overlaps: LabelOverlaps, coding: LabelCoding
  ) -> Partners? {
    let codes = overlaps.referenceVoxelCounts.keys.sorted()
    let otherCodes = overlaps.otherVoxelCounts.keys.sorted()
    func applying(_ pairings: [MaskPairing]) -> some Sequence<[UInt16: UInt16]> {
      pairings.lazy.compactMap { $0.partners(codes, names, otherCodes, otherNames, coding: coding) }
    }
    for pairing in own {
      if let found = applying([pairing]).first(where: { _ in true }) {
        return Partners(codes: found, areKept: !pairing.isConfirmed)
      }
    }
    let tables = (
      (names ?? LabelTable()).completed(for: codes, coding: coding),
      (otherNames ?? LabelTable()).completed(for: otherCodes, coding: coding)
    )
    let candidates = applying(inherited)
    return candidates.first { partners in
      LabelMatching(reference: tables.0, other: tables.1, declared: partners, overlaps: overlaps).fitsOverlaps
    }.map { Partners(codes: $0, areKept: false) }
  }

  /// A text that is the same for equal pairings.
  var text: String {
    [own, inherited].map { $0.map(\.withoutTime.json.text).joined(separator: "\n") }.joined(separator: "\n\n")
  }
}

/// The pairings of labels that readers chose in the cases of a worklist.
package struct WorklistPairings: Equatable, Sendable {
  /// The pairings of each case, the one that counts first.
  private var ofCases: [String: [MaskPairing]] = [:]
  /// The confirmed pairings of all cases, the latest first, none twice.
  private var confirmed: [MaskPairing] = []

  /// The pairings among readers' decisions.
  ///
  /// - Parameters:
  ///   - reviews: By the name of the case.
  ///   - reader: The reader who asks: in each case this reader's own choice comes first, and names and values that
  ///     others kept do not count. nil for all readers alike.
  package init(_ reviews: [String: CaseReview] = [:], reader: String? = nil) {
    var all: [(pairing: MaskPairing, caseName: String)] = []
    for (name, review) in reviews.sorted(by: { $0.key < $1.key }) {
      let own = reader.flatMap { review.decisions[$0]?.pairings } ?? []
      let others = review.decisions.filter { $0.key != reader }.sorted { $0.key < $1.key }
        .flatMap(\.value.pairings)
        .sorted { ($0.isConfirmed ? 1 : 0, $0.time) > ($1.isConfirmed ? 1 : 0, $1.time) }
      let pairings = own + (reader == nil ? others : others.filter(\.isConfirmed))
      guard !pairings.isEmpty else { continue }
      ofCases[name] = pairings
      all += pairings.filter(\.isConfirmed).map { ($0, name) }
    }
    for entry in all.sorted(by: { ($0.pairing.time, $1.caseName) > ($1.pairing.time, $0.caseName) })
    where !confirmed.contains(where: { $0.withoutTime == entry.pairing.withoutTime }) {
      confirmed.append(entry.pairing)
    }
  }

  /// The pairings that may apply to masks of these names in a case, from the first to the second.
  package func pairings(ofCase name: String?, _ one: String, _ other: String) -> CasePairings {
    func fitting(_ pairings: [MaskPairing]) -> [MaskPairing] {
      pairings.filter { $0.isOf(one, other) }.map { $0.first.mask == one ? $0 : $0.swapped }
    }
    var found = CasePairings()
    found.own = fitting(name.flatMap { ofCases[$0] } ?? [])
    found.inherited = fitting(confirmed).filter { pairing in
      !found.own.contains { $0.withoutTime == pairing.withoutTime }
    }
    return found
  }

  /// The pairings that may apply to the first two masks of a case; none with fewer masks.
  package func pairings(of item: WorklistCase) -> CasePairings {
    guard item.masks.count > 1 else { return CasePairings() }
    return pairings(ofCase: item.name, item.masks[0].name, item.masks[1].name)
  }
}
