import Foundation
import ImageFormats
import Work

/// Pairs the images of one folder with the label files of another by file name.
struct CaseFolder {
  /// An image and its labels.
  struct Pair: Hashable {
    /// The file name without the suffix of its format.
    let name: String
    let image: String
    let labels: String
    /// What is read of the image's and of the label's file where they hold several.
    var imageChoice = ImageReadingOptions()
    var labelsChoice = ImageReadingOptions()

    /// Opens the image.
    /// - Throws: As ``ImageFile/open(_:as:options:work:)``.
    func openImage() throws -> ImageFile { try ImageFile.open(image, options: imageChoice) }

    /// Opens the labels.
    /// - Throws: As ``ImageFile/open(_:as:options:work:)``.
    func openLabels() throws -> ImageFile { try ImageFile.open(labels, options: labelsChoice) }
  }

  /// Every image that has labels, ascending by name.
  let pairs: [Pair]
  /// Names of images without labels and of label files without an image, ascending.
  let imagesWithoutLabels, labelsWithoutImage: [String]

  /// Pairs files with the same name.
  ///
  /// The name of a label file may have one more, or one less, suffix such as `_seg` or `_0000`.
  /// - Parameter choosesSeries: Whether a series is chosen of images that hold several.
  /// - Throws: ``InputError`` when a folder cannot be read, or no image has labels.
  init(images: String, labels: String, choosesSeries: Bool = false) throws(InputError) {
    let imageFiles = try Self.volumes(in: images, choosesSeries: choosesSeries)
    let labelFiles = try Self.volumes(in: labels)
    pairs = imageFiles.compactMap { name, path in
      let label =
        labelFiles[name] ?? Self.suffixes.lazy.compactMap { labelFiles[name + $0] }.first
        ?? Self.suffixes.lazy.filter { name.hasSuffix($0) }.compactMap {
          labelFiles[String(name.dropLast($0.count))]
        }.first
      return label.map { Pair(name: name, image: path, labels: $0) }
    }.sorted { $0.name < $1.name }
    let paired = Set(pairs.flatMap { [$0.image, $0.labels] })
    imagesWithoutLabels = imageFiles.filter { !paired.contains($0.value) }.keys.sorted()
    labelsWithoutImage = labelFiles.filter { !paired.contains($0.value) }.keys.sorted()
    guard !pairs.isEmpty else {
      throw InputError(
        images, "no image has labels of the same name in \(labels)",
        found: "\(counted(imageFiles.count, "image")) and \(counted(labelFiles.count, "label file"))",
        expected: "CASE.nii.gz in both")
    }
  }

  private static let suffixes = [
    ".seg", "_seg", "_label", "_labels", "_mask", "_gt", "_0000", "-label", "-labels",
  ]

  /// The paths of the images of a folder by their names without suffix; folders with a DICOM series, also one that
  /// is divided among folders in them, are images.
  /// - Parameter choosesSeries: Whether folders with several series are images too, because one of them is chosen.
  /// - Throws: ``InputError`` when the folder cannot be read.
  static func volumes(in folder: String, choosesSeries: Bool = false) throws(InputError) -> [String: String] {
    var files: [String: String] = [:]
    for name in try FileSystem.names(in: folder) where !name.hasPrefix(".") {
      let path = FilePath.joined(folder, name)
      if FileSystem.isFolder(path) {
        let count = DicomListing.holdsDICOM(folder: path) ? (try? DicomListing(path).series.count) ?? 0 : 0
        // The folders of a divided series are one image, too.
        let isDivided = count == 0 && (try? DicomListing.dividedImage(below: path)) != nil
        if isDivided || (choosesSeries ? count > 0 : count == 1) { files[name] = path }
      }
      guard ImageName.suffix(of: name) != nil, !ImageName.isVoxelFile(name) else { continue }
      let stem = ImageName.stem(of: name)
      if files[stem] == nil { files[stem] = path }
    }
    return files
  }
}
