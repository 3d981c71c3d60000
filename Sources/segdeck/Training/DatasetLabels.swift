import Foundation
import ImageFormats
import Volumes
import Work

/// The labels of a data set: the values that occur in its label files, and their names.
struct DatasetLabels {
  /// The maximum number of structures of a network.
  static let limit = 253

  /// The label coding of all files.
  let coding: LabelCoding
  /// Values above 0 that occur in any file.
  private(set) var values: Set<Int> = []
  /// Values of voxels that are ignored.
  private var ignoredValues: Set<Int> = []
  private(set) var notes: [String] = []
  /// The names of the values that occur.
  private(set) var names: [Int: String] = [:]
  /// The folder of the first file.
  let folder: String

  /// Reads every label file.
  ///
  /// Names are read beside each file (`CASE.labels.json` and the other kinds), from `labels.json` in its folder, and
  /// from `dataset.json` in the parent folder, as challenges store it. The first name of a value is used.
  /// - Throws: ``InputError`` when a file cannot be read; ``Cancelled``.
  init(of pairs: [CaseFolder.Pair], work: WorkContext) throws {
    folder = pairs.first.map { FilePath.folder(of: $0.labels) } ?? "--labels"
    var known: Set<String> = []
    // If 255 occurs with other labels in any file, it is a label of its own in all files.
    var isOwnLabel = false
    var found: [(path: String, names: LabelNames, values: Set<Int>?)] = []
    for (index, pair) in pairs.enumerated() {
      let file = try ImageFile.open(pair.labels)
      let own = try file.labelVolume(work: work.withoutProgress).values().subtracting([0])
      values.formUnion(own)
      isOwnLabel = isOwnLabel || own.contains(255) && own.count > 1
      if let names = LabelNamesFile.read(of: file, values: nil) {
        found.append((pair.labels, names, own))
        if names.entries.isEmpty { for note in names.notes() { FindingNotes.add(note, of: pair.labels) } }
      }
      for (path, names) in try Self.commonNames(of: pair.labels, except: &known) {
        found.append((path, names, nil))
      }
      work.report(Double(index + 1) / Double(pairs.count))
    }
    guard let coding = LabelCoding(of: values) else {
      throw InputError(
        folder, "its files hold too many label values", found: "\(values.count)",
        expected: "\(LabelCoding.maximumValueCount) or fewer")
    }
    self.coding = coding
    for (path, stated, ownValues) in found {
      let own = isOwnLabel ? stated : stated.applied(to: ownValues ?? values)
      // A default name such as "label 3" is not a name; another file may have one.
      for entry in own.entries + stated.entries
      where values.contains(entry.value) && entry.name.unnamedLabelValue == nil {
        guard let known = names[entry.value] else {
          names[entry.value] = entry.name
          continue
        }
        guard known.nameKey != entry.name.nameKey else { continue }
        notes.append(
          "label \(entry.value) is called \(known) beside one file and \(entry.name) beside another; "
            + "it counts as \(known) in all, unless --label says otherwise")
      }
      ignoredValues.formUnion(own.ignoredValues + stated.ignoredValues)
      // Names beside a mask are reported with the mask.
      if ownValues == nil {
        for note in own.notes(coding) { FindingNotes.add(note, of: path) }
      }
    }
    ignoredValues.formIntersection(values)
    notes = notes.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// Ignored values that occur and belong to none of `structures`, ascending.
  func ignoredValues(beside structures: [LabelSelection] = []) -> [Int] {
    let taken = Set(coding.codes(of: structures.flatMap(\.values)))
    return ignoredValues.filter { coding.code(of: $0).map { !taken.contains($0) } ?? true }.sorted()
  }

  /// A structure for every value that occurs.
  ///
  /// A value without a name is "label N".
  /// - Throws: ``InputError`` when no value occurs, or there are more than 253.
  func structures() throws(InputError) -> [LabelSelection] {
    let own = values.subtracting(ignoredValues)
    guard !values.isEmpty else {
      throw InputError(folder, "no label occurs in any file", expected: "values above 0")
    }
    guard !own.isEmpty else {
      throw InputError(
        folder, "every label that occurs means ignore", found: listed(values),
        expected: "one that is a structure, or --label to say so")
    }
    guard own.count <= Self.limit else {
      throw InputError(
        folder, "too many label values for structures of their own", found: "\(own.count)",
        expected: "at most \(Self.limit), or --label for those that matter")
    }
    var selections: [LabelSelection] = []
    for value in own.sorted() {
      let name = names[value] ?? coding.code(of: value).map { coding.name(of: $0) } ?? "label \(value)"
      // Values with the same name, such as the two halves of an organ, are one structure.
      if let known = selections.firstIndex(where: { $0.nameKey == name.nameKey }) {
        selections[known] = LabelSelection(
          values: selections[known].values + [value], name: selections[known].name)
      } else {
        selections.append(LabelSelection(values: [value], name: name))
      }
    }
    return selections
  }

  /// Refuses selections of which no value occurs, although other values do.
  /// - Throws: ``InputError`` that lists the values that occur.
  func requireAny(of selections: [LabelSelection]) throws(InputError) {
    let occurring = Set(coding.codes(of: values.sorted()))
    let selected = selections.flatMap { coding.codes(of: $0.values) }
    guard occurring.isEmpty || !occurring.isDisjoint(with: selected) else {
      throw InputError(
        folder, "no voxel of any file has any of the labels",
        found: listed(values),
        expected: selections.map(\.description).joined(separator: " "))
    }
  }

  private func listed(_ values: Set<Int>) -> String {
    values.sorted().prefix(12).map(String.init).joined(separator: ", ")
  }

  /// The files with label names of a whole folder, without those in `known`, to which they are added.
  private static func commonNames(
    of path: String, except known: inout Set<String>
  ) throws(InputError) -> [(path: String, names: LabelNames)] {
    let folder = FilePath.folder(of: path)
    var found: [(path: String, names: LabelNames)] = []
    for common in ["labels.json", "../dataset.json"].map({ FilePath.joined(folder, $0) })
    where known.insert(common).inserted && FileSystem.exists(common) {
      found.append((common, try LabelNamesFile.read(common)))
    }
    return found
  }
}
