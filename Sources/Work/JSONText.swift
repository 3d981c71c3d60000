import Foundation

extension JSONEncoder {
  /// An encoder whose text depends only on the value: keys are sorted, and slashes are not escaped.
  package static func stable(isIndented: Bool = false) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
    return encoder
  }
}

extension JSONEncoder.NonConformingFloatEncodingStrategy {
  /// Infinities and NaN as "inf", "-inf" and "nan".
  fileprivate static let words = Self.convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
}

extension JSONDecoder {
  /// A decoder of what ``anyJSON(_:isIndented:)`` writes.
  package static func ofAnyNumbers() -> JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }
}

/// The JSON of a value with numbers that may be infinite or NaN, which become "inf", "-inf" and "nan".
package func anyJSON(_ value: some Encodable, isIndented: Bool = false) -> Data {
  let encoder = JSONEncoder.stable(isIndented: isIndented)
  encoder.nonConformingFloatEncodingStrategy = .words
  return json(value, by: encoder)
}

/// The JSON of a value by ``Foundation/JSONEncoder/stable(isIndented:)``.
///
/// Every number of the value must be finite.
package func finiteJSON(_ value: some Encodable, isIndented: Bool = false) -> Data {
  json(value, by: JSONEncoder.stable(isIndented: isIndented))
}

private func json(_ value: some Encodable, by encoder: JSONEncoder) -> Data {
  do {
    return try encoder.encode(value)
  } catch {
    preconditionFailure("\(type(of: value)) cannot be written as JSON: \(error)")
  }
}

extension Data {
  /// JSON whose terminal controls, line separators and marks of direction are escaped as in JSON strings; the line breaks
  /// between its members stay.
  package var escapingTerminalControls: Data {
    var text = ""
    for scalar in String(decoding: self, as: UTF8.self).unicodeScalars {
      if scalar.isTerminalControl, scalar != "\n" {
        for unit in String(scalar).utf16 { text += String(format: "\\u%04x", unit) }
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return Data(text.utf8)
  }
}
