import Foundation
import Volumes
import Work

extension LabelNamesFile {
  /// Reads lines of text in any of three ways, told apart line by line.
  ///
  /// A line that begins with `#` is a comment.
  /// - ITK-SNAP: `VALUE R G B ALPHA VISIBLE MESH "NAME"`;
  /// - FreeSurfer: `VALUE NAME R G B A`;
  /// - MRIcron: `VALUE NAME`, perhaps with a number behind it (`1 Precentral_L 2001`).
  ///
  /// A name may hold blanks ("kidney left"). A number at its end belongs to it where labels would else share a name
  /// ("area 44" and "area 45"). A line whose value no voxel can have is passed over.
  static func decodeLines(_ text: String, path: String) throws(InputError) -> LabelNames {
    var names = LabelNames()
    var unread = 0
    var whole: [String] = []
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (number, line) in lines.enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      if Int(first) == nil || first.hasPrefix("-"), Double(first)?.isFinite == true, words.count > 1 {
        unread += 1
        continue
      }
      guard let value = Int(first), value >= 0, let entry = entry(value, words.dropFirst(), line) else {
        throw InputError(
          path, "line \(number + 1) is no label", found: "\"\(line.prefix(60))\"",
          expected: "VALUE NAME, or VALUE R G B A VIS MESH \"NAME\"")
      }
      guard value > 0 else { continue }
      names.entries.append(entry)
      whole.append(line.contains("\"") ? entry.name : words.dropFirst().joined(separator: " "))
    }
    names.unreadCount = unread
    let counts = Dictionary(names.entries.map { ($0.name, 1) }, uniquingKeysWith: +)
    for index in names.entries.indices where counts[names.entries[index].name, default: 1] > 1 {
      names.entries[index].name = whole[index]
    }
    guard !names.entries.isEmpty else {
      throw InputError(path, "holds no label names", found: "no line with a label")
    }
    return names
  }

  private static func entry(
    _ value: Int, _ words: ArraySlice<Substring>, _ line: Substring
  ) -> LabelNames.Entry? {
    if let quote = line.firstIndex(of: "\"") {
      let name = line[line.index(after: quote)...].prefix { $0 != "\"" }
      guard let colour = colour(words), !name.isEmpty else { return nil }
      return .init(value: value, name: String(name), colour: colour)
    }
    guard !words.isEmpty else { return nil }
    let numbers = words.reversed().prefix { UInt64($0) != nil }.count
    // R G B A stand behind FreeSurfer's names, one number behind MRIcron's.
    let following = numbers >= 4 ? 4 : min(numbers, 1)
    guard words.count > following else {
      return .init(value: value, name: words.joined(separator: " "), colour: nil)
    }
    return .init(
      value: value, name: words.dropLast(following).joined(separator: " "),
      colour: following == 4 ? colour(words.suffix(4)) : nil)
  }

  private static func colour(_ words: ArraySlice<Substring>) -> RGBColour? {
    let parts = words.prefix(3).compactMap { UInt8($0) }
    return parts.count == 3 ? RGBColour(parts[0], parts[1], parts[2]) : nil
  }
}
