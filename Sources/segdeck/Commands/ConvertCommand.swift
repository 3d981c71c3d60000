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
      OUT's format does not hold is noted. --like writes a mask on another image's grid. \
      --weights chooses how the weights of a model (.safetensors) are stored, and the options of the model card add to \
      its card; a checkpoint becomes a plain model.
      """)

  @Argument(help: "The image or model to read.", completion: .file())
  var input: String

  @Argument(help: "The file to write.", completion: .file())
  var output: String

  @Option(
    help: ArgumentHelp(
      """
      Write only this frame of a 4D image, counted from 0. With --like: the frame that the mask belongs to, of a 4D \
      image.
      """), transform: OptionParsing.wholeNumber)
  var frame: Int?

  @OptionGroup var choice: ImageChoiceOptions

  @Option(
    help:
      "Write a mask on the grid of this image, as a review exports it: its axes, its header. --series chooses of its folder.",
    completion: .file())
  var like: String?

  @Option(
    help: ArgumentHelp(
      "Take the names of labels from this file: \(LabelNamesFormat.suffixList).", valueName: "file"),
    completion: .file())
  var namesFrom: String?

  @Option(
    help: ArgumentHelp(
      """
      Also write the names of labels for another program: .label (ITK-SNAP), .txt (FreeSurfer's lookup table), .tsv \
      (BIDS), dataset.json (nnU-Net) or .json.
      """, valueName: "file"), completion: .file())
  var names: String?

  @Option(
    help: ArgumentHelp(
      "With --like: one label of several values, as in 1,2=kidney, which gets the first; may be repeated.",
      valueName: "values=name"))
  var label: [String] = []

  @Flag(help: "Store voxels as they are in formats whose suffix leaves it open (MetaImage, NRRD).")
  var uncompressed = false

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
    try convertImage()
  }

  private func convertImage() throws {
    let selections = try LabelSelection.parsed(label)
    try selections.requireOwnValues()
    guard selections.isEmpty || like != nil else {
      throw InputError("--label", "names labels of a mask", expected: "--like with it")
    }
    guard !uncompressed || ImageName.compressionIsOptional(output) else {
      throw InputError(
        "--uncompressed", "the suffix decides about compression", found: output, expected: "MetaImage or NRRD"
      )
    }
    let work = WorkContext(cancellation: Interruption.cancellation())
    let choices = try choices()
    let image = try ImageFile.open(
      input, options: choices.input, work: work.showingProgress("opening"))
    let stated = try namesFrom.map { path throws(InputError) in try LabelNamesFile.read(path) }
    let found = stated ?? LabelNamesFile.read(of: image, values: nil)
    let hasNames = found?.entries.isEmpty == false || !selections.isEmpty
    let outputPath = try outputPath(of: image, hasNames: hasNames)
    let namesPath = try names.map { path throws(InputError) in
      try OutputPath(path, kind: .labelNames, isForced: force)
    }
    var (written, labels) =
      try like.map {
        try fitted(
          image, to: ImageFile.open($0, options: choices.like, work: work), stated, selections, outputPath,
          work)
      }
      ?? copied(image, found, outputPath, work)
    if !labels.entries.isEmpty, !sharesNames(with: image) {
      // Names that hold for a whole folder are only known once the labels are.
      let companions = LabelNamesFile.paths(writtenWithMask: outputPath.path)
      if !hasNames, !force, let existing = companions.first(where: FileSystem.exists) {
        throw InputError(existing, "exists", expected: "another name, or --force to replace it")
      }
      written += try LabelNamesFile.pending(labels, withMask: outputPath.path)
    }
    if let namesPath {
      guard !labels.entries.isEmpty else {
        throw InputError("--names", "there are no names to write", found: "none in \(input), none beside it")
      }
      let format = try LabelNamesFormat(ofFile: namesPath.path)
      for finding in format.findings(about: labels) {
        FindingNotes.add(finding.description, of: namesPath.path)
      }
      written.append(try AtomicFile.pending(format.encoded(labels), for: namesPath.path))
    }
    try work.checkCancellation()
    try PendingFile.commit(written)
  }

  /// What is read of the input, and of the image of `--like`: the series where that leaves one to choose, because masks
  /// are seldom series.
  /// - Throws: ``InputError`` for a missing or unreadable file.
  private func choices() throws -> (input: ImageReadingOptions, like: ImageReadingOptions) {
    var input = choice.options
    guard let like, try ImageFile.choices(of: like).contains(.series) else {
      return (input, ImageReadingOptions())
    }
    input.series = nil
    return (input, choice.series.options)
  }

  /// The mask on the grid of another image, and the names of its labels.
  private func fitted(
    _ image: ImageFile, to reference: ImageFile, _ stated: LabelNames?, _ selections: [LabelSelection],
    _ outputPath: OutputPath, _ work: WorkContext
  ) throws -> ([PendingFile], LabelNames) {
    // Four copies: as read, on the other grid, in chunks, and as written.
    try LabelVolume.requireMemory(on: reference.grid.size, volumes: 4, subject: input)
    // The frame is one of the mask's file, of the reference, or of both.
    let isOfReference = frame != nil && reference.frameCount > 1
    if isOfReference, let frame { try reference.requireFrame(frame) }
    let mask = try FittedMask.masks(
      [image], of: reference, frame: isOfReference && image.frameCount == 1 ? nil : frame, work: work)[0]
    mask.reportFindings()
    let (coding, occurring) = (mask.labels.coding, mask.labels.values())
    let table = stated?.applied(to: occurring).table(coding) ?? mask.names ?? LabelTable()
    var named = LoadedMask(name: input, path: input, labels: ChunkedLabels(mask.labels), table: table)
    for selection in selections where !named.merge(selection) {
      Console.note("--label \(selection): no voxel of \(input) has such a label")
    }
    for note in selections.notes(absentFrom: occurring, input, coding: coding) { Console.note(note) }
    let names = LabelNames(named.table, coding: coding)
    let written = try named.labels.volume.pending(
      for: outputPath.path, source: reference.source.ofFrame(isOfReference ? frame ?? 0 : 0), names: names,
      isCompressed: !uncompressed, work: work)
    return (written, names)
  }

  /// A copy of the image with its findings noted, and the names of its labels.
  /// - Parameter stated: The names that are known before the voxels are read; nil for none.
  private func copied(
    _ image: ImageFile, _ stated: LabelNames?, _ outputPath: OutputPath, _ work: WorkContext
  ) throws -> ([PendingFile], LabelNames) {
    let (written, names): ([PendingFile], LabelNames)
    if ImageName.holdsLabelNames(outputPath.path) {
      guard !FilePath.hasSuffix(".dcm", output) || !image.storage.hasPrefix("DICOM segmentation") else {
        throw InputError(
          output, "is a segmentation of an image's slices", found: "the segmentation alone",
          expected: "--like with the DICOM image that \(input) is of, or another suffix")
      }
      let mask = try image.labelVolume(frame: frame, work: work)
      let values = mask.values()
      names = stated ?? LabelNamesFile.read(of: image, values: values) ?? LabelNames()
      written = try mask.pending(
        for: outputPath.path, source: image.source, names: names, isCompressed: !uncompressed, work: work)
      FindingNotes.add(image)
      if let coding = LabelCoding(of: values), let finding = Finding(ofOnly255: values, coding: coding) {
        FindingNotes.add(finding.asMask.description, of: input)
      }
    } else {
      let isOneFrame = frame != nil || image.frameCount == 1
      let survey = isOneFrame ? MaskSurvey(of: image) : nil
      written = try image.pendingCopy(
        for: outputPath.path, frame: frame, isCompressed: !uncompressed, surveying: survey, work: work)
      FindingNotes.add(image)
      for finding in survey?.findings ?? [] { FindingNotes.add(finding.description, of: input) }
      let found =
        stated ?? LabelNamesFile.read(of: image, values: survey?.values, isMask: self.names != nil)
      names = found ?? LabelNames()
    }
    let coding = LabelCoding(of: Set(names.entries.map(\.value))) ?? .identity
    for note in names.notes(coding) { FindingNotes.add(note, of: input) }
    return (written, names)
  }

  /// Whether input and output share one file of label names, as a.nii and a.nii.gz do.
  private func sharesNames(with image: ImageFile) -> Bool {
    let paths = [input, output].map { FilePath.absolute(LabelNamesFile.path(besideMask: $0)) }
    return paths[0] == paths[1] && label.isEmpty && namesFrom == nil
      && image.labelNames?.entries.isEmpty != false && FileSystem.exists(paths[0])
  }

  private func outputPath(of image: ImageFile, hasNames: Bool) throws(InputError) -> OutputPath {
    let companions = LabelNamesFile.paths(writtenWithMask: output)
    if !hasNames, let companion = companions.first(where: FileSystem.exists) {
      Console.note("\(companion): names the labels of what is written, though \(input) has no names")
    }
    return try OutputPath(
      output, kind: .image, isForced: force,
      companions: hasNames && !sharesNames(with: image) ? companions : [], isCompressed: !uncompressed)
  }
}
