import Foundation
import Volumes
import Work

extension LabelNamesFile {
  /// Reads lines of text in any of three ways, told apart line by line.
  ///
  /// A line that begins with `#` is a comment.
  /// - ITK-SNAP: `VALUE R G B ALPHA VISIBLE MESH "NAME"`;
  /// - FreeSurfer: `VALUE NAME R G B A`;
  /// - MRIcron: `VALUE NAME`, and whatever follows in that line (`1 Precentral_L 2001`).
  static func decodeLines(_ text: String, path: String) throws(InputError) -> LabelNames {
    var names = LabelNames()
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (number, line) in lines.enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      guard let value = Int(first), value >= 0, let entry = entry(value, words.dropFirst(), line) else {
        throw InputError(
          path, "line \(number + 1) is no label", found: "\"\(line.prefix(60))\"",
          expected: "VALUE NAME, or VALUE R G B A VIS MESH \"NAME\"")
      }
      if value > 0 { names.entries.append(entry) }
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
    guard let name = words.first else { return nil }
    let colour = words.count >= 5 ? colour(words.dropFirst()) : nil
    return .init(value: value, name: String(name), colour: colour)
  }

  private static func colour(_ words: ArraySlice<Substring>) -> RGBColour? {
    let parts = words.prefix(3).compactMap { UInt8($0) }
    return parts.count == 3 ? RGBColour(parts[0], parts[1], parts[2]) : nil
  }
}
