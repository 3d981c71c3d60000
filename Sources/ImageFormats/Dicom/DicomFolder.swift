import Foundation
import Synchronization
import Work

/// The DICOM files that lie directly in a folder, or those of an image in several folders below it.
struct DicomFolder: Sendable {
  let path: String
  let instances: [DicomInstance]
  /// Files that begin as DICOM files but cannot be read, and those with a suffix of DICOM that cannot be opened.
  ///
  /// Beside readable ones also every other file that cannot be opened, links that lead to no file, those that have a suffix
  /// of DICOM or of the readable ones but another content, and empty or cut off ones without a suffix.
  let damaged: [DamagedFile]

  /// A file that cannot be read.
  struct DamagedFile: Error {
    var error: InputError
    /// The UID of its series; nil where the damage comes before it.
    var seriesInstanceUID: String?
    /// Whether its bytes could be read; nobody knows what any other file is.
    var wasRead = true
  }

  /// The maximum number of files, which is above that of any study.
  private static let maximumFileCount = 100_000

  /// Reads the attributes before the pixels of every DICOM file, on all cores.
  ///
  /// Files of other kinds, hidden files and DICOMDIR are skipped.
  /// - Throws: ``InputError`` when the folder cannot be read or has too many files; ``Cancelled``.
  /// - Complexity: O(files), some 30 KiB of each.
  init(_ path: String, work: WorkContext = WorkContext()) throws {
    let names = try FileSystem.names(in: path).filter { !$0.hasPrefix(".") && $0.uppercased() != "DICOMDIR" }
    guard names.count <= Self.maximumFileCount else {
      throw InputError(
        path, "holds too many files", found: "\(names.count)", expected: "\(Self.maximumFileCount) or fewer")
    }
    let read = Mutex([Result<DicomInstance, DamagedFile>?](repeating: nil, count: names.count))
    let done = Atomic<Int>(0)
    try work.forEach(count: names.count, grain: 8) { index, _ in
      let result = Self.instance(FilePath.joined(path, names[index]))
      read.withLock { $0[index] = result }
      let count = done.add(1, ordering: .relaxed).newValue
      if count % 64 == 0 { work.report(Double(count) / Double(names.count)) }
    }
    work.report(1)
    self.path = path
    let results = read.withLock { $0.compactMap { $0 } }
    instances = results.compactMap { try? $0.get() }
    let unreadable = results.compactMap { if case .failure(let error) = $0 { error } else { nil } }
    let others = zip(names, read.withLock { $0 }).filter { $1 == nil }.map(\.0)
    let endings = Set(instances.map { Self.ending(FilePath.name(of: $0.path)) })
    let isEmpty = instances.isEmpty
    damaged =
      unreadable.filter { !isEmpty || $0.wasRead || DicomListing.hasSuffix($0.error.subject) }
      + others.compactMap {
        isEmpty ? nil : Self.damage(of: FilePath.joined(path, $0), besideEndings: endings)
      }
  }

  /// Files that were read before.
  init(path: String, instances: [DicomInstance], damaged: [DamagedFile]) {
    (self.path, self.instances, self.damaged) = (path, instances, damaged)
  }

  /// The suffix of a name in small letters; empty for names without one.
  ///
  /// Names without a suffix are usual: IM0004, or UIDs, whose parts are numbers.
  private static func ending(_ name: String) -> String {
    guard let last = name.split(separator: ".").dropFirst().last, !last.allSatisfy(\.isNumber) else {
      return ""
    }
    return last.lowercased()
  }

