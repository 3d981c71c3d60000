/// What the name of an image file says: whether it is an image, a mask or probabilities, and of which subject.
struct FileRole: Equatable {
  enum Kind { case image, mask, probabilities }

  let kind: Kind
  /// The name without words for masks, probabilities and modalities: "case1" for "case1_seg_v2" and for "case1_t1w";
  /// empty for "mask" and "t1".
  let subject: String
  /// The rest of the name from the first word for masks or probabilities on: "seg_v2"; empty for an image.
  let role: String
  /// The name after a leading word for masks or probabilities: "case1" for "seg_case1"; nil where the name does not
  /// begin with one.
  let trailingSubject: String?

  /// Words that mean a mask at any position in a name.
  private static let maskWords: Set<String> = [
    "seg", "segs", "mask", "masks", "msk", "label", "labels", "dseg",
  ]
  /// Words that mean a mask after another word, or as the whole name.
  private static let weakMaskWords: Set<String> = [
    "pred", "preds", "prediction", "predictions", "predicted", "gt", "groundtruth", "truth", "manual", "roi",
    "rois",
    "annotation", "annotations", "annot",
  ]
  private static let probabilityWords: Set<String> = [
    "prob", "probs", "probability", "probabilities", "probseg", "softmax",
  ]
  /// Words for modalities and contrasts: images whose names differ only in these words are of one case.
  private static let imageWords: Set<String> = [
    "image", "images", "img", "imaging", "scan", "vol", "volume", "raw", "orig", "ct", "cta", "pet", "mr",
    "mri", "us",
    "t1", "t1w", "t1ce", "t1c", "t1n", "t1gd", "t2", "t2w", "t2f", "t2star", "flair", "pd", "pdw", "adc",
    "dwi", "swi",
  ]

  /// The role of a file with this name without the suffix of its format.
  init(stem: String) {
    let parts = NameParts(stem)
    let words = parts.words
    func find(_ isWanted: (Int) -> Bool) -> Int? { words.indices.first(where: isWanted) }
    let probabilities = find { FileRole.probabilityWords.contains(words[$0]) }
    let mask = find { index in
      FileRole.isMaskWord(words[index])
        || FileRole.weakMaskWords.contains(words[index]) && (index > 0 || words.count == 1)
    }
    guard let first = [probabilities, mask].compactMap(\.self).min() else {
      kind = .image
      subject = FileRole.subject(ofImage: parts)
      (role, trailingSubject) = ("", nil)
      return
    }
    kind = probabilities == nil ? .mask : .probabilities
    subject = parts.text(0..<first)
    role = parts.text(first..<words.count)
    trailingSubject = first == 0 && words.count > 1 ? parts.text(1..<words.count) : nil
  }

  /// The role of a file that is known to be an image, whatever its name says.
  init(imageStem stem: String) {
    kind = .image
    subject = FileRole.subject(ofImage: NameParts(stem))
    (role, trailingSubject) = ("", nil)
  }

  /// Whether a word means a mask: a word of the list, also with a number ("seg2"), a word that contains "label"
  /// ("labelmap") or begins with "segment", or one that ends with "aseg" (FreeSurfer's "aparc+aseg").
  private static func isMaskWord(_ word: String) -> Bool {
    if word.hasPrefix("segment") || word.hasSuffix("aseg") { return true }
    if word.contains("label") { return !word.hasPrefix("unlabel") }
    return maskWords.contains(String(word.reversed().drop(while: \.isNumber).reversed()))
  }

  /// The name of an image without leading and trailing words for modalities.
  private static func subject(ofImage parts: NameParts) -> String {
    var range = 0..<parts.words.count
    while let last = range.last, imageWords.contains(parts.words[last]) { range.removeLast() }
    while let first = range.first, imageWords.contains(parts.words[first]) { range.removeFirst() }
    return parts.text(range)
  }
}

/// A name split at "_", "-", "." and blanks.
struct NameParts {
  /// The parts in lower case.
  let words: [String]
  private let name: String
  private let ranges: [Range<String.Index>]

  init(_ name: String) {
    self.name = name
    ranges = name.split { "_-. ".contains($0) }.map { $0.startIndex..<$0.endIndex }
    words = ranges.map { name[$0].lowercased() }
  }

  /// The name from the first to the last word of a range; empty for an empty range.
  func text(_ range: Range<Int>) -> String {
    guard !range.isEmpty else { return "" }
    return String(name[ranges[range.lowerBound].lowerBound..<ranges[range.upperBound - 1].upperBound])
  }

  /// The prefixes of whole words, in lower case and separated by "_", the longest first.
  var prefixes: [String] {
    (0..<words.count).reversed().map { words[0...$0].joined(separator: "_") }
  }
}
