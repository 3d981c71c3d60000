import ArgumentParser
import Cohort
import Foundation
import Networks
import Segmentation
import Work
import Worklist

/// `segdeck cohort`: a network, and the CRF, on every case of a worklist.
struct CohortCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cohort",
    abstract: "Segment, refine and measure every case of a list, here or on a cluster.",
    discussion: """
      A cohort is a folder of cases, a worklist file, a BIDS dataset, or with "-" a list on standard input (a worklist \
      file, or the path of an image in each line). Results lie in NAME.cohort beside NAME.csv, in segdeck-cohort in a \
      folder, in derivatives/segdeck of a BIDS dataset, or in the folder of -o:

        segdeck cohort run cases.csv --model liver --refine
        segdeck cohort status cases.csv
        segdeck review --worklist cases.cohort/worklist.csv

      What is done is not done again: a case counts as done while its images, the model and the settings are the same. \
      A run may be killed at any time and started again; several may run at once.
      """,
    subcommands: [Run.self, Submit.self, Status.self, Retry.self, Gather.self])

  /// The folder of results of a command that does not begin a cohort.
  struct Place: ParsableArguments {
    @Argument(
      help: "The folder of cases, worklist file or BIDS dataset of the run, or its folder of results.",
      completion: .file())
    var place: String

    @Option(name: .shortAndLong, help: "The folder of results, where the run had -o.", completion: .directory)
    var output: String?
  }

  /// The cases and settings of a command that may begin a cohort.
  struct Beginning: ParsableArguments {
    @Argument(
      help: "A folder of cases, worklist file, BIDS dataset, folder of results, or - for standard input.",
      completion: .file())
    var place: String

    @OptionGroup var options: CohortOptions

    @OptionGroup var cases: CaseListOptions

    @Option(name: .shortAndLong, help: "The folder of results.", completion: .directory)
    var output: String?

    @Flag(help: "Replace results of other settings.")
    var force = false

    /// The cohort, which is begun where it does not exist.
    /// - Throws: As ``OpenedCohort``.
    func opened(work: WorkContext) throws -> OpenedCohort {
      try OpenedCohort(
        place, output: output, cases: cases, options: options, replaces: force, work: work)
    }
  }

  /// How cases are computed, which does not change results.
  struct RunOptions: ParsableArguments {
    @Option(help: "Cases that are computed at once.", transform: OptionParsing.wholeNumber)
    var jobs = 1

    @OptionGroup var memory: ActivationMemoryOption

    @Flag(help: "Print events as lines of JSON.")
    var json = false

    @Flag(help: "Leave the worklist and the tables of all results to `segdeck cohort gather`.")
    var noGather = false

    @OptionGroup var threads: WorkOptions

    func validate() throws {
      try OptionParsing.require(jobs, in: 1...256, option: "--jobs")
    }

    /// Computes cases of a cohort, prints what becomes of them, and writes the worklist with the results.
    /// - Throws: ``InputError`` when a case failed, after all others were computed; ``Cancelled``.
    func compute(_ items: [WorklistCase], of cohort: OpenedCohort) throws {
      if cohort.options.refine, jobs == 1 { keepFreedMemory() }
      let interruption = Interruption.cancellation()
      let threadCount = threads.threads ?? WorkContext.coreCount
      let output = CohortOutput(isJSON: json)
      let run = try CohortRun(
        cohort, worker(of: cohort), records: cohort.records(), output: output, interruption: interruption,
        threadCount: threadCount)
      let totals: CohortRun.Totals
      do {
        totals = try run.run(items, jobCount: jobs)
      } catch is Cancelled {
        throw InputError("cancelled", "what is done stays; run it again to go on")
      }
      output.end()
      if !noGather { try cohort.gather(work: WorkContext()) }
      if let failure = output.failure { throw failure }
      if !json { try Console.print(summary(totals, cohort)) }
      guard totals.failed.isEmpty else {
        throw InputError(
          cohort.folder.path, "\(totals.failed.count) of \(counted(items.count, "case")) failed",
          found: Self.names(totals.failed.map(\.name)),
          expected: "`segdeck cohort retry` once the reason is gone")
      }
    }

    /// The model, prepared for all cases.
    private func worker(of cohort: OpenedCohort) throws -> CohortCase {
      let options = cohort.options
      let model = try ModelLibrary.model(cohort.description.model)
      let network = try NetworkSegmentation(
        model: model,
        auxiliaryHeadWeights: options.refinement.tau.map { try OptionParsing.numbers($0, option: "--tau") },
        grid: options.grid, isWhole: options.whole, memoryLimit: memory.bytes, work: WorkContext())
      return CohortCase(
        folder: cohort.folder, options: options, network: network, modelFile: try OpenedFile(model.path),
        settings: cohort.description, preset: try options.preset.map { try RefinementPreset.read($0) })
    }

    private func summary(_ totals: CohortRun.Totals, _ cohort: OpenedCohort) -> String {
      var parts = ["\(totals.done.count + totals.skipped) done"]
      if !totals.failed.isEmpty { parts.append("\(totals.failed.count) failed") }
      if !totals.elsewhere.isEmpty {
        parts.append("\(totals.elsewhere.count) computed by another process")
      }
      let worklist = cohort.folder.worklistFile
      let command = CommandLineText.text(["segdeck", "review", "--worklist", worklist])
      return parts.joined(separator: ", ") + "; \(command) opens them"
    }

    private static let namedCaseCount = 5

    static func names(_ names: [String]) -> String {
      let more = names.count > namedCaseCount ? " and \(names.count - namedCaseCount) more" : ""
      return names.prefix(namedCaseCount).joined(separator: ", ") + more
    }
  }

  /// `segdeck cohort run`.
  struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "run", abstract: "Compute the cases that are left.",
      discussion: """
        A case that cannot be computed is named with the reason, and the others go on; the exit code is 1 then. It is \
        not tried again before its image changes or `segdeck cohort retry` asks for it. Masks are those of `segment`, \
        with --refine of `segment --probabilities` and `refine --probabilities` one by one.
        """)

    @OptionGroup var beginning: Beginning

    @Option(help: "Only the K-th of N equal parts of the list, as K/N, for several machines.")
    var share: String?

    @OptionGroup var runOptions: RunOptions

    func run() throws {
      let share = try share.map { text throws(InputError) in try CohortShare(text) }
      let cohort = try beginning.opened(work: runOptions.threads.context("searching"))
      try runOptions.compute(share?.of(cohort.selected) ?? cohort.selected, of: cohort)
    }
  }

  /// `segdeck cohort status`.
  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "status", abstract: "Say how many cases are done, failed, running and left.")

    @OptionGroup var cohort: Place

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
      let work = WorkContext(cancellation: Interruption.cancellation())
      let opened = try OpenedCohort(begunAt: cohort.place, output: cohort.output, work: work)
      let submissions = try CohortSubmission.all(in: opened.folder)
      // Where Slurm does not answer, the records say what there is.
      let jobs = submissions.isEmpty ? [:] : (try? Slurm.jobs()) ?? [:]
      let status = CohortStatus(
        try opened.results(of: opened.worklist.cases, opened.records(), work: work),
        items: opened.worklist.cases,
        jobs: submissions.compactMap { _, submission in
          jobs[submission.array].map {
            CohortStatus.Job(job: submission.array, waiting: $0.waiting, running: $0.running)
          }
        }, isRunning: opened.isClaimed)
      if json { try Console.print(json: status.json) } else { try Console.print(status.text) }
    }
  }

  /// `segdeck cohort retry`.
  struct Retry: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "retry", abstract: "Compute the cases again that failed.")

    @OptionGroup var cohort: Place

    @OptionGroup var runOptions: RunOptions

    @OptionGroup var submission: SubmitOptions

    func run() throws {
      let opened = try OpenedCohort(begunAt: cohort.place, output: cohort.output, work: WorkContext())
      let failed = try opened.takeBackFailures(work: WorkContext(cancellation: Interruption.cancellation()))
      guard !failed.isEmpty else { return try Console.print("no case failed") }
      if submission.slurm { return try submission.submit(failed, of: opened) }
      try runOptions.compute(failed, of: opened)
    }
  }

  /// `segdeck cohort gather`.
  struct Gather: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "gather", abstract: "Write the worklist and the tables of all results so far.",
      discussion: "`cohort run` does this at its end; the last job of a cluster does it for all others.")

    @OptionGroup var cohort: Place

    func run() throws {
      let work = WorkContext(cancellation: Interruption.cancellation())
      let opened = try OpenedCohort(begunAt: cohort.place, output: cohort.output, work: work)
      let results = try opened.gather(work: work)
      try Console.print(
        "\(results.count(.done)) of \(counted(results.count, "case")) in "
          + opened.folder.worklistFile.printableLine)
    }
  }
}

