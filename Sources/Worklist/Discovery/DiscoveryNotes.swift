import Work

/// The files of a search that are not used.
///
/// All files with the same reason become one line of text.
struct DiscoveryNotes {
  enum Kind: Int, CaseIterable {
    case unreadable, tooDeep, dicom, damagedDICOM, twice, besideImages, maskWithoutImage, ambiguous,
      furtherMask, reviewExport

    /// The reason for a number of files: "3 masks without an image".
    func text(_ count: Int) -> String {
      switch self {
      case .unreadable: counted(count, "folder") + " cannot be read"
      case .tooDeep: counted(count, "folder lies", "folders lie") + " too deep"
      case .dicom: counted(count, "folder") + " of DICOM files without an image"
      case .damagedDICOM: counted(count, "DICOM file") + " cannot be read"
      case .twice: counted(count, "image is", "images are") + " found twice and ignored"
      case .besideImages:
        counted(count, "folder") + " beside the images not used (--labels FOLDER adds a version)"
      case .maskWithoutImage: counted(count, "mask") + " without an image"
      case .ambiguous: counted(count, "mask fits", "masks fit") + " several images"
      case .furtherMask: counted(count, "further mask") + " of a pipeline not used"
      case .reviewExport:
        counted(count, "mask") + " exported from a review not listed (:mask FILE opens one beside a case)"
      }
    }
  }

  /// The maximum number of file names in a line.
  private static let nameCount = 3
  private var names: [Kind: [String]] = [:]

  mutating func add(_ kind: Kind, _ name: String) { names[kind, default: []].append(name) }

  mutating func add(_ other: DiscoveryNotes) {
    names.merge(other.names) { $0 + $1 }
  }

  /// The notes, a line for each kind.
  var lines: [String] { Kind.allCases.compactMap(line) }

  /// The line of a kind; nil where no file is of this kind.
  func line(_ kind: Kind) -> String? {
    guard let names = names[kind] else { return nil }
    let more = names.count > Self.nameCount ? " and \(names.count - Self.nameCount) more" : ""
    return "\(kind.text(names.count)): \(names.prefix(Self.nameCount).joined(separator: ", "))\(more)"
  }
}
