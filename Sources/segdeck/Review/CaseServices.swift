import Foundation
import ImageFormats
import Review
import Volumes
import Work

/// What a review needs done: files through ImageFormats.
final class CaseServices: ReviewServices {
  func openCase(_ request: OpenCaseRequest, _ work: WorkContext) throws -> ReviewCase {
    guard let imagePath = request.imagePath else {
      throw InputError("segdeck", "no image was named and there is no sample case yet")
    }
    let file = try ImageFile.open(imagePath)
    let share = 1 / Double(request.maskPaths.count + 1)
    let image = try file.scalarVolume(context: work.part(0...share))
    var findings = file.findings.map { "\(imagePath): \($0)" }
    let masks = try request.maskPaths.enumerated().map { position, path in
      let start = share * Double(position + 1)
      let mask = try ImageFile.open(path)
      findings += mask.findings.map { "\(path): \($0)" }
      return try loadedMask(mask, on: image.grid, work.part(start...min(1, start + share)), &findings)
    }
    let full = URL(fileURLWithPath: imagePath).path
    let name = CaseServices.caseName(full)
    let folder = (full as NSString).deletingLastPathComponent
    return ReviewCase(
      name: name, imagePath: full, image: image, masks: masks, findings: findings,
      exportPath: (folder as NSString).appendingPathComponent(name + "_seg.nii.gz"))
  }

  /// A mask on exactly the image's grid; one that lies along other axes is reoriented, with a finding.
  private func loadedMask(
    _ file: ImageFile, on grid: VolumeGrid, _ work: WorkContext, _ findings: inout [String]
  ) throws -> LoadedMask {
    let name = (file.path as NSString).lastPathComponent
    let fit = try GridFit(mask: file.grid, image: grid, subject: file.path)
    var labels = try file.labelVolume(context: work)
    if case .reoriented(let reorientation) = fit {
      let voxels = try reorientation.reordered(labels.voxels, size: labels.grid.size, work: work.silent)
      labels = LabelVolume(grid: grid, voxels: voxels)
      findings.append("\(name): stored along other axes than the image; reoriented")
    }
    labels.grid = grid
    return LoadedMask(
      name: name, path: URL(fileURLWithPath: file.path).path, labels: labels,
      table: try LabelNamesFile.read(besideMask: file.path) ?? LabelTable())
  }

  /// The file's name without its format's suffix.
  private static func caseName(_ path: String) -> String {
    let name = (path as NSString).lastPathComponent
    for suffix in [".nii.gz", ".nii", ".hdr", ".img"] where name.lowercased().hasSuffix(suffix) {
      return String(name.dropLast(suffix.count))
    }
    return name
  }

  func models(for image: ScalarVolume, _ work: WorkContext) throws -> [ModelDescription] { [] }

  func segment(_ request: SegmentationRequest, _ work: WorkContext) throws -> SegmentationResult {
    throw InputError(request.modelID, "is no model")
  }

  func refine(_ request: RefinementRequest, _ work: WorkContext) throws -> LabelVolume {
    throw InputError("CRF", "cannot be run")
  }

  func export(_ request: ExportRequest, _ work: WorkContext) throws -> ExportOutcome {
    let path = URL(fileURLWithPath: (request.path as NSString).expandingTildeInPath).path
    if !request.replacesExisting, FileManager.default.fileExists(atPath: path) { return .exists(path: path) }
    let source = try ImageFile.open(request.imagePath).source
    let place = try OutputPlace(path, isForced: request.replacesExisting, inputs: [request.imagePath])
    try request.labels.write(to: place.path, source: source)
    return .written(path: path)
  }
}
