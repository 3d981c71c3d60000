/// Labels with the coding of their values: 614454277 where a voxel's code is 65535.
package struct CodedLabels: Hashable, Sendable, Codable {
  /// The labels, in their order.
  package let labels: [Label]
  /// The file's value of each label's code.
  package let coding: LabelCoding

  /// A label as files state it.
  private struct Stated: Codable {
    var value: Int
    var name: String
    var colour: RGBColour
  }

  /// Labels whose values are codes of `coding`.
  package init(_ labels: [Label], coding: LabelCoding = .identity) {
    self.labels = labels
    self.coding = coding
  }

  /// Labels of these values and names, in colours of their own.
  ///
  /// A label whose name does not show gets its default name. A value is its own code unless one is beyond 65535.
  /// - Returns: nil for a value below 0, and for more values than there are codes.
  package init?(_ named: [(value: Int, name: String)]) {
    self.init(
      stated: named.map {
        Stated(
          value: $0.value, name: $0.name,
          colour: LabelTable.colour(ofValue: UInt16(truncatingIfNeeded: $0.value)))
      })
  }

  private init?(stated: [Stated]) {
    let isLarge = stated.contains { $0.value > Int(UInt16.max) }
    guard let coding = isLarge ? LabelCoding(of: Set(stated.map(\.value))) : .identity else { return nil }
    var labels: [Label] = []
    for label in stated {
      guard let code = coding.code(of: label.value) else { return nil }
      let name = label.name.isBlank ? coding.name(of: code) : label.name
      labels.append(Label(value: code, name: name, colour: label.colour))
    }
    self.init(labels, coding: coding)
  }

  /// Reads labels as files state them.
  package init(from decoder: any Decoder) throws {
    guard let read = CodedLabels(stated: try [Stated](from: decoder)) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "a value that no label can have"))
    }
    self = read
  }

  /// Writes labels as files state them.
  package func encode(to encoder: any Encoder) throws {
    try labels.map { Stated(value: coding.value(of: $0.value), name: $0.name, colour: $0.colour) }
      .encode(to: encoder)
  }
}
