import ImageFormats
import Work
import Worklist

/// Measures how uncertain networks were about the labels of cases, or reads what was measured before.
enum WorklistUncertainty {
  /// The cached uncertainties: of the case's file of probabilities, and of networks that ran in reviews of its image.
  /// - Returns: `isComplete` is false where the file has to be read.
  static func known(
    _ item: WorklistCase, _ cache: MeasureCache
  ) -> (uncertainties: [LabelUncertainty], isComplete: Bool) {
    let runs = runKey(item).flatMap { cache.uncertainties(for: $0) } ?? []
    guard let key = fileKey(item) else { return (runs, true) }
    let ofFile = cache.uncertainties(for: key)
    return ((ofFile ?? []).merged(with: runs), ofFile != nil)
  }

  /// Reads the case's file of probabilities and measures its uncertainties; empty for a case without such a file.
  /// - Throws: `InputError` where it cannot be read or does not lie on the image's grid; `Cancelled`.
  static func ofFile(_ item: WorklistCase, work: WorkContext) throws -> [LabelUncertainty] {
    guard fileKey(item) != nil, let path = item.probabilities.first, let image = item.images.first else {
      return []
    }
    let grid = try ImageFile.open(image, options: item.imageChoice()).grid
    return try FileEntropies(path, on: grid, work: work).labels
  }

  /// Caches the uncertainties of a case's file of probabilities.
  /// - Throws: ``InputError`` when the cache cannot be written.
  static func store(
    _ uncertainties: [LabelUncertainty], ofFileOf item: WorklistCase, _ cache: MeasureCache
  ) throws(InputError) {
    if let key = fileKey(item) { try cache.store(uncertainties, for: key) }
  }

  /// Caches the uncertainties of a network that ran on the image of a case, in place of its earlier ones.
  /// - Throws: ``InputError`` when the cache cannot be written.
  static func store(
    _ uncertainties: [LabelUncertainty], ofRunOn item: WorklistCase, _ cache: MeasureCache
  ) throws(InputError) {
    guard let key = runKey(item) else { return }
    try cache.store((cache.uncertainties(for: key) ?? []).merged(with: uncertainties), for: key)
  }

  /// The key of the file of probabilities, the file beside it that names its classes, and the image; nil where the case
  /// has no such file, or one of them is missing.
  private static func fileKey(_ item: WorklistCase) -> MeasureCache.Key? {
    guard let path = item.probabilities.first, let image = item.images.first else { return nil }
    let sidecar = [MaskRecord.path(besideMask: path)].filter(FileSystem.exists)
    return MeasureCache.Key(
      files: [path, image] + sidecar, choices: item.imageChoiceTexts, content: .probabilities)
  }

  private static func runKey(_ item: WorklistCase) -> MeasureCache.Key? {
    item.images.first.flatMap {
      MeasureCache.Key(files: [$0], choices: item.imageChoiceTexts, content: .networkRuns)
    }
  }
}
