import Volumes

/// What a file says about the labels of masks, by their values, before it is known which of them occur.
package struct LabelNames: Equatable, Sendable {
  /// A value and what it is called.
  package struct Entry: Equatable, Sendable, Codable {
    /// The value in the mask's file, above 0.
    package var value: Int
    /// Its name.
    package var name: String
    /// Its colour, where the file gives one.
    package var colour: RGBColour?

    /// An entry.
    package init(value: Int, name: String, colour: RGBColour? = nil) {
      self.value = value
      self.name = name
      self.colour = colour
    }
  }

  /// Several values under one name.
  package struct Region: Equatable, Sendable {
    /// The name.
    package var name: String
    /// The values, as they are listed.
    package var values: [Int]
  }

  /// The names, one for each value, in the file's order.
  package let entries: [Entry]
  /// Names of several values together, as nnU-Net's regions are, which overlap and therefore name no label.
  package let regions: [Region]
  /// What was read otherwise than it is written, a line each.
  private let findings: [String]

  /// Names, or none.
  ///
  /// Of several names of one value the last counts. A label without a name, or with the one that another label without a
  /// name has ("label 2" for 1), is called after its value.
  ///
  /// - Parameters:
  ///   - entries: As a file has them; a value below 0 stands for any that no voxel can have, and background is passed over.
  ///   - finding: What else there is to say about the file.
  package init(entries: [Entry] = [], regions: [Region] = [], finding: String? = nil) {
    var kept: [Entry] = []
    var places: [Int: Int] = [:]
    var (twice, nameless, misleading): ([String], [String], [String]) = ([], [], [])
    for var entry in entries where entry.value > 0 {
      let stated = entry.name.trimmingSpaces
      if stated.isEmpty {
        nameless.append("\(entry.value)")
        entry.name = "label \(entry.value)"
      } else if stated.isCalledAfterValue(otherThan: [entry.value]) {
        misleading.append("label \(entry.value) is called \(stated)")
        entry.name = "label \(entry.value)"
      }
      guard let place = places[entry.value] else {
        places[entry.value] = kept.count
        kept.append(entry)
        continue
      }
      if kept[place].name.nameKey != entry.name.nameKey {
        twice.append("label \(entry.value) is called \(kept[place].name) and then \(entry.name)")
      }
      kept[place] = entry
    }
    var findings = [finding].compactMap(\.self)
    func add(_ subjects: [String], _ repair: String) {
      guard let first = subjects.first else { return }
      findings.append(
        first + (subjects.count > 1 ? ", and \(subjects.count - 1) more likewise" : "") + "; " + repair)
    }
    add(twice, "the last name counts")
    add(nameless.map { "label \($0) has an empty name" }, "it is called after its value")
    add(
      misleading, "that is what a label without a name is called after its own value; the name is passed over"
    )
    let unreadCount = entries.count { $0.value < 0 }
    if unreadCount > 0 {
      findings.append("\(unreadCount) names are of values that no voxel can have; they are passed over")
    }
    self.entries = kept
    self.regions = regions
    self.findings = findings
  }

  /// Values that mean "nobody labelled this", as nnU-Net's `ignore` does.
  package var ignoredValues: [Int] {
    entries.filter { $0.name.nameKey == Self.ignoredName }.map(\.value)
  }

  /// What voxels are called that nobody labelled.
  static let ignoredName = "ignore"

  /// The names of a table, by the values that a mask of this coding holds in its file.
  package init(_ table: LabelTable, coding: LabelCoding = .identity) {
    self.init(
      entries: table.labels.map {
        Entry(value: coding.value(of: $0.value), name: $0.name, colour: $0.colour)
      })
  }

  /// The table of the labels of masks in `coding`; values that none of their voxels can have are passed over.
  package func table(_ coding: LabelCoding = .identity) -> LabelTable {
    // Where 255 is read as 1, the name of 255 counts before that of 1.
    let ordered = entries.filter { $0.value != 255 } + entries.filter { $0.value == 255 }
    return LabelTable(
      ordered.compactMap { entry in
        coding.code(of: entry.value).map { code in
          Label(
            value: code, name: entry.name.unnamedLabelValue == nil ? entry.name : coding.name(of: code),
            colour: entry.colour ?? LabelTable.colour(ofValue: code))
        }
      })
  }

  /// What was passed over, a line each; nothing where every entry is a label that a voxel can have.
  package func notes(_ coding: LabelCoding = .identity) -> [String] {
    var notes = findings
    let large = entries.filter { $0.value > Int(UInt16.max) && coding.code(of: $0.value) == nil }
    if let first = large.first {
      let rest = large.count > 1 ? " and \(large.count - 1) more" : ""
      notes.append("\(first.name) (\(first.value))\(rest): no voxel has this value; the name is passed over")
    }
    let named = entries.filter { $0.name.nameKey != Self.ignoredName }
    for (_, own) in Dictionary(grouping: named, by: \.name.nameKey).sorted(by: { $0.key < $1.key })
    where own.count > 1 {
      let values = own.map(\.value).sorted().map(String.init).joined(separator: ", ")
      notes.append(
        "labels \(values) are all called \(own[0].name): where structures go by name they are one")
    }
    for region in regions {
      let values = region.values.map(String.init).joined(separator: ",")
      notes.append(
        "\(region.name) is a region of several values and no label; --label \(values)=\(region.name) takes them as one"
      )
    }
    return notes
  }
}
