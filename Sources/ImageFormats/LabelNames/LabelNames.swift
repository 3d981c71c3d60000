import Volumes
import Work

/// The label names of a file by value, before it is known which values occur.
package struct LabelNames: Equatable, Sendable {
  /// A value and its name.
  package struct Entry: Equatable, Sendable, Codable {
    /// The value in the mask's file, above 0.
    package var value: Int
    package var name: String
    /// Its colour, where the file gives one.
    package var colour: RGBColour?

    package init(value: Int, name: String, colour: RGBColour? = nil) {
      self.value = value
      self.name = name
      self.colour = colour
    }
  }

  /// Several values under one name.
  package struct Region: Equatable, Sendable {
    package var name: String
    /// The values, as they are listed.
    package var values: [Int]
  }

  /// The names, one for each value, in the file's order.
  package let entries: [Entry]
  /// Names of several values together, as nnU-Net's regions are, which overlap and therefore name no label.
  package let regions: [Region]
  /// The entries that were changed on reading, a line each.
  private let findings: [String]

  /// Names, or none.
  ///
  /// Where a value has several names, the last one counts. A name without visible characters is ignored, and so is the
  /// default name of another label ("label 2" for value 1). A label without a name gets its default name.
  ///
  /// - Parameters:
  ///   - entries: As a file has them, in its order; a value below 0 represents any value that no voxel can have;
  ///     background is ignored.
  ///   - finding: A further finding about the file.
  package init(entries: [Entry] = [], regions: [Region] = [], finding: String? = nil) {
    var kept: [Entry] = []
    var indexOfValue: [Int: Int] = [:]
    var hasName: Set<Int> = []
    var nameless: [Int] = []
    var (twice, misleading): ([String], [String]) = ([], [])
    for var entry in entries where entry.value > 0 {
      let isMisleading = entry.name.isCalledAfterValue(otherThan: [entry.value])
      if entry.name.isBlank {
        nameless.append(entry.value)
      } else if isMisleading {
        misleading.append("label \(entry.value) is called \(entry.name.trimmingSpaces)")
      }
      let isName = !entry.name.isBlank && !isMisleading
      // Value 255 is named "label 1" too, because it is read as 1 and written as 255.
      if !isName || entry.name.unnamedLabelValue != nil { entry.name = "label \(entry.value)" }
      guard let index = indexOfValue[entry.value] else {
        indexOfValue[entry.value] = kept.count
        kept.append(entry)
        if isName { hasName.insert(entry.value) }
        continue
      }
      guard isName else { continue }
      if !hasName.insert(entry.value).inserted, kept[index].name.nameKey != entry.name.nameKey {
        twice.append("label \(entry.value) is called \(kept[index].name) and then \(entry.name)")
      }
      entry.colour = entry.colour ?? kept[index].colour
      kept[index] = entry
    }
    var findings = [finding].compactMap(\.self)
    func add(_ subjects: [String], _ repair: String) {
      guard let first = subjects.first else { return }
      findings.append(
        first + (subjects.count > 1 ? ", and \(subjects.count - 1) more likewise" : "") + "; " + repair)
    }
    add(twice, "the last name counts")
    func addNameless(_ repair: String, _ isMeant: (Int) -> Bool) {
      add(nameless.filter(isMeant).map { "label \($0) has an empty name" }, repair)
    }
    addNameless("it is called after its value") { !hasName.contains($0) }
    addNameless("its other name counts", hasName.contains)
    add(
      misleading, "that is what a label without a name is called after its own value; the name is ignored"
    )
    add(
      entries.filter { $0.value == 0 && !Self.backgroundNames.contains($0.name.nameKey) && !$0.name.isBlank }
        .map { "\($0.name) is 0" }, "0 is background, and no label")
    let unreadCount = entries.count { $0.value < 0 }
    if unreadCount > 0 {
      findings.append(
        "\(counted(unreadCount, "name is of a value", "names are of values")) that no voxel can have; "
          + "\(itIs(unreadCount)) ignored")
    }
    self.init(kept: kept, regions: regions, findings: findings)
  }

  private init(kept: [Entry], regions: [Region], findings: [String]) {
    entries = kept
    self.regions = regions
    self.findings = findings
  }

  /// Common names of the background.
  private static let backgroundNames: Set<String> = [
    "background", "bg", "back", "clear label", "unknown", "unlabeled", "unlabelled", "unclassified", "none",
    "nothing", "void", "null", "empty", "exterior", "outside", "outside brain", "air", "other", "rest",
    "label 0", "0",
  ]

  /// The label value that a number's digits state, -1 for one that no voxel can have; nil when they are not a number.
  static func value(_ digits: some StringProtocol) -> Int? {
    if let value = Int(digits) { return value }
    guard digits.allSatisfy({ "0123456789+-.eE".contains($0) }), Double(String(digits)) != nil else {
      return nil
    }
    guard let number = Double(stated: digits), abs(number) < 0x1p53 else { return -1 }
    return Int(exactly: number) ?? -1
  }

  /// The names of masks that hold these values: where 255 is their only label it has the name of 1, unless it has a
  /// name of its own.
  package func applied(to values: Set<Int>) -> LabelNames {
    guard values.subtracting([0]) == [255], let one = entries.first(where: { $0.value == 1 }) else {
      return self
    }
    var findings = findings
    let own = entries.first { $0.value == 255 }
    if let own, own.name.unnamedLabelValue == nil {
      if one.name.unnamedLabelValue == nil, one.name.nameKey != own.name.nameKey {
        findings.append(
          "label 1 is called \(one.name) and label 255 \(own.name); of masks that hold only 0 and 255 the name of 255 "
            + "counts")
      }
      return LabelNames(kept: entries.filter { $0.value != 1 }, regions: regions, findings: findings)
    }
    let name = one.name.unnamedLabelValue == nil ? one.name : own?.name ?? one.name
    let meant = Entry(value: 255, name: name, colour: one.colour ?? own?.colour)
    return LabelNames(
      kept: entries.filter { $0.value != 1 && $0.value != 255 } + [meant], regions: regions,
      findings: findings)
  }

  /// Those of the names that are of one of `values`, without regions; nil where none is.
  package func limited(to values: Set<Int>) -> LabelNames? {
    let own = entries.filter {
      values.contains($0.value) || $0.value == 1 && values.subtracting([0]) == [255]
    }
    return own.isEmpty ? nil : LabelNames(kept: own, regions: [], findings: [])
  }

  /// Whether every one of `values` above 0 has a name, in masks that hold these values.
  func cover(_ values: Set<Int>) -> Bool {
    values.subtracting([0]).isSubset(of: applied(to: values).entries.map(\.value))
  }

  /// Values that mean "not labelled", as nnU-Net's `ignore` does.
  package var ignoredValues: [Int] {
    entries.filter { $0.name.nameKey == Self.ignoredName }.map(\.value)
  }

  /// The name of unlabelled voxels.
  static let ignoredName = "ignore"

  /// The names of a table, by the values that a mask of this coding holds in its file.
  package init(_ table: LabelTable, coding: LabelCoding = .identity) {
    self.init(
      entries: table.labels.map {
        Entry(value: coding.value(of: $0.value), name: $0.name, colour: $0.colour)
      })
  }

  /// The table of the labels of masks in `coding`, to whose values these names were ``applied(to:)``; values that none
  /// of their voxels can have are ignored.
  package func table(_ coding: LabelCoding = .identity) -> LabelTable {
    LabelTable(
      entries.compactMap { entry in
        coding.code(of: entry.value).map { code in
          Label(
            value: code, name: entry.name.unnamedLabelValue == nil ? entry.name : coding.name(of: code),
            colour: entry.colour ?? LabelTable.colour(ofValue: code))
        }
      })
  }

  /// The ignored entries, a line each; nothing where every entry is a label that a voxel can have.
  package func notes(_ coding: LabelCoding = .identity) -> [String] {
    var notes = findings
    let large = entries.filter { $0.value > Int(UInt16.max) && coding.code(of: $0.value) == nil }
    if let first = large.first {
      let rest = large.count > 1 ? " and \(large.count - 1) more" : ""
      notes.append("\(first.name) (\(first.value))\(rest): no voxel has this value; the name is ignored")
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
