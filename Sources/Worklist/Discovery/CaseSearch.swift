import ImageFormats
import Work

/// Walks through folders, recognises the layout of each, and collects its cases.
struct CaseSearch {
  private(set) var drafts: [CaseDraft] = []
  var notes = DiscoveryNotes()
  /// The BIDS datasets that were found.
  private(set) var datasets: [String] = []
  private let imageSuffix: String?

  /// A search that found nothing yet.
  /// - Parameter imageSuffix: The suffix of the images of BIDS datasets that are cases; nil for the anatomical ones.
  init(imageSuffix: String? = nil) { self.imageSuffix = imageSuffix }

  /// The names of all cases of a folder when no folder in it is read for masks alone.
  /// - Throws: As ``FolderReader/read()``.
  static func names(inAll folder: String, imageSuffix: String?, work: WorkContext) throws -> [String] {
    var reader = FolderReader(root: folder, work: work)
    var search = CaseSearch(imageSuffix: imageSuffix)
    search.collect(try reader.read())
    return search.drafts.map(\.name)
  }

  /// Adds the cases of a folder and of the folders below it.
  mutating func collect(_ folder: FolderTree) {
    if let layout = BIDSLayout(folder) {
      datasets.append(folder.path)
      drafts += layout.drafts(imageSuffix: imageSuffix, notes: &notes)
      return
    }
    let images = folder.folders.filter { FolderKind($0.name)?.holdsLabels == false }
    var rest = folder.folders
    if !images.isEmpty {
      let paths = Set(images.map(\.path))
      rest = collect(images, beside: folder.folders.filter { !paths.contains($0.path) })
    }
    var own = folder.drafts(notes: &notes)
    for labels in rest where FolderKind(labels.name)?.holdsLabels == true {
      rest.removeAll { $0.path == labels.path }
      attach(labels, to: &own)
    }
    drafts += own
    for folder in rest { collect(folder) }
  }

  /// Adds DICOM segmentations to the cases whose series they reference or, where they reference none, to the only case in
  /// their frame of reference.
  ///
  /// Of several cases of one series, whose planes differ, it is the one with the planes of the segmentation. Where copies
  /// of a series are cases, it is the one of the segmentation's name, else the one with the most folders in common.
  mutating func attach(_ segmentations: [DicomListing.Segmentation]) {
    func cases(_ isOwn: (DicomListing.Series) -> Bool) -> [Int] {
      drafts.indices.filter { drafts[$0].images.contains { $0.series.map(isOwn) ?? false } }
    }
    for segmentation in segmentations {
      let named = cases { $0.seriesInstanceUID == segmentation.seriesInstanceUID }
      let near = cases {
        !$0.frameOfReferenceUID.isEmpty && $0.frameOfReferenceUID == segmentation.frameOfReferenceUID
      }
      let parallel = named.filter { position in
        drafts[position].images.contains { $0.series.map(segmentation.isParallel) ?? false }
      }
      guard
        let own = nearest(parallel.isEmpty ? named : parallel, to: segmentation.path)
          ?? (near.count == 1 ? near[0] : nil)
      else {
        notes.add(.maskWithoutImage, segmentation.path)
        continue
      }
      drafts[own].add(mask: segmentation.path, called: FilePath.stem(of: segmentation.path))
    }
  }

  /// The case of a mask's name, else the first one whose image has the most folders in common with it; nil of none.
  private func nearest(_ cases: [Int], to path: String) -> Int? {
    let stem = FilePath.stem(of: path)
    func sharedFolderCount(_ position: Int) -> Int {
      let parts = [path, drafts[position].images.first?.path ?? ""].map { $0.split(separator: "/") }
      return zip(parts[0], parts[1]).prefix { $0 == $1 }.count
    }
    return cases.first { drafts[$0].name == stem }
      ?? cases.min { sharedFolderCount($0) > sharedFolderCount($1) }
  }

