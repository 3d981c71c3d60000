import Foundation
import Work

/// A table as comma-separated values (RFC 4180): rows of cells, read from bytes and written as bytes.
///
/// Rows end with LF, CRLF or CR. A cell in quotes may hold separators, line breaks and doubled quotes. Blanks around a
/// cell without quotes do not belong to it. Bytes that are not UTF-8 are kept as ``FilePath`` keeps them.
package struct CSVTable: Equatable {
  struct Row: Equatable {
    /// The line that it begins in, from 1.
    var line: Int
    var cells: [String]

    /// Whether no cell has any text.
    var isEmpty: Bool { cells.allSatisfy(\.isEmpty) }
  }

  /// The rows that are not empty; the first holds the names of the columns.
  var rows: [Row]

  /// An error in the text of a table, with its line.
  struct Fault: Error, Equatable {
    var line: Int
    var problem: String
  }

  /// Reads a text; the separator is the one of comma, semicolon and tab that is most frequent in the first row.
  /// - Throws: ``Fault`` where a quote is not closed, or is followed by other text.
  init(_ data: Data) throws(Fault) {
    var bytes = Array(data)
    if let text = Self.textOfUTF16(data) {
      bytes = Array(text.utf8)
    } else if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
      bytes.removeFirst(3)
    }
    var scanner = CSVScanner(bytes: bytes, separator: Self.separator(bytes))
    rows = []
    while let row = try scanner.row() {
      if !row.isEmpty { rows.append(row) }
    }
  }

  /// The rows as bytes, with LF; a cell is quoted where that is necessary.
  package static func bytes(_ rows: [[String]]) -> Data {
    var bytes = Data()
    for row in rows {
      for (index, cell) in row.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        let text = FilePath.bytes(of: cell)
        let isQuoted =
          text.contains { [0x22, 0x2c, 0x3b, 0x09, 0x0a, 0x0d].contains($0) } || text.first == 0x20
          || text.last == 0x20 || row == [""] || index == 0 && cell.hasPrefix("\u{feff}")
        if isQuoted { bytes.append(0x22) }
        for byte in text {
          if byte == 0x22 { bytes.append(0x22) }
          bytes.append(byte)
        }
        if isQuoted { bytes.append(0x22) }
      }
      bytes.append(0x0a)
    }
    return bytes
  }

  private static func textOfUTF16(_ data: Data) -> String? {
    let mark = Array(data.prefix(2))
    return mark == [0xff, 0xfe] || mark == [0xfe, 0xff] ? String(textOf: data) : nil
  }

  /// The most frequent separator outside quotes of the first line that has any text; a comma where there is none.
  private static func separator(_ bytes: [UInt8]) -> UInt8 {
    let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
    var counts = [0, 0, 0]
    var isQuoted = false
    var hasText = false
    for byte in bytes {
      if byte == 0x22 { isQuoted.toggle() }
      if isQuoted { continue }
      if byte == 0x0a || byte == 0x0d {
        if hasText { break }
        counts = [0, 0, 0]
      } else if let index = separators.firstIndex(of: byte) {
        counts[index] += 1
      } else if byte != 0x20 {
        hasText = true
      }
    }
    let most = counts.max() ?? 0
    return separators[counts.firstIndex(of: most) ?? 0]
  }
}

/// Cuts bytes into rows and cells.
private struct CSVScanner {
  let bytes: [UInt8]
  let separator: UInt8
  private var position = 0
  private var line = 1

  init(bytes: [UInt8], separator: UInt8) {
    self.bytes = bytes
    self.separator = separator
  }

  /// The next row; nil at the end.
  mutating func row() throws(CSVTable.Fault) -> CSVTable.Row? {
    guard position < bytes.count else { return nil }
    var row = CSVTable.Row(line: line, cells: [])
    while true {
      row.cells.append(try cell())
      guard position < bytes.count else { return row }
      let byte = bytes[position]
      position += 1
      if byte == separator { continue }
      if byte == 0x0d, position < bytes.count, bytes[position] == 0x0a { position += 1 }
      line += 1
      return row
    }
  }

  /// The next cell, up to its separator or the end of its line.
  private mutating func cell() throws(CSVTable.Fault) -> String {
    skipBlanks()
    guard position < bytes.count, bytes[position] == 0x22 else {
      let start = position
      while position < bytes.count, !isEnd(bytes[position]) { position += 1 }
      var end = position
      while end > start, isBlank(bytes[end - 1]) { end -= 1 }
      return text(bytes[start..<end])
    }
    let first = line
    position += 1
    var content: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == 0x22 {
        guard position < bytes.count, bytes[position] == 0x22 else {
          skipBlanks()
          guard position >= bytes.count || isEnd(bytes[position]) else {
            throw CSVTable.Fault(line: line, problem: "text follows a closing quote")
          }
          return text(content[...])
        }
        position += 1
      } else if byte == 0x0a || byte == 0x0d && (position >= bytes.count || bytes[position] != 0x0a) {
        line += 1
      }
      content.append(byte)
    }
    throw CSVTable.Fault(line: first, problem: "a quote is not closed")
  }

  private func isEnd(_ byte: UInt8) -> Bool { byte == separator || byte == 0x0a || byte == 0x0d }

  private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 && separator != 0x09 }

  private mutating func skipBlanks() {
    while position < bytes.count, isBlank(bytes[position]) { position += 1 }
  }

  private func text(_ bytes: ArraySlice<UInt8>) -> String { bytes.withUnsafeBytes { FilePath.text($0) } }
}
