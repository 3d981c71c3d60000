import Volumes
import Work

/// The value of a header field with the field's name and file, which every parsing error states.
struct HeaderValue {
  let path: String
  /// The field's name in errors: "sizes (line 5)".
  let name: String
  let text: String

  init(_ text: String, path: String, name: String) {
    self.text = text.trimmingSpaces
    self.path = path
    self.name = name
  }

  /// The words between white space.
  var words: [String] { text.split(whereSeparator: \.isWhitespace).map(String.init) }

  /// The error that the text is not what it should be.
  func refusal(_ expected: String) -> InputError {
    InputError(path, "\(name) is wrong", found: "\"\(text.prefix(80))\"", expected: expected)
  }

  /// Integers in `range`: exactly `count` of them, or at least one where `count` is nil.
  func integers(_ count: Int? = nil, in range: ClosedRange<Int>) throws(InputError) -> [Int] {
    let numbers = words.compactMap { Int($0) }
    guard numbers.count == words.count, !words.isEmpty, count == nil || numbers.count == count,
      numbers.allSatisfy(range.contains)
    else {
      let amount = count.map { $0 == 1 ? "a whole number" : "\($0) whole numbers" } ?? "whole numbers"
      let limit =
        range.upperBound == .max
        ? "from \(range.lowerBound) on" : "from \(range.lowerBound) to \(range.upperBound)"
      throw refusal("\(amount) \(limit)")
    }
    return numbers
  }

  /// One whole number in `range`.
  func integer(in range: ClosedRange<Int>) throws(InputError) -> Int { try integers(1, in: range)[0] }

  /// Exactly `count` finite numbers.
  func numbers(_ count: Int) throws(InputError) -> [Double] {
    let numbers = words.compactMap { Double(stated: $0) }
    guard numbers.count == count, words.count == count else {
      throw refusal(count == 1 ? "a number" : "\(count) numbers")
    }
    return numbers
  }

  /// One finite number.
  func number() throws(InputError) -> Double { try numbers(1)[0] }

  /// A boolean: true, t, yes, y or 1, or false, f, no, n or 0, in small or capital letters.
  func boolean() throws(InputError) -> Bool {
    switch text.lowercased() {
    case "true", "1", "t", "yes", "y": return true
    case "false", "0", "f", "no", "n": return false
    default: throw refusal("True or False")
    }
  }
}

/// Checks that the product of a file's extents does not overflow.
enum CheckedExtents {
  /// The product of extents, each 1 or more.
  /// - Throws: ``InputError`` for more voxels than any file holds.
  static func product(_ extents: [Int], of text: HeaderValue) throws(InputError) -> Int {
    var total = 1
    for extent in extents {
      // 2^46 voxels of 32 bytes still count without overflow.
      let (product, overflow) = total.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= 1 << 46 else {
        throw InputError(
          text.path, "\(text.name) states more voxels than any file holds", found: text.text)
      }
      total = product
    }
    return total
  }
}
