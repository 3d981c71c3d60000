import Foundation
import ImageFormats
import Work

/// An image file of a folder.
struct FoundFile: Equatable {
  /// The path of the searched folder as it was given, followed by the path below it.
  let path: String
  /// The path below the searched folder, without the suffix of the format.
  let relativeStem: String
  /// The name without the suffix of the format.
  let stem: String
  private(set) var role: FileRole
  /// The DICOM series that this entry stands for; nil for an image file of any other format.
  private(set) var series: DicomListing.Series?
  /// The record beside it that the program wrote with a mask; nil for other files.
  fileprivate(set) var record: ExportRecord?

  init(folder: FolderTree, name: String) {
    path = FilePath.joined(folder.path, name)
    stem = ImageName.stem(of: name)
    relativeStem = FilePath.joined(folder.relativePath, stem)
    role = FileRole(stem: stem)
  }

  /// A DICOM series of a folder.
  ///
  /// Its path is the folder's where the folder has no other series, else that of its first file.
  init(folder: FolderTree, series: DicomListing.Series, isOnly: Bool) {
    path = isOnly ? folder.path : series.path
    stem = isOnly ? folder.name : "\(folder.name)_\(series.number)"
    relativeStem = FilePath.joined(folder.relativePath, stem)
    role = FileRole(imageStem: stem)
    self.series = series
  }

  /// The same file with the role of an image, whatever its name says.
  var asImage: FoundFile {
    var image = self
    image.role = FileRole(imageStem: stem)
    return image
  }
}

/// A folder with the image files and folders in it, in natural order.
struct FolderTree {
  let path: String
  /// The path below the searched folder; empty for that folder.
  let relativePath: String
  let name: String
  var files: [FoundFile] = []
  var folders: [FolderTree] = []
  /// DICOM segmentations.
  var segmentations: [DicomListing.Segmentation] = []

  /// The image files of this folder and of all folders below it.
  var allFiles: [FoundFile] { files + folders.flatMap(\.allFiles) }

  /// The DICOM segmentations of this folder and of all folders below it.
  var allSegmentations: [DicomListing.Segmentation] { segmentations + folders.flatMap(\.allSegmentations) }

  /// The folders directly in it whose name in lower case is one of `names`.
  func folders(named names: Set<String>) -> [FolderTree] {
    folders.filter { names.contains($0.name.lowercased()) }
  }
}

extension FolderTree {
  /// Moves a DICOM series into this folder where it is the only image below it, so that masks here belong to it.
  fileprivate mutating func takeOnlySeries() {
    guard !files.isEmpty, files.allSatisfy({ $0.role.kind != .image }) else { return }
    let holders = folders.indices.filter { !folders[$0].allFiles.isEmpty }
    guard holders.count == 1, let only = holders.first, folders[only].allFiles.count == 1,
      let file = folders[only].files.first, file.series != nil
    else { return }
    folders[only].files = []
    files.append(file)
  }
}

extension FolderTree {
  /// Takes the image whose DICOM files are divided among the folders below this one, where it is the only image there.
  /// - Throws: `Cancelled`.
  fileprivate mutating func takeDividedSeries() throws(Cancelled) {
    let below = folders.flatMap(\.allFiles)
    // Masks and images of other formats in the folders belong to the cases of these.
    guard files.allSatisfy({ $0.role.kind != .image }), below.count > 1,
      below.allSatisfy({ $0.series != nil }),
      Set(below.map(\.series?.seriesInstanceUID)).count == 1,
      let series = try DicomListing.dividedImage(below: path)
    else { return }
    folders = folders.map(\.withoutFiles)
    files.append(FoundFile(folder: self, series: series, isOnly: true))
  }

  /// The folder and those below it without their images.
  private var withoutFiles: FolderTree {
    var tree = self
    tree.files = []
    tree.folders = folders.map(\.withoutFiles)
    return tree
  }
}

/// Reads a folder and what lies below it.
///
/// Hidden files, folders of verdicts and results of cohorts are skipped. Symbolic links are followed, and a folder that several paths lead
/// to is read once, so that circular links end.
struct FolderReader {
  /// The maximum number of entries in all folders of a search, so that a search of a whole disk ends.
  static let maximumEntryCount = 200_000
  /// The maximum depth of folders within folders.
  static let maximumDepth = 10

  private(set) var notes = DiscoveryNotes()
  private let root: String
  private let work: WorkContext
  private var entryCount = 0
  private var visited: Set<[UInt]> = []

  init(root: String, work: WorkContext) {
    self.root = root
    self.work = work
  }

  /// Excludes a folder, which is read separately.
  mutating func exclude(_ path: String) {
    if let status = FileSystem.status(path) { visited.insert(Self.identity(status)) }
  }

  /// Reads the whole folder.
  /// - Throws: ``InputError`` where it cannot be read or holds too many files; ``Cancelled``.
  mutating func read() throws -> FolderTree {
    let names = try FileSystem.names(in: root)
    if let status = FileSystem.status(root) { visited.insert(Self.identity(status)) }
    return try tree(
      names, path: root, relativePath: "", name: FilePath.name(of: FilePath.absolute(root)), depth: 0)
  }

