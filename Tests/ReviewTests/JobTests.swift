import Foundation
import Review
import ReviewFixtures
import Screen
import Synchronization
import Testing
import Volumes
import Work

/// Services that open the phantom and whose other jobs wait to be cancelled.
private final class PretendedServices: ReviewServices {
  let startedCount = Mutex(0)
  let saved = Mutex<[NamedKernels]>([])
  /// The entries of the journal, and whether more can be written.
  let journal = Mutex<(entries: [JournalEntry], isFull: Bool)>(([], false))

  let status = Mutex(JournalStatus.writing)
  /// Whether opening the journal waits until a frame shows a decision that was made in the meantime.
  let opensJournalLate = Mutex(false)

  func openJournal(of content: ReviewCase, _ work: WorkContext) throws -> OpenedJournal {
    while opensJournalLate.withLock(\.self) { usleep(5000) }
    return OpenedJournal(status: status.withLock(\.self))
  }

  func append(_ entries: [JournalEntry]) throws {
    let isFull = journal.withLock { journal in
      if !journal.isFull { journal.entries += entries }
      return journal.isFull
    }
    if isFull { throw InputError("a.journal", "cannot be written", found: "No space left on device") }
  }

  func openCase(
    _ request: OpenCaseRequest, _ work: WorkContext, whenImageIsRead: @Sendable (ReviewCase) -> Void
  ) throws -> ReviewCase {
    guard request.imagePath != "missing.nii" else { throw InputError("missing.nii", "cannot be read") }
    var withoutMasks = phantomCase()
    withoutMasks.masks = []
    whenImageIsRead(withoutMasks)
    return phantomCase()
  }

  func openMask(_ request: MaskRequest, _ work: WorkContext) throws -> (mask: LoadedMask, findings: [String])
  {
    throw InputError(request.path, "is not read here")
  }

  func checkImage(_ path: String, series: String?, _ work: WorkContext) throws -> CheckedImage {
    throw InputError(path, "is not read here")
  }

  func uncertainty(
    of source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) -> SliceUncertainty { SliceUncertainty(source: source, entropies: nil, failure: "no probabilities") }

  func probability(
    ofLabel value: UInt16, _ source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) -> ScalarVolume? { nil }

  func read(_ request: FrameRequest, _ work: WorkContext) throws -> ScalarVolume {
    ScalarVolume(
      grid: request.grid,
      voxels: [Float](repeating: Float(request.frame), count: request.grid.size.voxelCount))
  }

  func rememberedPartners(_ memory: PairingMemory) -> [RememberedPartners] { [] }

  func remember(_ partners: [UInt16: UInt16]?, isConfirmed: Bool, of memory: PairingMemory) {}

  func names(in folder: String, _ content: FolderContent, _ work: WorkContext) -> [FolderEntry] { [] }

  func summaries(of names: [String], in folder: String, _ work: WorkContext) -> [String: String] { [:] }

  func parts(_ kind: FilePart.Kind, of path: String, _ work: WorkContext) -> [FilePart] { [] }

  func preview(of path: String, _ work: WorkContext) throws -> FilePreview? { nil }

  func commandHistory(adding line: CommandHistoryJob.Line?) -> CommandHistory { CommandHistory() }

  func models(for image: ScalarVolume, _ work: WorkContext) throws -> [ModelDescription] { [pretendedModel] }

  func segment(_ request: SegmentationRequest, _ work: WorkContext) throws -> SegmentationResult {
    networkResult(for: phantomCase())
  }

  func probabilities(
    of source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) -> VersionProbabilities? { nil }

  func computeProbabilities(
    _ handle: ProbabilitiesHandle, _ work: WorkContext
  ) throws -> VersionProbabilities {
    throw InputError("network", "does not run here")
  }

  func refine(_ request: RefinementRequest, _ work: WorkContext) throws -> RefinedLabels {
    startedCount.withLock { $0 += 1 }
    #expect(work.hasLowPriority)
    #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) >= ThreadPriority.niceValue)
    for step in 0..<2000 {
      try work.checkCancellation()
      work.report(Double(step) / 2000)
      usleep(5000)
    }
    throw InputError("CRF", "was never cancelled")
  }

