import Volumes
import Work

/// The fields of a MetaImage header as text, before any check.
struct MetaImageHeader {
  /// A field and its line.
  private struct Field {
    var name: String
    var value: String
    var line: Int
  }

  let path: String
  private var fields: [String: Field] = [:]
  /// The lines after `ElementDataFile = LIST`.
  private(set) var listedFiles: [String] = []
  /// The first byte after the header.
  private(set) var byteOffset = 0

  /// The maximum number of files in a list.
  private static let maximumListCount = 1 << 16

  /// The maximum number of lines before the voxels or the list of their files; the format has some forty fields.
  private static let maximumFieldCount = 1 << 12

  /// Names of fields with the same meaning; the first one that a header has is used.
  private static let synonyms = [
    "offset": ["offset", "position", "origin"],
    "transformmatrix": ["transformmatrix", "rotation", "orientation"],
    "elementbyteordermsb": ["elementbyteordermsb", "binarydatabyteordermsb"],
  ]

  /// Reads a header up to `ElementDataFile`, its last field.
  /// - Throws: ``InputError`` for a line that is not a field, a missing `ElementDataFile`, and a header that is too long.
  init(path: String) throws(InputError) {
    self.path = path
    var lines = try HeaderLines(path: path)
    while let line = try lines.next() {
      guard lines.lineNumber <= Self.maximumFieldCount else {
        throw InputError(
          path, "the header is too long", found: "no ElementDataFile within \(Self.maximumFieldCount) lines")
      }
      if line.allSatisfy(\.isWhitespace) { continue }
      guard let separator = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
        throw InputError(
          path, "line \(lines.lineNumber) of the header is not a field", found: "\"\(line.prefix(60))\"",
          expected: "NAME = VALUE")
      }
      let spelling = String(line[..<separator]).trimmingSpaces
      let name = spelling.lowercased()
      let value = String(line[line.index(after: separator)...]).trimmingSpaces
      // As in ITK, the last of two fields of one name counts.
      fields[name] = Field(name: spelling, value: value, line: lines.lineNumber)
      if name == "elementdatafile" { break }
    }
    byteOffset = lines.byteOffset
    guard let file = fields["elementdatafile"] else {
      throw InputError(
        path, "the header ends early", found: counted(lines.lineNumber, "line"),
        expected: "ElementDataFile as its last field")
    }
    guard file.value.uppercased().hasPrefix("LIST") else { return }
    while let line = try lines.next(), listedFiles.count <= Self.maximumListCount {
      let name = line.trimmingSpaces
      if !name.isEmpty { listedFiles.append(name) }
    }
  }

  /// The value of a field, whichever of its names it has; nil where there is none.
  func text(_ name: String) -> HeaderValue? {
    let key = name.lowercased()
    for synonym in Self.synonyms[key] ?? [key] {
      guard let field = fields[synonym] else { continue }
      return HeaderValue(field.value, path: path, name: "\(name) (line \(field.line))")
    }
    return nil
  }

  /// The fields that are read, in capital and small letters as ITK and other programs know them.
  private static let spellings = [
    "ObjectType", "NDims", "DimSize", "BinaryData", "BinaryDataByteOrderMSB", "ElementByteOrderMSB",
    "CompressedData",
    "Offset", "Position", "Origin", "TransformMatrix", "Rotation", "Orientation", "ElementSpacing",
    "ElementSize",
    "ElementNumberOfChannels", "ElementType", "ElementToIntensityFunctionSlope", "HeaderSize",
    "ElementDataFile",
  ]

  /// The finding that names of fields are spelled with other capital and small letters; nil where none is.
  var spellingFinding: Finding? {
    let other = Self.spellings.compactMap { spelling -> (line: Int, names: String)? in
      guard let field = fields[spelling.lowercased()], field.name != spelling else { return nil }
      return (field.line, "\(field.name.printableLine) for \(spelling)")
    }
    guard !other.isEmpty else { return nil }
    return Finding(
      "the header has " + other.sorted { $0.line < $1.line }.map(\.names).joined(separator: ", "),
      repair: "read as meant; ITK and 3D Slicer ignore other capital and small letters, or refuse the file")
  }

  /// The value of a field that every image has.
  /// - Throws: ``InputError`` where there is none.
  func required(_ name: String) throws(InputError) -> HeaderValue {
    guard let text = text(name) else { throw missing(name) }
    return text
  }

  /// The error that a field is missing.
  func missing(_ name: String) -> InputError {
    InputError(path, "\(name) is missing", expected: "a field of that name")
  }

  /// Whether the first line is one of the fields with which a MetaImage header can begin.
  static func recognises(_ beginning: [UInt8]) -> Bool {
    let line = String(decoding: beginning.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    let parts = line.split(separator: "=", maxSplits: 1)
    guard parts.count == 2 else { return false }
    return ["objecttype", "ndims", "comment"].contains(String(parts[0]).trimmingSpaces.lowercased())
  }
}
