import Foundation
import ImageFormats
import Volumes
import Work

/// Which structures the label files of a folder hold.
enum LabelSurvey {
  /// The most structures that a network tells apart.
  private static let limit = 254

  /// A structure for every value that occurs in any of the files.
  ///
  /// Names are those beside a file (`CASE.labels.json` and the other kinds), in `labels.json` in its folder, or in
  /// `dataset.json` one folder up, where challenges keep it; the first one found counts. A value without a name is
  /// "label N".
  /// - Throws: ``InputError`` when a file cannot be read, no value occurs, or there are more than 254; ``Cancelled``.
  static func structures(of pairs: [CaseFolder.Pair], work: WorkContext) throws -> [LabelSelection] {
    var values: Set<UInt16> = []
    var names: [UInt16: String] = [:]
    for (index, pair) in pairs.enumerated() {
      values.formUnion(
        try ImageFile.open(pair.labels).labelVolume(work: work.silent).voxelCounts().keys)
      for table in try tables(beside: pair.labels) {
        for label in table.labels where names[label.value] == nil { names[label.value] = label.name }
      }
      work.report(Double(index + 1) / Double(pairs.count))
    }
    values.remove(0)
    let folder = pairs.first.map { ($0.labels as NSString).deletingLastPathComponent } ?? "--labels"
    guard !values.isEmpty else {
      throw InputError(folder, "no label occurs in any file", expected: "values above 0")
    }
    guard values.count <= limit else {
      throw InputError(
        folder, "too many label values for structures of their own", found: "\(values.count)",
        expected: "at most \(limit), or --label for those that matter")
    }
    var selections: [LabelSelection] = []
    for value in values.sorted() {
      let name = names[value] ?? "label \(value)"
      // Values of one name, such as the two halves of an organ, are one structure.
      if let known = selections.firstIndex(where: { $0.name == name }) {
        selections[known] = LabelSelection(values: selections[known].values + [value], name: name)
      } else {
        selections.append(LabelSelection(values: [value], name: name))
      }
    }
    return selections
  }

  private static func tables(beside path: String) throws(InputError) -> [LabelTable] {
    let folder = (path as NSString).deletingLastPathComponent
    var tables = [try LabelNamesFile.read(besideMask: path)].compactMap(\.self)
    for common in [folder + "/labels.json", folder + "/../dataset.json"]
    where FileManager.default.fileExists(atPath: common) {
      tables.append(try LabelNamesFile.read(common))
    }
    return tables
  }
}
