import ImageFormats
import Work
import Worklist

/// Measures the masks of cases, or takes what was measured before.
enum WorklistMeasuring {
  /// Fills in measures and flags of every row; a case whose masks cannot be read has none.
  /// - Parameter problem: Receives what is wrong with a case, which goes on without its measures.
  /// - Throws: ``Cancelled``.
  static func measure(
    _ rows: inout [CaseRow], work: WorkContext, problem: (WorklistCase, String) -> Void
  ) throws(Cancelled) {
    let cache = MeasureCache()
    cache.prune()
    var canStore = true
    for index in rows.indices {
      let fraction = 1 / Double(rows.count)
      let part = work.part(Double(index) * fraction...min(1, Double(index + 1) * fraction))
      let item = rows[index].item
      do {
        if let known = known(item, cache) {
          rows[index].measures = known
        } else {
          rows[index].measures = try measures(
            item, work: part, found: { $0.reportFindings() }, note: { problem(item, $0) })
          if canStore { try store(rows[index].measures, item, cache) }
        }
      } catch let error as InputError {
        // One bad case does not stop the others, and one note tells of a cache that cannot be written.
        canStore = canStore && rows[index].measures == nil
        problem(item, error.description)
      } catch is Cancelled {
        throw Cancelled()
      } catch {
        problem(item, "\(error)")
      }
    }
    work.report(1)
    for (index, flags) in CohortFlags.flags(of: rows.map(\.measures)).enumerated() {
      rows[index].flags = flags
    }
  }

  /// Earlier measures of a case whose masks are still the same; nil for none.
  static func known(_ item: WorklistCase, _ cache: MeasureCache) -> CaseMeasures? {
    key(item).flatMap { cache.measures(for: $0) }
  }

  /// Keeps what was measured of a case.
  /// - Throws: ``InputError`` when the cache cannot be written.
  static func store(_ measures: CaseMeasures?, _ item: WorklistCase, _ cache: MeasureCache) throws(InputError)
  {
    guard let measures, let key = key(item) else { return }
    try cache.store(measures, for: key)
  }

  /// Measures the first mask of a case and compares it with the second; nil for a case without masks.
  ///
  /// - Parameters:
  ///   - found: Receives the masks, for what was found in their files.
  ///   - note: Receives why the second mask is left out, where it does not fit the first.
  /// - Throws: `InputError` for masks that cannot be read; `Cancelled`.
  static func measures(
    _ item: WorklistCase, work: WorkContext, found: (FittedMask) -> Void = { _ in },
    note: (String) -> Void = { _ in }
  ) throws -> CaseMeasures? {
    let paths = maskPaths(item)
    guard !paths.isEmpty else { return nil }
    let masks: [FittedMask]
    do {
      masks = try FittedMask.masks(paths.map { try ImageFile.open($0) }, work: work.withoutProgress)
    } catch let error as InputError where paths.count > 1 {
      var first = item
      first.masks = Array(item.masks.prefix(1))
      let alone = try measures(first, work: work, found: found, note: note)
      note(error.description)
      return alone
    }
    masks.forEach(found)
    return try CaseMeasures(
      of: masks[0].labels, names: masks[0].names, comparedWith: masks.count > 1 ? masks[1].labels : nil,
      otherNames: masks.count > 1 ? masks[1].names : nil, work: work)
  }

  private static func maskPaths(_ item: WorklistCase) -> [String] { item.masks.prefix(2).map(\.path) }

  /// The state of the masks and of the files beside them that name their labels.
  private static func key(_ item: WorklistCase) -> MeasureCache.Key? {
    let paths = maskPaths(item)
    guard !paths.isEmpty else { return nil }
    return MeasureCache.Key(
      files: paths.flatMap { [$0] + LabelNamesFile.neighbours(ofImage: $0).filter(FileSystem.exists) })
  }
}