  /// The damage of a file that does not begin as DICOM although its name or its beginning is that of a DICOM file; nil
  /// for a file of another kind.
  /// - Parameter endings: The suffixes of the DICOM files beside it.
  private static func damage(of path: String, besideEndings endings: Set<String>) -> DamagedFile? {
    guard let bytes = try? beginning(of: path) else { return nil }
    let name = FilePath.name(of: path)
    let ending = ending(name)
    let isNamedSo = DicomListing.hasSuffix(name) || !ending.isEmpty && endings.contains(ending)
    if bytes.isEmpty {
      return isNamedSo || ending.isEmpty ? DamagedFile(error: InputError(path, "is empty")) : nil
    }
    // Files without a suffix may be notes; the preamble of a slice is rarely text.
    let isText = !bytes.contains { $0 < 0x20 && !$0.isWhitespaceOfText }
    let beginsSo =
      ending.isEmpty && (bytes.count < 132 && !isText || bytes.prefix(128).allSatisfy { $0 == 0 })
    guard isNamedSo || beginsSo else { return nil }
    let error =
      bytes.count < 132
      ? InputError(path, "ends after \(counted(bytes.count, "byte"))", expected: "DICM at byte 128")
      : InputError(path, "is not a DICOM file", found: "another content", expected: "DICM at byte 128")
    return DamagedFile(error: error)
  }

  /// The image series of the folder by SeriesNumber; segmentations are not among them.
  var imageSeries: [DicomSeries] { DicomSeries.series(of: instances.filter { $0.segmentation == nil }) }

  /// Reads a DICOM file; nil for a file of any other kind, and for what is no file.
  ///
  /// A segmentation does not become an input before it is opened: a review that exported it may export it again.
  private static func instance(_ path: String) -> Result<DicomInstance, DamagedFile>? {
    let bytes: [UInt8]?
    do throws(InputError) { bytes = try beginning(of: path) } catch {
      return .failure(DamagedFile(error: error, wasRead: false))
    }
    guard let bytes, DicomParser.recognises(bytes) else { return nil }
    do throws(InputError) {
      let instance = try ReadFiles.withoutRegistering { () throws(InputError) in
        try DicomInstance(path: path)
      }
      guard instance.segmentation != nil || isInput(path, beginningWith: bytes) else { return nil }
      return .success(instance)
    } catch {
      guard isInput(path, beginningWith: bytes) else { return nil }
      let series = DicomParser.seriesInstanceUID(ofDamaged: path)
      return .failure(DamagedFile(error: error, seriesInstanceUID: series))
    }
  }

  /// Whether the first bytes of a file are those of a DICOM file; false where it cannot be read.
  static func begins(_ path: String) -> Bool {
    (try? beginning(of: path)).map { isInput(path, beginningWith: $0) } ?? false
  }

  /// Whether a file is DICOM; if so, it is registered as an input, unless it is an output of the running command.
  private static func isInput(_ path: String, beginningWith bytes: [UInt8]) -> Bool {
    DicomParser.recognises(bytes) && (try? ReadFiles.register(path)) != nil
  }

  /// The first 132 bytes of a file, or all of a shorter one; nil for folders and devices.
  /// - Throws: ``InputError`` where it cannot be read, or a link leads to no file.
  private static func beginning(of path: String) throws(InputError) -> [UInt8]? {
    guard let status = FileSystem.status(path) else {
      let reason = String(cString: strerror(errno))
      let target = FileSystem.target(ofLink: path).map { "a link to \($0), \(reason)" }
      throw InputError(path, "cannot be opened", found: target ?? reason)
    }
    guard status.st_mode & S_IFMT == S_IFREG else { return nil }
    let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be opened", found: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    guard (try? FileSystem.statusOfOrdinaryFile(descriptor, path: path)) != nil else { return nil }
    var bytes = [UInt8](repeating: 0, count: 132)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else {
      throw InputError(path, "cannot be read", found: String(cString: strerror(errno)))
    }
    // An output of the running command is not part of its input.
    return Array(bytes.prefix(count))
  }
}

extension UInt8 {
  /// Whether it is a tab, the end of a line or of a page.
  fileprivate var isWhitespaceOfText: Bool { (9...13).contains(self) }
}
