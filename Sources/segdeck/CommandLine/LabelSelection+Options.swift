import Volumes
import Work

extension LabelSelection {
  /// Parses `--label` options.
  /// - Throws: ``InputError`` for an invalid option, or a name that is given twice.
  static func parsed(_ options: [String]) throws(InputError) -> [LabelSelection] {
    var selections: [LabelSelection] = []
    for option in options {
      let selection = try LabelSelection(option)
      guard !selections.contains(where: { $0.nameKey == selection.nameKey }) else {
        throw InputError("--label \(option)", "the name is given twice", found: selection.name)
      }
      selections.append(selection)
    }
    return selections
  }
}

extension [LabelSelection] {
  /// Refuses a value that belongs to several structures.
  /// - Parameter coding: The label coding, in which two values may have one code: 1 and 255 where 255 is read as 1.
  func requireOwnValues(_ coding: LabelCoding = .identity) throws(InputError) {
    var owners: [Int: Int] = [:]
    for (index, selection) in enumerated() {
      for value in selection.values {
        let owner = owners.updateValue(index, forKey: coding.code(of: value).map(Int.init) ?? value)
        if let owner, owner != index {
          throw InputError(
            "--label \(selection)", "value \(value) belongs to another structure already",
            found: self[owner].name)
        }
      }
    }
  }
}

extension [LabelSelection] {
  /// A note for each structure of which some values occur and others do not.
  /// - Parameters:
  ///   - values: The values that occur.
  ///   - source: The name of the searched masks in the notes: "mask.nii".
  func notes(absentFrom values: Set<Int>, _ source: String, coding: LabelCoding) -> [String] {
    let present = Set(coding.codes(of: values.subtracting([0]).sorted()))
    return compactMap { selection in
      let absent = selection.values.filter { value in
        coding.code(of: value).map { !present.contains($0) } ?? true
      }
      guard !absent.isEmpty, absent.count < selection.values.count else { return nil }
      return
        "--label \(selection): no voxel of \(source) has \(absent.map(String.init).joined(separator: ", "))"
    }
  }
}
