import Foundation
import Volumes
import Work

extension LabelNamesFile {
  /// `{"labels": [{"value": 6, "name": "liver", "colour": "#0072b2"}]}`.
  private struct Document: Codable {
    struct Entry: Codable {
      var value: Int
      var name: String
      var colour: String?
    }
    var labels: [Entry]
  }

  /// `{"labels": {"background": 0, "liver": 6, "whole": [1, 2]}}`, as nnU-Net's `dataset.json` has it.
  private struct NamesToValues: Decodable {
    enum Values: Decodable {
      case one(Int)
      case several([Int])

      init(from decoder: any Decoder) throws {
        let content = try decoder.singleValueContainer()
        if let value = try? content.decode(Int.self) {
          self = .one(value)
          return
        }
        let values = try content.decode([Int].self)
        self = values.count == 1 ? .one(values[0]) : .several(values)
      }
    }

    var labels: [String: Values]

    /// The names; `ignore` is nnU-Net's word for voxels that nobody labelled.
    var names: LabelNames {
      var names = LabelNames()
      for (name, values) in labels.sorted(by: { $0.key < $1.key }) {
        switch values {
        case .one(let value) where name == "ignore": names.ignoredValues.append(value)
        case .one(...0): break
        case .one(let value): names.entries.append(.init(value: value, name: name))
        case .several(let values): names.regions.append(.init(name: name, values: values))
        }
      }
      return names
    }
  }

  /// `{"labels": {"0": "background", "6": "liver"}}`, as the Medical Segmentation Decathlon's `dataset.json` has it.
  private struct ValuesToNames: Codable {
    var labels: [String: String]

    /// The names; nil when a key is no value.
    var names: LabelNames? {
      let found = labels.compactMap { text, name in Int(text).map { LabelNames.Entry(value: $0, name: name) }
      }
      return found.count == labels.count
        ? LabelNames(entries: found.sorted { $0.value < $1.value }) : nil
    }
  }

  static func decodeJSON(_ data: Data, path: String) throws(InputError) -> LabelNames {
    let decoder = JSONDecoder()
    if let document = try? decoder.decode(NamesToValues.self, from: data) { return document.names }
    if let names = (try? decoder.decode(ValuesToNames.self, from: data))?.names { return names }
    guard let document = try? decoder.decode(Document.self, from: data) else {
      throw InputError(
        path, "holds no label names",
        expected: "{\"labels\": [{\"value\": 6, \"name\": \"liver\", \"colour\": \"#0072b2\"}]}")
    }
    var names = LabelNames()
    for entry in document.labels where entry.value > 0 {
      var colour: RGBColour?
      if let text = entry.colour {
        guard text.count == 7, text.hasPrefix("#"), let number = UInt32(text.dropFirst(), radix: 16) else {
          throw InputError(
            path, "the colour of label \(entry.value) is wrong", found: "\"\(text)\"",
            expected: "as in #0072b2")
        }
        colour = RGBColour(UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255))
      }
      names.entries.append(.init(value: entry.value, name: entry.name, colour: colour))
    }
    return names
  }

  static func encodeJSON(_ names: LabelNames) -> Data {
    let document = Document(
      labels: names.entries.map { entry in
        let colour = entry.colour.map { colour in
          "#" + [colour.red, colour.green, colour.blue].map { String(format: "%02x", $0) }.joined()
        }
        return .init(value: entry.value, name: entry.name, colour: colour)
      })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(document) else { preconditionFailure("label names are not encoded") }
    return data + Data("\n".utf8)
  }
}
