import Cohort
import Foundation
import ImageFormats
import Work
import Worklist

/// Submits the cases of a cohort that are left as an array of Slurm jobs, sized by what was measured.
struct CohortSubmitting {
  let cohort: OpenedCohort
  let partition: String?
  let tasksAtOnce: Int?
  let sbatchOptions: [String]
  let cores: Int
  /// What a task should take.
  let targetMinutes: Double
  /// What the trial case may take.
  let trialMegabytes, trialMinutes: Int
  /// Memory of a task; nil for what was measured.
  let megabytes: Int?

  /// A case with the voxels of its image; 0 where the image cannot be read.
  private typealias Sized = (item: WorklistCase, voxels: Int)

  /// What was submitted.
  struct Outcome {
    var submission: CohortSubmission?
    /// Cases of earlier submissions that still wait or run.
    var alreadySubmitted: Int
    var secondsOfAll = 0.0
    var minutes = 0, megabytes = 0
  }

  /// Runs a trial where nothing is known, and submits.
  /// - Throws: ``InputError`` where Slurm refuses, or the trial has no result; ``Cancelled``.
  func submit(_ items: [WorklistCase], work: WorkContext) throws -> Outcome {
    try FileSystem.makeFolder(cohort.folder.jobsFolder)
    let jobs = try Slurm.jobs()
    let earlier = try CohortSubmission.all(in: cohort.folder)
    let active = Set(earlier.filter { jobs[$0.submission.array] != nil }.flatMap(\.submission.cases))
    let records = cohort.records()
    let left = try items.filter { item in
      guard !active.contains(item.name) else { return false }
      switch try cohort.state(
        of: item, records[item.name],
        model: { try ModelLibrary.model(cohort.description.model) }, work: work)
      {
      case .left: return true
      case .begun: return !cohort.isClaimed(item)
      case .done, .failed: return false
      }
    }
    var outcome = Outcome(submission: nil, alreadySubmitted: items.count { active.contains($0.name) })
    guard !left.isEmpty else { return outcome }
    let number = (earlier.last?.number ?? 0) + 1
    let sized = left.map { item in
      (
        item: item,
        voxels: (try? ImageFile.open(item.images[0], options: item.imageChoice()))?.grid.size.voxelCount ?? 0
      )
    }
    let model = try knownCosts(records) ?? trial(sized, number: number)
    // Without those of the trial.
    let now = cohort.records()
    let rest = sized.filter { now[$0.item.name].attempt == records[$0.item.name].attempt }
    guard !rest.isEmpty else { return outcome }
    let seconds = rest.map { model.seconds(voxels: $0.voxels) }
    let groups = CohortTasks.groups(
      seconds: seconds, targetSeconds: 60 * targetMinutes,
      maximumTaskCount: try Slurm.maximumTaskCount())
    let longest = groups.map { $0.reduce(0) { $0 + seconds[$1] } }.max() ?? 0
    outcome.minutes = CohortTasks.limitMinutes(seconds: longest)
    let bytes = model.memoryBytes(largestVoxels: rest.map(\.voxels).max() ?? 0)
    outcome.megabytes = megabytes ?? Self.rounded(megabytes: bytes >> 20)
    outcome.secondsOfAll = seconds.reduce(0, +)
    let list = try writeList(rest.map(\.item), groups, number: number)
    let script = SlurmScript(
      name: jobName, taskCount: groups.count, tasksAtOnce: tasksAtOnce, partition: partition,
      minutes: outcome.minutes, megabytes: outcome.megabytes, cores: cores, log: log("\(number)-%a"),
      options: sbatchOptions,
      body: SlurmScript.task(
        command(["run", list, "-o", folderPath, "--filter"]) + " \"task=$SLURM_ARRAY_TASK_ID\" --no-gather "
          + "--threads \"${SLURM_CPUS_PER_TASK:-1}\""))
    let array = try submit(script, as: "\(number)")
    let gathering = SlurmScript(
      name: jobName + "-gather", partition: partition, minutes: Self.gatheringMinutes,
      megabytes: Self.gatheringMegabytes, cores: 1, log: log("\(number)-gather"), options: sbatchOptions,
      after: [array], body: "exec " + command(["gather", folderPath]))
    let gather = try submit(gathering, as: "\(number)-gather")
    let submission = CohortSubmission(
      array: array, gather: gather, tasks: groups.count, cases: rest.map(\.item.name),
      time: CaseRecord.time(Date()))
    try submission.write(number, in: cohort.folder)
    outcome.submission = submission
    return outcome
  }