extension CohortCommand {
  /// How jobs are submitted.
  struct SubmitOptions: ParsableArguments {
    @Flag(help: "Submit to Slurm.")
    var slurm = false

    @Option(help: "The partition.")
    var partition: String?

    @Option(
      name: .customLong("nodes"), help: "Tasks that run at once, one on a node or part of one.",
      transform: OptionParsing.wholeNumber)
    var tasksAtOnce: Int?

    @Option(help: "Cores of a task.", transform: OptionParsing.wholeNumber)
    var cores = 4

    @Option(help: "Minutes that a task should take.", transform: OptionParsing.number)
    var minutes = 10.0

    @Option(
      help: "Megabytes of a task; by default what the trial needed and a quarter more.",
      transform: OptionParsing.wholeNumber)
    var taskMemory: Int?

    @Option(help: "Megabytes of the trial.", transform: OptionParsing.wholeNumber)
    var trialMemory = 8192

    @Option(help: "Minutes after which the trial is ended.", transform: OptionParsing.wholeNumber)
    var trialMinutes = 60

    @Option(help: "A further option for sbatch, as --sbatch=--account=x; may be given more than once.")
    var sbatch: [String] = []

    func validate() throws {
      for (option, number, range) in [
        ("--nodes", tasksAtOnce ?? 1, 1...100_000), ("--cores", cores, 1...1024),

        ("--task-memory", taskMemory ?? 512, 1...1 << 24), ("--trial-memory", trialMemory, 1...1 << 24),
        ("--trial-minutes", trialMinutes, 1...100_000),
      ] { try OptionParsing.require(number, in: range, option: option) }
      try OptionParsing.require(minutes, in: 0.01...10_000, option: "--minutes")
      if let option = sbatch.first(where: { $0.contains("\n") }) {
        throw InputError("--sbatch", "has a line break", found: option)
      }
    }

