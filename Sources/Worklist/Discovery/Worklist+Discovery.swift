import Work

extension Worklist {
  /// Finds the cases of a folder from the layout of its files.
  ///
  /// These layouts are recognised, also in folders below the folder: folders of images beside folders of labels
  /// (`images` and `labels`, nnU-Net's `imagesTr` and `labelsTr` with channels); a folder for each case; BIDS with its
  /// derivatives; images with masks beside them (`x.nii.gz` and `x_seg.nii.gz`); images alone. The names of the cases
  /// do not depend on `labelFolders`.
  ///
  /// - Parameters:
  ///   - labelFolders: Further folders of masks. Each is one version, named after the folder, and follows the masks of
  ///     `folder`. A file belongs to the image that shares the longest prefix of whole words with it.
  ///   - imageSuffix: Of a BIDS dataset, only images with this suffix ("T1w") are cases; nil for the anatomical ones, T1
  ///     first.
  ///   - work: Its cancellation is polled in every folder.
  /// - Returns: The cases in natural order, each series of a folder or file one of them, with notes about the files that are not used.
  /// - Throws: ``InputError`` when a folder cannot be read or holds too many files, when there is no image, when a
  ///   label folder is given twice, and when a file of one fits several images; `Cancelled`.
  /// - Complexity: Reads each folder once, twice with `labelFolders`; O(n log n) in files.
  package static func discover(
    _ folder: String, labelFolders: [String] = [], imageSuffix: String? = nil,
    work: WorkContext = WorkContext()
  ) throws -> Worklist {
    var reader = FolderReader(root: folder, work: work)
    for (position, labels) in labelFolders.enumerated() {
      if FileSystem.isFolder(labels),
        labelFolders[..<position].contains(where: { FileSystem.resolved($0) == FileSystem.resolved(labels) })
      {
        throw InputError(labels, "is given twice", expected: "each folder of masks once")
      }
      guard FileSystem.resolved(labels) != FileSystem.resolved(folder) || !FileSystem.isFolder(labels) else {
        throw InputError(labels, "is the folder of the images", expected: "a folder of masks")
      }
      reader.exclude(labels)
    }
    let tree = try reader.read()
    let names =
      try labelFolders.isEmpty
      ? [] : CaseSearch.names(inAll: folder, imageSuffix: imageSuffix, work: work)
    var search = CaseSearch(imageSuffix: imageSuffix)
    search.notes.add(reader.notes)
    search.collect(tree)
    if let imageSuffix, search.datasets.isEmpty {
      throw InputError(
        "--suffix", "chooses images of a BIDS dataset", found: "\(imageSuffix) of \(folder)",
        expected: "a folder with folders sub-*")
    }
    search.attach(tree.allSegmentations)
    var drafts = search.drafts
    var maskNames = Set(drafts.flatMap { $0.masks.map(\.name) }).naturallySorted(by: \.self)
    guard !drafts.isEmpty else {
      throw InputError(
        folder, "has no image that can be read",
        found: search.notes.line(.damagedDICOM) ?? search.notes.line(.dicom)
          ?? search.notes.line(.maskWithoutImage),
        expected: "NAME.nii.gz or DICOM files in it or in folders below")
    }
    for labels in labelFolders {
      var reader = FolderReader(root: labels, work: work)
      let tree = try reader.read()
      search.notes.add(reader.notes)
      var name = tree.name
      var number = 2
      while maskNames.contains(name) {
        name = "\(tree.name) \(number)"
        number += 1
      }
      maskNames.append(name)
      try drafts.attachVersion(tree.allFiles, folder: labels, name: name, notes: &search.notes)
    }
    let cases = cases(drafts, maskNames: maskNames, allNames: names)
    var worklist = Worklist(
      cases: cases, columns: cases.contains { $0.series != nil } ? [WorklistColumn.series] : [],
      notes: search.notes.lines)
    for path in search.datasets { try BIDSDataset(path)?.addParticipants(to: &worklist) }
    return worklist
  }

  /// The cases in natural order, each with a unique name; masks have the same order in all cases.
  ///
  /// - Parameter allNames: The names that a search without `labelFolders` finds, so that names do not depend on them;
  ///   empty where there are none.
  private static func cases(
    _ drafts: [CaseDraft], maskNames: [String], allNames: [String]
  ) -> [WorklistCase] {
    let maskOrder = Dictionary(
      maskNames.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
    var counts = Dictionary(drafts.map { ($0.name, 1) }, uniquingKeysWith: +)
    counts.merge(Dictionary(allNames.map { ($0, 1) }, uniquingKeysWith: +), uniquingKeysWith: max)
    var taken: Set<String> = []
    return drafts.map { draft in
      let name = counts[draft.name] == 1 ? draft.name : draft.longName
      var unique = name
      var number = 2
      while !taken.insert(unique).inserted {
        unique = "\(name) (\(number))"
        number += 1
      }
      var item = WorklistCase(
        name: unique, images: draft.images.map(\.path),
        masks: draft.sortedMasks { maskOrder[$0] ?? .max },
        probabilities: draft.probabilities)
      item.series = draft.images.first?.series?.seriesInFile
      return item
    }.naturallySorted(by: \.name)
  }
}
