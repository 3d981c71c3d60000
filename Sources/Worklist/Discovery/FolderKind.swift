/// The meaning of the name of a folder: whether it holds images or labels, and of which part of a data set.
struct FolderKind: Equatable {
  var holdsLabels: Bool
  /// "tr" of "imagesTr", empty for "images".
  var split: String

  private static let imageNames: Set<String> = ["images", "image", "imgs", "img", "volumes", "scans"]
  private static let labelNames: Set<String> = [
    "labels", "label", "masks", "mask", "segs", "seg", "segmentations", "segmentation", "annotations", "gt",
    "predictions", "prediction", "preds", "pred",
  ]
  /// The beginnings of words that mean masks where images lie beside them.
  private static let labelBeginnings = ["label", "mask", "seg", "pred"]
  private static let splits = ["train", "test", "val", "tr", "ts", "va", "te"]

  /// nil for any other folder.
  init?(_ name: String) {
    let name = name.lowercased()
    let split = Self.splits.first { name.hasSuffix($0) && name.count > $0.count } ?? ""
    let base = name.dropLast(split.count).filter { $0 != "_" && $0 != "-" }
    guard Self.imageNames.contains(base) || Self.labelNames.contains(base) else { return nil }
    (holdsLabels, self.split) = (Self.labelNames.contains(base), split)
  }

  /// The kind of a folder beside a folder of images: masks where a word of its name begins as words for masks do
  /// ("labelsPred", "labelsTr_pred", "nnunet_predictions"); nil for any other.
  init?(besideImages name: String) {
    if let known = FolderKind(name) {
      self = known
      return
    }
    let words = NameParts(name).words
    guard words.contains(where: { word in Self.labelBeginnings.contains { word.hasPrefix($0) } }) else {
      return nil
    }
    holdsLabels = true
    split =
      words.compactMap { FolderKind($0)?.split }.first { !$0.isEmpty }
      ?? words.first { Self.splits.contains($0) } ?? ""
  }
}
