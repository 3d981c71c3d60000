import Work

/// The name of an image in a BIDS dataset: `sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz`.
package struct BIDSName: Equatable, Sendable {
  /// The folder below the dataset: "sub-01/ses-1/anat".
  package let folder: String
  /// The name up to its suffix: "sub-01_ses-1".
  package let entities: String
  /// "T1w".
  package let suffix: String

  /// The name of an image; nil where its path is not that of an image of a subject.
  package init?(ofImage path: String) {
    let parts = path.split(separator: "/").map(String.init)
    guard let file = parts.last, let subject = parts.dropLast().lastIndex(where: { $0.hasPrefix("sub-") }),
      let stem = file.split(separator: ".", omittingEmptySubsequences: false).first,
      let end = stem.lastIndex(of: "_"), stem.hasPrefix(parts[subject] + "_")
    else { return nil }
    folder = parts[subject..<(parts.count - 1)].joined(separator: "/")
    entities = String(stem[..<end])
    suffix = String(stem[stem.index(after: end)...])
  }

  /// The path of a file derived from the image, from the folder of the derivative.
  /// - Parameters:
  ///   - description: What made it; letters and digits remain.
  ///   - suffix: The file's own: "dseg.nii.gz".
  package func derivative(description: String, suffix: String) -> String {
    let plain = description.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    let entity = plain.isEmpty ? "" : "_desc-\(plain)"
    return FilePath.joined(folder, "\(entities)\(entity)_\(suffix)")
  }
}