  /// Adds the images of folders as cases, with masks from the folders beside them.
  ///
  /// Files in those are never images.
  ///
  /// - Returns: The folders beside them that contain a folder of images, and so are data sets of their own.
  private mutating func collect(_ images: [FolderTree], beside others: [FolderTree]) -> [FolderTree] {
    let splits = images.map { FolderKind($0.name)?.split ?? "" }
    let labels = others.compactMap { folder in
      FolderKind(besideImages: folder.name).map { (folder, $0.split) }
    }
    // Masks of one split (nnU-Net's "Tr" and "Ts") fit its images. Masks without a split, or of a split without images,
    // may fit any image.
    func parts(_ split: String) -> [Int] {
      let same = splits.indices.filter { splits[$0] == split }
      return same.isEmpty ? Array(splits.indices) : same
    }
    var own: [(part: Int, draft: CaseDraft)] = []
    for (part, folder) in images.enumerated() {
      let stems = labels.filter { parts($0.1).contains(part) }.flatMap { $0.0.allFiles.map(\.stem) }
      own += imageDrafts(folder, labelStems: Set(stems)).map { (part: part, draft: $0) }
    }
    for (folder, split) in labels {
      let fitting = parts(split)
      let positions = own.indices.filter { fitting.contains(own[$0].part) }
      var cases = positions.map { own[$0].draft }
      cases.attach(folder, notes: &notes)
      for (position, draft) in zip(positions, cases) { own[position].draft = draft }
    }
    drafts += own.map(\.draft)
    let known = Set(labels.map(\.0.path))
    let rest = others.filter { !known.contains($0.path) }
    for folder in rest where !folder.holdsImageFolder && !folder.allFiles.isEmpty {
      notes.add(.besideImages, folder.path)
    }
    return rest.filter(\.holdsImageFolder)
  }

  /// The cases of a folder of images.
  ///
  /// A file in a folder of images is an image, whatever its name says. There is one exception: a file is a mask where
  /// its name without words for masks is the name of an image, and no folder of labels has a mask with the same name.
  private mutating func imageDrafts(_ folder: FolderTree, labelStems: Set<String>) -> [CaseDraft] {
    let files = folder.allFiles
    let named = files.filter { $0.role.kind == .image }
    let index = CaseIndex(CaseDraft.grouped(named, folder: folder.relativePath))
    let masks = files.filter { file in
      file.role.kind != .image && !labelStems.contains(file.stem)
        && index.match(file).map { $0.rank <= CaseIndex.subjectRank } == true
    }
    let paths = Set(masks.map(\.path))
    var cases = CaseDraft.grouped(
      files.filter { !paths.contains($0.path) }.map(\.asImage), folder: folder.relativePath)
    if !masks.isEmpty { cases.attach(masks, folderName: nil, notes: &notes) }
    return cases
  }

  /// Adds the masks of a folder inside the folder of the images.
  ///
  /// Where there is one case and no name matches it, all masks belong to it.
  private mutating func attach(_ labels: FolderTree, to own: inout [CaseDraft]) {
    let files = labels.allFiles
    if own.count == 1, files.allSatisfy({ CaseIndex(own).match($0) == nil }) {
      for file in files { own[0].add(mask: file.path, called: file.stem) }
    } else {
      own.attach(labels, notes: &notes)
    }
  }
}

extension FolderTree {
  /// Whether a folder below it has a name for folders of images.
  fileprivate var holdsImageFolder: Bool {
    folders.contains { FolderKind($0.name)?.holdsLabels == false || $0.holdsImageFolder }
  }
}

extension [CaseDraft] {
  /// Adds the masks of a folder, as a version with the folder's name.
  ///
  /// A folder in it whose name is neither that of a case nor that of a folder of images is a version of its own.
  fileprivate mutating func attach(_ folder: FolderTree, notes: inout DiscoveryNotes) {
    let index = CaseIndex(self)
    let imageFolders = Set(flatMap(\.images).map { FilePath.name(of: FilePath.folder(of: $0.path)) })
    let versions = folder.folders.filter { !imageFolders.contains($0.name) && !index.hasCase($0.name) }
    let apart = Set(versions.map(\.path))
    let rest = folder.folders.filter { !apart.contains($0.path) }
    let files = folder.files + rest.flatMap(\.allFiles)
    if !files.isEmpty { attach(files, folderName: folder.name, notes: &notes) }
    for version in versions { attach(version.allFiles, folderName: version.name, notes: &notes) }
  }
}
