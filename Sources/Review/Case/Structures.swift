import Volumes

/// The pairs of labels of two families of versions, chosen by the reviewer or found from an unambiguous overlap.
///
/// A family is a mask or a network's result with all its refinements: they share values and names.
package struct LabelPairing: Equatable, Sendable {
  /// The families, each by its oldest version.
  package var older, newer: VersionID
  /// The value in the newer family by the value in the older one; one to one.
  package var partners: [UInt16: UInt16]
  /// Whether the reviewer confirmed the pairs; else the reviewer kept names and values although overlaps suggest others.
  package var isConfirmed: Bool

  /// A pairing of two families, `partners` leading from `one` to `other`.
  package init(
    _ one: VersionID, _ other: VersionID, partners: [UInt16: UInt16], isConfirmed: Bool = true
  ) {
    self.isConfirmed = isConfirmed
    (older, newer) = (min(one, other), max(one, other))
    self.partners = one < other ? partners : LabelPairing.inverted(partners)
  }

  /// Whether it pairs these two families.
  package func isOf(_ one: VersionID, _ other: VersionID) -> Bool {
    older == min(one, other) && newer == max(one, other)
  }

  /// The value in the other family by the value in `family`.
  package func partners(from family: VersionID) -> [UInt16: UInt16] {
    family == older ? partners : LabelPairing.inverted(partners)
  }

  private static func inverted(_ partners: [UInt16: UInt16]) -> [UInt16: UInt16] {
    Dictionary(partners.map { ($1, $0) }, uniquingKeysWith: min)
  }
}

extension [LabelPairing] {
  /// The last pairing of two families; nil for none.
  func last(of one: VersionID, _ other: VersionID) -> LabelPairing? { last { $0.isOf(one, other) } }
}

/// A union-find structure over the labels of all families: each set is one structure.
///
/// Labels are joined by pairings first, the newest pairing first, then by name, and by value where neither label has a
/// name. Two labels of one family are never joined.
private struct StructureSets {
  /// For each family its labels, ascending by value.
  let tables: [[Label]]
  /// The index of each family's first label among the labels of all families.
  private var starts: [Int] = []
  private var parents: [Int]
  /// For each root and family, the position of the set's label in the family's table; -1 for none.
  private var members: [Int32]

  init(_ tables: [[Label]]) {
    self.tables = tables
    var total = 0
    for table in tables {
      starts.append(total)
      total += table.count
    }
    parents = Array(0..<total)
    members = [Int32](repeating: -1, count: total * tables.count)
    for (family, table) in tables.enumerated() {
      for position in table.indices {
        members[(starts[family] + position) * tables.count + family] = Int32(position)
      }
    }
  }

  /// The index of a family's label among the labels of all families.
  func number(_ family: Int, _ position: Int) -> Int { starts[family] + position }

  /// The root of a label's set; shortens the paths that it follows.
  mutating func root(_ number: Int) -> Int {
    var root = number
    while parents[root] != root { root = parents[root] }
    var current = number
    while parents[current] != root { (parents[current], current) = (root, parents[current]) }
    return root
  }

  /// The position of a set's label in a family; nil where it has none there.
  func member(_ root: Int, _ family: Int) -> Int? {
    let position = members[root * tables.count + family]
    return position < 0 ? nil : Int(position)
  }

  /// Joins two sets, unless the union would have two labels of one family.
  mutating func join(_ one: Int, _ other: Int) {
    let (first, second) = (root(min(one, other)), root(max(one, other)))
    guard first != second else { return }
    for family in tables.indices where member(first, family) != nil && member(second, family) != nil {
      return
    }
    for family in tables.indices {
      let position = members[second * tables.count + family]
      if position >= 0 { members[first * tables.count + family] = position }
    }
    parents[second] = first
  }
}

