import Work

/// Names of image files of any format, whose suffixes may be in small or capital letters.
package enum ImageName {
  private static let suffixes = ImageFormatList.all.suffixes
  private static let voxelFileSuffixes = ImageFormatList.all.formats.flatMap { $0.voxelFileSuffixes }
  private static let writtenSuffixes = ImageFormatList.all.writable.flatMap { $0.writtenSuffixes }

  /// The suffixes of images that are written, for help: ".nii or .nii.gz".
  package static let writtenSuffixList = alternatives(writtenSuffixes)

  /// Refuses an output name without the suffix of an image.
  /// - Throws: ``InputError`` for another suffix.
  package static func requireWritable(_ path: String) throws(InputError) {
    try FilePath.requireSuffix(writtenSuffixes, of: path, toWrite: "an image")
  }

  /// The files that are written beside an image of this name with its voxels; none for most formats.
  package static func voxelFiles(ofWritten path: String, isCompressed: Bool = true) -> [String] {
    ImageFormatList.all.writableFormat(of: path)?.voxelFiles(of: path, isCompressed: isCompressed) ?? []
  }

  /// Whether an image of this name may be written with compressed voxels and without.
  package static func compressionIsOptional(_ path: String) -> Bool {
    ImageFormatList.all.writableFormat(of: path)?.compressionIsOptional ?? false
  }

  /// Whether an image that is written under this name has compressed voxels.
  package static func isCompressed(_ path: String) -> Bool {
    ImageFormatList.all.writableFormat(of: path)?.compressesVoxels(of: path) ?? false
  }

  /// Whether an image that is written under this name states the names of its labels itself.
  package static func holdsLabelNames(_ path: String) -> Bool {
    ImageFormatList.all.writableFormat(of: path)?.holdsLabelNames(path) ?? false
  }

  /// The DICOM segmentation that is written beside a mask of a DICOM image, "a.dcm" beside "a.nii.gz"; nil for masks of
  /// other images, and for one that is a segmentation itself.
  package static func segmentation(besideMask path: String, of source: ImageSource) -> String? {
    guard source.header(DicomReference.self) != nil, let suffix = writtenSuffix(of: path) else { return nil }
    return DicomFormat.writtenSuffixes.contains(suffix)
      ? nil : String(path.dropLast(suffix.count)) + DicomFormat.writtenSuffixes[0]
  }

  /// The suffix of an image, in small letters; nil when the name has none of them.
  package static func suffix(of path: String) -> String? { suffixes.first { FilePath.hasSuffix($0, path) } }

  /// The suffix of an image that is written, in small letters; nil when the name has none of them.
  package static func writtenSuffix(of path: String) -> String? {
    writtenSuffixes.filter { FilePath.hasSuffix($0, path) }.max { $0.count < $1.count }
  }

  /// The path without an image's suffix: "a/b" of "a/b.NII.gz", and all of "a/b.txt".
  package static func stem(of path: String) -> String {
    String(path.dropLast(suffix(of: path)?.count ?? 0))
  }

  /// Whether the file has the voxels of an image whose header is in another file, "a.img".
  package static func isVoxelFile(_ path: String) -> Bool {
    suffix(of: path).map { voxelFileSuffixes.contains($0) } ?? false
  }

  /// Whether the name says that the content is gzip.
  package static func isGzip(_ path: String) -> Bool { FilePath.hasSuffix(".gz", path) }
}
