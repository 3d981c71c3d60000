import ArgumentParser
import Foundation
import ImageFormats
import Pictures
import Volumes
import Work
import Worklist

/// `segdeck render`: pictures of images under their masks.
struct RenderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "render", abstract: "Draw images under their masks as PNG pictures.",
    discussion: """
      One image becomes one picture: three planes through the middle of its largest label, one plane, or slices of a \
      plane. Each mask is drawn on its own; --difference draws where the first two differ. A folder or worklist file \
      becomes such a picture for each case, CASE.png in the folder of -o, or one contact sheet where -o is NAME.png.

        segdeck render scan.nii.gz --mask liver.nii.gz -o scan.png
        segdeck render scan.nii.gz --mask a.nii.gz --mask b.nii.gz --difference --plane axial --every 4 -o slices.png
        segdeck render cases --labels nnunet --columns 2 -o sheet.png

      The patient's right is on the left, pixels are square in millimetres, intensities are interpolated and labels \
      are not. A label of one voxel shows however small the picture is.
      """)

  @Argument(
    help:
      "An image (a file, or a folder of one DICOM series), a folder of cases, or a worklist file (.csv, .tsv).",
    completion: .file())
  var place: String

  @Option(help: "A mask of the image; may be given more than once.", completion: .file())
  var mask: [String] = []

  @OptionGroup var cases: CaseListOptions

  @OptionGroup var options: PictureOptions

  @OptionGroup var series: SeriesOption

  @OptionGroup var segments: SegmentOptions

  @Option(help: "The frame of a 4D image, from 0.", transform: OptionParsing.wholeNumber)
  var frame: Int?

  @Option(
    name: .shortAndLong, help: "The picture to write, NAME.png, or a folder for pictures of many cases.")
  var output: String

  @Flag(help: "Replace existing pictures.")
  var force = false

  @OptionGroup var threads: WorkOptions

  /// Whether the place is a list of cases.
  ///
  /// A folder that directly holds DICOM files, or the files of one series in several folders, is one image where an
  /// option is about one image. Where it directly holds one series and no segmentation, it is one image also without
  /// such an option.
  private func isList() throws -> Bool {
    let name = place.lowercased()
    guard series.series == nil else { return false }
    guard FileSystem.isFolder(place) else { return name.hasSuffix(".csv") || name.hasSuffix(".tsv") }
    guard cases.given.isEmpty else { return true }
    let isAboutOneImage = !mask.isEmpty || frame != nil || !segments.options.isEmpty
    guard DicomListing.holdsDICOM(folder: place) else {
      return try !isAboutOneImage || DicomListing.dividedImage(below: place) == nil
    }
    guard !isAboutOneImage else { return false }
    guard writesOneFile else { return true }
    let listing = try DicomListing(place, work: threads.context("searching").withoutProgress)
    return listing.series.count != 1 || !listing.segmentations.isEmpty
  }

  /// Suffixes of pictures that are not written: a folder of such a name is a mistake.
  private static let otherSuffixes = [
    ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".svg", ".pdf", ".html",
  ]

  /// Whether the output is a picture, not a folder of pictures.
  private var writesOneFile: Bool { output.lowercased().hasSuffix(".png") && !FileSystem.isFolder(output) }

  func run() throws {
    let slices = try options.sliceChoice()
    guard try isList() else { return try renderImage(slices) }
    guard mask.isEmpty, frame == nil else {
      throw InputError(
        mask.isEmpty ? "--frame" : "--mask", "is about one image", found: "the cases of \(place)")
    }
    guard segments.options.isEmpty else {
      throw InputError(
        segments.options.words.joined(separator: " "), "is about one image", found: "the cases of \(place)")
    }
    let listing = try cases.listing(of: place, work: threads.context("searching"))
    try listing.registerFiles()
    if writesOneFile {
      try renderSheet(listing, slices)
    } else {
      try renderFolder(listing, slices)
    }
  }

  private func renderImage(_ slices: SliceChoice?) throws {
    if let option = cases.given.first {
      throw InputError(
        option, "chooses cases", found: "the image \(place)", expected: "a folder or a worklist file")
    }
    try options.requireEffect(maskCount: mask.count, isMontage: slices != nil)
    guard !options.difference || mask.count == 2 else {
      throw InputError(
        "--difference", "compares two masks", found: "\(mask.count)", expected: "--mask A --mask B")
    }
    let style = try options.style(width: options.width ?? 1200)
    for file in [place] + mask { try ReadFiles.register(file) }
    let choices = Dictionary(zip(mask, try segments.options(forMasks: mask))) { first, _ in first }
    let path = try OutputPath(output, kind: .pixels, isForced: force)
    let work = threads.context("drawing")
    let content = try ReadCase(
      image: place, frame: frame, series: series.options,
      masks: zip(maskNames, mask).map { (name: $0, path: $1) }, choices: choices,
      work: work.part(0...0.5))
    // A problem of a case in a list is a note; for a single image it is an error.
    if let problem = content.problems.first { throw problem }
    guard let image = content.image else { preconditionFailure("an image without a problem was read") }
    let picture = try picture(
      image, content, style, slices, columns: options.columns, heading: FilePath.name(of: place),
      work: work.part(0.5...1))
    try AtomicFile.write(picture.png(subject: output), to: path.path)
    work.report(1)
    try Console.print("\(picture.width)x\(picture.height) pixels in \(output.printableLine)")
  }

  /// The names of the masks: their file names, or their paths where two have the same.
  private var maskNames: [String] {
    let names = mask.map(FilePath.name(of:))
    return Set(names).count == names.count ? names : mask
  }

  /// The pictures of an image below each other.
  /// - Parameter columns: Those of its slices; nil for as many as fit.
  private func picture(
    _ image: ScalarVolume, _ content: ReadCase, _ style: PictureStyle, _ slices: SliceChoice?, columns: Int?,
    heading: String,
    work: WorkContext
  ) throws -> Picture {
    let painter = try CasePainter(image, content, style, work: work.part(0...0.3))
    let drawn: [CasePicture]
    if let slices {
      drawn = [
        try painter.montage(
          style.plane ?? .axial, slices: slices, columns: columns,
          showsDifference: options.difference, work: work.part(0.3...1))
      ]
    } else if options.difference, let difference = try painter.difference(work: work.part(0.3...1)) {
      drawn = [difference]
    } else {
      drawn = painter.overlays
    }
    let parts = drawn.map { options.noCaption ? $0.picture : $0.captioned(heading) }
    return parts.count == 1 ? parts[0] : ContactSheet(columns: 1, gap: 4).picture(of: parts)
  }

  /// The picture of a case of a list: each of its masks, or the difference of the first two; nil where its image cannot
  /// be read, with a note.
  private func picture(
    of row: CaseRow, _ style: PictureStyle, _ slices: SliceChoice?, work: WorkContext
  ) throws -> Picture? {
    let item = row.item
    let masks = options.difference ? Array(item.masks.prefix(2)) : item.masks
    var content = try ReadCase(item, masks: masks, work: work.part(0...0.5))
    content.pairings = row.pairings
    for problem in content.problems { Console.note("\(item.name): \(problem.description)") }
    guard let image = content.image else { return nil }
    do {
      return try picture(
        image, content, style, slices, columns: nil, heading: item.name, work: work.part(0.5...1))
    } catch let error as InputError {
      Console.note("\(item.name): \(error.description)")
      return nil
    }
  }

  /// Draws each case in turn.
  private func draw(
    _ rows: [CaseRow], _ style: PictureStyle, _ slices: SliceChoice?,
    _ body: (_ position: Int, _ picture: Picture?) throws -> Void
  ) throws {
    let work = threads.context("drawing")
    for (position, row) in rows.enumerated() {
      let part = work.part(Double(position) / Double(rows.count)...Double(position + 1) / Double(rows.count))
      try body(position, try picture(of: row, style, slices, work: part))
    }
    work.report(1)
  }

  private func rows(_ listing: CaseListing) throws -> [CaseRow] {
    let isMeasured = listing.query.needsMeasures || listing.order?.column.needsMeasures == true
    let rows = try listing.rows(measuring: isMeasured ? threads.context("measuring") : nil) { item, problem in
      Console.note("\(item.name): \(problem)")
    }
    guard !rows.isEmpty else { throw InputError(place, "has no case to draw") }
    return rows
  }

  private func renderSheet(_ listing: CaseListing, _ slices: SliceChoice?) throws {
    let path = try OutputPath(output, kind: .pixels, isForced: force)
    let rows = try rows(listing)
    let sheet = ContactSheet(columns: min(options.columns ?? 3, rows.count))
    var style = try options.style(width: sheet.cellWidth(ofWidth: options.width ?? 1920))
    // One long, narrow image must not make its row much higher than the others.
    if style.plane == nil { style.maximumHeight = style.width * 2 / 3 }
    var cells: [Picture] = []
    try draw(rows, style, slices) { position, picture in
      let heading = "\(rows[position].item.name)  cannot be read"
      cells.append(picture ?? PictureCaption([heading]).below(Picture(width: style.width, height: 60)))
      let height = cells.map(\.height).max() ?? 0
      let lines = (rows.count + sheet.columns - 1) / sheet.columns
      guard lines * (height + sheet.gap) <= Picture.maximumExtent else {
        throw InputError(
          output, "would be too high a picture", found: "\(lines) rows of \(height) pixels",
          expected: "more --columns, less --width, or a folder")
      }
    }
    let byteCount = cells.reduce(0) { $0 + $1.bytes.count }
    // The sheet, and its file.
    try AvailableMemory.require(2 * byteCount, subject: output, "its contact sheet")
    let whole = sheet.picture(of: cells)
    try AtomicFile.write(whole.png(subject: output), to: path.path)
    try Console.print(
      "\(counted(rows.count, "case")), \(whole.width)x\(whole.height) pixels in \(output.printableLine)")
  }

  /// Writes each picture when it is drawn, so that finished pictures stay when the command is cancelled.
  private func renderFolder(_ listing: CaseListing, _ slices: SliceChoice?) throws {
    if options.columns != nil {
      throw InputError("--columns", "is about a contact sheet", found: "a folder", expected: "-o NAME.png")
    }
    if !FileSystem.isFolder(output), Self.otherSuffixes.contains(where: { FilePath.hasSuffix($0, output) }) {
      throw InputError(
        output, "is no name of a picture that can be written",
        expected: "NAME.png, or a folder for the pictures")
    }
    let style = try options.style(width: options.width ?? 1200)
    let rows = try rows(listing)
    let count = try OutputFolder.filled(output) { try write(rows, style, slices) }
    try Console.print("\(counted(count, "picture")) in \(output.printableLine)")
  }

  /// Writes a picture of each case, and returns how many.
  private func write(_ rows: [CaseRow], _ style: PictureStyle, _ slices: SliceChoice?) throws -> Int {
    let names = PictureNames.distinct(rows.map(\.item.name))
    let paths = try names.map { name throws(InputError) in
      try OutputPath(FilePath.joined(output, name + ".png"), kind: .pixels, isForced: force)
    }
    var count = 0
    do {
      try draw(rows, style, slices) { position, picture in
        guard let picture else { return }
        let path = paths[position].path
        try AtomicFile.write(picture.png(subject: path), to: path)
        count += 1
      }
    } catch is Cancelled where count > 0 && !Interruption.cancellation().isShortOfMemory {
      throw InputError("cancelled", "after \(counted(count, "picture")) in \(output)")
    }
    guard count > 0 else { throw InputError(place, "has no case that can be drawn") }
    return count
  }
}

/// Names of files for pictures of cases.
enum PictureNames {
  /// A file name for each case that every system accepts: without folders, control characters, `\ : * ? " < > |`, a
  /// leading dot, and blanks or dots at its ends; later ones of equal names get a number.
  static func distinct(_ names: [String]) -> [String] {
    var taken: Set<String> = []
    return names.map { name in
      var plain = Substring(name.printableLine.map { "/\\:*?\"<>|".contains($0) ? "_" : $0 })
      plain = plain.drop { $0.isWhitespace }
      while let last = plain.last, last.isWhitespace || last == "." { plain.removeLast() }
      let base = plain.isEmpty || plain.hasPrefix(".") ? "_" + plain : String(plain)
      var (unique, number) = (base, 2)
      while !taken.insert(unique.lowercased()).inserted {
        unique = "\(base) \(number)"
        number += 1
      }
      return unique
    }
  }
}
