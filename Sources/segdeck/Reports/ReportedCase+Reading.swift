import Metrics
import Pictures
import Report
import Volumes
import Work
import Worklist

extension ReportedCase {
  /// A case with the comparison of masks A and B and with pictures, read from its files.
  ///
  /// A file that cannot be read becomes one of ``problems``; the others are still used.
  /// - Parameters:
  ///   - style: The style of the pictures; nil for no pictures.
  ///   - problems: Problems of the case that are known already.
  /// - Throws: ``Cancelled``.
  init(
    reading row: CaseRow, toleranceMillimetres: Double, style: PictureStyle?, problems known: [String],
    work: WorkContext
  ) throws(Cancelled) {
    self.init(row)
    let masks = row.item.masks.prefix(2).map { (name: $0.name, path: $0.path) }
    problems = row.item.missingFiles.map { "\($0): no such file" }
    let missing = Set(row.item.missingFiles)
    let image = row.item.images.first.flatMap { style == nil || missing.contains($0) ? nil : $0 }
    let content = try ReadCase(
      image: image, masks: masks.filter { !missing.contains($0.path) }, work: work.part(0...0.3))
    for problem in known + content.problems.map(\.description) where !problems.contains(problem) {
      // A missing file is reported once.
      if !missing.contains(where: { problem.hasPrefix($0 + ":") }) { problems.append(problem) }
    }
    work.report(0.3)
    do {
      if content.masks.count > 1 {
        comparison = try Self.comparison(
          content, toleranceMillimetres: toleranceMillimetres, work: work.part(0.3...0.7))
      }
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

  private static func comparison(
    _ content: ReadCase, toleranceMillimetres: Double, work: WorkContext
  ) throws(Cancelled) -> [ComparedStructure] {
    let (a, b) = (content.masks[0].fitted.labels, content.masks[1].fitted.labels)
    let extents = try LabelExtents(reference: a, other: b, work: work.withoutProgress)
    let structures = content.structures
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
        surfaceDice: compared.distances?.surfaceDice)
    }
  }

  private static func pictures(
    _ image: ScalarVolume, _ content: ReadCase, _ style: PictureStyle, work: WorkContext
  ) throws -> [ReportedPicture] {
    let painter = try CasePainter(image, content, style, work: work.withoutProgress)
    // The report is about the first mask; the second is shown where it differs from the first.
    let drawn = [painter.overlays.first, try painter.difference(work: work.withoutProgress)].compactMap(
      \.self)
    let pictures = try drawn.map { picture throws(InputError) in
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
