import ArgumentParser
import Foundation
import ImageFormats
import Volumes
import Work

/// Reproduces a mask from its record.
struct RecordReplay {
  let path: String
  /// The mask, where the user named it instead of its record.
  let namedMask: String?
  let record: MaskRecord
  private let steps: [ReplayStep]
  /// The current path of each file, by its path in the record.
  private let found: [String: String]

  /// The maximum number of commands in a record.
  private static let commandLimit = 64

  /// Reads a record and finds its inputs.
  /// - Parameters:
  ///   - name: The record, or the mask that it lies beside as `NAME.json`.
  ///   - output: The mask that will be written; nil for none.
  /// - Throws: ``InputError`` when the file is not a record, when an input is missing or has other content, or when a
  ///   command does not make a mask; ``Cancelled``.
  init(naming name: String, output: String? = nil, work: WorkContext) throws {
    let isRecord = name.lowercased().hasSuffix(".json")
    let path = isRecord ? name : MaskRecord.path(besideMask: name)
    self.path = path
    namedMask = isRecord ? nil : name
    func read() throws(InputError) -> Data { try FileSystem.read(path, limit: 4 << 20) }
    // -o may replace the mask that the record lies beside, and then the record too; a link to it may not.
    let isReplaced = output.map { FileEntry(path: MaskRecord.path(besideMask: $0)) == FileEntry(path: path) }
    let data = try isReplaced == true ? ReadFiles.withoutRegistering(read) : read()
    try JSONValue.requireSingleKeys(String(decoding: data, as: UTF8.self), subject: path)
    guard let record = try? JSONDecoder().decode(MaskRecord.self, from: data), record.output != nil,
      record.input != nil
    else {
      throw InputError(path, "is not a record of a mask", expected: "NAME.json beside a mask")
    }
    if let count = record.voxelsChangedByHand {
      let state = try Self.maskState(of: record, named: namedMask, recordPath: path, work: work)
      throw InputError(
        path, "the mask was edited by hand, which no command reproduces; \(state)",
        found: counted(count, "voxel"))
    }
    guard (1...Self.commandLimit).contains(record.commands.count) else {
      throw InputError(
        path, "its commands", found: "\(record.commands.count)", expected: "1 to \(Self.commandLimit)")
    }
    self.record = record
    var found: [String: String] = [:]
    for file in record.inputs.flatMap({ [$0] + ($0.parts ?? []) }) {
      let foundPath = try Self.locate(file, recordPath: path, work: work)
      for name in [file.path, file.absolutePath].compactMap(\.self) { found[name] = foundPath }
    }
    if let source = record.source.flatMap({ found[$0.path] }),
      let sidecar = record.sidecar.flatMap({ found[$0.path] }),
      FilePath.absolute(MaskRecord.path(besideMask: source)) != FilePath.absolute(sidecar)
    {
      throw InputError(sidecar, "does not lie beside its probabilities", expected: source)
    }
    self.found = found
    var steps: [ReplayStep] = []
    for command in record.commands {
      guard let words = CommandLineText.words(command), words.first == "segdeck" else {
        throw InputError(path, "a command is none of this program", found: "\(command.prefix(80))")
      }
      steps.append(try ReplayStep(Array(words.dropFirst()), recordPath: path))
    }
    self.steps = steps
  }

  /// Runs the commands.
  /// - Returns: The path of the mask that the last command wrote in `folder`.
  /// - Throws: ``InputError`` when a command reads a file that the record does not state; the errors of the commands.
  func run(in folder: TemporaryFolder, work: WorkContext) throws -> String {
    var made: [String: String] = [:]
    var mask = ""
    for (number, step) in steps.enumerated() {
      try work.checkCancellation()
      func input(_ name: String) throws(InputError) -> String {
        guard let foundPath = made[name] ?? found[name] else {
          throw InputError(
            path, "a command reads a file whose content the record does not state", found: name)
        }
        return foundPath
      }
      func output(_ name: String, _ kind: String) -> String {
        // The same suffix gives the same bytes.
        let written = name == MaskRecord.outputName ? record.output?.path ?? "" : name
        let suffix = ImageName.writtenSuffix(of: written) ?? ".nii.gz"
        // A header states the name of the file with its voxels.
        let isOneFile = ImageName.voxelFiles(ofWritten: written).isEmpty
        let path = folder.file(isOneFile ? "\(number)-\(kind)\(suffix)" : FilePath.name(of: written))
        for companion in ImageName.voxelFiles(ofWritten: path) + MaskRecord.companions(ofMask: path) {
          folder.file(FilePath.name(of: companion))
        }
        made[name] = path
        return path
      }
      func model() throws(InputError) -> String {
        guard let foundPath = record.model.flatMap({ found[$0.path] }) else {
          throw InputError(path, "does not state the model that a command runs")
        }
        return foundPath
      }
      mask = try step.run(threads: work.threadCount, model: model, input: input, output: output)
    }
    return mask
  }

