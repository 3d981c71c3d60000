import ArgumentParser
import ImageFormats
import Networks
import Review
import Volumes
import Work

/// `segdeck convert`: the same voxels on the same grid, or the same network, in another file.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Write an image, or a model, in another format.",
    discussion: """
      Of an image, voxels, their type and scaling, and the grid stay as they are; OUT ends in \(ImageName.writtenSuffixList). \
      Names of labels that it states, or that lie beside it, go with it, into OUT (.seg.nrrd) or its .labels.json. What \
      OUT's format does not hold is noted. Of a mask, --like gives the labels on another \
      image's grid. Of a model (.safetensors), --weights says how weights are \
      stored, and the options of the model card add to its card; a checkpoint becomes a plain model.
      """)

  @Argument(help: "The image or model to read.", completion: .file())
  var input: String

  @Argument(help: "The file to write.", completion: .file())
  var output: String

  @Option(help: "Write only this frame of a 4D image, counted from 0.", transform: OptionParsing.wholeNumber)
  var frame: Int?

  @OptionGroup var choice: ImageChoiceOptions

  @Option(
    help: "Write a mask on the grid of this image, as a review exports it: its axes, its header.",
    completion: .file())
  var like: String?

  @Option(
    help: ArgumentHelp(
      "With --like: one label of several values, as in 1,2=kidney, which gets the first; may be repeated.",
      valueName: "values=name"))
  var label: [String] = []

  @Option(help: "How a model's weights are stored: f32, f16 or bf16. (default: f32)")
  var weights: String?

  @OptionGroup var card: ModelCardArguments

  @Flag(help: "Replace OUT if it exists.")
  var force = false

  func run() throws {
    if ModelFile.isName(input) {
      let format = try ElementFormat(option: weights ?? "f32")
      let outputPath = try OutputPath(output, kind: .model, isForced: force)
      return try ModelConversion.run(input, to: outputPath.path, format: format, card: card)
    }
    guard weights == nil, card.isEmpty else {
      throw InputError(
        weights == nil ? "--card, --data-description, --data-licence" : "--weights", "is about a model",
        found: input, expected: "a .safetensors file")
    }
    let selections = try LabelSelection.parsed(label)
    try selections.requireOwnValues()
    guard selections.isEmpty || like != nil else {
      throw InputError("--label", "names labels of a mask", expected: "--like with it")
    }
    let image = try ImageFile.open(input, options: choice.options)
    let names = try LabelNamesFile.read(of: image)
    let outputPath = try outputPath(hasNames: names?.entries.isEmpty == false || !selections.isEmpty)
    let work = WorkContext(cancellation: Interruption.cancellation())
    var written: [PendingFile] = []
    if let like {
      let reference = try ImageFile.open(like)
      // Four copies: as read, on the other grid, in chunks, and as written.
      try LabelVolume.requireMemory(on: reference.grid.size, volumes: 4, subject: input)
      let mask = try FittedMask.masks([image], on: reference.grid, frame: frame, work: work)[0]
      mask.reportFindings()
      var named = LoadedMask(
        name: input, path: input, labels: ChunkedLabels(mask.labels), table: mask.names ?? LabelTable())
      let occurring = mask.labels.values()
      for selection in selections where !named.merge(selection) {
        Console.note("--label \(selection): no voxel of \(input) has such a label")
      }
      for note in selections.notes(absentFrom: occurring, input, coding: mask.labels.coding) {
        Console.note(note)
      }
      let names = LabelNames(named.table, coding: mask.labels.coding)
      written = try named.labels.volume.pending(
        for: outputPath.path, source: reference.source, names: names, work: work)
      written += try pendingNames(names, outputPath)
    } else {
      written = try image.pendingCopy(
        for: outputPath.path, frame: frame, names: names ?? LabelNames(), work: work)
      FindingNotes.add(image)
      if frame != nil || image.frameCount == 1 {
        for finding in try image.findingsAsMask(frame: frame, work: work) {
          FindingNotes.add(finding.description, of: input)
        }
      }
      let named = LabelCoding(of: Set((names?.entries ?? []).map(\.value))) ?? .identity
      for note in names?.notes(named) ?? [] { FindingNotes.add(note, of: input) }
      written += try pendingNames(names ?? LabelNames(), outputPath)
    }
    try work.checkCancellation()
    try PendingFile.commit(written)
  }

  /// Whether input and output share one file of label names, as a.nii and a.nii.gz do.
  private var sharesNames: Bool {
    let paths = [input, output].map { FilePath.absolute(LabelNamesFile.path(besideMask: $0)) }
    return paths[0] == paths[1] && label.isEmpty
  }

  private func outputPath(hasNames: Bool) throws(InputError) -> OutputPath {
    let companions = LabelNamesFile.paths(writtenWithMask: output)
    if !hasNames, let companion = companions.first(where: FileSystem.exists) {
      Console.note("\(companion): names the labels of what is written, though \(input) has no names")
    }
    return try OutputPath(
      output, kind: .image, isForced: force, companions: hasNames && !sharesNames ? companions : [])
  }

  private func pendingNames(_ names: LabelNames, _ outputPath: OutputPath) throws(InputError) -> [PendingFile]
  {
    names.entries.isEmpty || sharesNames
      ? [] : try LabelNamesFile.pending(names, withMask: outputPath.path)
  }
}
