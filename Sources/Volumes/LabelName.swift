extension StringProtocol {
  /// The key by which names of structures are compared: letter case, underscores, hyphens, characters that do not show,
  /// and spaces before and after do not matter, so that "Left_Kidney" and "left kidney" are one.
  package var nameKey: String {
    var key = lowercased()
    if !key.utf8.allSatisfy({ $0 < 0x80 }) { key.unicodeScalars.removeAll(where: \.isInvisible) }
    return String(key.map { $0 == "_" || $0 == "-" ? " " : $0 }).trimmingSpaces
  }

  /// Whether the text has no visible character: it is empty, or all blanks, marks of order or direction, and the like.
  package var isBlank: Bool {
    unicodeScalars.allSatisfy { $0.properties.isWhitespace || $0.isInvisible }
  }

  /// The value in "label 6", which is what a label without a name is called; nil for any other name.
  package var unnamedLabelValue: Int? {
    guard let last = unicodeScalars.last, ("0"..."9").contains(last) else { return nil }
    let key = nameKey
    let number = key.dropFirst("label ".count)
    return key.hasPrefix("label ") && number.utf8.allSatisfy { (48...57).contains($0) } ? Int(number) : nil
  }

  /// Whether the name is the default name of a value that is not among these; 255 may be label 1 in a mask that holds
  /// no other.
  package func isCalledAfterValue(otherThan values: [Int]) -> Bool {
    guard let own = unnamedLabelValue else { return false }
    return values != [own] && (values, own) != ([255], 1)
  }

  /// The text without spaces before and after it.
  package var trimmingSpaces: String {
    let rest = drop { $0.isWhitespace }
    guard let last = rest.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(rest[...last])
  }
}

extension Label {
  /// The key by which its name is compared.
  package var nameKey: String { name.nameKey }
}

extension LabelSelection {
  /// The key by which its name is compared.
  package var nameKey: String { name.nameKey }
}

extension Unicode.Scalar {
  /// Whether the scalar never shows, for example a zero-width blank, a byte order mark or a soft hyphen.
  fileprivate var isInvisible: Bool {
    properties.isDefaultIgnorableCodePoint || properties.generalCategory == .control
      || properties.generalCategory == .format
  }
}
