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

/// The JSON of a value by ``Foundation/JSONEncoder/stable(isIndented:)``.
///
/// Every number of the value must be finite.
package func finiteJSON(_ value: some Encodable, isIndented: Bool = false) -> Data {
  do {
    return try JSONEncoder.stable(isIndented: isIndented).encode(value)
  } catch {
    preconditionFailure("\(type(of: value)) cannot be written as JSON: \(error)")
  }
}
