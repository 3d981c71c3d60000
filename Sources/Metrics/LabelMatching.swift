import Volumes

/// The correspondence of the labels of two masks, by their names and overlaps.
package struct LabelMatching: Equatable, Sendable {
  /// The proposed pairs: values of the reference and the corresponding values of the other mask.
  package let proposed: [UInt16: UInt16]
  /// Declared pairs of a label with a name and one without that hardly overlap: only their values suggest them, and
  /// nothing contradicts them.
  package let unproven: [UInt16: UInt16]
  /// Whether another label overlaps one of a declared pair clearly more than its partner.
  package let isContradicted: Bool
  /// Whether the proposal pairs two labels that have no declared partner.
  package let isExtended: Bool
  /// Whether a user should confirm the proposal, because names or values contradict overlaps.
  package let isDoubtful: Bool

  /// The minimum Dice of a proposed pair where a name is missing, and where the names differ.
  private static let minimumDice = (unnamed: 0.25, renamed: 0.5)
  /// The factor by which another label must overlap more before a pair that the names, or the values, give is doubted.
  private static let bonus = (name: 0.4, value: 0.25)

  /// Whether pairs that were declared for other masks of the same names fit the overlaps of these: no overlap contradicts
  /// them, nor pairs labels that had no partner there, such as a structure that one of those masks missed.
  package var fitsOverlaps: Bool { !isContradicted && !isExtended }

  private struct Candidate {
    var reference, other: UInt16
    var dice, score: Double
  }

  /// Matches the labels of two tables one to one.
  ///
  /// - Parameters:
  ///   - declared: Pairs that the names give, or the values where neither mask has a name for them.
  ///   - overlaps: The overlaps of the labels.
  package init(
    reference: LabelTable, other: LabelTable, declared: [UInt16: UInt16], overlaps: LabelOverlaps
  ) {
    func occurs(_ one: UInt16, _ two: UInt16) -> Bool {
      overlaps.referenceVoxelCounts[one] != nil && overlaps.otherVoxelCounts[two] != nil
    }
    let dice = Dictionary(
      overlaps.pairs.map { (UInt32($0.reference) << 16 | UInt32($0.other), $0.dice) },
      uniquingKeysWith: { first, _ in first })
    var candidates = declared.map { one, two in
      let overlap = dice[UInt32(one) << 16 | UInt32(two)] ?? 0
      let isNamed = reference[one]?.isUnnamed == false
      return Candidate(
        reference: one, other: two, dice: overlap,
        score: overlap + (isNamed ? Self.bonus.name : Self.bonus.value))
    }
    func lacksName(_ one: UInt16, _ two: UInt16) -> Bool {
      reference[one]?.isUnnamed != false || other[two]?.isUnnamed != false
    }
    for pair in overlaps.pairs where declared[pair.reference] != pair.other {
      let isUnnamed = lacksName(pair.reference, pair.other)
      guard pair.dice >= (isUnnamed ? Self.minimumDice.unnamed : Self.minimumDice.renamed) else { continue }
      let isSameValue = isUnnamed && pair.reference == pair.other
      candidates.append(
        Candidate(
          reference: pair.reference, other: pair.other, dice: pair.dice,
          score: pair.dice + (isSameValue ? Self.bonus.value : 0)))
    }
    candidates.sort { ($1.score, $0.reference, $0.other) < ($0.score, $1.reference, $1.other) }
    var proposed: [UInt16: UInt16] = [:]
    var taken: Set<UInt16> = []
    for candidate in candidates
    where proposed[candidate.reference] == nil && !taken.contains(candidate.other) {
      proposed[candidate.reference] = candidate.other
      taken.insert(candidate.other)
    }
    isContradicted = declared.contains { occurs($0.key, $0.value) && proposed[$0.key] != $0.value }
    let declaredOthers = Set(declared.values)
    isExtended = proposed.contains { declared[$0.key] == nil && !declaredOthers.contains($0.value) }
    // A value that both masks use and one of them does not name is assumed to mean the same where the labels overlap.
    let isGuessed = proposed.contains { one, two in
      declared[one] != two && !(one == two && lacksName(one, two))
    }
    let leavesSameValue = reference.labels.contains { label in
      occurs(label.value, label.value) && lacksName(label.value, label.value)
        && proposed[label.value] == nil && !taken.contains(label.value)
    }
    unproven = declared.filter { one, two in
      let isHalfNamed = reference[one]?.isUnnamed != other[two]?.isUnnamed
      return isHalfNamed && occurs(one, two) && proposed[one] == two
        && dice[UInt32(one) << 16 | UInt32(two)] == nil
    }
    self.proposed = proposed
    isDoubtful = isContradicted || isGuessed || leavesSameValue
  }
}
