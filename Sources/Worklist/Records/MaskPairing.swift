import Volumes
import Work

/// The pairs of labels of two masks that a reader confirmed, or kept although overlaps suggest others.
///
/// A confirmed pairing applies to every case of a worklist whose masks have the same names in it, such as those of their
/// folders, and no other labels. One that was kept applies to its own case alone.
package struct MaskPairing: Equatable, Sendable {
  /// One of the two masks.
  package struct Side: Equatable, Sendable {
    /// The mask's name in the worklist.
    package var mask: String
    /// The names of its labels by their values in the file; "label 3" for a label without a name.
    package var labels: [Int: String]

    package init(mask: String, labels: [Int: String]) {
      self.mask = mask
      self.labels = labels
    }

    /// The labels of a mask that occur.
    /// - Parameter names: The names of labels, which need not occur; nil where the mask has none.
    package init(mask: String, codes: some Sequence<UInt16>, names: LabelTable?, coding: LabelCoding) {
      let present = Set(codes).subtracting([0])
      let table = (names ?? LabelTable()).completed(for: present, coding: coding).withDistinctNames
      self.init(
        mask: mask,
        labels: Dictionary(
          table.labels.filter { present.contains($0.value) }.map { (coding.value(of: $0.value), $0.name) },
          uniquingKeysWith: { first, _ in first }))
    }

    /// Whether the other mask has the same name, and no label that this one lacks or names differently.
    ///
    /// A label without a name agrees with any name of its value: a reader may have given it one.
    fileprivate func covers(_ other: Side) -> Bool {
      func isUnnamed(_ name: String, _ value: Int) -> Bool { name == "label \(value)" }
      return !mask.isEmpty && mask == other.mask
        && other.labels.allSatisfy { value, name in
          labels[value].map { $0 == name || isUnnamed($0, value) || isUnnamed(name, value) } ?? false
        }
    }
  }

  package var first, second: Side
  /// The value in the second mask by the value in the first; one to one.
  package var partners: [Int: Int]
  /// Whether the reader confirmed the pairs; else the reader kept the pairs by name and value.
  package var isConfirmed: Bool
  /// The time of the choice as records hold it; empty where it is not known.
  package var time: String

  package init(
    first: Side, second: Side, partners: [Int: Int], isConfirmed: Bool = true, time: String = ""
  ) {
    self.first = first
    self.second = second
    self.partners = partners
    self.isConfirmed = isConfirmed
    self.time = time
  }

  /// The same choice without its time.
  package var withoutTime: MaskPairing {
    var pairing = self
    pairing.time = ""
    return pairing
  }

  /// The pairing from the second mask to the first.
  package var swapped: MaskPairing {
    var pairing = self
    (pairing.first, pairing.second) = (second, first)
    pairing.partners = Dictionary(partners.map { ($1, $0) }, uniquingKeysWith: min)
    return pairing
  }

  /// Whether it is about masks of these names, in either order.
  package func isOf(_ one: String, _ other: String) -> Bool {
    (first.mask, second.mask) == (one, other) || (first.mask, second.mask) == (other, one)
  }

  /// The pairs of two masks, from values of `one` to values of `other`, without labels that they lack; nil where the
  /// pairing does not apply to them.
  package func partners(_ one: Side, _ other: Side) -> [Int: Int]? {
    for pairing in [self, swapped] where pairing.first.covers(one) && pairing.second.covers(other) {
      return pairing.partners.filter { one.labels[$0.key] != nil && other.labels[$0.value] != nil }
    }
    return nil
  }
}

extension MaskPairing {
  /// The pairs of the labels that occur in two masks of the pairing's names, by their codes; nil where it does not apply
  /// to them.
  ///
  /// - Parameters:
  ///   - codes: The labels of its first mask.
  ///   - names: The names of that mask's labels; nil where it has none.
  ///   - otherCodes: The labels of its second mask.
  ///   - otherNames: The names of that mask's labels.
  ///   - coding: Both masks'.
  package func partners(
    _ codes: some Sequence<UInt16>, _ names: LabelTable?, _ otherCodes: some Sequence<UInt16>,
    _ otherNames: LabelTable?, coding: LabelCoding
  ) -> [UInt16: UInt16]? {
    let one = Side(mask: first.mask, codes: codes, names: names, coding: coding)
    let other = Side(mask: second.mask, codes: otherCodes, names: otherNames, coding: coding)
    return partners(one, other).map { partners in
      Dictionary(
        partners.compactMap { value, partner in
          coding.code(of: value).flatMap { code in coding.code(of: partner).map { (code, $0) } }
        }, uniquingKeysWith: min)
    }
  }
}

extension MaskPairing {
  /// The members of the pairing's JSON object: both masks with their labels, and the pairs.
  var json: JSONText {
    func labels(_ side: Side) -> JSONText {
      .array(
        side.labels.sorted { $0.key < $1.key }.map { .array([.number("\($0.key)"), .string($0.value)]) })
    }
    let pairs = partners.sorted { $0.key < $1.key }.map {
      JSONText.array([.number("\($0.key)"), .number("\($0.value)")])
    }
    var members: [(String, JSONText)] = [
      ("first", .string(first.mask)), ("second", .string(second.mask)), ("first labels", labels(first)),
      ("second labels", labels(second)), ("pairs", .array(pairs)),
    ]
    if !isConfirmed { members.append(("kept", .number("true"))) }
    if !time.isEmpty { members.append(("time", .string(time))) }
    return .object(members)
  }

  /// Reads a pairing; nil where the value is none.
  init?(json: JSONValue) {
    func labels(_ key: String) -> [Int: String]? {
      guard case .array(let items)? = json[key: key] else { return nil }
      var labels: [Int: String] = [:]
      for item in items {
        guard case .array(let parts) = item, parts.count == 2, case .number(let digits) = parts[0],
          case .string(let name) = parts[1], let value = Int(digits)
        else { return nil }
        labels[value] = name
      }
      return labels
    }
    guard case .string(let one)? = json[key: "first"], case .string(let other)? = json[key: "second"],
      let firstLabels = labels("first labels"), let secondLabels = labels("second labels"),
      case .array(let items)? = json[key: "pairs"]
    else { return nil }
    var partners: [Int: Int] = [:]
    for item in items {
      guard case .array(let parts) = item, parts.count == 2, case .number(let one) = parts[0],
        case .number(let other) = parts[1], let value = Int(one), let partner = Int(other),
        firstLabels[value] != nil, secondLabels[partner] != nil, partners[value] == nil,
        !partners.values.contains(partner)
      else { return nil }
      partners[value] = partner
    }
    self.init(
      first: Side(mask: one, labels: firstLabels), second: Side(mask: other, labels: secondLabels),
      partners: partners, isConfirmed: json[key: "kept"] != .bool(true))
    if case .string(let text)? = json[key: "time"] { time = text }
  }
}

extension CaseDecision {
  /// This decision with the time of every pairing: that of an earlier record with the same one, else `time`.
  package func timed(_ time: String, since earlier: CaseDecision?) -> CaseDecision {
    var decision = self
    decision.pairings = pairings.map { pairing in
      var timed = pairing
      timed.time =
        earlier?.pairings.first { $0.withoutTime == pairing.withoutTime }?.time ?? time
      return timed
    }
    return decision
  }
}