    /// Submits cases and prints what was submitted.
    func submit(_ items: [WorklistCase], of cohort: OpenedCohort) throws {
      let submitting = CohortSubmitting(
        cohort: cohort, partition: partition, tasksAtOnce: tasksAtOnce, sbatchOptions: sbatch, cores: cores,
        targetMinutes: minutes, trialMegabytes: trialMemory, trialMinutes: trialMinutes, megabytes: taskMemory
      )
      let work = WorkContext(cancellation: Interruption.cancellation())
      let outcome = try submitting.submit(items, work: work)
      let already = outcome.alreadySubmitted > 0 ? ", \(outcome.alreadySubmitted) submitted before" : ""
      guard let submission = outcome.submission else {
        return try Console.print("nothing is left to submit\(already)")
      }
      try Console.print(
        "\(counted(submission.cases.count, "case")) in \(counted(submission.tasks, "task")) of job "
          + "\(submission.array)\(already): \(outcome.megabytes) MB and \(outcome.minutes) min each, "
          + "\(duration(outcome.secondsOfAll)) of \(counted(cores, "core")) in all; job \(submission.gather) gathers"
      )
    }
  }

  /// `segdeck cohort submit`.
  struct Submit: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "submit", abstract: "Compute the cases that are left on a cluster with Slurm.",
      discussion: """
        One trial case says how long cases take and how much memory they need, unless cases are done already. The others \
        become an array of tasks that take some minutes each, and a last job gathers the results. Nothing of this \
        program keeps running: `squeue` and `segdeck cohort status` say how far it is. Cases that an earlier submission \
        still has are left to it. Program, model and images must lie where the nodes find them.
        """)

    @OptionGroup var beginning: Beginning

    @OptionGroup var submission: SubmitOptions

    func run() throws {
      guard submission.slurm else {
        throw InputError("--slurm", "is missing", expected: "--slurm, the system to submit to")
      }
      let cohort = try beginning.opened(
        work: WorkContext(cancellation: Interruption.cancellation()))
      try submission.submit(cohort.selected, of: cohort)
    }
  }
}