  func measure(_ request: RefinementRequest, _ work: WorkContext) throws -> ImageMeasures? { nil }

  func savedPresets() throws -> [NamedKernels] { saved.withLock { $0 } }

  func save(_ preset: NamedKernels, replacesExisting: Bool) throws -> SavingOutcome {
    saved.withLock { saved in
      if !replacesExisting, saved.contains(where: { $0.name == preset.name }) { return .exists }
      saved.removeAll { $0.name == preset.name }
      saved.append(preset)
      return .saved
    }
  }

  func export(_ request: ExportRequest, _ work: WorkContext) throws -> ExportOutcome {
    .written(path: request.path)
  }
}

/// Events from the threads of jobs.
private final class EventLog: Sendable {
  private let events = Mutex<[ReviewEvent]>([])

  func add(_ event: ReviewEvent) { events.withLock { $0.append(event) } }

  /// The events so far, once `isComplete` says so or ten seconds have passed.
  func wait(until isComplete: ([ReviewEvent]) -> Bool) -> [ReviewEvent] {
    for _ in 0..<2000 {
      let now = events.withLock { $0 }
      if isComplete(now) { return now }
      usleep(5000)
    }
    return events.withLock { $0 }
  }
}

private func ended(_ events: [ReviewEvent], _ id: Int) -> JobOutcome? {
  for case .jobEnded(JobID(id), let outcome) in events { return outcome }
  return nil
}

private func refinement() -> AnyJob {
  let content = phantomCase()
  guard let components = try? LabelComponents(content.masks[0].labels, work: WorkContext()) else {
    preconditionFailure("nothing cancels this work")
  }
  let request = RefinementRequest(
    image: content.image, source: .mask(content.masks[0].labels, confidence: 0.9),
    table: content.masks[0].table, settings: RefinementSettings(), labelsBefore: content.masks[0].labels,
    componentsBefore: components)
  return AnyJob(RefinementJob(request: request, base: VersionID(1), knobs: KnobSettings(), frame: 0))
}

@Test("a newer job cancels the older one of its kind, progress arrives, and cancelling ends the newer too")
func newerJobCancelsOlder() {
  let log = EventLog()
  let services = PretendedServices()
  let runner = JobRunner(services: services) { log.add($0) }
  runner.perform(.start(JobID(1), refinement()))
  _ = log.wait { events in
    events.contains { if case .jobProgressed(JobID(1), _, _) = $0 { true } else { false } }
  }
  runner.perform(.start(JobID(2), refinement()))
  let events = log.wait { ended($0, 1) != nil }
  #expect(ended(events, 1) == .cancelled)
  #expect(events.contains { if case .jobProgressed(JobID(1), _, _) = $0 { true } else { false } })
  runner.perform(.cancel(JobID(2)))
  #expect(ended(log.wait { ended($0, 2) != nil }, 2) == .cancelled)
  #expect(services.startedCount.withLock { $0 } == 2)
}

@Test("kernels are saved before the saved ones are listed")
func kernelsAreSaved() {
  let log = EventLog()
  let runner = JobRunner(services: PretendedServices()) { log.add($0) }
  let mine = NamedKernels(name: "mine", settings: RefinementSettings(thetaBeta: 30))
  runner.perform(.start(JobID(1), AnyJob(PresetsJob(saving: mine))))
  #expect(ended(log.wait { ended($0, 1) != nil }, 1) == .finished(PresetsJob.self, with: .saved([mine])))
  let other = NamedKernels(name: "mine", settings: RefinementSettings(thetaBeta: 40))
  runner.perform(.start(JobID(2), AnyJob(PresetsJob(saving: other))))
  #expect(ended(log.wait { ended($0, 2) != nil }, 2) == .finished(PresetsJob.self, with: .exists(other)))
  runner.perform(.start(JobID(3), AnyJob(PresetsJob(saving: other, replacesExisting: true))))
  #expect(ended(log.wait { ended($0, 3) != nil }, 3) == .finished(PresetsJob.self, with: .saved([other])))
}

