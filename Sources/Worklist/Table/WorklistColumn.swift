/// The content of a column of a worklist file.
enum WorklistColumn: Equatable {
  case name
  case image
  case mask(String)
  case probabilities
  case other(String)

  /// The heading of the column with the choice of one of several series.
  static let series = "series"
  /// The headings of the columns with the choices of a segment and of a layer of the mask of the column `mask`.
  static let segment = "segment"
  static let layer = "layer"

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
    } else if let choice = Self.choiceHeading(heading, key) {
      self = .other(choice)
    } else {
      self = .other(heading)
    }
  }

  /// The identity of a column, of which there may be only one; letter case matters in names that users gave.
  struct Key: Hashable {
    private let text: String

    init(heading: String) {
      text =
        switch WorklistColumn(heading: heading) {
        case .other(let name): name
        case .mask(let name): name != heading.lowercased() ? heading : heading.lowercased()
        case .name, .image, .probabilities: heading.lowercased()
        }
    }
  }

  /// The heading of a column of choices as ``heading(ofPart:ofMask:)`` gives it, whatever its letter case; nil for any
  /// other column.
  private static func choiceHeading(_ heading: String, _ key: String) -> String? {
    if key == series { return series }
    guard let part = [segment, layer].first(where: { key.hasPrefix($0) }) else { return nil }
    if isNumbered(key, part) { return key }
    let rest = heading.dropFirst(part.count)
    return rest.hasPrefix(":") && rest.count > 1 ? part + rest : nil
  }

  /// The heading of the column with the choice of a part (``segment``, ``layer``) of a mask: "segment2" for "mask2",
  /// "segment:NAME" for "mask:NAME".
  static func heading(ofPart part: String, ofMask name: String) -> String {
    part + heading(ofMask: name).dropFirst("mask".count)
  }

  /// The heading of a mask's column.
  static func heading(ofMask name: String) -> String { isNumbered(name, "mask") ? name : "mask:\(name)" }

  /// The heading of the column of the images or probabilities with this index, from 0.
  static func heading(_ name: String, at index: Int) -> String { index == 0 ? name : "\(name)\(index + 1)" }

  private static func isNumbered(_ key: String, _ name: String) -> Bool {
    key.hasPrefix(name) && key.utf8.dropFirst(name.utf8.count).allSatisfy { (48...57).contains($0) }
  }
}
