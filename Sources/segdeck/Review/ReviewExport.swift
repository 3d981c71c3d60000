import Foundation
import ImageFormats
import Review
import Segmentation
import Volumes
import Work

/// Writes a mask of a review with its label names and its record.
struct ReviewExport {
  let request: ExportRequest
  /// The image.
  let input: MaskRecord.File
  /// The images of the further channels that the network of the first step read.
  var furtherInputs: [MaskRecord.File] = []
  /// The mask or model of the first step; nil where it is unknown.
  let source: MaskRecord.File?
  /// The reader of the worklist; nil for the login name.
  let reader: String?

  /// Writes the mask on the grid of `image`; of a DICOM image, also as a segmentation beside it.
  /// - Returns: The record that was written, and the path of the segmentation, if any.
  /// - Throws: ``InputError`` when a file cannot be written; ``Cancelled``.
  func write(
    on image: ImageSource, to outputPath: OutputPath, _ work: WorkContext
  ) throws -> (record: MaskRecord, segmentation: String?) {
    // A segmentation refers to the slices of the frame that the mask was made from.
    let image = image.ofFrame(request.provenance.frame)
    var record = record
    record.threads = work.threadCount
    // Two copies: the whole volume, and the volume in the order of the file.
    try LabelVolume.requireMemory(on: request.labels.grid.size, volumes: 2, subject: request.path)
    let labels = try request.labels.volume
    var segmentation: [PendingFile] = []
    var segmentationPath: String?
    // A segmentation without segments cannot be written.
    if let path = ImageName.segmentation(besideMask: outputPath.path, of: image),
      labels.voxels.contains(where: { $0 > 0 })
    {
      let names = LabelNames(request.table, coding: labels.coding)
      segmentationPath = path
      segmentation = try labels.pending(for: path, source: image, names: names, work: work.withoutProgress)
    }
    try record.write(
      labels, request.table, source: image, to: outputPath, with: segmentation, work: work.withoutProgress)
    return (record, segmentationPath)
  }

  private var record: MaskRecord {
    var record = MaskRecord()
    record.input = input
    record.furtherInputs = furtherInputs.isEmpty ? nil : furtherInputs
    record.commands = commands.map(CommandLineText.text)
    for step in request.provenance.steps {
      switch step {
      case .mask: record.source = source
      case .network: record.model = source
      case .refinement(let settings, let confidence):
        record.refinement = settings
        record.maskConfidence = confidence
      case .edit(let changedVoxels):
        record.voxelsChangedByHand = (record.voxelsChangedByHand ?? 0) + changedVoxels
      }
    }
    record.review = ReviewRecord(
      reviewer: reader ?? NSUserName(), verdict: request.provenance.verdict,
      version: request.provenance.versionName,
      flagged: request.provenance.isCaseFlagged ? true : nil, exported: Date.now.formatted(.iso8601),
      labels: request.table.labels.map { ReviewRecord.Label($0, coding: request.labels.coding) })
    return record
  }

  /// The arguments of the commands that make the same mask from the image, in order.
  private var commands: [[String]] {
    // Without the first step, no command can make the mask.
    guard request.provenance.firstVersion != nil else { return [] }
    // No command reproduces an edit by hand and the steps after it.
    let made = request.provenance.steps.prefix { if case .edit = $0 { false } else { true } }
    var steps = made[...]
    // A refinement of the network's probabilities does not depend on earlier refinements.
    if let last = steps.lastIndex(where: { if case .refinement(_, nil) = $0 { true } else { false } }) {
      steps = [steps[0]] + steps[last...]
    }
    var commands: [[String]] = []
    var mask = ""
    // The choice with which the mask's file was read; what a command made of it needs none.
    var choice = source?.choice?.words ?? []
    let merged = request.provenance.merged
    // The choice of the image's series, where its file holds several.
    let series = input.choice?.words ?? []
    let frame = request.provenance.frame > 0 ? ["--frame", "\(request.provenance.frame)"] : []
    for (index, step) in steps.enumerated() {
      let target = index == steps.count - 1 ? MaskRecord.outputName : "step\(index + 1).nii.gz"
      switch step {
      case .mask(let path):
        mask = path
        if steps.count == 1 || !merged.isEmpty {
          commands.append(
            ["segdeck", "convert", path, target, "--like", request.imagePath] + series + frame + choice
              + merged.flatMap { ["--label", $0.description] })
          mask = target
          choice = []
        }
      case .network(let id):
        var words = ["segdeck", "segment", request.imagePath, "--model", id] + series + frame
        for file in furtherInputs { words += ["--further-image", file.path] }
        if case .refinement(let settings, nil)? = steps.dropFirst().first {
          words += ["--probabilities", MaskRecord.probabilitiesName]
          if !settings.auxiliaryHeadWeights.isEmpty {
            words += ["--tau", settings.auxiliaryHeadWeights.map { "\($0)" }.joined(separator: ",")]
          }
        }
        commands.append(words + ["-o", target])
        mask = target
      case .refinement(let settings, let confidence):
        var words = ["segdeck", "refine", request.imagePath] + series + frame
        if let confidence {
          words += ["--mask", mask, "--mask-confidence", "\(confidence)"] + choice
        } else {
          words += ["--probabilities", MaskRecord.probabilitiesName]
        }
        commands.append(
          words + RefinementOptions.words(settings, coding: request.labels.coding) + ["-o", target])
        mask = target
        choice = []
      case .edit: break
      }
    }
    return commands
  }
}