  private mutating func tree(
    _ names: [String], path: String, relativePath: String, name: String, depth: Int
  ) throws -> FolderTree {
    try work.checkCancellation()
    entryCount += names.count
    guard entryCount <= Self.maximumEntryCount else {
      throw InputError(
        root, "holds too many files", found: "more than \(Self.maximumEntryCount)",
        expected: "a folder of cases")
    }
    var tree = FolderTree(path: path, relativePath: relativePath, name: name)
    var stems: [String: String] = [:]
    var recordStems: Set<String> = []
    var others: [String] = []
    var dicomCount = 0
    for (index, name) in names.naturallySorted(by: \.self).enumerated() {
      if index % 1024 == 0 { try work.checkCancellation() }
      if name.hasPrefix(".") || RecordFolder.isOwnFolder(name) { continue }
      let file = FilePath.joined(path, name)
      if DicomListing.hasSuffix(name) {
        dicomCount += 1
      } else if ImageName.suffix(of: name) != nil {
        // The voxel file of a header is not an image of its own.
        if ImageName.isVoxelFile(name) { continue }
        let found = FoundFile(folder: tree, name: name)
        if let other = stems.updateValue(name, forKey: found.stem) {
          stems[found.stem] = other
          notes.add(.twice, file)
        } else {
          tree.files.append(found)
        }
      } else if name.hasSuffix(".json") {
        recordStems.insert(String(name.dropLast(".json".count)))
      } else if let status = FileSystem.status(file) {
        guard status.st_mode & S_IFMT == S_IFDIR else {
          others.append(file)
          continue
        }
        guard visited.insert(Self.identity(status)).inserted else { continue }
        guard depth < Self.maximumDepth else {
          notes.add(.tooDeep, file)
          continue
        }
        guard let names = try? FileSystem.names(in: file) else {
          notes.add(.unreadable, file)
          continue
        }
        if RecordFolder.isCohort(names: names) { continue }
        tree.folders.append(
          try self.tree(
            names, path: file, relativePath: FilePath.joined(relativePath, name), name: name, depth: depth + 1
          ))
      }
    }
    readRecords(&tree, stems: recordStems, beside: Set(names))
    // Files without a suffix of DICOM are taken for DICOM where the first of them are.
    if dicomCount > 0 || others.prefix(3).contains(where: DicomListing.isDICOM) {
      try addSeries(to: &tree, fileCount: dicomCount > 0 ? dicomCount : others.count)
      leaveOutExportedSegmentations(of: &tree, stems: recordStems, beside: Set(names))
    }
    try tree.takeDividedSeries()
    tree.takeOnlySeries()
    return tree
  }

  /// Reads the records of masks that the program wrote, and leaves out the masks that were exported from a review.
  ///
  /// The record of a mask that stays in the list is an input as the mask is, and never replaced.
  private mutating func readRecords(_ tree: inout FolderTree, stems: Set<String>, beside names: Set<String>) {
    for index in tree.files.indices where stems.contains(tree.files[index].stem) {
      tree.files[index].record = ExportRecord(besideMask: FilePath.joined(tree.path, tree.files[index].stem))
    }
    tree.files.removeAll { file in
      guard let record = file.record,
        record.isReviewExport(beside: names.subtracting([FilePath.name(of: file.path)]))
      else { return false }
      notes.add(.reviewExport, file.path)
      return true
    }
    for file in tree.files where file.record != nil {
      try? ReadFiles.register(ExportRecord.path(besideMask: FilePath.joined(tree.path, file.stem)))
    }
  }

  /// Leaves out the DICOM segmentations that a review exported: one record describes both files of an export.
  private mutating func leaveOutExportedSegmentations(
    of tree: inout FolderTree, stems: Set<String>, beside names: Set<String>
  ) {
    let folder = tree.path
    tree.segmentations.removeAll { segmentation in
      let name = FilePath.name(of: segmentation.path)
      let stem = FilePath.stem(of: name)
      guard stems.contains(stem),
        let record = ExportRecord(besideMask: FilePath.joined(folder, stem)),
        record.isReviewExport(beside: names.subtracting([name]))
      else { return false }
      // The other file of the export has the note.
      if !names.contains(stem + ".nii.gz") { notes.add(.reviewExport, segmentation.path) }
      return true
    }
  }

  /// Adds the DICOM series and segmentations of a folder.
  private mutating func addSeries(to tree: inout FolderTree, fileCount: Int) throws {
    let listing = try DicomListing(tree.path, work: work.withoutProgress)
    tree.segmentations = listing.segmentations
    for series in listing.series {
      tree.files.append(FoundFile(folder: tree, series: series, isOnly: listing.series.count == 1))
    }
    if listing.series.isEmpty, listing.segmentations.isEmpty {
      notes.add(.dicom, "\(tree.path) (\(counted(fileCount, "file")))")
    }
    for line in listing.damaged { notes.add(.damagedDICOM, line) }
  }

  private static func identity(_ status: stat) -> [UInt] { [UInt(status.st_dev), UInt(status.st_ino)] }
}
