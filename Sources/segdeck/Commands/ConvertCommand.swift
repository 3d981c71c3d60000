import ArgumentParser
import ImageFormats
import Networks
import Volumes
import Work

/// `segdeck convert`: the same voxels on the same grid, or the same network, in another file.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Write an image, or a model, in another format.",
    discussion: """
      Of an image, voxels, their type and scaling, and the grid stay as they are; OUT ends in .nii or .nii.gz. Of a \
      mask, --like gives the labels on another image's grid. Of a model (.safetensors), --weights says how weights are \
      stored, and the options of the model card add to its card; a checkpoint becomes a plain model.
      """)

  @Argument(help: "The image or model to read.", completion: .file())
  var input: String

  @Argument(help: "The file to write.", completion: .file())
  var output: String

  @Option(help: "Write only this frame of a 4D image, counted from 0.")
  var frame: Int?

  @Option(
    help: "Write a mask on the grid of this image, as a review exports it: its axes, its header.",
    completion: .file())
  var like: String?

  @Option(
    help: ArgumentHelp(
      "With --like: one label of several values, as in 1,2=kidney, which gets the first; may be repeated.",
      valueName: "values=name"))
  var label: [String] = []

  @Option(help: "How a model's weights are stored: f32, f16 or bf16.")
  var weights = "f32"

  @OptionGroup var card: ModelCardArguments

  @Flag(help: "Replace OUT if it exists.")
  var force = false

  func run() throws {
    if input.hasSuffix(".safetensors") {
      let format = try ElementFormat(option: weights)
      let place = try OutputPlace(output, isForced: force, kind: .model)
      return try ModelConversion.run(input, to: place.path, format: format, card: card)
    }
    let selections = try LabelSelection.parsed(label)
    try selections.requireOwnValues()
    guard selections.isEmpty || like != nil else {
      throw InputError("--label", "names labels of a mask", expected: "--like with it")
    }
    let image = try ImageFile.open(input)
    let place = try OutputPlace(output, isForced: force, kind: .image)
    let work = WorkContext(cancellation: Interruption.cancellation())
    guard let like else {
      try image.writeCopy(to: place.path, frame: frame, work: work)
      FindingNotes.keep(image)
      if frame != nil || image.frameCount == 1 {
        for finding in try image.findingsAsMask(frame: frame, work: work) {
          FindingNotes.keep(finding.description, of: input)
        }
      }
      return
    }
    let reference = try ImageFile.open(like)
    let mask = try FittedMask.masks([image], on: reference.grid, frame: frame, work: work)[0]
    mask.keepNotes()
    var labels = mask.labels
    for selection in selections where !labels.merge(selection) {
      Console.note("--label \(selection): no voxel of \(input) has such a label")
    }
    try labels.write(to: place.path, source: reference.source, work: work)
  }
}
