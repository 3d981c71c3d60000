import Work

/// The cases that are to be reviewed, in order.
package struct Worklist: Equatable, Sendable {
  /// The cases; no two have the same name.
  package var cases: [WorklistCase]
  /// The names of further columns of a table, in its order.
  package var columns: [String]
  /// Unused files with the reason, a line each.
  package var notes: [String]

  /// A worklist; empty unless given.
  package init(cases: [WorklistCase] = [], columns: [String] = [], notes: [String] = []) {
    self.cases = cases
    self.columns = columns
    self.notes = notes
  }
}

extension Worklist {
  /// Adds the cases that readers added in reviews at the end, in this order, unless their images are listed.
  ///
  /// A case with the name of another gets the folders of its image in front of it. The list of a file may lack the
  /// series of an image; a case of the same name and image gets that of the added one.
  package mutating func append(_ added: [WorklistCase]) {
    let listedCount = cases.count
    for var item in added {
      if let known = cases.prefix(listedCount).firstIndex(where: { $0.name == item.name }),
        cases[known].series == nil
      {
        var listed = cases[known]
        listed.series = item.series
        if listed.hasSameImage(as: item) {
          cases[known] = listed
          continue
        }
      }
      guard !cases.contains(where: { $0.hasSameImage(as: item) }) else { continue }
      item.name = freeName(item.name, for: item)
      item.missingFiles = item.files.filter { !FileSystem.exists($0) }
      cases.append(item)
    }
  }

  /// A name for a case that is added, which no case has.
  private func freeName(_ name: String, for item: WorklistCase) -> String {
    let names = Set(cases.map(\.name))
    return WorklistCase.name(
      name, ofImage: item.images[0],
      isFurtherSeries: cases.contains { $0.imageIdentity.path == item.imageIdentity.path }
    ) { names.contains($0) }
  }
}

/// A case of a worklist: images of one examination and the masks that are reviewed on them.
package struct WorklistCase: Equatable, Sendable {
  /// A mask of a case: one version.
  package struct Mask: Equatable, Sendable {
    /// Its name: that of its folder, the ending of its file ("seg"), or its column.
    package var name: String
    package var path: String

    package init(name: String, path: String) {
      self.name = name
      self.path = path
    }
  }

  /// The name, which no other case of the worklist has.
  package var name: String
  /// The files or folders of the images, at least one; the first is the one that is shown.
  package var images: [String]
  /// The masks, in the order A, B, ...; no two have the same name.
  package var masks: [Mask]
  package var probabilities: [String]
  /// The cells of further columns by column, those of choices among them (``series``, ``segment(of:)``, ``layer(of:)``);
  /// an empty cell is not among them.
  package var values: [String: String]
  /// Files of the case that did not exist when the worklist was read.
  package var missingFiles: [String]

  package init(
    name: String, images: [String], series: String? = nil, masks: [Mask] = [], probabilities: [String] = [],
    values: [String: String] = [:], missingFiles: [String] = []
  ) {
    self.name = name
    self.images = images
    self.masks = masks
    self.probabilities = probabilities
    self.values = values
    self.missingFiles = missingFiles
    if let series { self.series = series }
  }

  /// A name with the first number from 2 on, "scan (2)", where it is taken.
  static func freeName(_ name: String, isTaken: (String) -> Bool) -> String {
    guard isTaken(name) else { return name }
    return (2...).lazy.map { "\(name) (\($0))" }.first { !isTaken($0) } ?? name
  }

  /// Whether both show the same image: the same series of one file, which two paths may name.
  package func hasSameImage(as other: WorklistCase) -> Bool {
    series == other.series && (images.first == other.images.first || imageIdentity == other.imageIdentity)
  }

  /// The names that masks were given, by path; not those of the columns `mask`, `mask2` and so on, which name nothing.
  package var versionNames: [String: String] {
    let named = masks.filter { WorklistColumn.heading(ofMask: $0.name) != $0.name }
    return Dictionary(named.map { ($0.path, $0.name) }, uniquingKeysWith: { first, _ in first })
  }

  /// The position of the mask with a name that records have: its own or, where it has none, that of its file.
  ///
  /// nil for none, and for a name that several files have.
  func position(ofMaskCalled name: String) -> Int? {
    if let position = masks.firstIndex(where: { $0.name == name }) { return position }
    let ofFiles = masks.indices.filter { masks[$0].path == name || masks[$0].path.hasSuffix("/" + name) }
    return ofFiles.count == 1 && !name.isEmpty ? ofFiles[0] : nil
  }

  /// Every file of the case.
  package var files: [String] { images + masks.map(\.path) + probabilities }
}
