import Foundation
import Work

/// Calls of Slurm's own programs.
enum Slurm {
  /// Submits a script.
  /// - Parameter waits: Whether the call returns only when the job has ended.
  /// - Returns: The number of the job.
  /// - Throws: ``InputError`` with what `sbatch` says, where it is not installed or refuses; not where the job fails.
  static func submit(script: String, waits: Bool = false) throws(InputError) -> String {
    let found = try call(["sbatch", "--parsable"] + (waits ? ["--wait"] : []) + [script])
    // With --wait the status is that of the job.
    let job = found.output.split { $0 == "\n" || $0 == ";" }.first.map(String.init) ?? ""
    guard !job.isEmpty, job.allSatisfy(\.isNumber) else {
      throw InputError(
        "sbatch", "refused \(script)", found: found.errors.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    return job
  }

  /// The jobs that wait or run, by their numbers, with how many of their tasks run.
  /// - Throws: ``InputError`` where `squeue` is not installed or fails.
  static func jobs() throws(InputError) -> [String: (waiting: Int, running: Int)] {
    let found = try call(["squeue", "--noheader", "--array", "--me", "--format=%F %T"])
    guard found.status == 0 else {
      throw InputError(
        "squeue", "failed", found: found.errors.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    var jobs: [String: (waiting: Int, running: Int)] = [:]
    for line in found.output.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2 else { continue }
      let isWaiting = ["PENDING", "REQUEUED", "REQUEUE_HOLD", "SUSPENDED"].contains(words[1])
      jobs[String(words[0]), default: (0, 0)].waiting += isWaiting ? 1 : 0
      jobs[String(words[0]), default: (0, 0)].running += isWaiting ? 0 : 1
    }
    return jobs
  }

  /// The number of tasks that a job array may have: one less than `MaxArraySize`.
  static func maximumTaskCount() throws(InputError) -> Int {
    let found = try call(["scontrol", "show", "config"])
    let line = found.output.split(separator: "\n").first { $0.hasPrefix("MaxArraySize") }
    let number = line?.split(separator: "=").last.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    return max(1, (number ?? 1001) - 1)
  }

  private static func call(
    _ words: [String]
  ) throws(InputError) -> (status: Int32, output: String, errors: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch { throw InputError(words[0], "cannot be run", found: "\(error)") }
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let complaints = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let status = process.terminationStatus
    guard status != 127 else {
      throw InputError(words[0], "is not installed here", expected: "a machine from which Slurm takes jobs")
    }
    return (status, String(decoding: printed, as: UTF8.self), String(decoding: complaints, as: UTF8.self))
  }
}