  /// Writes the mask of ``run(in:work:)``, its label names, and a new record.
  ///
  /// The new record contains the review only where the mask is identical to the reviewed one.
  /// - Throws: ``InputError`` when a file cannot be written, or a different mask would replace the reviewed
  ///   one; ``Cancelled``.
  func write(_ mask: String, to outputPath: OutputPath, work: WorkContext) throws {
    let image = try ImageFile.open(mask)
    let names =
      record.labels.map { LabelNames(entries: $0) } ?? LabelNamesFile.read(of: image, values: nil)
      ?? LabelNames()
    let files = try image.pendingCopy(for: outputPath.path, names: names, work: work)
    var own = record
    if own.labels != nil { own.labels = try MaskRecord.names(names, heldBy: files).entries }
    own.tool = MaskRecord().tool
    own.instructionSet = MaskRecord().instructionSet
    own.threads = work.threadCount
    if try !Self.isUnchanged(record.output, at: mask, work: work) {
      own.review = nil
      if record.review != nil, try describes(outputPath, work: work) {
        throw InputError(
          outputPath.path, "is the reviewed mask, and the replay made a different one",
          expected: "another name")
      }
    }
    let namesFiles = try LabelNamesFile.pending(names, withMask: outputPath.path)
    let recordFile = try own.pending(for: files, work: work)
    try work.checkCancellation()
    try PendingFile.commit(files + namesFiles + [recordFile])
  }

  /// Whether the mask of this record is at `outputPath`, or writing there would replace this record.
  private func describes(_ outputPath: OutputPath, work: WorkContext) throws -> Bool {
    let isBeside =
      FileSystem.resolved(MaskRecord.path(besideMask: outputPath.path)).map {
        $0 == FileSystem.resolved(path)
      }
    if isBeside == true { return true }
    guard FileSystem.exists(outputPath.path) else { return false }
    return try Self.isUnchanged(record.output, at: outputPath.path, work: work)
  }

  static func requirePath(_ file: MaskRecord.File, recordPath: String) throws(InputError) {
    guard !file.path.isEmpty, file.absolutePath?.isEmpty != true else {
      throw InputError(recordPath, "names a file without a path")
    }
  }

  /// The current path of a file of the record: its absolute path, its path from the working folder, or beside the
  /// record.
  private static func locate(
    _ file: MaskRecord.File, recordPath: String, work: WorkContext
  ) throws -> String {
    try requirePath(file, recordPath: recordPath)
    guard let checksum = file.sha256 else {
      throw InputError(
        recordPath, "does not state the content of \(file.path), which changed while it was read")
    }
    let beside = FilePath.joined(FilePath.folder(of: recordPath), FilePath.name(of: file.path))
    var other: String?
    var refusal: InputError?
    for foundPath in [file.absolutePath, file.path, beside].compactMap(\.self)
    where FileSystem.exists(foundPath) {
      do {
        if try Checksum.sha256(of: file, at: foundPath, work: work) == checksum { return foundPath }
        other = other ?? foundPath
      } catch let error as InputError {
        refusal = refusal ?? error
      }
    }
    if let other {
      throw InputError(
        other, "is not the file of the record: its content changed",
        found: "SHA-256 of another content", expected: "\(checksum.prefix(12))...")
    }
    if let refusal { throw refusal }
    throw InputError(file.path, "is missing", expected: "the file with SHA-256 \(checksum.prefix(12))...")
  }
}

/// A parsed command of a record.
private enum ReplayStep {
  case segment(SegmentCommand)
  case refine(RefineCommand)
  case convert(ConvertCommand)

  /// Parses the arguments after "segdeck".
  /// - Throws: ``InputError`` for a command that makes no mask, and for invalid options.
  init(_ words: [String], recordPath: String) throws(InputError) {
    let arguments = Array(words.dropFirst())
    do {
      switch words.first {
      case "segment": self = .segment(try SegmentCommand.parse(arguments))
      case "refine": self = .refine(try RefineCommand.parse(arguments))
      case "convert": self = .convert(try ConvertCommand.parse(arguments))
      default:
        throw InputError(
          recordPath, "a command makes no mask", found: "\(words.first ?? "nothing")",
          expected: "segment, refine or convert")
      }
    } catch let error as InputError {
      throw error
    } catch  where SegdeckCommand.exitCode(for: error) == .success {
      // Help and the like would end the program with success.
      throw InputError(
        recordPath, "a command cannot be read", found: "\(CommandLineText.text(words).prefix(80))",
        expected: "one that makes a mask")
    } catch {
      throw InputError(
        recordPath, "a command cannot be read", found: CommandLineError(error, of: words).line)
    }
  }

  /// Runs the command with its paths replaced by those of `input` and `output`.
  /// - Returns: The path of the mask.
  func run(
    threads: Int, model: () throws -> String, input: (String) throws -> String,
    output: (String, String) -> String
  ) throws -> String {
    switch self {
    case .segment(var command):
      command.image = try input(command.image)
      command.furtherImages = try command.furtherImages.map(input)
      command.model = try model()
      command.probabilities = command.probabilities.map { output($0, "probabilities") }
      command.output = output(command.output, "mask")
      command.threads.threads = threads
      try command.run()
      return command.output
    case .refine(var command):
      command.image = try input(command.image)
      command.furtherImages = try command.furtherImages.map(input)
      command.mask = try command.mask.map(input)
      command.probabilities = try command.probabilities.map(input)
      command.preset = try command.preset.map(input)
      if command.model != nil { command.model = try model() }
      command.output = output(command.output, "mask")
      command.threads.threads = threads
      try command.run()
      return command.output
    case .convert(var command):
      command.input = try input(command.input)
      command.like = try command.like.map(input)
      command.output = output(command.output, "mask")
      try command.run()
      return command.output
    }
  }
}
