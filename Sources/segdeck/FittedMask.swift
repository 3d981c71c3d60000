import Foundation
import ImageFormats
import Volumes
import Work

/// A mask from a file, voxel upon voxel on some image's grid.
struct FittedMask {
  let labels: LabelVolume
  /// The names that lie beside the file, if any.
  let names: LabelTable?
  /// What the user should know, without the file's name: "stored as LPS, reoriented to RAS", findings of the file, names
  /// that were passed over.
  let findings: [String]
  private let path: String

  /// Reads masks that mean the same by the same value and, where the axes of one are stored in another order or
  /// direction, reorients it.
  ///
  /// - Parameters:
  ///   - grid: Where they lie; nil for the grid of the first.
  ///   - frame: The frame of files that hold several.
  /// - Throws: ``InputError`` when a file is no mask, or does not fit the grid, with the first difference; ``Cancelled``.
  static func masks(
    _ files: [ImageFile], on grid: VolumeGrid? = nil, frame: Int? = nil, work: WorkContext = WorkContext()
  ) throws -> [FittedMask] {
    guard let grid = grid ?? files.first?.grid else { return [] }
    // The grids come first: voxels that do not fit need not be read.
    for file in files { _ = try GridFit(mask: file.grid, image: grid, subject: file.path) }
    var volumes = try files.map {
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
      // Taken out, so that codes change in place.
      try volumes[index].take().map {
        try FittedMask(files[index], $0, values[index], coding, on: grid, work: work)
      }
    }
  }

  /// Reads one mask of a set whose coding is known.
  /// - Throws: As ``masks(_:on:work:)``.
  init(
    _ path: String, on grid: VolumeGrid, coding: LabelCoding, work: WorkContext = WorkContext()
  ) throws {
    let file = try ImageFile.open(path)
    _ = try GridFit(mask: file.grid, image: grid, subject: path)
    let volume = try file.labelVolume(work: work.withoutProgress)
    try self.init(file, volume, volume.values(), coding, on: grid, work: work)
  }

  private init(
    _ file: ImageFile, _ volume: consuming LabelVolume, _ values: Set<Int>, _ coding: LabelCoding,
    on grid: VolumeGrid,
    work: WorkContext
  ) throws {
    let path = file.path
    labels = try volume.recoded(to: coding).fitted(to: grid, subject: path, work: work.withoutProgress)
    var findings = file.findings.map(\.description)
    findings += [Finding(ofOnly255: values, coding: coding)].compactMap(\.self).map(\.description)
    let fit = try GridFit(mask: file.grid, image: grid, subject: path)
    if case .reoriented = fit {
      findings.append("stored as \(file.grid.orientation), reoriented to \(grid.orientation)")
    }
    let offset = fit.largestOffsetVoxels(of: file.grid, on: grid)
    // Below that is what 32-bit headers round.
    if offset > 0.01 {
      findings.append(
        "its grid lies up to \(decimals(offset, 2)) voxels beside the other; taken as voxel upon voxel"
      )
    }
    let found = try LabelNamesFile.read(besideMask: path)?.applied(to: values)
    findings += found?.notes(coding) ?? []
    names = found.flatMap { $0.entries.isEmpty ? nil : $0.table(coding) }
    self.findings = findings
    self.path = path
  }

  /// The findings with the file's name.
  var notes: [String] { findings.map { "\(path): \($0)" } }

  /// Leaves the findings to ``FindingNotes``.
  func reportFindings() {
    for finding in findings { FindingNotes.add(finding, of: path) }
  }
}
