import ImageFormats
import Metrics
import Pictures
import Report
import Volumes
import Work
import Worklist

/// The content of a case's files: the comparison of masks A and B, and pictures.
struct ReportedContent {
  private var comparison: [ComparedStructure] = []
  private var pictures: [ReportedPicture] = []
  private var problems: [String]
  private let missingFiles: [String]

  /// Reads the files of a case that were not read before.
  ///
  /// A file that cannot be read becomes one of ``problems``; the others are still used.
  /// - Parameters:
  ///   - pairings: The pairings of labels that readers chose for the first two masks.
  ///   - masks: The first two masks on the grid of the first, where they were read already; nil where not.
  ///   - style: The style of the pictures; nil for no pictures.
  /// - Throws: ``Cancelled``.
  init(
    _ item: WorklistCase, pairings: CasePairings, masks read: [ReadCase.Mask]?, toleranceMillimetres: Double,
    style: PictureStyle?, work: WorkContext
  ) throws(Cancelled) {
    missingFiles = item.missingFiles
    problems = missingFiles.map { "\($0): no such file" }
    let missing = Set(missingFiles)
    let files = item.masks.prefix(2).filter { !missing.contains($0.path) }
    let hasImage = style != nil && !missing.contains(item.images[0])
    var content =
      if let read {
        try ReadCase(item, hasImage: hasImage, reading: read, of: files, work: work.part(0...0.3))
      } else {
        try ReadCase(item, hasImage: hasImage, masks: files, work: work.part(0...0.3))
      }
    content.pairings = pairings
    add(content.problems.map(\.description))
    work.report(0.3)
    do {
      comparison = try Self.comparison(
        content, toleranceMillimetres: toleranceMillimetres, work: work.part(0.3...0.7))
      if let style, let image = content.image {
        pictures = try Self.pictures(image, content, style, work: work.part(0.7...1))
      }
    } catch let error as InputError {
      problems.append(error.description)
    } catch is Cancelled {
      throw Cancelled()
    } catch {
      problems.append("\(error)")
    }
  }

  /// Adds problems that are not known yet, so that a missing file is reported once.
  private mutating func add(_ texts: [String]) {
    for text in texts where !problems.contains(text) {
      if !missingFiles.contains(where: { text.hasPrefix($0 + ":") }) { problems.append(text) }
    }
  }

  /// The case of a report.
  /// - Parameter known: What was found to be wrong when its masks were measured.
  func reported(_ row: CaseRow, problems known: [String]) -> ReportedCase {
    var all = self
    all.problems = missingFiles.map { "\($0): no such file" }
    all.add(known + problems)
    return ReportedCase(row, comparison: comparison, problems: all.problems, pictures: pictures)
  }

  /// The comparison of the first two masks of a case, structure by structure; empty with fewer than two.
  /// - Throws: ``Cancelled``.
  static func comparison(
    _ content: ReadCase, toleranceMillimetres: Double, work: WorkContext
  ) throws(Cancelled) -> [ComparedStructure] {
    guard content.masks.count > 1 else { return [] }
    let (a, b) = (content.masks[0].fitted.labels, content.masks[1].fitted.labels)
    let extents = try LabelExtents(reference: a, other: b, work: work.withoutProgress)
    let structures = try content.structures(extents, work: work.withoutProgress)
    return try structures.enumerated().map { position, structure throws(Cancelled) in
      let compared = try StructureComparison(
        structure, reference: a, other: b, toleranceMillimetres: toleranceMillimetres, extents: extents,
        work: work.withoutProgress)
      work.report(Double(position + 1) / Double(structures.count))
      return ComparedStructure(
        name: compared.name, valuesA: structure.referenceValues.map(a.coding.value(of:)),
        millilitresA: compared.referenceMillilitres,
        millilitresB: compared.otherMillilitres,
        dice: compared.foundIn == .neither ? nil : compared.overlap.dice,
        hd95Millimetres: compared.distances?.percentile95Millimetres,
        averageDistanceMillimetres: compared.distances?.averageMillimetres,
        surfaceDice: compared.surfaceDice)
    }
  }

  private static func pictures(
    _ image: ScalarVolume, _ content: ReadCase, _ style: PictureStyle, work: WorkContext
  ) throws -> [ReportedPicture] {
    let painter = try CasePainter(image, content, style, work: work.withoutProgress)
    let pictures = try painter.reported(work: work.withoutProgress).map { picture throws(InputError) in
      ReportedPicture(
        title: picture.title.isEmpty ? "image" : picture.title,
        legend: picture.legend.map { .init(colour: $0.colour.hexadecimal, text: $0.text) },
        png: try picture.picture.png(subject: "picture"), width: picture.picture.width,
        height: picture.picture.height)
    }
    work.report(1)
    return pictures
  }
}
