import Work

extension Worklist {
  /// Finds the cases of a folder by how its files are laid out.
  ///
  /// These layouts are known, also below the folder: folders of images beside folders of labels (`images` and `labels`,
  /// nnU-Net's `imagesTr` and `labelsTr` with channels); a folder for each case; BIDS with its derivatives; images with
  /// masks beside them (`x.nii.gz` and `x_seg.nii.gz`); images alone.
  ///
  /// - Parameters:
  ///   - labelFolders: Folders of masks, each one version, which are named as the folders and follow the masks of the
  ///     folder itself. A file belongs to the image with the longest common name.
  ///   - work: Polled for every folder.
  /// - Returns: The cases in natural order, with a note for what was not used.
  /// - Throws: ``InputError`` when a folder cannot be read or holds too many files, when there is no image, and when a
  ///   file of a label folder fits several images; `Cancelled`.
  /// - Complexity: One reading of each folder, O(n log n) in files.
  package static func discover(
    _ folder: String, labelFolders: [String] = [], work: WorkContext = WorkContext()
  ) throws -> Worklist {
    var reader = FolderReader(root: folder, work: work)
    for labels in labelFolders {
      guard FileSystem.resolved(labels) != FileSystem.resolved(folder) || !FileSystem.isFolder(labels) else {
        throw InputError(labels, "is the folder of the images", expected: "a folder of masks")
      }
      reader.leaveOut(labels)
    }
    let tree = try reader.read()
    var search = CaseSearch()
    search.notes.add(reader.notes)
    search.collect(tree)
    var drafts = search.drafts
    var maskNames = Set(drafts.flatMap { $0.masks.map(\.name) }).naturallySorted(by: \.self)
    guard !drafts.isEmpty else {
      throw InputError(
        folder, "has no image that can be read",
        found: search.notes.line(.dicom) ?? search.notes.line(.maskWithoutImage),
        expected: "NAME.nii.gz in it or in folders below")
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
    return Worklist(cases: cases(drafts, maskNames: maskNames), notes: search.notes.lines)
  }

  /// The cases in natural order, each with a name of its own and its masks in one common order.
  private static func cases(_ drafts: [CaseDraft], maskNames: [String]) -> [WorklistCase] {
    let places = Dictionary(
      maskNames.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
    let counts = Dictionary(drafts.map { ($0.name, 1) }, uniquingKeysWith: +)
    var taken: Set<String> = []
    return drafts.map { draft in
      let name = counts[draft.name] == 1 ? draft.name : draft.longName
      var unique = name
      var number = 2
      while !taken.insert(unique).inserted {
        unique = "\(name) (\(number))"
        number += 1
      }
      return WorklistCase(
        name: unique, images: draft.images.map(\.path),
        masks: draft.masks.sorted { (places[$0.name] ?? .max) < (places[$1.name] ?? .max) },
        probabilities: draft.probabilities)
    }.naturallySorted(by: \.name)
  }
}

/// Goes through the folders and decides how each is laid out.
private struct CaseSearch {
  var drafts: [CaseDraft] = []
  var notes = DiscoveryNotes()

  mutating func collect(_ folder: FolderTree) {
    if folder.dicomCount > 0 {
      notes.add(.dicom, "\(folder.path) (\(counted(folder.dicomCount, "file")))")
    }
    if let layout = BIDSLayout(folder) {
      drafts += layout.drafts(notes: &notes)
      return
    }
    let imageFolders = folder.folders.filter { FolderKind($0.name)?.holdsLabels == false }
    var rest = folder.folders
    for images in imageFolders {
      let split = FolderKind(images.name)?.split
      let labels = folder.folders.filter {
        FolderKind($0.name) == FolderKind(holdsLabels: true, split: split ?? "")
      }
      collect(images: images, labels: labels)
      let used = Set([images.path] + labels.map(\.path))
      rest.removeAll { used.contains($0.path) }
    }
    var own = folder.drafts(notes: &notes)
    for labels in rest where FolderKind(labels.name)?.holdsLabels == true {
      rest.removeAll { $0.path == labels.path }
      attach(labels, to: &own)
    }
    drafts += own
    for folder in rest { collect(folder) }
  }

  /// Images of one folder and masks of others beside it.
  private mutating func collect(images: FolderTree, labels: [FolderTree]) {
    let files = images.allFiles
    var shown = files.filter { $0.role.kind == .image }
    // Where every name says label, the folder's own name counts.
    if shown.isEmpty { shown = files }
    var own = CaseDraft.grouped(shown, folder: images.relativePath)
    if shown.count < files.count {
      own.attach(files.filter { $0.role.kind != .image }, folderName: nil, notes: &notes)
    }
    for folder in labels { own.attach(folder.allFiles, folderName: folder.name, notes: &notes) }
    drafts += own
  }

  /// Masks of a folder within the images' own; all of them belong to an only case.
  private mutating func attach(_ labels: FolderTree, to own: inout [CaseDraft]) {
    let files = labels.allFiles
    if own.count == 1, files.allSatisfy({ CaseIndex(own).match($0) == nil }) {
      for file in files { own[0].add(mask: file.path, called: file.stem) }
    } else {
      own.attach(files, folderName: labels.name, notes: &notes)
    }
  }
}

/// The meaning of the name of a folder: whether it holds images or labels, and of which part of a data set.
private struct FolderKind: Equatable {
  var holdsLabels: Bool
  /// "tr" of "imagesTr", empty for "images".
  var split: String

  private static let imageNames: Set<String> = ["images", "image", "imgs", "img", "volumes", "scans"]
  private static let labelNames: Set<String> = [
    "labels", "label", "masks", "mask", "segs", "seg", "segmentations", "segmentation", "annotations", "gt",
    "predictions", "prediction", "preds", "pred",
  ]
  private static let splits = ["train", "test", "val", "tr", "ts", "va", "te"]

  init(holdsLabels: Bool, split: String) {
    self.holdsLabels = holdsLabels
    self.split = split
  }

  /// nil for any other folder.
  init?(_ name: String) {
    let name = name.lowercased()
    let split = Self.splits.first { name.hasSuffix($0) && name.count > $0.count } ?? ""
    let base = name.dropLast(split.count).filter { $0 != "_" && $0 != "-" }
    guard Self.imageNames.contains(base) || Self.labelNames.contains(base) else { return nil }
    self.init(holdsLabels: Self.labelNames.contains(base), split: split)
  }
}