  private static let gatheringMinutes = 60
  private static let gatheringMegabytes = 2048

  /// Megabytes as clusters count them, in steps of 256, at least 512.
  private static func rounded(megabytes: Int) -> Int { max(512, (megabytes + 255) / 256 * 256) }

  private var folderPath: String { FilePath.absolute(cohort.folder.path) }
  private var jobName: String { "segdeck-" + FilePath.stem(of: folderPath) }
  private func log(_ name: String) -> String { FilePath.joined(folderPath, "jobs/\(name).log") }

  /// A call of this program that a script contains.
  private func command(_ words: [String]) -> String {
    let program = FileSystem.target(ofLink: "/proc/self/exe") ?? "segdeck"
    return CommandLineText.text([program, "cohort"] + words)
  }

  private func submit(_ script: SlurmScript, as name: String, waits: Bool = false) throws(InputError)
    -> String
  {
    let path = FilePath.joined(folderPath, "jobs/\(name).sh")
    try AtomicFile.write(Data(script.text.utf8), to: path)
    return try Slurm.submit(script: path, waits: waits)
  }

  /// Writes the cases of a submission with the number of their task.
  /// - Returns: The path of the list.
  private func writeList(
    _ items: [WorklistCase], _ groups: [[Int]], number: Int
  ) throws(InputError) -> String {
    var list = Worklist(cases: items, columns: cohort.worklist.columns.filter { $0 != Self.column })
    list.columns.append(Self.column)
    for (task, group) in groups.enumerated() {
      for position in group { list.cases[position].values[Self.column] = "\(task + 1)" }
    }
    let path = FilePath.joined(folderPath, "jobs/\(number).csv")
    try AtomicFile.write(list.bytes(forFile: path), to: path)
    return path
  }

  private static let column = "task"

  /// What is known of costs from cases that are done; nil for nothing.
  private func knownCosts(_ records: CohortRecords) -> CohortCostModel? {
    CohortCostModel(
      records.cases.values.compactMap { progress in
        guard case .done(let record) = progress.state(settingsSha256: cohort.description.settingsSha256)
        else { return nil }
        return record.cost
      })
  }

  /// Computes the largest case as a job, and the next one where an image is damaged.
  private func trial(_ sized: [Sized], number: Int) throws -> CohortCostModel {
    for (item, _) in sized.sorted(by: { $0.voxels > $1.voxels }).prefix(Self.trialCount) {
      let list = try writeList([item], [[0]], number: number)
      let script = SlurmScript(
        name: jobName + "-trial", partition: partition, minutes: trialMinutes, megabytes: trialMegabytes,
        cores: cores, log: log("\(number)-trial"), options: sbatchOptions,
        body: SlurmScript.task(
          command(["run", list, "-o", folderPath, "--no-gather"]) + " --threads \"${SLURM_CPUS_PER_TASK:-1}\""
        ))
      let job = try submit(script, as: "\(number)-trial", waits: true)
      let records = cohort.records()
      if let model = knownCosts(records) { return model }
      if case .failed(let record) = records[item.name].state(
        settingsSha256: cohort.description.settingsSha256), record.cause == .input
      {
        continue
      }
      throw InputError(
        item.name, "the trial, job \(job), ended without a mask",
        expected: "more --trial-memory or --trial-minutes; \(log("\(number)-trial")) says more")
    }
    throw InputError(
      cohort.folder.path, "the trial failed for \(Self.trialCount) cases",
      expected: "`segdeck cohort status` for the reasons")
  }

  private static let trialCount = 3
}