@Test("draining stops every job")
func drainingStops() {
  let log = EventLog()
  let runner = JobRunner(services: PretendedServices()) { log.add($0) }
  runner.perform(.start(JobID(1), refinement()))
  runner.drain(seconds: 10)
  #expect(ended(log.wait { _ in true }, 1) == .cancelled)
}

@Test("a failed journal write is reported once, and repeated when there is space again")
func fullDisk() {
  let log = EventLog()
  let services = PretendedServices()
  let runner = JobRunner(services: services) { log.add($0) }
  let steps = (1...4).map {
    JournalEntry.step(JournalStep(number: $0, name: "step \($0)", decisions: Decisions()))
  }
  runner.perform(.note(steps[0]))
  #expect(runner.finishJournal() == nil)
  services.journal.withLock { $0.isFull = true }
  let line = "a.journal: cannot be written: found No space left on device"
  for step in steps[1...2] {
    runner.perform(.note(step))
    #expect(runner.finishJournal() == line)
  }
  services.journal.withLock { $0.isFull = false }
  runner.perform(.note(steps[3]))
  #expect(runner.finishJournal() == nil)
  #expect(services.journal.withLock { $0.entries } == steps)
  #expect(log.wait { _ in true } == [.journalFailed(line), .journalFailed(nil)])
}

@Test("a wrong input ends a job with its one line")
func failuresAreOneLine() {
  let log = EventLog()
  let runner = JobRunner(services: PretendedServices()) { log.add($0) }
  runner.perform(.start(JobID(1), AnyJob(OpeningJob(OpenCaseRequest(imagePath: "missing.nii")))))
  #expect(ended(log.wait { ended($0, 1) != nil }, 1) == .failed("missing.nii: cannot be read"))
}

/// A terminal that sends events once the case is open, one at each call, and stores the frames.
private final class PatientTerminal: Terminal {
  let size = ScreenSize(rows: 24, columns: 80)
  let capabilities = trueColour
  private(set) var frames: [Frame] = []
  private var events: [TerminalEvent]
  private let isReady: () -> Bool
  /// Called when the terminal first returns the end.
  var onEnd: () -> Void = {}

  init(_ events: [TerminalEvent], once isReady: @escaping () -> Bool = { true }) {
    self.events = events
    self.isReady = isReady
  }

  convenience init(_ keys: [Key]) { self.init(keys.map { .key($0) }) }

  var wake: @Sendable () -> Void { {} }

  func draw(_ frame: Frame, graphicsLimit: Int) -> SentFrame {
    frames.append(frame)
    return SentFrame()
  }

  func nextEvent(waitingMilliseconds: Int) -> TerminalEvent? {
    // A closed terminal returns the end at every call.
    if events == [.end], isReady() {
      onEnd()
      onEnd = {}
      return .end
    }
    guard waitingMilliseconds > 0 else { return nil }
    usleep(1000)
    // Keys before the case is open would be lost, as they are on a real terminal.
    guard let last = frames.last, last.text[0].contains("case-1"), !events.isEmpty, isReady() else {
      return nil
    }
    return events.removeFirst()
  }
}

@Test("a session opens its case, scrolls, and ends when the reviewer quits")
func sessionRuns() {
  let terminal = PatientTerminal([.pageUp, .character("c"), .character("q")])
  let failure = ReviewSession.run(
    terminal: terminal, request: OpenCaseRequest(imagePath: "case-1.nii.gz")
  ) { PretendedServices() }
  #expect(failure == nil)
  #expect(terminal.frames.first?.text.contains { $0.contains("Opening case-1.nii.gz") } == true)
  #expect(terminal.frames.last?.text[1].contains("Coronal") == true)
}

@Test("a session whose image cannot be read ends with the line that says why")
func sessionFails() {
  let failure = ReviewSession.run(
    terminal: PatientTerminal([]), request: OpenCaseRequest(imagePath: "missing.nii")
  ) { PretendedServices() }
  #expect(failure == "missing.nii: cannot be read")
}

