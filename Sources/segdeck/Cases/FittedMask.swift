import Foundation
import ImageFormats
import Volumes
import Work

/// A mask that was read from a file, on the same grid as an image.
struct FittedMask {
  let labels: LabelVolume
  /// The label names beside the file, if any.
  let names: LabelTable?
  /// Findings without the file's name: "stored as LPS, reoriented to RAS", defects of the file, ignored names.
  let findings: [String]
  private let path: String

  /// Reads masks with one common label coding, and reorients those whose axes have another order or direction.
  ///
  /// - Parameters:
  ///   - image: The image of the masks, on whose grid they are read; nil for the first of them, extended over the
  ///     others where its format leaves out background.
  ///   - frame: The frame of 4D files.
  /// - Throws: ``InputError`` when a file is not a mask, or does not fit the grid, with the first difference;
  ///   ``Cancelled``.
  static func masks(
    _ files: [ImageFile], of image: ImageFile? = nil, frame: Int? = nil, work: WorkContext = WorkContext()
  ) throws -> [FittedMask] {
    guard let first = files.first else { return [] }
    let image = image ?? first.extended(toCover: files.dropFirst().map(\.grid))
    let grid = image.grid
    let files = files.map { $0.extended(to: grid) }
    // Grids are checked first, before any voxels are read.
    for file in files { _ = try file.fit(on: grid) }
    var volumes = try work.concurrentMap(files) {
      try $0.labelVolume(frame: frame, work: work.withoutProgress) as LabelVolume?
    }
    let values = volumes.map { $0?.values() ?? [] }
    guard let coding = LabelCoding(of: values.reduce(into: []) { $0.formUnion($1) }) else {
      throw InputError(
        files[0].path, "its masks hold too many label values",
        found: "more than \(LabelCoding.maximumValueCount) together",
        expected: "\(LabelCoding.maximumValueCount) or fewer")
    }
    return try files.indices.compactMap { index in
      // Moved out of the array, so that codes are changed in place.
      try volumes[index].take().map {
        try FittedMask(files[index], $0, values[index], coding, of: image, work: work)
      }
    }
  }

  /// Reads one mask with a known label coding.
  /// - Throws: As ``masks(_:of:frame:work:)``.
  init(
    _ file: ImageFile, of image: ImageFile, coding: LabelCoding, work: WorkContext = WorkContext()
  ) throws {
    let file = file.extended(to: image.grid)
    _ = try file.fit(on: image.grid)
    let volume = try file.labelVolume(work: work.withoutProgress)
    try self.init(file, volume, volume.values(), coding, of: image, work: work)
  }

  /// Reads one mask beside others that were read with a coding.
  /// - Parameter coding: The coding of the others; nil for a coding of its own.
  /// - Throws: As ``masks(_:of:frame:work:)``, and where the coding has no code for one of its values.
  init(_ file: ImageFile, of image: ImageFile, joining coding: LabelCoding?, work: WorkContext) throws {
    let file = file.extended(to: image.grid)
    _ = try file.fit(on: image.grid)
    let volume = try file.labelVolume(work: work.withoutProgress)
    let values = volume.values()
    guard let coding = coding ?? LabelCoding(of: values) else {
      throw InputError(
        file.path, "holds too many label values", expected: "\(LabelCoding.maximumValueCount) or fewer")
    }
    // Where 255 is read as label 1, other values would make it 255 again.
    let ambiguous = values.subtracting([0]).filter {
      coding.code(of: $0) == nil || coding.readsOnly255AsOne && ![1, 255].contains($0)
    }
    if let value = ambiguous.min() {
      throw InputError(
        file.path, "has label values that cannot be added to those of the open masks", found: "\(value)",
        expected: "all masks together, each with --mask")
    }
    try self.init(file, volume, values, coding, of: image, work: work)
  }

  private init(
    _ file: ImageFile, _ volume: consuming LabelVolume, _ values: Set<Int>, _ coding: LabelCoding,
    of image: ImageFile, work: WorkContext
  ) throws {
    let (path, grid) = (file.path, image.grid)
    labels = try volume.recoded(to: coding).fitted(to: grid, subject: path, work: work.withoutProgress)
    let ofThisReading = [Finding(of: file, readFor: image), Finding(ofOnly255: values, coding: coding)]
    var findings = (file.findings + ofThisReading.compactMap(\.self)).map(\.description)
    let fit = try GridFit(mask: file.grid, image: grid, subject: path)
    if case .reoriented = fit {
      findings.append("stored as \(file.grid.orientation), reoriented to \(grid.orientation)")
    }
    let offset = fit.largestOffsetVoxels(of: file.grid, on: grid)
    // Smaller offsets are rounding errors of 32-bit headers.
    if offset > 0.01 {
      findings.append(
        "its grid lies up to \(decimals(offset, 2)) voxels from the other; treated as the same grid"
      )
    }
    let stated = LabelNamesFile.read(of: file, values: values)
    let found = stated?.applied(to: values)
    findings += found?.notes(coding) ?? []
    names = found.flatMap { $0.entries.isEmpty ? nil : $0.table(coding) }
    self.findings = findings
    self.path = path
  }

  /// The findings with the file's name.
  var notes: [String] { findings.map { "\(path): \($0)" } }

  /// Adds the findings to ``FindingNotes``.
  func reportFindings() {
    for finding in findings { FindingNotes.add(finding, of: path) }
  }
}
