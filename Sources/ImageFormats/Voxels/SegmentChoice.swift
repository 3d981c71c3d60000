import Work

/// The choice of one segment of a segmentation, as `--segment` makes it, in every format that has segments.
struct SegmentChoice {
  /// A segment that can be chosen.
  struct Candidate {
    /// Its label value in the mask of all segments.
    var number: Int
    var name: String
    /// Its identifier in the file; nil where the format has none.
    var identifier: String?
  }

  /// The number, name or identifier as the user wrote it.
  let text: String

  /// The position of the segment that is meant: the one of this number, else the only one of this name or identifier.
  ///
  /// A segment may be called "2": the number counts first.
  /// - Parameter part: What the candidates are of, for the error where there are none: "layer".
  /// - Throws: ``InputError`` where there is none, or several have that number, name or identifier.
  func position(
    among candidates: [Candidate], of part: String = "file", path: String
  ) throws(InputError) -> Int {
    let key = text.nameKey
    let numbered = candidates.indices.filter { Int(text) == candidates[$0].number }
    let found =
      numbered.isEmpty
      ? candidates.indices.filter { candidates[$0].identifier == text || candidates[$0].name.nameKey == key }
      : numbered
    if found.count == 1 { return found[0] }
    let words = candidates.contains { $0.identifier != nil } ? "name, number or identifier" : "name or number"
    let listed = found.isEmpty ? Array(candidates.indices) : found
    throw InputError(
      path,
      found.isEmpty ? "has no such segment" : "has \(found.count) segments of this \(words)",
      found: "--segment \(text.printableLine)",
      expected: listed.isEmpty
        ? "no --segment, because the \(part) has none"
        : listed.map { "\(candidates[$0].number) \(candidates[$0].name.printableLine)" }.joined(
          separator: ", "))
  }
}
