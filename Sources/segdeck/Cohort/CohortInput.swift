import Cohort
import Foundation
import ImageFormats
import Segmentation
import Volumes
import Work
import Worklist

/// The images of a case, read before its computation begins.
struct CohortInput: Sendable {
  let item: WorklistCase
  let attempt: Int
  /// The image, and those of the network's further channels.
  let opened: [OpenedImage]
  let volumes: [ScalarVolume]
  /// What a reader should know of the images, a line each.
  let notes: [String]
  let readingSeconds: Double

  /// Reads the images of a case as `segment` does.
  /// - Throws: ``InputError`` when one cannot be read or does not fit the model; ``Cancelled``.
  init(_ item: WorklistCase, attempt: Int, model: SegmentationModel, work: WorkContext) throws {
    let start = ContinuousClock.now
    self.item = item
    self.attempt = attempt
    var notes: [String] = []
    let paths = try Self.paths(of: item, model) { notes.append($0) }
    opened = try paths.enumerated().map { index, path in
      try OpenedImage(
        path, options: index == 0 ? item.imageChoice() : ImageReadingOptions(), work: work.withoutProgress)
    }
    let files = opened.map(\.image)
    try files.requireOneGrid()
    volumes = try files.map { try $0.scalarVolume(frame: nil, work: work.withoutProgress) }
    if let warning = model.preprocessing.mismatch(with: volumes) { notes.append(warning) }
    notes += files.flatMap { $0.findings.map(\.description) }
    self.notes = notes
    readingSeconds = (ContinuousClock.now - start) / .seconds(1)
  }

  /// The images that a model takes of a case: those of the worklist, else the files of channels beside the first.
  private static func paths(
    of item: WorklistCase, _ model: SegmentationModel, note: (String) -> Void
  ) throws(InputError) -> [String] {
    let count = model.preprocessing.channels.count
    let given = Array(item.images.prefix(count).dropFirst())
    return [item.images[0]]
      + (try model.furtherImages(
        beside: item.images[0], given: given,
        remedy: ", in the columns image, image2 and so on, or as CASE_0000, CASE_0001 in one folder",
        note: note))
  }

  /// The SHA-256 of the contents of all files, and of what was chosen of them.
  /// - Throws: ``InputError``; ``Cancelled``.
  func imagesSHA256(_ work: WorkContext) throws -> String { try Self.sha256(of: opened, work) }

  private static func sha256(of images: [OpenedImage], _ work: WorkContext) throws -> String {
    let files = try images.map { try $0.recorded(work) }
    return try ContentDigest.sha256(
      of: files.flatMap { file in
        ([file] + (file.parts ?? [])).map { $0.sha256 ?? "" } + (file.choice?.words ?? [])
      })
  }

  /// The SHA-256 of the images of a case that are on the disk now; nil where they cannot be opened.
  /// - Throws: ``Cancelled``.
  static func imagesSHA256(
    of item: WorklistCase, _ model: SegmentationModel, _ work: WorkContext
  ) throws(Cancelled) -> String? {
    do {
      let images = try paths(of: item, model) { _ in }.enumerated().map { index, path in
        try OpenedImage(path, options: index == 0 ? item.imageChoice() : ImageReadingOptions(), work: work)
      }
      return try sha256(of: images, work)
    } catch is Cancelled { throw Cancelled() } catch { return nil }
  }

  /// The files of the images that a record names; those of the worklist where they cannot be opened.
  static func inputs(of item: WorklistCase, opened: [OpenedImage] = []) -> [CohortRecord.InputFile] {
    let files = opened.isEmpty ? item.images : opened.flatMap(\.image.files)
    // Of a series with many files, the folder's time says whether one came or went.
    let named = files.count > maximumFileCount ? item.images : files
    return named.map { CohortRecord.InputFile(path: FilePath.absolute($0)) }
  }

  private static let maximumFileCount = 16
}
