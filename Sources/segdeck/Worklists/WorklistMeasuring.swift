import ImageFormats
import Work
import Worklist

/// Measures the masks of cases, or takes what was measured before.
enum WorklistMeasuring {
  /// Fills in measures and flags of every row; a case whose masks cannot be read has none, with a note.
  /// - Throws: ``Cancelled``.
  static func measure(_ rows: inout [CaseRow], work: WorkContext) throws(Cancelled) {
    let cache = MeasureCache()
    var canStore = true
    for index in rows.indices {
      let share = 1 / Double(rows.count)
      let part = work.part(Double(index) * share...min(1, Double(index + 1) * share))
      let masks = rows[index].item.masks.prefix(2).map(\.path)
      guard !masks.isEmpty, let key = MeasureCache.Key(files: masks.flatMap(files(ofMask:))) else { continue }
      if let known = cache.measures(for: key) {
        rows[index].measures = known
        continue
      }
      do {
        let measures = try self.measures(masks, work: part)
        rows[index].measures = measures
        if canStore { try cache.store(measures, for: key) }
      } catch let error as InputError {
        // One bad case does not stop the others, and one note tells of a cache that cannot be written.
        canStore = canStore && rows[index].measures == nil
        Console.note("\(rows[index].item.name): \(error.description)")
      } catch is Cancelled {
        throw Cancelled()
      } catch {
        Console.note("\(rows[index].item.name): \(error)")
      }
    }
    work.report(1)
    for (index, flags) in CohortFlags.flags(of: rows.map(\.measures)).enumerated() {
      rows[index].flags = flags
    }
  }

  private static func measures(_ paths: [String], work: WorkContext) throws -> CaseMeasures {
    let files = try paths.map { try ImageFile.open($0) }
    let masks = try FittedMask.masks(files, work: work.withoutProgress)
    for mask in masks { mask.reportFindings() }
    return try CaseMeasures(
      of: masks[0].labels, comparedWith: masks.count > 1 ? masks[1].labels : nil, names: masks[0].names,
      work: work)
  }

  /// A mask and the files beside it that name its labels.
  private static func files(ofMask path: String) -> [String] {
    [path] + LabelNamesFile.neighbours(ofImage: path).filter(FileSystem.exists)
  }
}
