import Foundation
import Work

/// A value of a JSON file, with its place for errors.
struct JSONFile {
  /// The path of the file and the keys that lead to the value: "plans.json: configurations.3d_fullres".
  let subject: String
  let value: JSONValue

  /// Reads a file.
  /// - Throws: ``InputError`` when it cannot be read, or is not JSON.
  init(path: String) throws(InputError) {
    let text = String(decoding: try FileSystem.read(path), as: UTF8.self)
    try JSONValue.requireSingleKeys(text, subject: path)
    guard let value = JSONValue(text) else { throw InputError(path, "is not JSON") }
    self.init(subject: path, value: value)
  }

  private init(subject: String, value: JSONValue) {
    self.subject = subject
    self.value = value
  }

  /// The member with a key; nil where there is none, or it is null.
  subscript(optional key: String) -> JSONFile? {
    guard let member = value[key: key], member != .null else { return nil }
    return JSONFile(subject: subject + (subject.contains(": ") ? "." : ": ") + key, value: member)
  }

  /// The member with a key.
  /// - Throws: ``InputError`` where there is none.
  func member(_ key: String) throws(InputError) -> JSONFile {
    guard let member = self[optional: key] else { throw InputError(subject, "has no \"\(key)\"") }
    return member
  }

  /// The items of a list.
  func items() throws(InputError) -> [JSONFile] {
    guard case .array(let items) = value else { throw wrongType("a list") }
    return items.enumerated().map { JSONFile(subject: "\(subject)[\($0)]", value: $1) }
  }

  /// The members of an object, in their order.
  func members() throws(InputError) -> [(key: String, value: JSONFile)] {
    guard case .object(let members) = value else { throw wrongType("an object") }
    return members.map { ($0.key, JSONFile(subject: "\(subject).\($0.key)", value: $0.value)) }
  }

  func number() throws(InputError) -> Double {
    guard case .number(let text) = value, let number = Double(text), number.isFinite else {
      throw wrongType("a number")
    }
    return number
  }

  func wholeNumber() throws(InputError) -> Int {
    guard let number = Int(exactly: try number()) else { throw wrongType("a whole number") }
    return number
  }

  func text() throws(InputError) -> String {
    guard case .string(let text) = value else { throw wrongType("a text") }
    return text
  }

  func numbers() throws(InputError) -> [Double] {
    try items().map { item throws(InputError) in try item.number() }
  }

  func wholeNumbers() throws(InputError) -> [Int] {
    try items().map { item throws(InputError) in try item.wholeNumber() }
  }

  /// Whether the value is `true`.
  var isTrue: Bool { value == .bool(true) }

  /// An error about a value of another kind.
  func wrongType(_ expected: String) -> InputError {
    let found: String =
      switch value {
      case .null: "null"
      case .bool(let flag): "\(flag)"
      case .number(let text): text
      case .string(let text): "\"\(text.prefix(60))\""
      case .array: "a list"
      case .object: "an object"
      }
    return InputError(subject, "has another value", found: found, expected: expected)
  }
}
