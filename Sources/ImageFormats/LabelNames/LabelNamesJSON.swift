import Foundation
import Volumes
import Work

extension LabelNamesFile {
  /// What `labels` may hold, as far as label names need it.
  private enum Item: Decodable {
    case whole(Int)
    case number(Double)
    case text(String)
    case list([Item])
    case fields([String: Item])
    case other

    init(from decoder: any Decoder) throws {
      let content = try decoder.singleValueContainer()
      if let value = try? content.decode(Int.self) {
        self = .whole(value)
      } else if let value = try? content.decode(Double.self) {
        self = .number(value)
      } else if let value = try? content.decode(String.self) {
        self = .text(value)
      } else if let value = try? content.decode([Item].self) {
        self = .list(value)
      } else if let value = try? content.decode([String: Item].self) {
        self = .fields(value)
      } else {
        self = .other
      }
    }

    /// The label value that it states, -1 for one that no voxel can have; nil when it is no number.
    var labelValue: Int? {
      switch self {
      case .whole(let value): value
      case .number: -1
      case .text(let text): Int(text) ?? (Double(text)?.isFinite == true ? -1 : nil)
      case .list, .fields, .other: nil
      }
    }

    /// As an error line shows it.
    var shown: String {
      switch self {
      case .whole(let value): "\(value)"
      case .number(let value): "\(value)"
      case .text(let text): "\"\(text.prefix(60))\""
      case .list(let items): "[" + items.prefix(4).map(\.shown).joined(separator: ", ") + "]"
      case .fields: "an object"
      case .other: "null, true or false"
      }
    }
  }

  private struct Document: Decodable {
    var labels: Item
  }

  /// Reads names in any of three shapes.
  ///
  /// - `{"labels": [{"value": 6, "name": "liver", "colour": "#0072b2"}]}`, this program's own;
  /// - `{"labels": {"background": 0, "liver": 6, "whole": [1, 2], "ignore": 3}}`, as nnU-Net's `dataset.json` has it;
  /// - `{"labels": {"0": "background", "6": "liver"}}`, as the Medical Segmentation Decathlon's has it.
  static func decodeJSON(_ data: Data, path: String) throws(InputError) -> LabelNames {
    let names: LabelNames
    switch (try? JSONDecoder().decode(Document.self, from: data))?.labels {
    case .list(let items): names = LabelNames(entries: try entries(of: items, path: path))
    case .fields(let items): names = try self.names(of: items, path: path)
    default:
      throw InputError(
        path, "holds no label names",
        expected: "{\"labels\": [{\"value\": 6, \"name\": \"liver\", \"colour\": \"#0072b2\"}]}")
    }
    return names
  }

  private static func entries(of items: [Item], path: String) throws(InputError) -> [LabelNames.Entry] {
    var entries: [LabelNames.Entry] = []
    for (index, item) in items.enumerated() {
      guard case .fields(let fields) = item, let value = fields["value"]?.labelValue else {
        throw InputError(
          path, "labels[\(index)] is no label", found: item.shown,
          expected: "{\"value\": 6, \"name\": \"liver\"}")
      }
      var entry = LabelNames.Entry(value: value, name: "")
      switch fields["name"] {
      case .text(let name): entry.name = name
      case nil, .other: break
      case let other?:
        throw InputError(
          path, "the name of label \(value) is no text", found: other.shown, expected: "as in \"liver\"")
      }
      switch fields["colour"] {
      case .text(let text) where text.hasPrefix("#") && RGBColour(hexadecimal: text) != nil:
        entry.colour = RGBColour(hexadecimal: text)
      case nil, .other: break
      case let other?:
        throw InputError(
          path, "the colour of label \(value) is wrong", found: other.shown, expected: "as in #0072b2")
      }
      entries.append(entry)
    }
    return entries
  }

  /// Names with their values or values with their names.
  private static func names(
    of items: [String: Item], path: String
  ) throws(InputError) -> LabelNames {
    var entries: [LabelNames.Entry] = []
    var regions: [LabelNames.Region] = []
    for (key, item) in items.sorted(by: { $0.key < $1.key }) {
      if case .text(let name) = item, let value = Item.text(key).labelValue {
        entries.append(.init(value: value, name: name))
        continue
      }
      let stated: [Item] = if case .list(let items) = item { items } else { [item] }
      let values = stated.compactMap(\.labelValue).reduce(into: [Int]()) {
        if !$0.contains($1) { $0.append($1) }
      }
      guard !values.isEmpty, stated.allSatisfy({ $0.labelValue != nil }) else {
        throw InputError(
          path, "labels: \"\(key.prefix(60))\" has no value", found: item.shown,
          expected: "\"liver\": 6 or \"6\": \"liver\"")
      }
      if values.count == 1 || key.nameKey == LabelNames.ignoredName {
        entries += values.map { .init(value: $0, name: key) }
      } else {
        regions.append(.init(name: key, values: values))
      }
    }
    // Background that counts for nothing would leave nothing to tell structures from.
    if entries.contains(where: { $0.value == 0 && $0.name.nameKey == LabelNames.ignoredName }) {
      throw InputError(path, "labels: ignore is 0, the background", expected: "a value above 0")
    }
    return LabelNames(entries: entries.sorted { $0.value < $1.value }, regions: regions)
  }

  /// This program's own JSON.
  private struct OwnDocument: Encodable {
    struct Entry: Encodable {
      var value: Int
      var name: String
      var colour: String?
    }
    var labels: [Entry]
  }

  static func encodeJSON(_ names: LabelNames) -> Data {
    let document = OwnDocument(
      labels: names.entries.map { .init(value: $0.value, name: $0.name, colour: $0.colour?.hexadecimal) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(document) else { preconditionFailure("label names are not encoded") }
    return data + Data("\n".utf8)
  }
}
