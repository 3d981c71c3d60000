import ImageFormats
import Volumes
import Work
import Worklist

/// Measures the masks of cases, or reads cached measures.
enum WorklistMeasuring {
  /// Fills in measures and flags of every row; a case whose masks cannot be read has none.
  /// - Parameters:
  ///   - problem: Receives what is wrong with a case, which goes on without its measures.
  ///   - read: Receives the masks of a case that had to be read, so that none is read twice.
  /// - Throws: ``Cancelled``.
  static func measure(
    _ rows: inout [CaseRow], work: WorkContext, problem: (WorklistCase, String) -> Void,
    read: (CaseRow, [ReadCase.Mask], WorkContext) throws(Cancelled) -> Void = { _, _, _ in }
  ) throws(Cancelled) {
    let cache = MeasureCache()
    cache.prune()
    var canStore = true
    var unread: [Int: CaseMeasures] = [:]
    for index in rows.indices {
      let fraction = 1 / Double(rows.count)
      let part = work.part(Double(index) * fraction...min(1, Double(index + 1) * fraction))
      let (item, pairings) = (rows[index].item, rows[index].pairings)
      do {
        if let known = known(item, pairings, cache) {
          rows[index].measures = known
        } else if let found = try measured(
          item, pairings, work: part.part(0...0.5), note: { problem(item, $0) })
        {
          rows[index].measures = found.measures
          try read(rows[index], found.masks, part.part(0.5...1))
          if canStore { try store(rows[index].measures, item, pairings, cache) }
        }
      } catch let error as InputError {
        // One bad case does not stop the others, and a cache that cannot be written is reported once.
        canStore = canStore && rows[index].measures == nil
        if rows[index].measures == nil { unread[index] = CaseMeasures(item, unread: error) }
        problem(item, error.description)
      } catch is Cancelled {
        throw Cancelled()
      } catch {
        problem(item, "\(error)")
      }
      rows[index].uncertainties = try uncertainties(item, cache, work: part.withoutProgress) {
        problem(item, $0)
      }.named(by: rows[index].measures)
    }
    work.report(1)
    let flags = CohortFlags.flags(
      of: rows.indices.map { rows[$0].measures ?? unread[$0] }, and: rows.map(\.uncertainties))
    for index in rows.indices { rows[index].flags = flags[index] }
  }

  /// How uncertain networks were about the labels of a case; a file of probabilities that cannot be read counts as none.
  /// - Parameter problem: Receives what is wrong with that file.
  /// - Throws: ``Cancelled``.
  private static func uncertainties(
    _ item: WorklistCase, _ cache: MeasureCache, work: WorkContext, problem: (String) -> Void
  ) throws(Cancelled) -> [LabelUncertainty] {
    let known = WorklistUncertainty.known(item, cache)
    guard !known.isComplete else { return known.uncertainties }
    do {
      let read = try WorklistUncertainty.ofFile(item, work: work)
      // A cache that cannot be written was reported with the masks.
      try? WorklistUncertainty.store(read, ofFileOf: item, cache)
      return read.merged(with: known.uncertainties)
    } catch let error as InputError {
      problem(error.description)
    } catch is Cancelled {
      throw Cancelled()
    } catch {
      problem("\(error)")
    }
    return known.uncertainties
  }

  /// Earlier measures of a case whose masks are still the same; nil for none.
  /// - Parameter pairings: The pairings of labels with which its masks are compared.
  static func known(_ item: WorklistCase, _ pairings: CasePairings, _ cache: MeasureCache) -> CaseMeasures? {
    key(item, pairings).flatMap { cache.measures(for: $0) }
  }

  /// Caches the measures of a case.
  /// - Throws: ``InputError`` when the cache cannot be written.
  static func store(
    _ measures: CaseMeasures?, _ item: WorklistCase, _ pairings: CasePairings, _ cache: MeasureCache
  ) throws(InputError) {
    guard let measures, let key = key(item, pairings) else { return }
    try cache.store(measures, for: key)
  }

  /// Measures the first mask of a case and compares it with the second, and gives both as they were read; nil for a case
  /// without masks.
  /// - Parameters:
  ///   - pairings: The pairings of their labels that readers chose.
  ///   - note: Receives the reason where the second mask cannot be compared with the first and is ignored.
  /// - Throws: `InputError` where the first mask cannot be read; `Cancelled`.
  static func measured(
    _ item: WorklistCase, _ pairings: CasePairings = CasePairings(), work: WorkContext,
    note: (String) -> Void
  ) throws -> (measures: CaseMeasures, masks: [ReadCase.Mask])? {
    guard let masks = try MeasuredMasks(item, work: work.withoutProgress, note: note) else { return nil }
    for mask in masks.masks { mask.fitted.reportFindings() }
    return (try masks.measures(pairings, work: work), masks.masks)
  }

