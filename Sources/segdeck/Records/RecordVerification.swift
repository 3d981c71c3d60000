import ImageFormats
import Volumes
import Work

extension RecordReplay {
  /// The first difference of `made`, the mask of ``run(in:work:)``, or of the mask beside the record from the mask that
  /// the record describes; nil when both are equal to it.
  ///
  /// Names and compression of the files do not matter.
  /// - Throws: ``InputError`` when a file cannot be read; ``Cancelled``.
  func difference(of made: String, work: WorkContext) throws -> InputError? {
    guard let output = record.output else { return nil }
    let isMade = try Self.isUnchanged(output, at: made, work: work)
    guard let maskPath = try Self.maskPath(output, named: namedMask, recordPath: path) else {
      return InputError(
        namedMask ?? output.path,
        isMade
          ? "is missing; what its record's commands make is the mask that the record describes"
          : "is missing, and what its record's commands make is another mask than the record describes"
            + rounding)
    }
    let isUntouched = try Self.isUnchanged(output, at: maskPath, work: work)
    // Names in the mask's own file are part of its checksum.
    let mayHaveOtherNames = !isUntouched || !ImageName.holdsLabelNames(maskPath)
    func changedNames() throws(InputError) -> InputError? {
      guard mayHaveOtherNames else { return nil }
      return try self.changedNames(besideMask: maskPath)
    }
    if isMade, isUntouched { return try changedNames() }
    let changed = "was changed since its record was written"
    do {
      // -o may replace the mask.
      let difference = try ReadFiles.withoutRegistering {
        Result { try Self.difference(between: maskPath, and: made, work: work) }
      }.get()
      guard let difference else {
        if !isUntouched { try noteOtherFile(maskPath, work) }
        return try changedNames()
      }
      if isUntouched { return InputError(path, difference + rounding) }
      return InputError(
        maskPath,
        isMade
          ? "\(changed): \(difference)"
          : "\(changed), and its commands make another mask: between the two \(difference)" + rounding)
    } catch let error as InputError where !isUntouched && error.subject == maskPath {
      return InputError(
        maskPath, "\(changed) and is no longer a mask: \(error.problem)", found: error.found,
        expected: error.expected)
    }
  }

  /// Notes that a mask is another file than its record states, though its labels and its grid are the same: it was
  /// compressed anew, or one of the two checksums was changed.
  private func noteOtherFile(_ maskPath: String, _ work: WorkContext) throws {
    func shown(_ checksum: String?) -> String { checksum.map { "\($0.prefix(12))..." } ?? "none" }
    Console.note(
      "\(maskPath): is another file than \(path) states, with the same labels and grid: SHA-256 "
        + "\(shown(try Checksum.sha256(ofFile: maskPath, work: work))), stated \(shown(record.output?.sha256))"
    )
  }

  /// Whether the mask of a record is unchanged, in words: "m.nii.gz is the mask that was written".
  /// - Throws: ``InputError`` when it cannot be read; ``Cancelled``.
  static func maskState(
    of record: MaskRecord, named name: String?, recordPath: String, work: WorkContext
  ) throws -> String {
    guard let output = record.output else { return "it states no mask" }
    guard let maskPath = try Self.maskPath(output, named: name, recordPath: recordPath) else {
      return "\(output.path) is missing"
    }
    return try Self.isUnchanged(output, at: maskPath, work: work)
      ? "\(maskPath) is the mask that was written" : "\(maskPath) is another file than was written"
  }

  /// Whether a mask, with the files that hold its voxels beside it, is as its record states.
  /// - Throws: ``InputError`` when it cannot be read; ``Cancelled``.
  static func isUnchanged(_ stated: MaskRecord.File?, at path: String, work: WorkContext) throws -> Bool {
    guard let stated, try Checksum.sha256(ofFile: path, work: work) == stated.sha256 else { return false }
    return try (stated.parts ?? []).allSatisfy { part in
      let partPath = FilePath.joined(FilePath.folder(of: path), FilePath.name(of: part.path))
      guard FileSystem.exists(partPath) else { return false }
      return try Checksum.sha256(ofFile: partPath, work: work) == part.sha256
    }
  }

  /// The difference of two masks, "3 of 512 voxels differ"; nil for the same labels on the same grid.
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
      count > 0
        ? counted(count, "of \(now.voxels.count) voxels differs", "of \(now.voxels.count) voxels differ")
        : nil,
      first.source == second.source ? nil : geometry,
    ].compactMap(\.self)
    return words.isEmpty ? nil : words.joined(separator: ", ")
  }

  /// " (made with X, here Y, which rounds otherwise)" where this machine uses other vector instructions; else "".
  private var rounding: String {
    guard let there = record.instructionSet, let here = MaskRecord().instructionSet, there != here else {
      return ""
    }
    return " (made with \(there), here \(here), which rounds otherwise)"
  }

  /// The path of the mask that the record describes: the one that the user named; else a mask beside the record, with
  /// the record's name or the mask's own; else the path in the record.
  ///
  /// nil where no such file exists.
  /// - Throws: ``InputError`` for an empty path.
  private static func maskPath(
    _ output: MaskRecord.File, named namedMask: String?, recordPath path: String
  ) throws(InputError) -> String? {
    try requirePath(output, recordPath: path)
    if let namedMask { return FileSystem.exists(namedMask) ? namedMask : nil }
    let stem = String(path.dropLast(".json".count))
    let endings = [String(output.path.dropFirst(ImageName.stem(of: output.path).count)), ".nii.gz", ".nii"]
    let candidates =
      endings.map { stem + $0 }
      + [
        FilePath.joined(FilePath.folder(of: path), FilePath.name(of: output.path)), output.absolutePath,
        output.path,
      ].compactMap(\.self)
    return candidates.first { FileSystem.exists($0) }
  }

  /// The error where the label names beside a mask differ from those of the record; nil where they are equal.
  ///
  /// Missing names are only noted, because the record contains them too.
  private func changedNames(besideMask mask: String) throws(InputError) -> InputError? {
    guard let stated = record.labels else { return nil }
    let isOwn = ImageName.holdsLabelNames(mask)
    let namesPath = isOwn ? mask : LabelNamesFile.path(besideMask: mask)
    guard FileSystem.exists(namesPath) else {
      Console.note("\(namesPath): is missing; the record has the names of the labels too")
      return nil
    }
    let changed = "was changed since the record was written"
    do {
      let found = try ReadFiles.withoutRegistering { () throws(InputError) in
        guard isOwn else { return try LabelNamesFile.read(namesPath) }
        do { return try ImageFile.open(mask).labelNames ?? LabelNames() } catch {
          throw error as? InputError ?? InputError(mask, "\(error)")
        }
      }
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
        namesPath, changed, found: first(now, without: before), expected: first(before, without: now))
    } catch {
      return InputError(namesPath, "\(changed) and cannot be read: \(error.problem)", found: error.found)
    }
  }
}
