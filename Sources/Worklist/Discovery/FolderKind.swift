/// What the name of a folder says: whether it holds images or labels, and of which split of a data set.
struct FolderKind: Equatable {
  var holdsLabels: Bool
  /// The split in lower case: "tr" for "imagesTr"; empty for "images".
  var split: String

  private static let imageNames: Set<String> = ["images", "image", "imgs", "img", "volumes", "scans"]
  private static let labelNames: Set<String> = [
    "labels", "label", "masks", "mask", "segs", "seg", "segmentations", "segmentation", "annotations", "gt",
    "predictions", "prediction", "preds", "pred",
  ]
  /// The prefixes of words that mean masks in the name of a folder beside a folder of images.
  private static let labelPrefixes = ["label", "mask", "seg", "pred"]
  private static let splits = ["train", "test", "val", "tr", "ts", "va", "te"]

  /// The kind of a folder with this name; nil where the name is neither one for images nor one for labels.
  init?(_ name: String) {
    let name = name.lowercased()
    let split = Self.splits.first { name.hasSuffix($0) && name.count > $0.count } ?? ""
    let base = name.dropLast(split.count).filter { $0 != "_" && $0 != "-" }
    guard Self.imageNames.contains(base) || Self.labelNames.contains(base) else { return nil }
    (holdsLabels, self.split) = (Self.labelNames.contains(base), split)
  }

  /// The kind of a folder beside a folder of images.
  ///
  /// It holds masks where a word of its name begins like a word for masks ("labelsPred", "labelsTr_pred",
  /// "nnunet_predictions"); nil for any other name.
  init?(besideImages name: String) {
    if let known = FolderKind(name) {
      self = known
      return
    }
    let words = NameParts(name).words
    guard words.contains(where: { word in Self.labelPrefixes.contains { word.hasPrefix($0) } }) else {
      return nil
    }
    holdsLabels = true
    split =
      words.compactMap { FolderKind($0)?.split }.first { !$0.isEmpty }
      ?? words.first { Self.splits.contains($0) } ?? ""
  }
}
