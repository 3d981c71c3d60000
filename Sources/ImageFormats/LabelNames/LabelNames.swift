import Volumes

/// What a file says about the labels of masks, by their values, before it is known which of them occur.
package struct LabelNames: Equatable, Sendable {
  /// A value and what it is called.
  package struct Entry: Equatable, Sendable, Codable {
    /// The value in the mask's file, above 0.
    package var value: Int
    /// Its name.
    package var name: String
    /// Its colour, where the file gives one.
    package var colour: RGBColour?

    /// An entry.
    package init(value: Int, name: String, colour: RGBColour? = nil) {
      self.value = value
      self.name = name
      self.colour = colour
    }
  }

  /// Several values under one name.
  package struct Region: Equatable, Sendable {
    /// The name.
    package var name: String
    /// The values, as they are listed.
    package var values: [Int]
  }

  /// The names, in the file's order.
  package var entries: [Entry] = []
  /// Names of several values together, as nnU-Net's regions are, which overlap and therefore name no label.
  package var regions: [Region] = []
  /// Values that mean "nobody labelled this", as nnU-Net's `ignore` does.
  package var ignoredValues: [Int] = []

  /// Lines whose value no voxel can have, which were passed over.
  package var unreadCount = 0

  /// Names, or none yet.
  package init(entries: [Entry] = []) { self.entries = entries }

  /// The names of a table, by the values that a mask of this coding holds in its file.
  package init(_ table: LabelTable, coding: LabelCoding = .identity) {
    entries = table.labels.map {
      Entry(value: coding.value(of: $0.value), name: $0.name, colour: $0.colour)
    }
  }

  /// The table of the labels of masks in `coding`; values that none of their voxels can have are passed over.
  package func table(_ coding: LabelCoding = .identity) -> LabelTable {
    // Where 255 is read as 1, the name of 255 counts before that of 1.
    let ordered = entries.filter { $0.value != 255 } + entries.filter { $0.value == 255 }
    return LabelTable(
      ordered.compactMap { entry in
        coding.code(of: entry.value).map { code in
          Label(value: code, name: entry.name, colour: entry.colour ?? LabelTable.colour(ofValue: code))
        }
      })
  }

  /// What was passed over, a line each; nothing where every entry is a label that a voxel can have.
  package func notes(_ coding: LabelCoding = .identity) -> [String] {
    var notes: [String] = []
    let large = entries.filter { $0.value > Int(UInt16.max) && coding.code(of: $0.value) == nil }
    if let first = large.first {
      let rest = large.count > 1 ? " and \(large.count - 1) more" : ""
      notes.append("\(first.name) (\(first.value))\(rest): no voxel has this value; the name is passed over")
    }
    if unreadCount > 0 {
      notes.append("\(unreadCount) names are of values that no voxel can have; they are passed over")
    }
    for (name, values) in Dictionary(grouping: entries, by: \.name).mapValues({
      Set($0.map(\.value)).sorted()
    })
    .sorted(by: { $0.key < $1.key }) where values.count > 1 {
      notes.append(
        "labels \(values.map(String.init).joined(separator: ", ")) are all called \(name): where structures go by name "
          + "they are one")
    }
    for region in regions {
      let values = region.values.map(String.init).joined(separator: ",")
      notes.append(
        "\(region.name) is a region of several values and no label; --label \(values)=\(region.name) takes them as one"
      )
    }
    return notes
  }
}
