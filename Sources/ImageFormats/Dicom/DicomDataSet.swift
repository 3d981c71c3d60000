import Foundation
import Work

/// The attributes of a data set that the reader needs.
///
/// The accessors return nil, or nothing, for a missing attribute, an empty one and one of another type.
struct DicomDataSet: Sendable {
  /// The value of an attribute: its bytes and how they represent numbers or text, or the items of a sequence.
  enum Value: Sendable {
    case bytes([UInt8], DicomDictionary.Representation)
    case items([DicomDataSet])
  }

  var values: [DicomTag: Value] = [:]
  var isBigEndian = false

  /// The items of a sequence; none where it is missing.
  func items(_ tag: DicomTag) -> [DicomDataSet] {
    if case .items(let items)? = values[tag] { items } else { [] }
  }

  /// The only or first item of a sequence.
  func item(_ tag: DicomTag) -> DicomDataSet? { items(tag).first }

  /// The value as text without padding at its ends; Latin-1 where it is not UTF-8.
  func text(_ tag: DicomTag) -> String? {
    guard let text = textBytes(tag) else { return nil }
    return String(validating: text, as: UTF8.self)
      ?? String(String.UnicodeScalarView(text.map { Unicode.Scalar($0) }))
  }

  /// The bytes of a text without padding at its ends; nil where it is missing or empty.
  func textBytes(_ tag: DicomTag) -> ArraySlice<UInt8>? {
    guard case .bytes(let bytes, _)? = values[tag] else { return nil }
    let used = bytes.drop { $0 == 0x20 }
    let end = used.lastIndex { $0 != 0x20 && $0 != 0 }.map { $0 + 1 } ?? used.startIndex
    return used[..<end].isEmpty ? nil : used[..<end]
  }

  /// The values of a text with several values, which backslashes separate.
  func texts(_ tag: DicomTag) -> [String] {
    text(tag)?.split(separator: "\\", omittingEmptySubsequences: false).map(\.trimmingSpaces) ?? []
  }

  /// All values as numbers, whatever their representation; empty where one of them is not a finite number.
  func numbers(_ tag: DicomTag) -> [Double] {
    guard case .bytes(let bytes, let representation)? = values[tag] else { return [] }
    let numbers: [Double?]
    switch representation {
    case .text, .decimalText: numbers = texts(tag).map { Double(stated: $0) }
    case .float: numbers = words(bytes, 4).map { Double(Float(bitPattern: UInt32($0))) }
    case .double: numbers = words(bytes, 8).map { Double(bitPattern: $0) }
    case .unsignedShort: numbers = words(bytes, 2).map(Double.init)
    case .signedShort: numbers = words(bytes, 2).map { Double(Int16(truncatingIfNeeded: $0)) }
    case .unsignedLong: numbers = words(bytes, 4).map(Double.init)
    case .sequence: return []
    }
    let finite = numbers.compactMap { $0 }.filter(\.isFinite)
    return finite.count == numbers.count ? finite : []
  }

  /// The first value as a number.
  func number(_ tag: DicomTag) -> Double? { numbers(tag).first }

  /// The first value as an integer; nil where it has a fraction.
  func integer(_ tag: DicomTag) -> Int? { number(tag).flatMap { Int(exactly: $0) } }

  private func words(_ bytes: [UInt8], _ byteCount: Int) -> [UInt64] {
    stride(from: 0, to: bytes.count - byteCount + 1, by: byteCount).map { start in
      let word = bytes[start..<start + byteCount]
      return (isBigEndian ? Array(word) : word.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
    }
  }
}
