import Foundation

/// Writes a data set in explicit little-endian encoding; elements must be added in the order of their tags.
struct DataSetWriter {
  private(set) var bytes: [UInt8] = []

  /// Adds a text value, padded to an even length as DICOM requires.
  mutating func add(_ tag: DicomTag, _ representation: String, _ text: String) {
    var value = Array(text.utf8)
    if value.count % 2 == 1 { value.append(representation == "UI" ? 0 : 0x20) }
    header(tag, representation, value.count)
    bytes += value
  }

  /// Adds decimal numbers (DS) of at most 16 characters each.
  mutating func add(_ tag: DicomTag, decimals: [Double]) {
    add(tag, "DS", decimals.map(Self.decimal).joined(separator: "\\"))
  }

  /// Adds 16-bit numbers (US).
  mutating func add(_ tag: DicomTag, shorts: [UInt16]) {
    header(tag, "US", 2 * shorts.count)
    for number in shorts { append(number) }
  }

  /// Adds 32-bit numbers (UL).
  mutating func add(_ tag: DicomTag, longs: [UInt32]) {
    header(tag, "UL", 4 * longs.count)
    for number in longs { append(number) }
  }

  /// Adds an element whose value is a tag (AT).
  mutating func add(_ tag: DicomTag, pointer: DicomTag) {
    header(tag, "AT", 4)
    append(pointer.group)
    append(pointer.element)
  }

  /// Adds a sequence (SQ) with one item for each of `items`, all of defined length.
  mutating func add(_ tag: DicomTag, items: [DataSetWriter]) {
    header(tag, "SQ", items.reduce(0) { $0 + 8 + $1.bytes.count })
    for item in items {
      append(DicomTag.item.group)
      append(DicomTag.item.element)
      append(UInt32(item.bytes.count))
      bytes += item.bytes
    }
  }

  /// Adds the header of an element of bytes (OB); the caller writes the value after it.
  mutating func addBytesHeader(_ tag: DicomTag, _ byteCount: Int) { header(tag, "OB", byteCount) }

  /// Adds a code sequence with the concept as its only item.
  mutating func add(_ tag: DicomTag, _ concept: CodedConcept) {
    var item = DataSetWriter()
    item.add(DicomTag(0x0008, 0x0100), "SH", concept.value)
    item.add(DicomTag(0x0008, 0x0102), "SH", concept.scheme)
    item.add(DicomTag(0x0008, 0x0104), "LO", concept.meaning)
    add(tag, items: [item])
  }

  private static let longRepresentations: Set = ["SQ", "OB", "OW", "UN", "UT"]

  private mutating func header(_ tag: DicomTag, _ representation: String, _ byteCount: Int) {
    append(tag.group)
    append(tag.element)
    bytes += Array(representation.utf8)
    if Self.longRepresentations.contains(representation) {
      append(UInt16(0))
      append(UInt32(byteCount))
    } else {
      append(UInt16(byteCount))
    }
  }

  private mutating func append(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
  }

  /// The number with as many significant digits as fit into the 16 characters of a DS value.
  static func decimal(_ number: Double) -> String {
    for digits in stride(from: 17, through: 1, by: -1) {
      let text = String(format: "%.\(digits)g", number)
      if text.utf8.count <= 16 { return text }
    }
    return "0"
  }
}
