import Foundation
import Synchronization
import Work

/// The DICOM files that lie directly in a folder.
struct DicomFolder: Sendable {
  let path: String
  let instances: [DicomInstance]
  /// Files that begin as DICOM files but cannot be read.
  ///
  /// Beside readable ones also those that have a suffix of DICOM but another content, and empty ones without a suffix.
  let damaged: [DamagedFile]

  /// A file that cannot be read.
  struct DamagedFile: Error {
    var error: InputError
    /// The UID of its series; nil where the damage comes before it.
    var seriesInstanceUID: String?
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
    let others = instances.isEmpty ? [] : zip(names, read.withLock { $0 }).filter { $1 == nil }.map(\.0)
    damaged = unreadable + others.compactMap { Self.damage(of: FilePath.joined(path, $0)) }
  }

  /// The damage of a file that does not begin as DICOM although its name is that of a DICOM file; nil for a file of
  /// another kind.
  private static func damage(of path: String) -> DamagedFile? {
    guard let status = FileSystem.status(path), status.st_mode & S_IFMT == S_IFREG else { return nil }
    let name = FilePath.name(of: path)
    // Names without a suffix are usual: IM0004, or UIDs, whose parts are numbers.
    let isBare = name.split(separator: ".").dropFirst().allSatisfy { $0.allSatisfy(\.isNumber) }
    guard DicomListing.hasSuffix(name) || status.st_size == 0 && isBare else { return nil }
    let error =
      status.st_size == 0
      ? InputError(path, "is empty")
      : InputError(path, "is not a DICOM file", found: "another content", expected: "DICM at byte 128")
    return DamagedFile(error: error)
  }

  /// The image series of the folder by SeriesNumber; segmentations are not among them.
  var imageSeries: [DicomSeries] { DicomSeries.series(of: instances.filter { $0.segmentation == nil }) }

  /// Reads a DICOM file; nil for a file of any other kind.
  private static func instance(_ path: String) -> Result<DicomInstance, DamagedFile>? {
    guard let status = FileSystem.status(path), status.st_mode & S_IFMT == S_IFREG, begins(path) else {
      return nil
    }
    do throws(InputError) { return .success(try DicomInstance(path: path)) } catch {
      let series = DicomParser.seriesInstanceUID(ofDamaged: path)
      return .failure(DamagedFile(error: error, seriesInstanceUID: series))
    }
  }

  /// Whether the first bytes of a file are those of a DICOM file; false where it cannot be read.
  static func begins(_ path: String) -> Bool {
    let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    guard (try? FileSystem.statusOfOrdinaryFile(descriptor, path: path)) != nil else { return false }
    var bytes = [UInt8](repeating: 0, count: 132)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard DicomParser.recognises(Array(bytes.prefix(max(count, 0)))) else { return false }
    // An output of the running command is not part of its input.
    return (try? ReadFiles.register(path)) != nil
  }
}
