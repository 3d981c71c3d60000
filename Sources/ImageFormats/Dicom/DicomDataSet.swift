import Foundation
import Work

/// The attributes of a data set that the reader needs.
///
/// A missing attribute, an empty one and one whose value cannot be read as asked are all nil.
struct DicomDataSet: Sendable {
  /// The value of an attribute.
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

  /// The text without the padding at its ends.
  func text(_ tag: DicomTag) -> String? {
    guard case .bytes(let bytes, _)? = values[tag] else { return nil }
    let used = bytes.drop { $0 == 0x20 }
    let end = used.lastIndex { $0 != 0x20 && $0 != 0 }.map { $0 + 1 } ?? used.startIndex
    let text = used[..<end]
    guard !text.isEmpty else { return nil }
    return String(validating: text, as: UTF8.self)
      ?? String(String.UnicodeScalarView(text.map { Unicode.Scalar($0) }))
  }

  /// The parts of a text between backslashes.
  func texts(_ tag: DicomTag) -> [String] {
    text(tag)?.split(separator: "\\", omittingEmptySubsequences: false).map(\.trimmingSpaces) ?? []
  }

  /// Numbers of any representation; empty where one of them is no finite number.
  func numbers(_ tag: DicomTag) -> [Double] {
    guard case .bytes(let bytes, let representation)? = values[tag] else { return [] }
    let numbers: [Double?]
    switch representation {
    case .text, .decimalText: numbers = texts(tag).map { Double(stated: $0) }
    case .float: numbers = words(bytes, 4).map { Double(Float(bitPattern: UInt32($0))) }
    case .double: numbers = words(bytes, 8).map { Double(bitPattern: $0) }
    case .shortInteger: numbers = words(bytes, 2).map(Double.init)
    case .bytes: numbers = words(bytes, 4).map(Double.init)
    case .sequence: return []
    }
    let finite = numbers.compactMap { $0 }.filter(\.isFinite)
    return finite.count == numbers.count ? finite : []
  }

  /// The first of the numbers.
  func number(_ tag: DicomTag) -> Double? { numbers(tag).first }

  /// A whole number.
  func integer(_ tag: DicomTag) -> Int? { number(tag).flatMap { Int(exactly: $0) } }

  private func words(_ bytes: [UInt8], _ byteCount: Int) -> [UInt64] {
    stride(from: 0, to: bytes.count - byteCount + 1, by: byteCount).map { start in
      let word = bytes[start..<start + byteCount]
      return (isBigEndian ? Array(word) : word.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
    }
  }
}
