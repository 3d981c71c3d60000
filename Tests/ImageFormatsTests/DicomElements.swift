import Foundation
import Testing

/// The elements of the outermost data set of an explicit little-endian DICOM file.
struct DicomElements {
  private struct Element {
    var tag: UInt32
    var bytes: Data
  }

  private let beginning: Data
  private var elements: [Element] = []

  /// Reads a file whose sequences have defined lengths.
  init(_ file: URL) throws {
    let content = try Data(contentsOf: file)
    beginning = content.prefix(132)
    var position = 132
    while position < content.count {
      func number(_ offset: Int, _ count: Int) -> Int {
        (0..<count).reversed().reduce(0) { $0 << 8 | Int(content[position + offset + $1]) }
      }
      let vr = String(decoding: content[position + 4..<position + 6], as: UTF8.self)
      let isLong = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UC", "UN", "UR", "UT"].contains(vr)
      let byteCount = isLong ? 12 + number(8, 4) : 8 + number(6, 2)
      try #require(byteCount <= content.count - position)
      elements.append(
        Element(
          tag: UInt32(number(0, 2) << 16 | number(2, 2)), bytes: content[position..<position + byteCount]))
      position += byteCount
    }
  }

  /// Replaces or adds an element, or removes it where `value` is nil; texts are padded to an even length.
  mutating func set(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: [UInt8]?) {
    let tag = UInt32(group) << 16 | UInt32(element)
    elements.removeAll { $0.tag == tag }
    guard let value else { return }
    let padded = value + [UInt8](repeating: vr == "UI" ? 0 : 0x20, count: value.count % 2)
    let isLong = ["SQ", "UT", "OW", "OB"].contains(vr)
    let length = isLong ? [0, 0] + bytes(UInt32(padded.count)) : bytes(UInt16(padded.count))
    let header = bytes(group) + bytes(element) + Array(vr.utf8) + length
    let position = elements.firstIndex { $0.tag > tag } ?? elements.count
    elements.insert(Element(tag: tag, bytes: Data(header + padded)), at: position)
  }

  func write(to file: URL) throws {
    try (beginning + elements.reduce(Data()) { $0 + $1.bytes }).write(to: file)
  }
}

/// Replaces or adds an element of a file, or removes it where `value` is nil.
func setElement(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: [UInt8]?, in file: URL) throws {
  var elements = try DicomElements(file)
  elements.set(group, element, vr, value)
  try elements.write(to: file)
}

/// Replaces or adds a text of a file, or removes it where `text` is nil.
func setText(_ group: UInt16, _ element: UInt16, _ vr: String, _ text: String?, in file: URL) throws {
  try setElement(group, element, vr, text.map { Array($0.utf8) }, in: file)
}
