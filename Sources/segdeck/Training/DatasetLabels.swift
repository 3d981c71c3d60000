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
  /// Names are read from each file itself or beside it (`CASE.labels.json` and the other kinds), from `labels.json` in its
  /// folder, and from the first file for a whole folder, as `dataset.json`, that names a value
  /// (``LabelNamesFile/commonFiles(ofImage:)``). The first name of a value is used. A file of names for a whole folder that
  /// cannot be read is a finding.
  /// - Throws: ``InputError`` when another file cannot be read; ``Cancelled``.
  init(of pairs: [CaseFolder.Pair], work: WorkContext) throws {
    folder = pairs.first.map { FilePath.folder(of: $0.labels) } ?? "--labels"
    var known: Set<String> = []
    // If 255 occurs with other labels in any file, it is a label of its own in all files.
    var isOwnLabel = false
    var stated: [(path: String, names: LabelNames?, values: Set<Int>)] = []
    for (index, pair) in pairs.enumerated() {
      let file = try pair.openLabels()
      let own = try file.labelVolume(work: work.withoutProgress).values().subtracting([0])
      values.formUnion(own)
      isOwnLabel = isOwnLabel || own.contains(255) && own.count > 1
      let names = LabelNamesFile.read(of: file, values: nil)
      if let names, names.entries.isEmpty {
        for note in names.notes() { FindingNotes.add(note, of: pair.labels) }
      }
      stated.append((pair.labels, names, own))
      work.report(Double(index + 1) / Double(pairs.count))
    }
    guard let coding = LabelCoding(of: values) else {
      throw InputError(
        folder, "its files hold too many label values", found: "\(values.count)",
        expected: "\(LabelCoding.maximumValueCount) or fewer")
    }
    self.coding = coding
    var found: [(path: String, names: LabelNames, values: Set<Int>?)] = []
    for (path, names, own) in stated {
      if let names { found.append((path, names, own)) }
      for (path, names) in commonNames(of: path, except: &known) { found.append((path, names, nil)) }
    }
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

  /// The files that may name the labels of all files in the folder of a label file, in search order.
  static func commonFiles(of path: String) -> [String] {
    [FilePath.joined(FilePath.folder(of: path), "labels.json")] + LabelNamesFile.commonFiles(ofImage: path)
  }

  /// The names for the whole folder of a label file: those of `labels.json`, and of the first of the others that names a
  /// value or cannot be read; files in `known`, to which they are added, are left out.
  private func commonNames(
    of path: String, except known: inout Set<String>
  ) -> [(path: String, names: LabelNames)] {
    let folder = FilePath.folder(of: path)
    guard known.insert(folder).inserted else { return [] }
    let files = Self.commonFiles(of: path)
    var found: [(path: String, names: LabelNames)] = []
    func read(_ file: String) -> Bool {
      do throws(InputError) {
        guard let names = try LabelNamesFile.read(commonFile: file), names.limited(to: values) != nil else {
          return false
        }
        if known.insert(file).inserted { found.append((file, names)) }
      } catch {
        if known.insert(file).inserted { found.append((file, LabelNamesFile.unused(error, file))) }
      }
      return true
    }
    _ = read(files[0])
    _ = files.dropFirst().contains(where: read)
    return found
  }
}
