import Work

/// Voxel values that together are one structure, as commands write it: "6=liver", "1,2=liver", "3".
package struct LabelSelection: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Values that count as this structure, ascending, none of them 0.
  package var values: [UInt16]
  /// The structure's name; "label 3" where nobody gave one.
  package var name: String

  /// A structure of these values.
  package init(values: [UInt16], name: String? = nil) {
    self.values = Set(values).sorted()
    self.name = name ?? "label " + self.values.map(String.init).joined(separator: ",")
  }

  /// Reads "VALUES=NAME" or "VALUES".
  /// - Throws: ``InputError`` when a value is not a whole number from 1 to 65535 or the name is empty.
  package init(_ text: String) throws(InputError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    var values: [UInt16] = []
    for word in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
      guard let value = UInt16(word.trimmingSpaces), value > 0 else {
        throw InputError(
          "--label \(text)", "not a list of label values", found: "\"\(word)\"",
          expected: "1 to 65535, as in 1,2=liver")
      }
      values.append(value)
    }
    let name = parts.count > 1 ? parts[1].trimmingSpaces : nil
    if name == "" { throw InputError("--label \(text)", "the name is empty", expected: "as in 6=liver") }
    self.init(values: values, name: name)
  }

  /// As it is written on a command line.
  package var description: String { values.map(String.init).joined(separator: ",") + "=" + name }
}

extension Substring {
  /// The text without spaces before and behind it.
  fileprivate var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
