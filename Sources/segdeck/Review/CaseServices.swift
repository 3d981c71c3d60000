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
      let mask = try FittedMask(path, on: image.grid, work: work)
      findings += mask.notes
      work.report(share * Double(position + 2))
      return LoadedMask(
        name: (path as NSString).lastPathComponent, path: URL(fileURLWithPath: path).path,
        labels: mask.labels, table: mask.names ?? LabelTable())
    }
    let full = URL(fileURLWithPath: imagePath).path
    let name = CaseServices.caseName(full)
    let folder = (full as NSString).deletingLastPathComponent
    return ReviewCase(
      name: name, imagePath: full, image: image, masks: masks, findings: findings,
      exportPath: (folder as NSString).appendingPathComponent(name + "_seg.nii.gz"))
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
