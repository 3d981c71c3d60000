import Foundation
import Volumes
import Work

/// Label names as lines of text, in any of three ways that are told apart line by line.
///
/// A line that begins with `#` is a comment.
/// - ITK-SNAP: `VALUE R G B ALPHA VISIBLE MESH "NAME"`;
/// - FreeSurfer: `VALUE NAME R G B A`;
/// - MRIcron: `VALUE NAME`, perhaps with a number after it (`1 Precentral_L 2001`).
///
/// A name may hold blanks ("kidney left"). A number at its end belongs to it where labels would else share a name
/// ("area 44" and "area 45"). A line whose value no voxel can have is ignored.
struct LabelLines {
  /// The entries of the lines; -1 is any value that no voxel can have.
  private(set) var entries: [LabelNames.Entry] = []
  /// The first line that is no label.
  private(set) var error: InputError?
  private let path: String
  private let finding: String?

  /// Reads all lines.
  /// - Parameter finding: A finding about the whole text; nil for none.
  init(_ text: String, path: String, finding: String? = nil) {
    self.path = path
    self.finding = finding
    var whole: [String] = []
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (number, line) in lines.enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      guard let entry = Self.entry(words, line) else {
        error =
          error
          ?? InputError(
            path, "line \(number + 1) is no label", found: "\"\(line.prefix(60))\"",
            expected: "VALUE NAME, or VALUE R G B A VIS MESH \"NAME\"")
        continue
      }
      entries.append(entry)
      whole.append(line.contains("\"") ? entry.name : words.dropFirst().joined(separator: " "))
    }
    let counts = Dictionary(entries.map { ($0.name, 1) }, uniquingKeysWith: +)
    for index in entries.indices where counts[entries[index].name, default: 1] > 1 {
      entries[index].name = whole[index]
    }
  }

  /// The names of the lines that are labels.
  var names: LabelNames { LabelNames(entries: entries, finding: finding) }

  /// The names.
  /// - Throws: ``InputError`` that names the first line that is no label, or when none is one.
  func checkedNames() throws(InputError) -> LabelNames {
    if let error { throw error }
    let names = names
    guard !names.entries.isEmpty else {
      throw InputError(path, "holds no label names", found: "no line with a label")
    }
    return names
  }

  /// The label of a line; nil when it is none.
  private static func entry(_ words: [Substring], _ line: Substring) -> LabelNames.Entry? {
    let rest = words.dropFirst()
    // Numbers that are not whole are no labels, and a text that begins with one may be anything.
    guard let number = LabelNames.value(words[0]), !rest.isEmpty else { return nil }
    let value = Int(words[0]) == nil ? -1 : number
    if let quote = line.firstIndex(of: "\"") {
      let name = line[line.index(after: quote)...].prefix { $0 != "\"" }
      return colour(rest).map { .init(value: value, name: String(name), colour: $0) }
    }
    let numbers = rest.reversed().prefix { UInt64($0) != nil }.count
    // R G B A stand after FreeSurfer's names, one number after MRIcron's.
    let following = numbers >= 4 ? 4 : min(numbers, 1)
    // "1 label 3" has no name with a number after it, but the name of a label without one.
    let isNumbered = following == 1 && rest.dropLast().joined(separator: " ").nameKey == "label"
    guard rest.count > following, !isNumbered else {
      return .init(value: value, name: rest.joined(separator: " "), colour: nil)
    }
    return .init(
      value: value, name: rest.dropLast(following).joined(separator: " "),
      colour: following == 4 ? colour(rest.suffix(4)) : nil)
  }

  private static func colour(_ words: ArraySlice<Substring>) -> RGBColour? {
    let parts = words.prefix(3).compactMap { UInt8($0) }
    return parts.count == 3 ? RGBColour(parts[0], parts[1], parts[2]) : nil
  }
}
