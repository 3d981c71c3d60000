import Foundation
import Segmentation
import Synchronization
import Work

/// The file of a sweep's trials: a heading, then one line of JSON for each trial.
final class SweepJournal: Sendable {
  /// The identity of a sweep; the journal of another sweep is refused.
  struct Heading: Codable, Hashable {
    var seed: UInt64
    var objective: SweepObjective
    var ranges: KernelRanges
    var cases: [String]
    /// The measures of the cases without a CRF, which change with images, labels and network.
    var baselines: [Double]

    init(_ search: KernelSearch, seed: UInt64) {
      self.seed = seed
      objective = search.objective
      ranges = search.ranges
      cases = search.cases.map(\.name)
      baselines = search.baselines
    }
  }

  /// Trials of earlier runs.
  let trials: [KernelSearch.Trial]
  private let path: String
  private let file: FileHandle
  private let lock: FileLock
  private let lines = Mutex<Void>(())

  /// Opens a journal, or creates it.
  ///
  /// An incomplete last line is removed.
  /// - Throws: ``InputError`` when the file cannot be read or written, or belongs to another sweep.
  init(_ outputPath: OutputPath, heading: Heading) throws(InputError) {
    path = outputPath.path
    lock = try FileLock(path, owner: "sweep")
    let known = try ReadFiles.withoutRegistering { () throws(InputError) in
      try FileSystem.readIfPresent(outputPath.path) ?? Data()
    }
    var lines = known.split(separator: 10).map { Data($0) }
    if known.last != 10 { lines = lines.dropLast() }
    if let first = lines.first {
      guard let earlier = try? JSONDecoder().decode(Heading.self, from: first) else {
        throw InputError(path, "is not the journal of a sweep")
      }
      guard earlier == heading else {
        throw InputError(
          path, "is the journal of another sweep", found: Self.difference(earlier, heading),
          expected: "the same cases, labels, network, options and seed, or another file")
      }
    } else if !known.isEmpty {
      throw InputError(path, "is not the journal of a sweep")
    }
    var trials: [KernelSearch.Trial] = []
    for (number, line) in lines.enumerated().dropFirst() {
      guard let trial = try? JSONDecoder().decode(KernelSearch.Trial.self, from: line) else {
        throw InputError(path, "line \(number + 1) is not a trial")
      }
      trials.append(trial)
    }
    self.trials = trials
    let whole = (lines.isEmpty ? [Self.line(heading)] : lines.map { $0 + Data([10]) }).reduce(Data(), +)
    if whole != known {
      try AtomicFile.write(whole, to: path)
    }
    let descriptor = FileSystem.open(path, O_WRONLY | O_APPEND)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be written", found: String(cString: strerror(errno)))
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Appends a trial.
  /// - Throws: ``InputError`` when the file cannot be written.
  func append(_ trial: KernelSearch.Trial) throws(InputError) {
    let line = Self.line(trial)
    guard lines.withLock({ _ in (try? file.write(contentsOf: line)) != nil }) else {
      throw InputError(path, "cannot be written")
    }
  }

  private static func line(_ value: some Encodable) -> Data { finiteJSON(value) + Data([10]) }

  private static func difference(_ one: Heading, _ other: Heading) -> String {
    if one.cases != other.cases { return "cases \(one.cases.joined(separator: ","))" }
    if one.seed != other.seed { return "seed \(one.seed)" }
    if one.objective != other.objective { return "objective \(one.objective.rawValue)" }
    return one.ranges != other.ranges ? "other kernels to start from" : "other images, labels or network"
  }
}
