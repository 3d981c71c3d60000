import ArgumentParser
import Foundation
import ImageFormats
import Volumes
import Work

/// A record that is carried out again.
struct RecordReplay {
  /// The record's file.
  let path: String
  /// The mask that the user named instead of its record.
  private let namedMask: String?
  private let record: MaskRecord
  private let steps: [ReplayStep]
  /// Where the files that the record names were found, by the path in the record.
  private let found: [String: String]

  /// The most commands that a record may hold.
  private static let commandLimit = 64

  /// Reads a record and finds its inputs.
  /// - Parameter name: The record, or the mask that it lies beside as `NAME.json`.
  /// - Throws: ``InputError`` when the file is no record, an input is missing or has another content, or a command is none
  ///   that makes a mask; ``Cancelled``.
  init(naming name: String, work: WorkContext) throws {
    let isRecord = name.lowercased().hasSuffix(".json")
    let path = isRecord ? name : MaskRecord.path(besideMask: name)
    self.path = path
    namedMask = isRecord ? nil : name
    // Writing its mask anew, which has to be asked for, writes the record anew as well.
    let data = try ReadFiles.asOwn { () throws(InputError) in
      try FileSystem.read(path, limit: 4 << 20)
    }
    try JSONText.requireSingleKeys(String(decoding: data, as: UTF8.self), subject: path)
    guard let record = try? JSONDecoder().decode(MaskRecord.self, from: data), record.output != nil,
      record.input != nil
    else {
      throw InputError(path, "is no record of a mask", expected: "what lies as NAME.json beside a mask")
    }
    if let count = record.voxelsChangedByHand {
      throw InputError(
        path, "the mask was changed by hand, which no command does again", found: counted(count, "voxel"))
    }
    guard (1...Self.commandLimit).contains(record.commands.count) else {
      throw InputError(
        path, "its commands", found: "\(record.commands.count)", expected: "1 to \(Self.commandLimit)")
    }
    self.record = record
    var found: [String: String] = [:]
    for file in record.inputs.flatMap({ [$0] + ($0.parts ?? []) }) {
      let place = try Self.locate(file, recordPath: path, work: work)
      for name in [file.path, file.absolutePath].compactMap(\.self) { found[name] = place }
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

  /// Carries out the commands; gives the mask that the last of them wrote in `folder`.
  /// - Throws: ``InputError`` when a command reads what the record does not state, and whatever the commands throw.
  func run(in folder: TemporaryFolder, work: WorkContext) throws -> String {
    var made: [String: String] = [:]
    var mask = ""
    for (number, step) in steps.enumerated() {
      try work.checkCancellation()
      func input(_ name: String) throws(InputError) -> String {
        guard let place = made[name] ?? found[name] else {
          throw InputError(
            path, "a command reads a file whose content the record does not state", found: name)
        }
        return place
      }
      func output(_ name: String, _ kind: String) -> String {
        // The same ending gives the same bytes.
        let ending = (name == MaskRecord.outputName ? record.output?.path ?? "" : name).lowercased()
        let suffix = ending.hasSuffix(".nii") ? ".nii" : ".nii.gz"
        let place = folder.file("\(number)-\(kind)\(suffix)")
        for companion in MaskRecord.companions(ofMask: place) { folder.file(FilePath.name(of: companion)) }
        made[name] = place
        return place
      }
      func model() throws(InputError) -> String {
        guard let place = record.model.flatMap({ found[$0.path] }) else {
          throw InputError(path, "does not state the model that a command runs")
        }
        return place
      }
      mask = try step.run(threads: work.threadCount, model: model, input: input, output: output)
    }
    return mask
  }

  /// Why `made`, the mask that ``run(in:work:)`` made, or the mask that lies beside the record is not the one that the
  /// record describes; nil when both are, whatever they are called and however they are compressed.
  /// - Throws: ``InputError`` when a file cannot be read; ``Cancelled``.
  func difference(of made: String, work: WorkContext) throws -> InputError? {
    guard let output = record.output else { return nil }
    let isMade = output.sha256 == (try Checksum.sha256(ofFile: made, work: work))
    guard let place = try maskPlace(output) else {
      return InputError(
        namedMask ?? output.path,
        isMade
          ? "is missing; what its record's commands make is the mask that the record describes"
          : "is missing, and what its record's commands make is another mask than the record describes"
            + rounding)
    }
    let isUntouched = output.sha256 == (try Checksum.sha256(ofFile: place, work: work))
    if isMade, isUntouched { return try changedNames(besideMask: place) }
    let changed = "was changed since its record was written"
    do {
      // The mask may be replaced by -o, which has to be asked for.
      let difference = try ReadFiles.asOwn {
        Result { try Self.difference(between: place, and: made, work: work) }
      }.get()
      guard let difference else { return try changedNames(besideMask: place) }
      if isUntouched { return InputError(path, difference + rounding) }
      return InputError(
        place,
        isMade
          ? "\(changed): \(difference)"
          : "\(changed), and its commands make another mask: between the two \(difference)" + rounding)
    } catch let error as InputError where !isUntouched && error.subject == place {
      return InputError(
        place, "\(changed) and is no mask any more: \(error.problem)", found: error.found,
        expected: error.expected)
    }
  }

  /// In what two masks differ, "3 of 512 voxels differ"; nil for the same labels on the same grid.
  private static func difference(
    between one: String, and other: String, work: WorkContext
  ) throws -> String? {
    let (first, second) = (try ImageFile.open(one), try ImageFile.open(other))
    guard first.grid.size == second.grid.size else {
      return "it has \(first.grid.size) voxels, not \(second.grid.size)"
    }
    let (before, now) = (try first.labelVolume(work: work), try second.labelVolume(work: work))
    let haveSameCodes = before.coding == now.coding
    let count = zip(before.voxels, now.voxels).count {
      haveSameCodes ? $0 != $1 : before.coding.value(of: $0) != now.coding.value(of: $1)
    }
    let geometry =
      first.grid == second.grid
      ? "the header states the grid otherwise (qform, sform, codes or units)" : "the geometry differs"
    let words = [
      count > 0 ? "\(count) of \(now.voxels.count) voxels differ\(count == 1 ? "s" : "")" : nil,
      first.source == second.source ? nil : geometry,
    ].compactMap(\.self)
    return words.isEmpty ? nil : words.joined(separator: ", ")
  }

  /// Other vector instructions than the record's, which are no mistake, in brackets; else nothing.
  private var rounding: String {
    guard let there = record.instructionSet, let here = MaskRecord().instructionSet, there != here else {
      return ""
    }
    return " (made with \(there), here \(here), which rounds otherwise)"
  }

  /// The mask that the record describes: the one that the user named, the one beside the record under the record's name,
  /// or that of the mask, or else where it was; nil where none is.
  /// - Throws: ``InputError`` for an empty path.
  private func maskPlace(_ output: MaskRecord.File) throws(InputError) -> String? {
    try Self.requirePath(output, recordPath: path)
    if let namedMask { return FileSystem.exists(namedMask) ? namedMask : nil }
    let stem = String(path.dropLast(".json".count))
    let endings = [String(output.path.dropFirst(ImageName.stem(of: output.path).count)), ".nii.gz", ".nii"]
    let places =
      endings.map { stem + $0 }
      + [
        FilePath.joined(FilePath.folder(of: path), FilePath.name(of: output.path)), output.absolutePath,
        output.path,
      ].compactMap(\.self)
    return places.first { FileSystem.exists($0) }
  }

  /// That the names beside a mask are not those of the record; nil where they are.
  ///
  /// Names that are gone are noted: the record has them too.
  private func changedNames(besideMask mask: String) throws(InputError) -> InputError? {
    guard let stated = record.labels else { return nil }
    let place = LabelNamesFile.path(besideMask: mask)
    guard FileSystem.exists(place) else {
      Console.note("\(place): is missing; the record has the names of the labels too")
      return nil
    }
    let changed = "was changed since the record was written"
    do {
      let found = try ReadFiles.asOwn { () throws(InputError) in try LabelNamesFile.read(place) }
      func listed(_ entries: [LabelNames.Entry]) -> [String] {
        entries.sorted { $0.value < $1.value }.map {
          "\($0.value)=\($0.name)" + ($0.colour.map { " \($0.hexadecimal)" } ?? "")
        }
      }
      let (before, now) = (listed(LabelNames(entries: stated).entries), listed(found.entries))
      guard before != now else { return nil }
      func first(_ one: [String], without other: [String]) -> String {
        one.first { !other.contains($0) } ?? counted(one.count, "name")
      }
      return InputError(
        place, changed, found: first(now, without: before), expected: first(before, without: now))
    } catch {
      return InputError(place, "\(changed) and cannot be read: \(error.problem)", found: error.found)
    }
  }

  /// Writes the mask that ``run(in:work:)`` made, the names that the record gives it, and a record of its own, which
  /// says who reviewed the mask where it is the very one that was reviewed.
  /// - Throws: ``InputError`` when one of them cannot be written, or another mask would take the place of the reviewed
  ///   one; ``Cancelled``.
  func write(_ mask: String, to place: OutputPlace, work: WorkContext) throws {
    let file = try ImageFile.open(mask).pendingCopy(for: place.path, work: work)
    var own = record
    own.tool = MaskRecord().tool
    own.instructionSet = MaskRecord().instructionSet
    own.threads = work.threadCount
    if record.output?.sha256 != (try Checksum.sha256(ofFile: mask, work: work)) {
      own.review = nil
      if record.review != nil, try describes(place, work: work) {
        throw InputError(
          place.path, "is the mask that was reviewed, and what was made is another one",
          expected: "another name")
      }
    }
    let names =
      try record.labels.map { LabelNames(entries: $0) } ?? LabelNamesFile.read(besideMask: mask)
      ?? LabelNames()
    let written = [
      file, try LabelNamesFile.pending(names, besideMask: place.path),
      try own.pending(for: file, at: place.path, work: work),
    ]
    try work.checkCancellation()
    try PendingFile.commit(written)
  }

  /// Whether the mask of this record stands at `place`, or this record is written with what comes there.
  private func describes(_ place: OutputPlace, work: WorkContext) throws -> Bool {
    let isBeside =
      FileSystem.resolved(MaskRecord.path(besideMask: place.path)).map { $0 == FileSystem.resolved(path) }
    if isBeside == true { return true }
    guard FileSystem.exists(place.path) else { return false }
    return try Checksum.sha256(ofFile: place.path, work: work) == record.output?.sha256
  }

  private static func requirePath(_ file: MaskRecord.File, recordPath: String) throws(InputError) {
    guard !file.path.isEmpty, file.absolutePath?.isEmpty != true else {
      throw InputError(recordPath, "names a file without a path")
    }
  }

  /// Where a file of the record is now: where it was, from the working folder, or beside the record.
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
    for place in [file.absolutePath, file.path, beside].compactMap(\.self) where FileSystem.exists(place) {
      do {
        if try Checksum.sha256(ofFile: place, work: work) == checksum { return place }
        other = other ?? place
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

/// A command of a record with its files replaced by those of a replay.
private enum ReplayStep {
  case segment(SegmentCommand)
  case refine(RefineCommand)
  case convert(ConvertCommand)

  /// A command that makes a mask, from its words behind "segdeck".
  /// - Throws: ``InputError`` for any other command, and for options that are none.
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
      // A request for help or the like, which would end the program well with its text.
      throw InputError(
        recordPath, "a command cannot be read", found: "\(CommandLineText.text(words).prefix(80))",
        expected: "one that makes a mask")
    } catch {
      let reason = SegdeckCommand.message(for: error).split(whereSeparator: \.isNewline).first ?? ""
      throw InputError(recordPath, "a command cannot be read", found: String(reason))
    }
  }

  /// Carries the command out with the files that `input` and `output` give for its own; gives the mask's file.
  func run(
    threads: Int, model: () throws -> String, input: (String) throws -> String,
    output: (String, String) -> String
  ) throws -> String {
    switch self {
    case .segment(var command):
      command.image = try input(command.image)
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