@Test("a session that is asked to end first writes pending journal entries")
func sessionIsAskedToEnd() {
  let services = PretendedServices()
  let terminal = PatientTerminal([.key(.character("f")), .end]) {
    // The journal is open, and has what the case began with.
    !services.journal.withLock(\.entries.isEmpty)
  }
  let failure = ReviewSession.run(
    terminal: terminal, request: OpenCaseRequest(imagePath: "case-1.nii.gz")
  ) { services }
  #expect(failure == nil)
  let isFlagged = services.journal.withLock(\.entries).contains { entry in
    guard case .step(let step) = entry else { return false }
    return step.name == "flag the case" && step.decisions.verdicts.isFlagged
  }
  #expect(isFlagged)
}

@Test(
  "decisions made while the journal is opened are written before a session ends on request"
)
func sessionIsAskedToEndEarly() {
  let services = PretendedServices()
  services.opensJournalLate.withLock { $0 = true }
  let terminal = PatientTerminal([.key(.character("f")), .end])
  terminal.onEnd = {
    Thread.detachNewThread {
      usleep(200_000)
      services.opensJournalLate.withLock { $0 = false }
    }
  }
  let failure = ReviewSession.run(
    terminal: terminal, request: OpenCaseRequest(imagePath: "case-1.nii.gz")
  ) { services }
  #expect(failure == nil)
  let steps = services.journal.withLock(\.entries).compactMap { entry in
    if case .step(let step) = entry { step.name } else { nil }
  }
  #expect(steps == ["opening", "flag the case"])
}

@Test("a failing journal is reported once, and its recovery too")
func failureIsSaidOnce() {
  let (services, log) = (PretendedServices(), EventLog())
  let runner = JobRunner(services: services) { log.add($0) }
  let line = "a.journal: cannot be written: found No space left on device"
  services.journal.withLock { $0.isFull = true }
  services.status.withLock { $0 = .failing(line) }
  runner.perform(.start(JobID(1), AnyJob(JournalJob(content: phantomCase()))))
  _ = log.wait { ended($0, 1) != nil }
  runner.perform(.note(.exported(VersionID(1), path: "a")))
  #expect(runner.finishJournal() == line)
  services.journal.withLock { $0.isFull = false }
  #expect(runner.finishJournal() == nil)
  #expect(
    log.wait { !$0.isEmpty }.filter { if case .journalFailed = $0 { true } else { false } }
      == [.journalFailed(nil)])
  #expect(services.journal.withLock(\.entries) == [.exported(VersionID(1), path: "a")])
}

/// A terminal whose connection is busy with the first part of its first picture; it ends after the second part.
private final class BusyTerminal: Terminal {
  let size = ScreenSize(rows: 24, columns: 80)
  let capabilities = TerminalCapabilities(
    colourDepth: .trueColour, showsUnicode: true, pictureMode: .kitty)
  private(set) var partCount = 0
  /// For how long the session would have waited with one part on its way.
  private(set) var waits: [Int] = []

  var unansweredFrames: Int { partCount }
  var wake: @Sendable () -> Void { {} }

  func draw(_ frame: Frame, graphicsLimit: Int) -> SentFrame {
    partCount += 1
    return SentFrame(byteCount: 50_000, isComplete: partCount == 2)
  }

  func nextEvent(waitingMilliseconds: Int) -> TerminalEvent? {
    if partCount == 1 { waits.append(waitingMilliseconds) }
    return partCount == 1 && waits.count < 10 ? nil : .end
  }
}

@Test("a session sends the second part of a picture at once, while the first is on its way")
func secondPart() {
  let terminal = BusyTerminal()
  _ = ReviewSession.run(terminal: terminal, request: OpenCaseRequest(imagePath: "case-1.nii.gz")) {
    PretendedServices()
  }
  #expect(terminal.partCount >= 2)
  #expect(!terminal.waits.isEmpty && terminal.waits.allSatisfy { $0 == 0 })
}
