import Foundation
import Work

/// One line of a record file: what happened to one case of a cohort.
///
/// The properties have the names of the keys in snake case; [formats](../../docs/formats.md) describes them. A property
/// that does not apply is absent.
package struct CohortRecord: Codable, Equatable, Sendable {
  /// What happened.
  package enum Event: String, Codable, Sendable {
    /// A process began to compute the case.
    case started
    /// The mask is written.
    case done
    /// The case has no mask, for the reason in ``CohortRecord/error``.
    case failed
    /// A failed case is to be tried again.
    case retried
  }

  /// Why a case failed.
  package enum Cause: String, Codable, Sendable {
    /// A file cannot be read or does not fit the model, or an output cannot be written.
    case input
    /// It does not fit in the memory there is.
    case memory
    /// The process ended while it computed the case, several times.
    case interrupted
  }

  /// A file of the case as it was when it was read.
  package struct InputFile: Codable, Equatable, Sendable {
    package var path: String
    /// Bytes; -1 for a file that does not exist.
    package var bytes: Int
    /// Seconds since 1970 with nine decimals.
    package var modified: String

    /// The file as it is now.
    package init(path: String) {
      self.path = path
      guard let status = FileSystem.status(path) else {
        (bytes, modified) = (-1, "")
        return
      }
      bytes = Int(status.st_size)
      modified = String(format: "%ld.%09ld", status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
  }

  /// The measures of one label of the mask.
  package struct Label: Codable, Equatable, Sendable {
    package var value: Int
    package var name: String
    package var ml: Double
    package var components, holes, missingSlices: Int
    package var touches: [String]
    /// Of the network's probabilities, 0...1.
    package var entropyInside, entropyNearBorder: Double?

    package init(
      value: Int, name: String, ml: Double, components: Int, holes: Int, missingSlices: Int,
      touches: [String],
      entropyInside: Double? = nil, entropyNearBorder: Double? = nil
    ) {
      (self.value, self.name, self.ml) = (value, name, ml)
      (self.components, self.holes, self.missingSlices) = (components, holes, missingSlices)
      self.touches = touches
      (self.entropyInside, self.entropyNearBorder) = (entropyInside, entropyNearBorder)
    }
  }

  /// A structure of the mask compared with the reference.
  package struct Comparison: Codable, Equatable, Sendable {
    package var name: String
    package var ml, referenceMl: Double
    package var dice, hd95Mm, assdMm, surfaceDice: Double?

    package init(
      name: String, ml: Double, referenceMl: Double, dice: Double?, hd95Mm: Double?, assdMm: Double?,
      surfaceDice: Double?
    ) {
      (self.name, self.ml, self.referenceMl) = (name, ml, referenceMl)
      (self.dice, self.hd95Mm, self.assdMm, self.surfaceDice) = (dice, hd95Mm, assdMm, surfaceDice)
    }
  }

  /// What the case cost.
  package struct Cost: Codable, Equatable, Sendable {
    /// Seconds to read and decode the images, which may overlap the computation of another case.
    package var readingSeconds = 0.0
    /// Seconds from the images to the written mask.
    package var computingSeconds = 0.0
    /// Seconds of measures and pictures.
    package var measuringSeconds = 0.0
    /// The most memory that the process had so far.
    package var peakBytes = 0
    package var readBytes = 0
    package var writtenBytes = 0
    /// Voxels of the image.
    package var voxels = 0

    package init() {}

    /// Seconds that the case keeps a process busy that reads ahead.
    package var busySeconds: Double { computingSeconds + measuringSeconds }
  }

  package static let schemaName = "segdeck-cohort"
  /// Increases when a key changes its meaning or goes.
  package static let schemaVersion = 1

  package var schema = CohortRecord.schemaName
  package var version = CohortRecord.schemaVersion
  package var event: Event
  package var `case`: String
  /// 1 for the first time that the case is computed; a retry belongs to the attempt that it takes back.
  package var attempt: Int
  /// In UTC: "2026-11-29T16:00:00.123Z".
  package var time: String
  package var host: String
  package var process: Int
  /// The job of a batch system; nil outside of one.
  package var job: String?
  /// The SHA-256 of the model's SHA-256 and of the settings that change masks.
  package var settingsSha256: String
  /// The first image as an absolute path, and the choice of its series.
  package var image: String?
  package var series: String?
  /// The images' files, in the order of the model's channels.
  package var inputs: [InputFile]?
  /// The SHA-256 of the contents of ``inputs``.
  package var imagesSha256: String?
  /// The mask, from the folder of results.
  package var mask: String?
  package var maskSha256: String?
  /// The class probabilities, from the folder of results.
  package var probabilities: String?
  /// The picture, from the folder of results.
  package var picture: String?
  package var labels: [Label]?
  /// The name of the reference's version.
  package var reference: String?
  package var comparisons: [Comparison]?
  package var notes: [String]?
  package var cause: Cause?
  package var error: String?
  package var cost: Cost?

  /// A record of an event now; `process`, `host` and `job` are those of this process.
  package init(_ event: Event, case name: String, attempt: Int, settingsSha256: String, time: String) {
    self.event = event
    `case` = name
    self.attempt = attempt
    self.time = time
    self.settingsSha256 = settingsSha256
    host = Self.host
    process = Int(getpid())
    job = Self.job
  }

  /// The machine's name.
  package static let host: String = {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    return FilePath.text(name)
  }()

  /// The job of Slurm that this process belongs to: "17", or "17_3" of an array.
  private static let job: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let array = environment["SLURM_ARRAY_JOB_ID"], let task = environment["SLURM_ARRAY_TASK_ID"] {
      return "\(array)_\(task)"
    }
    return environment["SLURM_JOB_ID"]
  }()

  /// One line of JSON without a line break.
  package var json: Data {
    let encoder = JSONEncoder.stable()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    do { return try encoder.encode(self) } catch {
      preconditionFailure("a record holds only finite numbers: \(error)")
    }
  }

  /// The record of a line; nil where it is none, or one of a later version.
  package init?(json: Data) {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let record = try? decoder.decode(CohortRecord.self, from: json), record.schema == Self.schemaName,
      record.version == Self.schemaVersion
    else { return nil }
    self = record
  }
}
