/// A colour in sRGB, 0...255 each.
package struct RGBColour: Hashable, Sendable, Codable {
  package var red, green, blue: UInt8

  package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// Reads "#0072b2" or "0072b2"; nil for anything else.
  package init?(hexadecimal text: String) {
    let digits = text.hasPrefix("#") ? text.dropFirst() : Substring(text)
    guard digits.utf8.count == 6, digits.allSatisfy(\.isHexDigit), let number = UInt32(digits, radix: 16)
    else { return nil }
    self.init(UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255))
  }

  /// "#0072b2".
  package var hexadecimal: String {
    "#"
      + [red, green, blue].map { part in
        let digits = String(part, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined()
  }
}

/// A label's value in the volume (its code, where a ``LabelCoding`` says that it stands for another), its name and its
/// colour.
package struct Label: Hashable, Sendable, Codable {
  /// The voxel value, never 0 in a table.
  package var value: UInt16
  /// The structure's name: "liver".
  package var name: String
  /// Its colour in the overlay.
  package var colour: RGBColour

  package init(value: UInt16, name: String, colour: RGBColour) {
    self.value = value
    self.name = name
    self.colour = colour
  }

  /// Whether it has a default name: it is called "label 6" after its value in the file.
  package var isUnnamed: Bool { name.unnamedLabelValue != nil }
}

/// The labels of a mask or model, ascending by value, background (0) not among them.
package struct LabelTable: Equatable, Sendable, Codable {
  /// Ascending by value.
  package private(set) var labels: [Label]

  /// A table; the last one counts where labels have the same value.
  package init(_ labels: [Label] = []) {
    var byValue: [UInt16: Label] = [:]
    for label in labels where label.value != 0 { byValue[label.value] = label }
    self.labels = byValue.values.sorted { $0.value < $1.value }
  }

  /// The label with this value, if the table names it.
  /// - Complexity: O(log n).
  package subscript(value: UInt16) -> Label? { labels.ascending(value, by: \.value) }

  /// The position of the label with this value; nil for none.
  /// - Complexity: O(log n).
  package func position(of value: UInt16) -> Int? {
    labels.ascendingPosition(of: value, by: \.value)
  }

  /// Gives the label with this value another name or colour; nothing happens where the table has no such label.
  package mutating func change(_ value: UInt16, _ change: (inout Label) -> Void) {
    guard let position = position(of: value) else { return }
    change(&labels[position])
    labels[position].value = value
  }

  /// This table with every value in `values` that it does not name added as "label N" in a colour of its own.
  package func completed(
    for values: some Sequence<UInt16>, coding: LabelCoding = .identity
  ) -> LabelTable {
    let known = Set(labels.map(\.value))
    let added = Set(values).subtracting(known).subtracting([0]).map { value in
      Label(value: value, name: coding.name(of: value), colour: LabelTable.colour(ofValue: value))
    }
    return LabelTable(labels + added)
  }

  /// The same labels, where labels with equal names have their values added: "kidney (2)", "kidney (3)".
  package var withDistinctNames: LabelTable {
    let counts = Dictionary(labels.map { ($0.nameKey, 1) }, uniquingKeysWith: +)
    guard counts.count < labels.count else { return self }
    return LabelTable(
      labels.map { label in
        var label = label
        if counts[label.nameKey, default: 1] > 1 { label.name += " (\(label.value))" }
        return label
      })
  }

  /// The default colours of the values from 1: Okabe and Ito's, then nine more.
  ///
  /// All 16 differ from each other where a terminal has 256 colours, also for readers who do not see green, and none is
  /// near a grey. For that, Okabe and Ito's orange is brighter by one step, which nobody sees, and their reddish purple is
  /// stronger.
  package static let defaultColours = [
    RGBColour(232, 160, 0), RGBColour(86, 180, 233), RGBColour(0, 158, 115), RGBColour(240, 228, 66),
    RGBColour(0, 114, 178), RGBColour(213, 94, 0), RGBColour(215, 95, 175), RGBColour(0, 255, 255),
    RGBColour(135, 95, 255), RGBColour(135, 95, 0), RGBColour(95, 255, 175), RGBColour(215, 95, 95),
    RGBColour(0, 0, 215), RGBColour(135, 0, 95), RGBColour(175, 175, 95), RGBColour(0, 95, 0),
  ]

  /// The default colour of a label: one of ``defaultColours``, then further hues by the golden angle.
  package static func colour(ofValue value: UInt16) -> RGBColour {
    let position = Int(value) - 1
    if defaultColours.indices.contains(position) { return defaultColours[position] }
    let hue = (Double(value) * 137.508).truncatingRemainder(dividingBy: 360) / 60
    let lightness = [1.0, 0.78, 0.6][Int(value) % 3]
    func channel(_ shift: Double) -> UInt8 {
      let k = (shift + hue).truncatingRemainder(dividingBy: 6)
      return UInt8(255 * lightness * (1 - 0.75 * max(0, min(k, 4 - k, 1))))
    }
    return RGBColour(channel(5), channel(3), channel(1))
  }
}

extension Array {
  /// The element whose `key` is `value`, of elements that ascend by it; nil where none is.
  /// - Complexity: O(log n).
  package func ascending(_ value: UInt16, by key: (Element) -> UInt16) -> Element? {
    ascendingPosition(of: value, by: key).map { self[$0] }
  }

  /// The index of the element whose `key` is `value`, in elements sorted by `key`; nil for none.
  /// - Complexity: O(log n).
  package func ascendingPosition(of value: UInt16, by key: (Element) -> UInt16) -> Int? {
    var (lower, upper) = (startIndex, endIndex)
    while lower < upper {
      let middle = (lower + upper) / 2
      if key(self[middle]) < value { lower = middle + 1 } else { upper = middle }
    }
    return lower < endIndex && key(self[lower]) == value ? lower : nil
  }
}
