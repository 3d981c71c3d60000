import Foundation
import Volumes
import Work

/// Label names and colours in a text file beside a mask.
package enum LabelNamesFile {
  /// The suffixes of files of label names, in search order.
  private static let endings = [".labels.json", ".label", ".nii.txt", ".txt", ".tsv"]
  /// Files of names that hold for all masks of a folder, in search order: FreeSurfer's, BIDS's, and nnU-Net's beside its
  /// predictions and above the folders of a data set.
  private static let commonNames = ["FreeSurferColorLUT.txt", "dseg.tsv", "dataset.json", "../dataset.json"]

  /// The names of the labels of a mask: those that the file states itself, else those that lie beside it, else those
  /// that a file for all masks of its folder has for `values`.
  ///
  /// - Parameters:
  ///   - values: Those of the mask's voxels; nil where they are not known, or the image is no mask, so that no file of
  ///     the folder counts.
  ///   - isMask: Whether the image is read as a mask. Otherwise a file of the folder counts only where it names every
  ///     value above 0, because the numbers of many images could be labels too.
  /// - Returns: nil where there are none. A file beside the mask that cannot be read gives only a finding: no names.
  package static func read(
    of image: ImageFile, values: Set<Int>?, isMask: Bool = true
  ) -> LabelNames? {
    if let own = image.labelNames, !own.entries.isEmpty { return own }
    do throws(InputError) {
      if let beside = try read(besideMask: image.path) { return beside }
    } catch {
      return unused(error, error.subject)
    }
    return values.flatMap { read(commonTo: image.path, values: $0, isMask: isMask) }
  }

  /// Reads the names that lie beside a mask, from the first of these files that exists:
  /// `NAME.labels.json` (this program's own), `NAME.label` and `NAME.txt` (ITK-SNAP, FreeSurfer), `NAME.nii.txt`
  /// (MRIcron), `NAME.tsv` (BIDS).
  ///
  /// - Parameter path: The mask, `NAME.nii.gz` or any other.
  /// - Returns: nil when there is no such file, or only a `NAME.txt` without a line that is a label. A `NAME.txt` with
  ///   both label lines and other lines gives only a finding, because it may not be a file of label names.
  /// - Throws: ``InputError`` that names the first line that cannot be read.
  package static func read(besideMask path: String) throws(InputError) -> LabelNames? {
    let stem = stem(ofMask: path)
    for ending in endings {
      let candidate = stem + ending
      guard candidate != path, FileSystem.exists(candidate) else { continue }
      // A plain text beside an image may be anybody's notes.
      switch ending {
      case ".txt": return readPlainText(candidate)
      case ".tsv": return try readTable(candidate)
      default: return try read(candidate)
      }
    }
    return nil
  }

  /// Reads a file of label names: JSON when its name ends so, else lines of text; a byte order mark is not part of
  /// them.
  /// - Throws: ``InputError`` that names what cannot be read.
  package static func read(_ path: String) throws(InputError) -> LabelNames {
    let (text, finding) = try text(of: path)
    if FilePath.hasSuffix(".json", path) { return try decodeJSON(text, path: path, finding: finding) }
    if FilePath.hasSuffix(".tsv", path) {
      return try LabelNamesTable.decode(text, path: path, finding: finding)
    }
    return try LabelLines(text, path: path, finding: finding).checkedNames()
  }

  /// The names of those `values` that a file of names for all masks of the folder states.
  ///
  /// These are `FreeSurferColorLUT.txt`, `dseg.tsv` (BIDS), and `dataset.json` (nnU-Net), which may also be in the folder
  /// above. In a BIDS data set, `dseg.tsv` may be in any folder up to the one with `dataset_description.json`. nil where
  /// there is no such file, or it names none of the values.
  ///
  /// A file that cannot be read only gives a finding, because it may be about something else.
  /// - Parameter isMask: As for ``read(of:values:isMask:)``.
  package static func read(
    commonTo path: String, values: Set<Int>, isMask: Bool = true
  ) -> LabelNames? {
    for candidate in commonFiles(ofImage: path) {
      do throws(InputError) {
        guard let names = try read(commonFile: candidate)?.limited(to: values) else { continue }
        if isMask || names.cover(values) { return names }
      } catch {
        guard isMask else { continue }
        return unused(error, candidate)
      }
    }
    return nil
  }

  /// The names in one of the files that hold for all masks of a folder.
  /// - Returns: nil where there is no such file, or it is a `dataset.json` of another kind, such as one of BIDS.
  /// - Throws: ``InputError`` that names what cannot be read.
  package static func read(commonFile path: String) throws(InputError) -> LabelNames? {
    guard FileSystem.exists(path) else { return nil }
    if let content = try? text(of: path).text, let document = JSONValue(content),
      document[key: "labels"] == nil
    {
      return nil
    }
    return try read(path)
  }

  /// No names, with the finding that the file at `path` cannot be read.
  package static func unused(_ error: InputError, _ path: String) -> LabelNames {
    let found = error.found.map { ": found \($0)" } ?? ""
    return LabelNames(finding: "\(FilePath.name(of: path)): \(error.problem)\(found); its names are not used")
  }

  /// The paths of the files, existing or not, whose names hold for all masks in the folder of an image, in search order.
  package static func commonFiles(ofImage path: String) -> [String] {
    let folder = FilePath.folder(of: path)
    return commonNames.map { FilePath.joined(folder, $0) } + inheritedTables(of: folder)
  }

  /// The greatest number of folders between a mask and the root of its BIDS data set.
  private static let maximumDepth = 6

  /// `dseg.tsv` in the folders above `folder`, the nearest first, up to the root of the BIDS data set (its inheritance
  /// principle); empty outside of one.
  private static func inheritedTables(of folder: String) -> [String] {
    var tables: [String] = []
    var current = FilePath.absolute(folder)
    for _ in 0..<maximumDepth {
      if FileSystem.exists(FilePath.joined(current, "dataset_description.json")) { return tables }
      let above = FilePath.folder(of: current)
      guard above != current else { break }
      current = above
      tables.append(FilePath.joined(current, "dseg.tsv"))
    }
    return []
  }

  /// Reads a table beside an image; nil for one without label names, as a table of events.
  private static func readTable(_ candidate: String) throws(InputError) -> LabelNames? {
    let (text, finding) = try text(of: candidate)
    return LabelNamesTable.recognises(text)
      ? try LabelNamesTable.decode(text, path: candidate, finding: finding) : nil
  }

  private static func readPlainText(_ path: String) -> LabelNames? {
    guard let (text, finding) = try? text(of: path) else { return nil }
    let lines = LabelLines(text, path: path, finding: finding)
    guard !lines.names.entries.isEmpty else { return nil }
    return lines.error.map {
      LabelNames(
        finding: "\(FilePath.name(of: path)): \($0.problem), \($0.found ?? ""); its names are not used")
    } ?? lines.names
  }

  /// `NAME.labels.json` of the mask `NAME.nii.gz`.
  package static func path(besideMask path: String) -> String { stem(ofMask: path) + ".labels.json" }

  /// The files of names that are written with a mask: `NAME.labels.json`, or none where the mask's own file states
  /// them.
  package static func paths(writtenWithMask path: String) -> [String] {
    ImageName.holdsLabelNames(path) ? [] : [Self.path(besideMask: path)]
  }

  /// The files of ``paths(writtenWithMask:)``, temporary until they are committed, which replaces files of their names.
  /// - Throws: ``InputError`` for a read-only folder or a full disk.
  package static func pending(
    _ names: LabelNames, withMask path: String
  ) throws(InputError) -> [PendingFile] {
    try paths(writtenWithMask: path).map { path throws(InputError) in
      try AtomicFile.pending(encodeJSON(names), for: path)
    }
  }

  /// Writes `NAME.labels.json` beside the mask `NAME.nii.gz`, replacing a file of its name.
  /// - Returns: The path written.
  /// - Throws: ``InputError`` for a read-only folder or a full disk.
  @discardableResult
  package static func write(_ names: LabelNames, besideMask path: String) throws(InputError) -> String {
    try AtomicFile.write(encodeJSON(names), to: Self.path(besideMask: path))
    return Self.path(besideMask: path)
  }

  /// The paths of the companions of an image, existing or not: its record or sidecar, and its files of label names.
  package static func neighbours(ofImage path: String) -> [String] {
    let stem = stem(ofMask: path)
    return ([".json"] + endings).map { stem + $0 }.filter { $0 != path }
  }

  /// The mask's path without the suffix of an image.
  private static func stem(ofMask path: String) -> String {
    if ImageName.suffix(of: path) != nil { return ImageName.stem(of: path) }
    guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return path }
    return String(path[..<dot])
  }

  /// The text of a file and, where it is not UTF-8 or UTF-16, how it was read.
  private static func text(of path: String) throws(InputError) -> (text: String, finding: String?) {
    let data = try content(of: path)
    if let text = String(textOf: data) { return (text, nil) }
    // Every byte is a letter of Latin-1, in which older programs write names.
    return (
      String(data.map { Character(Unicode.Scalar($0)) }),
      "\(FilePath.name(of: path)) is not UTF-8; its names are read as Latin-1"
    )
  }

  private static func content(of path: String) throws(InputError) -> Data {
    let stream = try ByteStream(path: path)
    let limit = 4 << 20
    guard stream.fileByteCount <= limit else {
      throw InputError(
        path, "is too long for label names", found: "\(stream.fileByteCount) bytes",
        expected: "\(limit) or fewer")
    }
    return try FileSystem.read(path)
  }
}
