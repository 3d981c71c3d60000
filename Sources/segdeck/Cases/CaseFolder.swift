import Foundation
import ImageFormats
import Work

/// Pairs the images of folders with the label files of another by file name.
struct CaseFolder {
  /// The images of a case and its labels.
  struct Pair: Hashable {
    /// The file name without the suffix of its format, and without a channel where there are several.
    let name: String
    /// One file for each input channel of a network.
    let images: [String]
    let labels: String
    /// What is read of each image's and of the label's file where they hold several; nothing for images without one.
    var imageChoices: [ImageReadingOptions] = []
    var labelsChoice = ImageReadingOptions()

    /// Opens the images.
    /// - Throws: As ``ImageFile/open(_:as:options:work:)``.
    func openImages() throws -> [ImageFile] {
      try images.enumerated().map { index, path in
        try ImageFile.open(
          path, options: imageChoices.isEmpty ? ImageReadingOptions() : imageChoices[index])
      }
    }

    /// Opens the labels.
    /// - Throws: As ``ImageFile/open(_:as:options:work:)``.
    func openLabels() throws -> ImageFile { try ImageFile.open(labels, options: labelsChoice) }
  }

  /// Every case that has labels and all its images, ascending by name.
  let pairs: [Pair]
  /// Names of images without labels and of label files without an image, ascending.
  let imagesWithoutLabels, labelsWithoutImage: [String]
  /// Names of cases with labels that lack an image of a channel, ascending.
  let casesWithoutChannel: [String]

  /// Pairs files with the same name.
  ///
  /// The name of a label file may have one more, or one less, suffix such as `_seg` or `_0000`. Of one folder,
  /// `CASE_0000`, `CASE_0001` and so on are the channels of a case where there are labels for `CASE`, but none for
  /// `CASE_0000`.
  /// - Parameters:
  ///   - images: A folder for each channel, in which an image of a case has the same name as in the first; or the folder
  ///     of all images.
  ///   - choosesSeries: Whether a series is chosen of images that hold several.
  /// - Throws: ``InputError`` when a folder cannot be read, or no case has labels and all its images.
  init(images: [String], labels: String, choosesSeries: Bool = false) throws(InputError) {
    let imageFiles = try images.map { folder throws(InputError) in
      try Self.volumes(in: folder, choosesSeries: choosesSeries)
    }
    let labelFiles = LabelFiles(try Self.volumes(in: labels))
    let cases: [String: [String]] =
      images.count == 1
      ? Self.cases(of: imageFiles[0], labelFiles)
      : Set(imageFiles.flatMap(\.keys)).reduce(into: [:]) { cases, name in
        cases[name] = imageFiles.compactMap { $0[name] }
      }
    let labelled = cases.compactMap { name, images in
      labelFiles.path(ofImage: name).map { Pair(name: name, images: images, labels: $0) }
    }.sorted { $0.name < $1.name }
    let channelCount = images.count > 1 ? images.count : labelled.map(\.images.count).max() ?? 1
    pairs = labelled.filter { $0.images.count == channelCount }
    casesWithoutChannel = labelled.filter { $0.images.count < channelCount }.map(\.name)
    let paired = Set(labelled.flatMap { $0.images + [$0.labels] })
    imagesWithoutLabels = Set(imageFiles.joined().filter { !paired.contains($0.value) }.map(\.key)).sorted()
    labelsWithoutImage = labelFiles.paths.filter { !paired.contains($0.value) }.keys.sorted()
    guard labelled.isEmpty || !pairs.isEmpty else {
      throw InputError(
        images[0], "no case has an image of the same name in each further folder",
        found: labelled[0].name, expected: images.dropFirst().joined(separator: ", "))
    }
    guard !pairs.isEmpty else {
      throw InputError(
        images.joined(separator: ", "), "no image has labels of the same name in \(labels)",
        found:
          "\(counted(imageFiles.reduce(0) { $0 + $1.count }, "image")) and \(counted(labelFiles.paths.count, "label file"))",
        expected: "CASE.nii.gz in both")
    }
  }

  /// The images of each case of one folder.
  private static func cases(of files: [String: String], _ labels: LabelFiles) -> [String: [String]] {
    var cases: [String: [String]] = [:]
    for (name, path) in files {
      guard let parts = ChannelFiles.parts(ofStem: name),
        let first = files[ChannelFiles.stem(ofCase: parts.caseName, channel: 0)],
        let second = files[ChannelFiles.stem(ofCase: parts.caseName, channel: 1)],
        labels.path(ofImage: parts.caseName) != nil, labels.path(withNameOf: name) == nil,
        labels.path(withNameOf: ChannelFiles.stem(ofCase: parts.caseName, channel: 0)) == nil
      else {
        cases[name] = [path]
        continue
      }
      var images = [first, second]
      while let next = files[ChannelFiles.stem(ofCase: parts.caseName, channel: images.count)] {
        images.append(next)
      }
      // A file after a gap is an image by itself.
      if parts.channel < images.count { cases[parts.caseName] = images } else { cases[name] = [path] }
    }
    return cases
  }

  /// Label files by their names without suffix.
  private struct LabelFiles {
    let paths: [String: String]

    init(_ paths: [String: String]) { self.paths = paths }

    /// The labels with an image's name, or with one more suffix such as `_seg`.
    func path(withNameOf image: String) -> String? {
      paths[image] ?? CaseFolder.suffixes.lazy.compactMap { paths[image + $0] }.first
    }

    /// The labels with an image's name, also with one suffix more or less.
    func path(ofImage image: String) -> String? {
      path(withNameOf: image)
        ?? CaseFolder.suffixes.lazy.filter { image.hasSuffix($0) }.compactMap {
          paths[String(image.dropLast($0.count))]
        }.first
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
