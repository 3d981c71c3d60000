import Foundation
import Volumes
import Work

extension LabelNamesFile {
  /// `{"labels": [{"value": 6, "name": "liver", "colour": "#0072b2"}]}`.
  private struct Document: Codable {
    struct Entry: Codable {
      var value: UInt16
      var name: String
      var colour: String?
    }
    var labels: [Entry]
  }

  /// `{"labels": {"background": 0, "liver": 6}}`, as nnU-Net's `dataset.json` has it.
  private struct NamesToValues: Codable {
    var labels: [String: UInt16]
  }

  /// `{"labels": {"0": "background", "6": "liver"}}`, as the Medical Segmentation Decathlon's `dataset.json` has it.
  private struct ValuesToNames: Codable {
    var labels: [String: String]

    /// The labels; nil when a key is no value.
    var table: LabelTable? {
      let found = labels.compactMap { text, name in
        UInt16(text).map { Label(value: $0, name: name, colour: LabelTable.colour(ofValue: $0)) }
      }
      return found.count == labels.count ? LabelTable(found) : nil
    }
  }

  static func decodeJSON(_ data: Data, path: String) throws(InputError) -> LabelTable {
    let decoder = JSONDecoder()
    if let document = try? decoder.decode(NamesToValues.self, from: data) {
      return LabelTable(
        document.labels.map { Label(value: $1, name: $0, colour: LabelTable.colour(ofValue: $1)) })
    }
    if let table = (try? decoder.decode(ValuesToNames.self, from: data))?.table { return table }
    guard let document = try? decoder.decode(Document.self, from: data) else {
      throw InputError(
        path, "holds no label names",
        expected: "{\"labels\": [{\"value\": 6, \"name\": \"liver\", \"colour\": \"#0072b2\"}]}")
    }
    var labels: [Label] = []
    for entry in document.labels where entry.value > 0 {
      var colour = LabelTable.colour(ofValue: entry.value)
      if let text = entry.colour {
        guard text.count == 7, text.hasPrefix("#"), let number = UInt32(text.dropFirst(), radix: 16) else {
          throw InputError(
            path, "the colour of label \(entry.value) is wrong", found: "\"\(text)\"",
            expected: "as in #0072b2")
        }
        colour = RGBColour(UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255))
      }
      labels.append(Label(value: entry.value, name: entry.name, colour: colour))
    }
    return LabelTable(labels)
  }

  static func encodeJSON(_ table: LabelTable) -> Data {
    let document = Document(
      labels: table.labels.map { label in
        let parts = [label.colour.red, label.colour.green, label.colour.blue]
        return .init(
          value: label.value, name: label.name,
          colour: "#" + parts.map { String(format: "%02x", $0) }.joined())
      })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(document) else { preconditionFailure("label names are not encoded") }
    return data + Data("\n".utf8)
  }
}
