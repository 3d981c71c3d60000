import Work

/// Voxel values that together are one structure, as commands write it: "6=liver", "1,2=liver", "3".
package struct LabelSelection: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Values of a file that count as this structure, as they were listed, none of them 0.
  package var values: [Int]
  /// The structure's name; "label 3" where none was given.
  package var name: String

  /// A structure of these values.
  package init(values: [Int], name: String? = nil) {
    self.values = values.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    self.name = name ?? "label " + self.values.map(String.init).joined(separator: ",")
  }

  /// Reads "VALUES=NAME" or "VALUES".
  /// - Throws: ``InputError`` when a value is not a whole number above 0 or the name is empty.
  package init(_ text: String) throws(InputError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    var values: [Int] = []
    for word in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
      guard let value = Int(word.trimmingSpaces), value > 0 else {
        throw InputError(
          "--label \(text)", "not a list of label values", found: "\"\(word)\"",
          expected: "whole numbers above 0, as in 1,2=liver")
      }
      values.append(value)
    }
    let name = parts.count > 1 ? parts[1].trimmingSpaces : nil
    if name?.isBlank == true {
      throw InputError("--label \(text)", "the name is empty", expected: "as in 6=liver")
    }
    if let name, name.isCalledAfterValue(otherThan: values) {
      throw InputError(
        "--label \(text)", "\(name) is the default name of another label",
        expected: "another name")
    }
    self.init(values: values, name: name)
  }

  /// As it is written on a command line.
  package var description: String { values.map(String.init).joined(separator: ",") + "=" + name }
}
