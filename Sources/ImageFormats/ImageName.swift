import Work

/// Names of image files: which suffixes there are, in small or capital letters.
package enum ImageName {
  /// Every suffix of an image, the longer ones first.
  private static let suffixes = [".nii.gz", ".hdr.gz", ".img.gz", ".nii", ".hdr", ".img"]

  private static let writtenSuffixes = [".nii", ".nii.gz"]

  /// Refuses a name under which no image is written.
  /// - Throws: ``InputError`` for another suffix.
  package static func requireWritable(_ path: String) throws(InputError) {
    try FilePath.requireSuffix(writtenSuffixes, of: path, toWrite: "an image")
  }

  /// The suffix of an image, in small letters; nil when the name has none of them.
  package static func suffix(of path: String) -> String? {
    let name = path.lowercased()
    return suffixes.first { name.hasSuffix($0) }
  }

  /// The path without an image's suffix: "a/b" of "a/b.NII.gz", and all of "a/b.txt".
  package static func stem(of path: String) -> String {
    String(path.dropLast(suffix(of: path)?.count ?? 0))
  }
}
