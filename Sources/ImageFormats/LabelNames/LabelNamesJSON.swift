import Foundation
import Volumes
import Work

extension LabelNamesFile {
  /// Reads names in any of three shapes.
  ///
  /// - `{"labels": [{"value": 6, "name": "liver", "colour": "#0072b2"}]}`, this program's own;
  /// - `{"labels": {"background": 0, "liver": 6, "whole": [1, 2], "ignore": 3}}`, as nnU-Net's `dataset.json` has it;
  /// - `{"labels": {"0": "background", "6": "liver"}}`, as the Medical Segmentation Decathlon's has it.
  static func decodeJSON(_ text: String, path: String, finding: String?) throws(InputError) -> LabelNames {
    let document = JSONValue(text)
    if case .object(let members)? = document, members.count(where: { $0.key == "labels" }) > 1 {
      throw InputError(path, "has a key twice", found: "\"labels\"", expected: "each once")
    }
    let labels = document?[key: "labels"]
    if let key = labels?.repeatedKey {
      throw InputError(
        path, "labels: a key occurs twice", found: "\"\(key.prefix(60))\"", expected: "each once")
    }
    switch labels {
    case .array(let items):
      return LabelNames(entries: try entries(of: items, path: path), finding: finding)
    case .object(let members): return try names(of: members, path: path, finding: finding)
    default:
      throw InputError(
        path, document == nil ? "is not JSON, or damaged" : "holds no label names",
        expected: "{\"labels\": [{\"value\": 6, \"name\": \"liver\", \"colour\": \"#0072b2\"}]}")
    }
  }

  private static func entries(of items: [JSONValue], path: String) throws(InputError) -> [LabelNames.Entry] {
    var entries: [LabelNames.Entry] = []
    for (index, item) in items.enumerated() {
      guard let value = item[key: "value"]?.labelValue else {
        throw InputError(
          path, "labels[\(index)] is not a label", found: item.shown,
          expected: "{\"value\": 6, \"name\": \"liver\"}")
      }
      var entry = LabelNames.Entry(value: value, name: "")
      switch item[key: "name"] {
      case .string(let name): entry.name = name
      case nil, .null: break
      case let other?:
        throw InputError(
          path, "the name of label \(value) is not text", found: other.shown, expected: "as in \"liver\"")
      }
      switch item[key: "colour"] {
      case .string(let text) where text.hasPrefix("#") && RGBColour(hexadecimal: text) != nil:
        entry.colour = RGBColour(hexadecimal: text)
      case nil, .null: break
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
    of members: [JSONValue.Member], path: String, finding: String?
  ) throws(InputError) -> LabelNames {
    var entries: [LabelNames.Entry] = []
    var regions: [LabelNames.Region] = []
    for (key, item) in members.map({ ($0.key, $0.value) }) {
      if case .string(let name) = item, let value = JSONValue.string(key).labelValue {
        entries.append(.init(value: value, name: name))
        continue
      }
      let stated: [JSONValue] = if case .array(let items) = item { items } else { [item] }
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
    // If background were ignored, there would be nothing to distinguish structures from.
    if entries.contains(where: { $0.value == 0 && $0.name.nameKey == LabelNames.ignoredName }) {
      throw InputError(path, "labels: ignore is 0, the background", expected: "a value above 0")
    }
    let ascending = entries.enumerated().sorted {
      ($0.element.value, $0.offset) < ($1.element.value, $1.offset)
    }
    return LabelNames(entries: ascending.map(\.element), regions: regions, finding: finding)
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
    return finiteJSON(document, isIndented: true) + Data("\n".utf8)
  }
}

extension JSONValue {
  /// The label value that it states, -1 for one that no voxel can have; nil when it is not a number.
  fileprivate var labelValue: Int? {
    switch self {
    case .number(let text): return LabelNames.value(text)
    case .string(let text): return LabelNames.value(text)
    case .null, .bool, .array, .object: return nil
    }
  }

  /// As an error line shows it.
  fileprivate var shown: String {
    switch self {
    case .null: "null"
    case .bool(let isTrue): "\(isTrue)"
    case .number(let text): "\(text.prefix(60))"
    case .string(let text): "\"\(text.prefix(60))\""
    case .array(let items): "[" + items.prefix(4).map(\.shown).joined(separator: ", ") + "]"
    case .object: "an object"
    }
  }
}