extension Decisions {
  /// Sets key and colour of every label of every version: one key and one colour for each structure.
  ///
  /// The colour is that of the oldest version with the structure.
  ///
  /// - Parameter automatic: Pairings that the program found without a question; ``pairings`` have priority.
  /// - Returns: The new key of each key that changed. Hidden labels stay hidden.
  /// - Complexity: O(labels of all versions), up to logarithms.
  @discardableResult
  mutating func identifyStructures(automatic: [LabelPairing]) -> [String: String] {
    let families = Set(versions.map(\.family)).sorted()
    let tables = families.map { family in
      versions.first { $0.family == family }?.ownTable.labels ?? []
    }
    var sets = StructureSets(tables)
    let positions = tables.map { table in
      Dictionary(uniqueKeysWithValues: table.enumerated().map { ($1.value, $0) })
    }
    let known = automatic + pairings
    for pairing in known.reversed() {
      guard let older = families.firstIndex(of: pairing.older),
        let newer = families.firstIndex(of: pairing.newer),
        known.last(of: pairing.older, pairing.newer) == pairing
      else { continue }
      for (one, other) in pairing.partners.sorted(by: { $0.key < $1.key }) {
        guard let first = positions[older][one], let second = positions[newer][other] else { continue }
        sets.join(sets.number(older, first), sets.number(newer, second))
      }
    }
    var numbersByName: [String: [(family: Int, number: Int)]] = [:]
    for (family, table) in tables.enumerated() {
      for (position, label) in table.enumerated() {
        let number = sets.number(family, position)
        // A given name is never equal to a default name such as "label 3".
        let name = (label.isUnnamed ? "\u{0}" : "") + label.nameKey
        for earlier in numbersByName[name] ?? []
        where known.last(of: families[earlier.family], families[family]) == nil {
          sets.join(earlier.number, number)
        }
        numbersByName[name, default: []].append((family, number))
      }
    }
    let identities = Decisions.identities(&sets)
    var renamed: [String: String] = [:]
    for position in versions.indices {
      guard let family = families.firstIndex(of: versions[position].family) else { continue }
      versions[position].identify { value in
        positions[family][value].map { identities[sets.number(family, $0)] }
      } renamed: { old, new in
        if renamed[old] == nil { renamed[old] = new }
      }
    }
    hiddenLabels = Set(hiddenLabels.map { renamed[$0] ?? $0 })
    soloLabel = soloLabel.map { renamed[$0] ?? $0 }
    return renamed
  }

  /// The key and colour of every label, in the order of the labels of all families.
  private static func identities(_ sets: inout StructureSets) -> [(key: String, colour: RGBColour)] {
    var identities: [(key: String, colour: RGBColour)] = []
    var ofRoot: [Int: (key: String, colour: RGBColour)] = [:]
    var keys: Set<String> = []
    var colours: Set<RGBColour> = []
    for (family, table) in sets.tables.enumerated() {
      for (position, label) in table.enumerated() {
        let root = sets.root(sets.number(family, position))
        if ofRoot[root] == nil {
          let labels = sets.tables.indices.compactMap { other in
            sets.member(root, other).map { sets.tables[other][$0] }
          }
          let name = (labels.first { !$0.isUnnamed } ?? label).nameKey
          let key = (1...).lazy.map { $0 == 1 ? name : "\(name) \($0)" }.first { !keys.contains($0) } ?? name
          let isFree = family == 0 || !colours.contains(label.colour)
          let isOwn = label.colour != LabelTable.colour(ofValue: label.value)
          let colour = isFree || isOwn ? label.colour : LabelTable.colour(besides: colours)
          ofRoot[root] = (key, colour)
          keys.insert(key)
          colours.insert(colour)
        }
        if let identity = ofRoot[root] { identities.append(identity) }
      }
    }
    return identities
  }
}

extension LabelTable {
  /// The first default colour that is not in `used`; any default colour where the first hundred are all in use.
  fileprivate static func colour(besides used: Set<RGBColour>) -> RGBColour {
    let colours = (1...100).lazy.map { colour(ofValue: $0) }
    return colours.first { !used.contains($0) } ?? colour(ofValue: 1)
  }
}
