/// The content of a column of a worklist file.
enum WorklistColumn: Equatable {
  case name
  case image
  case mask(String)
  case probabilities
  case other(String)

  /// The content of a column with this heading.
  ///
  /// Columns of images, masks and probabilities may be numbered ("mask2"), and masks may be named ("mask:NAME").
  init(heading: String) {
    let key = heading.lowercased()
    if key == "case" {
      self = .name
    } else if Self.isNumbered(key, "image") {
      self = .image
    } else if Self.isNumbered(key, "probabilities") {
      self = .probabilities
    } else if Self.isNumbered(key, "mask") {
      self = .mask(key)
    } else if key.hasPrefix("mask:"), key.count > "mask:".count {
      self = .mask(String(heading.dropFirst("mask:".count)))
    } else {
      self = .other(heading)
    }
  }

  /// The identity of a column, of which there may be only one; letter case matters in names that users gave.
  struct Key: Hashable {
    private let text: String

    init(heading: String) {
      let isOwn =
        switch WorklistColumn(heading: heading) {
        case .other: true
        case .mask(let name): name != heading.lowercased()
        case .name, .image, .probabilities: false
        }
      text = isOwn ? heading : heading.lowercased()
    }
  }

  /// The heading of a mask's column.
  static func heading(ofMask name: String) -> String { isNumbered(name, "mask") ? name : "mask:\(name)" }

  /// The heading of the column of the images or probabilities with this index, from 0.
  static func heading(_ name: String, at index: Int) -> String { index == 0 ? name : "\(name)\(index + 1)" }

  private static func isNumbered(_ key: String, _ name: String) -> Bool {
    key.hasPrefix(name) && key.utf8.dropFirst(name.utf8.count).allSatisfy { (48...57).contains($0) }
  }
}
