import Work

/// Names of image files of any format, whose suffixes may be in small or capital letters.
package enum ImageName {
  private static let suffixes = ImageFormatList.all.suffixes
  private static let voxelFileSuffixes = ImageFormatList.all.formats.flatMap { $0.voxelFileSuffixes }
  private static let writtenSuffixes = [".nii", ".nii.gz"]

  /// Refuses a name under which no image is written.
  /// - Throws: ``InputError`` for another suffix.
  package static func requireWritable(_ path: String) throws(InputError) {
    try FilePath.requireSuffix(writtenSuffixes, of: path, toWrite: "an image")
  }

  /// The suffix of an image, in small letters; nil when the name has none of them.
  package static func suffix(of path: String) -> String? { suffixes.first { FilePath.hasSuffix($0, path) } }

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