  /// Measures the first mask of a case and compares it with the second; nil for a case without masks.
  /// - Parameter pairings: The pairings of their labels that readers chose.
  /// - Throws: `InputError` where the first mask cannot be read; `Cancelled`.
  static func measures(
    _ item: WorklistCase, _ pairings: CasePairings, work: WorkContext
  ) throws -> CaseMeasures? {
    try MeasuredMasks(item, work: work.withoutProgress) { _ in }?.measures(pairings, work: work)
  }

  /// The state of the image and the masks, of the files beside the compared masks and in their folders that name
  /// their labels, what is read of files with several images, and the pairings of labels; nil for a case without masks.
  static func key(_ item: WorklistCase, _ pairings: CasePairings) -> MeasureCache.Key? {
    guard !item.masks.isEmpty else { return nil }
    let paths = item.masks.map(\.path)
    // A further mask and the image only say whether grids fit; one that is missing is compared with nothing.
    let further = ([item.images.first].compactMap(\.self) + paths.dropFirst(2)).filter(FileSystem.exists)
    return MeasureCache.Key(
      files: paths.prefix(2).flatMap {
        [$0]
          + (LabelNamesFile.neighbours(ofImage: $0) + LabelNamesFile.commonFiles(ofImage: $0))
          .filter(FileSystem.exists)
      } + further, choices: item.choiceTexts, pairings: pairings)
  }
}

/// The first two masks of a case on the grid of the first.
private struct MeasuredMasks {
  /// The masks; without the second where it cannot be compared with the first.
  let masks: [ReadCase.Mask]
  private let misfits: GridMisfits

  /// Reads the masks; nil for a case without any.
  /// - Parameter note: Receives the reason where the second mask cannot be compared with the first and is ignored.
  /// - Throws: `InputError` where the first mask cannot be read; `Cancelled`.
  init?(_ item: WorklistCase, work: WorkContext, note: (String) -> Void) throws {
    guard let first = item.masks.first else { return nil }
    var misfits = GridMisfits(of: item)
    let opened = try ImageFile.open(first.path, options: item.choice(of: first))
    // Slices that a segmentation leaves out are part of the image: a label at the last of its own is not cut off there.
    let file = misfits.imageGrid.map { opened.extended(to: $0) } ?? opened
    let fitted: [FittedMask]
    do {
      let other = try item.masks.dropFirst().first.map {
        try misfits.opened($0, of: item, beside: first.name, file.grid)
      }
      fitted = try FittedMask.masks([file] + (other.map { [$0] } ?? []), work: work)
    } catch let error as InputError where item.masks.count > 1 {
      // Where the first mask is at fault, this throws its error.
      fitted = try FittedMask.masks([file], work: work)
      note(error.description)
      misfits.add(item.masks[1], error)
    }
    masks = zip(item.masks, fitted).map { ReadCase.Mask(name: $0.name, fitted: $1) }
    self.misfits = misfits
  }

  /// The measures of the first mask beside the second.
  func measures(_ pairings: CasePairings, work: WorkContext) throws(Cancelled) -> CaseMeasures {
    let (first, other) = (masks[0].fitted, masks.count > 1 ? masks[1].fitted : nil)
    var measures = try CaseMeasures(
      of: first.labels, names: first.names, comparedWith: other?.labels, otherNames: other?.names,
      pairings: pairings, work: work)
    measures.misfits = misfits.lines
    // The borders of a grid that is not the image's are none of the image.
    if misfits.concern(masks[0].name) {
      for index in measures.labels.indices { measures.labels[index].touchedSides = [] }
    }
    // On another grid than the image's, a review has other voxels than the file.
    if misfits.imageGrid?.hasVoxels(of: masks[0].fitted.labels.grid) == true {
      measures.fingerprints = masks.map(\.fitted.labels.fingerprint)
    }
    return measures
  }
}

extension CaseMeasures {
  /// The measures of a case whose first mask cannot be read; nil for a case without masks.
  init?(_ item: WorklistCase, unread error: InputError) {
    guard let first = item.masks.first else { return nil }
    self.init(unreadMask: GridMisfits.unreadMask(first, error))
  }
}

extension VolumeGrid {
  /// Whether both grids have the same voxels in the same order.
  fileprivate func hasVoxels(of other: VolumeGrid) -> Bool {
    size == other.size && orientation == other.orientation
  }
}
