import Foundation
import Work

/// A script for `sbatch`.
package struct SlurmScript: Equatable, Sendable {
  package var name: String
  /// The number of tasks; nil for one job that is no array.
  package var taskCount: Int?
  /// How many tasks may run at once; nil for as many as the cluster gives.
  package var tasksAtOnce: Int?
  package var partition: String?
  package var minutes: Int
  package var megabytes: Int
  package var cores: Int
  /// The file for output; `%A` and `%a` are job and task.
  package var log: String
  /// Further options, such as `--account=x`.
  package var options: [String]
  /// The jobs that have to end before, whatever became of them.
  package var after: [String] = []
  /// Lines of the shell that compute something.
  package var body: String

  package init(
    name: String, taskCount: Int? = nil, tasksAtOnce: Int? = nil, partition: String?, minutes: Int,
    megabytes: Int, cores: Int, log: String, options: [String], after: [String] = [], body: String
  ) {
    (self.name, self.taskCount, self.tasksAtOnce) = (name, taskCount, tasksAtOnce)
    (self.partition, self.minutes, self.megabytes, self.cores) = (partition, minutes, megabytes, cores)
    (self.log, self.options, self.after, self.body) = (log, options, after, body)
  }

  /// The script's text.
  package var text: String {
    var lines = [
      "--job-name=\(name)", "--nodes=1", "--ntasks=1", "--cpus-per-task=\(cores)", "--mem=\(megabytes)M",
      "--time=\(minutes)", "--requeue", "--open-mode=append", "--output=\(quoted(log))",
    ]
    if let taskCount {
      lines.append("--array=1-\(taskCount)" + (tasksAtOnce.map { "%\($0)" } ?? ""))
    }
    if let partition { lines.append("--partition=\(partition)") }
    if !after.isEmpty { lines.append("--dependency=afterany:" + after.joined(separator: ":")) }
    let head = (lines + options).map { "#SBATCH \($0)\n" }.joined()
    return "#!/bin/sh\n" + head + body + "\n"
  }

  /// A path as `sbatch` reads it in a script: it takes quotation marks, but neither line breaks nor marks in a name.
  private func quoted(_ path: String) -> String { path.contains(" ") ? "\"\(path)\"" : path }

  /// The shell lines of a task: the program, again where it was killed, with a limit of memory that it keeps to itself, so
  /// that a case that needs more is refused and named instead of ending the task.
  ///
  /// After three ends in one case the program counts it as failed and goes on.
  package static func task(_ command: String) -> String {
    """
    [ -z "$SLURM_MEM_PER_NODE" ] || ulimit -d $((SLURM_MEM_PER_NODE * 1024 * 19 / 20))
    for attempt in 1 2 3 4 5 6 7 8; do
      \(command)
      code=$?
      [ "$code" -gt 1 ] || break
    done
    exit "$code"
    """
  }
}

/// A submission of a cohort, as the folder `jobs` keeps it.
package struct CohortSubmission: Codable, Equatable, Sendable {
  /// The jobs: the array, and the one that gathers.
  package var array, gather: String
  package var tasks: Int
  /// The names of the cases.
  package var cases: [String]
  /// In UTC.
  package var time: String

  package init(array: String, gather: String, tasks: Int, cases: [String], time: String) {
    (self.array, self.gather, self.tasks) = (array, gather, tasks)
    (self.cases, self.time) = (cases, time)
  }

  /// The submissions of a folder of results by their numbers, ascending.
  /// - Throws: ``InputError`` where one cannot be read.
  package static func all(in folder: CohortFolder) throws(InputError) -> [(number: Int, submission: Self)] {
    guard FileSystem.exists(folder.jobsFolder) else { return [] }
    var found: [(number: Int, submission: Self)] = []
    for name in try FileSystem.names(in: folder.jobsFolder) {
      guard name.hasSuffix(".json"), let number = Int(name.dropLast(".json".count)) else { continue }
      let path = FilePath.joined(folder.jobsFolder, name)
      guard let submission = try? JSONDecoder().decode(Self.self, from: FileSystem.read(path)) else {
        throw InputError(path, "is no submission of a cohort")
      }
      found.append((number, submission))
    }
    return found.sorted { $0.number < $1.number }
  }

  /// Writes the submission.
  /// - Throws: ``InputError`` when the file cannot be written.
  package func write(_ number: Int, in folder: CohortFolder) throws(InputError) {
    try AtomicFile.write(
      finiteJSON(self, isIndented: true) + Data("\n".utf8),
      to: FilePath.joined(folder.jobsFolder, "\(number).json"))
  }
}
