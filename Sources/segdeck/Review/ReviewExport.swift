import Foundation
import ImageFormats
import Review
import Segmentation
import Volumes
import Work

/// Writes what a review accepted: the mask, its label names, and the record that reproduces it.
enum ReviewExport {
  /// Writes the request's mask.
  /// - Throws: ``InputError`` when the place cannot be written or is the image itself.
  static func write(_ request: ExportRequest, _ work: WorkContext) throws -> ExportOutcome {
    let path = URL(fileURLWithPath: (request.path as NSString).expandingTildeInPath).path
    let image = try ImageFile.open(request.imagePath)
    let inputs = image.files + request.provenance.steps.compactMap(\.maskPath)
    if !request.replacesExisting, FileManager.default.fileExists(atPath: path) {
      // A file that was opened is refused at once: asking whether to replace it would be asking in vain.
      _ = try OutputPlace(path, isForced: true, inputs: inputs)
      return .exists(path: path)
    }
    let place = try OutputPlace(path, isForced: request.replacesExisting, inputs: inputs)
    try request.labels.write(to: place.path, source: image.source)
    try LabelNamesFile.write(request.table, besideMask: place.path)
    try record(of: request, writtenTo: place.path).write(besideMask: place.path)
    work.report(1)
    return .written(path: place.path)
  }

  private static func record(of request: ExportRequest, writtenTo path: String) throws -> MaskRecord {
    var record = MaskRecord()
    record.input = try MaskRecord.File(request.imagePath)
    record.output = try MaskRecord.File(path)
    record.commands = commands(of: request, output: path)
    for step in request.provenance.steps {
      switch step {
      case .mask(let path): record.source = try MaskRecord.File(path)
      case .network(let id): record.model = try MaskRecord.File(try ModelLibrary.model(id).path)
      case .refinement(let settings, let confidence):
        record.refinement = settings
        record.maskConfidence = confidence
      }
    }
    record.review = ReviewRecord(
      reviewer: NSUserName(), verdict: request.provenance.verdict, version: request.provenance.versionName,
      exported: Date.now.formatted(.iso8601))
    return record
  }

  /// The commands that make the same mask from the image, in order.
  private static func commands(of request: ExportRequest, output: String) -> [String] {
    let steps = request.provenance.steps
    let stem = String(MaskRecord.path(besideMask: output).dropLast(".json".count))
    let probabilities = stem + "_probabilities.nii.gz"
    var commands: [String] = []
    var mask: String?
    for (index, step) in steps.enumerated() {
      let isLast = index == steps.count - 1
      let target = isLast ? output : stem + "_step\(index + 1).nii.gz"
      switch step {
      case .mask(let path):
        mask = path
        if isLast { commands.append(CommandLineText.text(["segdeck", "convert", path, output])) }
      case .network(let id):
        var words = ["segdeck", "segment", request.imagePath, "--model", id, "-o", target]
        if case .refinement(let settings, nil)? = isLast ? nil : steps[index + 1] {
          words += ["--probabilities", probabilities]
          if settings.auxiliaryHeadWeights.contains(where: { $0 != 0 }) {
            words += ["--tau", settings.auxiliaryHeadWeights.map { "\($0)" }.joined(separator: ",")]
          }
        }
        commands.append(CommandLineText.text(words))
        mask = target
      case .refinement(let settings, let confidence):
        var words = ["segdeck", "refine", request.imagePath]
        if let confidence {
          words += ["--mask", mask ?? "", "--mask-confidence", "\(confidence)"]
        } else {
          words += ["--probabilities", probabilities]
        }
        words += RefinementOptions.words(settings) + ["-o", target]
        commands.append(CommandLineText.text(words))
        mask = target
      }
    }
    return commands
  }
}

extension Provenance.Step {
  /// The file of a mask that was opened.
  fileprivate var maskPath: String? {
    if case .mask(let path) = self { return path }
    return nil
  }
}
