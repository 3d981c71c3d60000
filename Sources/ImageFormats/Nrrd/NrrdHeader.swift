import Volumes
import Work

/// The fields of an NRRD header as text, before any check.
struct NrrdHeader {
  private struct Field {
    var value: String
    var line: Int
  }

  let path: String
  private var fields: [String: Field] = [:]
  /// The key/value pairs (`key:=value`), whose meaning the format does not define.
  private(set) var keyValues: [String: String] = [:]
  /// The lines after `data file: LIST`.
  private(set) var listedFiles: [String] = []
  /// The first byte after the header.
  private(set) var byteOffset = 0

  /// The maximum number of files in a list.
  private static let maximumListCount = 1 << 16

  /// Reads a header up to the empty line that ends it, or to the end of the file.
  /// - Throws: ``InputError`` for a wrong first line, a line that is not a field, a field that occurs twice, and a
  ///   header that is too long.
  init(path: String) throws(InputError) {
    self.path = path
    var lines = try HeaderLines(path: path)
    guard let magic = try lines.next(), magic.hasPrefix("NRRD000"), magic.utf8.count == 8,
      let version = magic.last?.wholeNumberValue, (1...5).contains(version)
    else {
      throw InputError(path, "does not begin as NRRD", expected: "NRRD0001 to NRRD0005 as its first line")
    }
    var isListing = false
    while let line = try lines.next() {
      if line.isEmpty { break }
      if isListing {
        guard listedFiles.count < Self.maximumListCount else {
          throw InputError(path, "lists too many files", expected: "\(Self.maximumListCount) or fewer")
        }
        listedFiles.append(line.trimmingSpaces)
        continue
      }
      if line.hasPrefix("#") { continue }
      isListing = try read(line, lines.lineNumber)
    }
    byteOffset = lines.byteOffset
  }

  /// Reads a line; true where the names of files follow it.
  private mutating func read(_ line: String, _ number: Int) throws(InputError) -> Bool {
    guard let colon = line.firstIndex(of: ":") else {
      throw InputError(
        path, "line \(number) of the header is not a field", found: "\"\(line.prefix(60))\"",
        expected: "FIELD: VALUE")
    }
    let name = String(line[..<colon])
    let rest = line[line.index(after: colon)...]
    if rest.first == "=" {
      keyValues[name] = Self.unescaped(rest.dropFirst())
      return false
    }
    let field = Self.key(name)
    guard fields[field] == nil else {
      throw InputError(path, "line \(number) of the header states a field twice", found: name.trimmingSpaces)
    }
    fields[field] = Field(value: String(rest), line: number)
    return field == Self.key("data file") && rest.split(whereSeparator: \.isWhitespace).first == "LIST"
  }

  /// The key of a field's name, whatever its case and spaces: "spacedirections" for "Space Directions".
  private static func key(_ name: String) -> String {
    let key = name.lowercased().filter { !$0.isWhitespace }
    return synonyms[key] ?? key
  }

  private static let synonyms = ["centers": "centerings", "spaceunit": "spaceunits"]

  private static func unescaped(_ text: Substring) -> String {
    guard text.contains("\\") else { return String(text) }
    var result = ""
    var isEscaped = false
    for character in text {
      if isEscaped {
        result.append(character == "n" ? "\n" : character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        result.append(character)
      }
    }
    return result
  }

  /// The value of a field; nil where there is none.
  func text(_ name: String) -> HeaderValue? {
    fields[Self.key(name)].map { HeaderValue($0.value, path: path, name: "\(name) (line \($0.line))") }
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
}
