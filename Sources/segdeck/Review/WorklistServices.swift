import Dispatch
import Foundation
import Review
import Synchronization
import Work
import Worklist

/// The services of a session of a worklist: services for each case, and the records of all readers.
final class WorklistServices: SessionServices {
  private struct Entry {
    var kind: CaseRecord.Kind
    var worklistCase: WorklistCase
    var decision: CaseDecision
    /// When it happened; nil for the time of writing.
    var date: Date?
  }

  private struct State {
    /// The cases of the worklist, then those that were added.
    var cases: [WorklistCase]
    var records: ReviewRecords
    var waiting: [Entry] = []
    /// The pairings of labels in the records.
    var pairings: WorklistPairings
    var measuring = Measuring.idle
    /// The files of each case as they were when it was measured.
    var measuredKeys: [CaseID: MeasureCache.Key] = [:]
    var failure: String?
    /// The note of the writer that was delivered.
    var note: String?
    var deliver: @Sendable (SessionEvent) -> Void = { _ in }
  }

  /// Whether cases are being measured, and whether pairings or files changed since that began.
  private enum Measuring { case idle, running, outdated }

  /// The interval at which records of other readers are read.
  private static let pollSeconds = 2.0

  private let cases: [WorklistCase]
  private let place: String
  private let preferredModel: String?
  private let writer: RecordWriter
  private let pairings: SessionPairings
  private let state: Mutex<State>
  private let queue = DispatchQueue(label: "segdeck.records", qos: .utility)
  private let measuringCancellation = Cancellation()
  private static let measuringDelaySeconds = 1.5
  /// The maximum fraction of the available memory for measuring, so that memory is left for cases that are opened.
  private static let measuringMemoryFraction = 0.25

  /// - Parameters:
  ///   - place: The file or folder of the worklist.
  ///   - records: What was read so far.
  ///   - preferredModel: A model (bundled name or path) that is listed before the bundled ones.
  init(
    _ worklist: Worklist, of place: String, records: ReviewRecords, writer: RecordWriter,
    preferredModel: String?
  ) {
    cases = worklist.cases
    self.place = place
    self.writer = writer
    self.preferredModel = preferredModel
    let known = WorklistPairings(records.reviews, reader: writer.reader)
    pairings = SessionPairings(known)
    state = Mutex(State(cases: worklist.cases, records: records, pairings: known))
  }

  /// The folder of the worklist's records, which identifies the worklist.
  private var recordsPath: String { writer.folders.first.map(FilePath.absolute) ?? "" }

  func services(of id: CaseID) -> any ReviewServices {
    let name = state.withLock { $0.cases[id.position].name }
    queue.async { [self] in measureAgainIfReplaced(id) }
    return CaseServices(
      preferredModel: preferredModel,
      owner: CaseJournal.Owner(
        records: recordsPath, reader: writer.reader, caseName: name),
      sessionPairings: pairings, listedImage: { [self] in listedImage(sameAs: $0) })
  }

  /// The image of a case that is the same as one that is to be opened: the same series of one file, links followed; nil
  /// where no case has it.
  private func listedImage(sameAs image: CheckedImage) -> CheckedImage? {
    let wanted = WorklistCase(name: "", images: [image.path], series: image.series)
    let cases = state.withLock(\.cases)
    let file = FileSystem.resolved(image.path)
    let found =
      cases.first { $0.hasSameImage(as: wanted) }
      ?? cases.first { item in
        item.series == image.series && file != nil && FileSystem.resolved(item.images[0]) == file
      }
    return found.map { CheckedImage(path: FilePath.absolute($0.images[0]), series: $0.series) }
  }

  func begin(_ deliver: @escaping @Sendable (SessionEvent) -> Void) {
    state.withLock { $0.deliver = deliver }
    state.withLock { $0.measuring = .running }
    deliver(.unmeasured(Set(cases.indices.filter { !cases[$0].masks.isEmpty }.map { CaseID($0) })))
    poll()
    // Measuring waits until the first case is open.
    measureOnThread(afterSeconds: Self.measuringDelaySeconds, deliver) { [self] in recordJournalled() }
  }

  /// Records decisions of earlier sessions that only the journals on this machine have: those sessions were killed before
  /// they could write them to the records.
  private func recordJournalled() {
    let reader = writer.reader
    func isNewer(_ seconds: Double, than record: CaseRecord?) -> Bool {
      guard let record else { return true }
      return record.secondsSince1970.map { seconds > $0 + SessionState.journalDelaySeconds } ?? false
    }
    let found = JournalledDecision.all(
      ofReader: reader, records: recordsPath, cases: cases, cancellation: measuringCancellation
    ) { name, seconds in
      isNewer(seconds, than: state.withLock { $0.records.reviews[name]?.entries[reader]?.last })
    }
    let (count, deliver) = state.withLock { state in
      var count = 0
      for item in cases {
        guard let journalled = found[item.name],
          !state.waiting.contains(where: { $0.worklistCase.name == item.name })
        else { continue }
        // The reader may have decided since the journal was read.
        let last = state.records.reviews[item.name]?.entries[reader]?.last
        let known = last?.decision ?? CaseDecision()
        let decision = journalled.decision.completed(by: known, masks: Set(item.masks.map(\.name)))
        guard isNewer(journalled.seconds, than: last), !decision.isSame(as: known) else { continue }
        let date = Date(timeIntervalSince1970: journalled.seconds)
        state.waiting.append(
          Entry(
            kind: .decided, worklistCase: item, decision: decision.timed(CaseRecord.time(date), since: known),
            date: date))
        count += 1
      }
      return (count, state.deliver)
    }
    guard count > 0 else { return }
    queue.async { [self] in write() }
    deliver(
      .noted(
        "\(counted(count, "decision")) of an earlier session \(count == 1 ? "was" : "were") not in the records "
          + "of the worklist, and \(count == 1 ? "is" : "are") written to them now"))
  }

  /// Measures the cases on a thread of its own, again while pairings change.
  /// - Parameter prepare: What the thread does first.
  private func measureOnThread(
    afterSeconds delay: Double, _ deliver: @escaping @Sendable (SessionEvent) -> Void,
    prepare: @escaping @Sendable () -> Void = {}
  ) {
    Thread.detachNewThread { [self] in
      Thread.sleep(forTimeInterval: delay)
      ThreadPriority.lower()
      prepare()
      var isOutdated = true
      while isOutdated, !measuringCancellation.isRequested {
        measure(deliver)
        isOutdated = state.withLock { state in
          state.measuring = state.measuring == .outdated ? .running : .idle
          return state.measuring == .running
        }
      }
    }
  }

  /// Measures cases again where readers paired labels differently than before.
  private func measureAgainIfPaired() {
    let starts = state.withLock { state in
      let recorded = WorklistPairings(state.records.reviews, reader: writer.reader)
      guard recorded != state.pairings else { return false }
      state.pairings = recorded
      pairings.update(recorded)
      defer { state.measuring = state.measuring == .idle ? .running : .outdated }
      return state.measuring == .idle
    }
    if starts { measureOnThread(afterSeconds: 0, state.withLock(\.deliver)) }
  }

  /// Measures cases again where the files of one that is opened are others than those that were measured.
  private func measureAgainIfReplaced(_ id: CaseID) {
    let (item, known, pairings) = state.withLock { state in
      let item = state.cases[id.position]
      return (item, state.measuredKeys[id], state.pairings.pairings(of: item))
    }
    guard let known, WorklistMeasuring.key(item, pairings) != known else { return }
    let starts = state.withLock { state in
      defer { state.measuring = state.measuring == .idle ? .running : .outdated }
      return state.measuring == .idle
    }
    if starts { measureOnThread(afterSeconds: 0, state.withLock(\.deliver)) }
  }

  /// Measures every case, those with cached measures first, and delivers results a few times a second.
  private func measure(_ deliver: @Sendable (SessionEvent) -> Void) {
    var work = WorkContext(threadCount: 1, cancellation: measuringCancellation)
    work.memoryFraction = Self.measuringMemoryFraction
    let cache = MeasureCache()
    cache.prune()
    var (found, last) = ([CaseID: CaseMeasures](), ContinuousClock.now)
    var remaining: Set<CaseID> = []
    func send(atOnce: Bool) {
      guard atOnce || ContinuousClock.now - last > .milliseconds(300) else { return }
      if !found.isEmpty { deliver(.measured(found)) }
      deliver(.unmeasured(remaining))
      (found, last) = ([:], ContinuousClock.now)
    }
    var uncertain: [CaseID: [LabelUncertainty]] = [:]
    var unread: [(id: CaseID, item: WorklistCase)] = []
    for (position, item) in cases.enumerated() {
      let pairings = state.withLock { $0.pairings.pairings(of: item) }
      noteFiles(of: CaseID(position), item, pairings)
      if let measures = WorklistMeasuring.known(item, pairings, cache) {
        found[CaseID(position)] = measures
      } else if !item.masks.isEmpty {
        remaining.insert(CaseID(position))
      }
      let known = WorklistUncertainty.known(item, cache)
      if !known.uncertainties.isEmpty { uncertain[CaseID(position)] = known.uncertainties }
      if !known.isComplete { unread.append((CaseID(position), item)) }
    }
    send(atOnce: true)
    if !uncertain.isEmpty { deliver(.uncertainties(uncertain)) }
    for id in remaining.sorted() {
      guard !measuringCancellation.isRequested else { return }
      let item = cases[id.position]
      let pairings = state.withLock { $0.pairings.pairings(of: item) }
      noteFiles(of: id, item, pairings)
      do {
        found[id] = try WorklistMeasuring.measures(item, pairings, work: work)
        try? WorklistMeasuring.store(found[id], item, pairings, cache)
      } catch let error as InputError {
        found[id] = CaseMeasures(item, unread: error)
      } catch is Cancelled {
        return
      } catch {
        // It is said when the case is opened.
      }
      remaining.remove(id)
      send(atOnce: false)
    }
    send(atOnce: true)
    measureUncertainties(unread, cache, work, deliver)
  }

  /// Remembers which files of a case are measured.
  private func noteFiles(of id: CaseID, _ item: WorklistCase, _ pairings: CasePairings) {
    let key = WorklistMeasuring.key(item, pairings)
    state.withLock { $0.measuredKeys[id] = key }
  }

  /// Reads the files of probabilities of cases, and delivers the uncertainties of each.
  private func measureUncertainties(
    _ unread: [(id: CaseID, item: WorklistCase)], _ cache: MeasureCache, _ work: WorkContext,
    _ deliver: @Sendable (SessionEvent) -> Void
  ) {
    for (id, item) in unread {
      guard !measuringCancellation.isRequested else { return }
      // Errors of a file are reported when its case is opened.
      guard let read = try? WorklistUncertainty.ofFile(item, work: work) else { continue }
      deliver(.uncertainties([id: read]))
      try? WorklistUncertainty.store(read, ofFileOf: item, cache)
    }
  }

  func keep(_ uncertainties: [LabelUncertainty], ofRunOn id: CaseID) {
    let item = state.withLock { $0.cases[id.position] }
    // The measure is in the list already; where it cannot be kept, the network has to run again in the next session.
    queue.async { try? WorklistUncertainty.store(uncertainties, ofRunOn: item, MeasureCache()) }
  }

  func add(_ entry: WorklistCase) {
    state.withLock { state in
      state.cases.append(entry)
      state.records.list(entry)
      state.waiting.append(Entry(kind: .added, worklistCase: entry, decision: CaseDecision()))
    }
    queue.async { [self] in write() }
  }

  func record(_ kind: CaseRecord.Kind, _ id: CaseID, _ decision: CaseDecision) {
    state.withLock { state in
      let item = state.cases[id.position]
      let earlier =
        state.waiting.last { $0.worklistCase.name == item.name }?.decision
        ?? state.records.reviews[item.name]?.decisions[writer.reader]
      state.waiting.append(
        Entry(
          kind: kind, worklistCase: item,
          decision: decision.timed(CaseRecord.time(Date()), since: earlier)))
    }
    queue.async { [self] in write() }
  }

  func finish() -> String? {
    measuringCancellation.request()
    queue.sync { write() }
    return state.withLock { $0.waiting.isEmpty ? nil : $0.failure }
  }

  /// Reads records of other readers, writes queued records, and schedules itself again.
  private func poll() {
    queue.async { [self] in
      let (changed, waiting, deliver) = state.withLock { state in
        let names = state.records.poll()
        return (
          state.records.reviews.filter { names.contains($0.key) },
          Set(state.waiting.map(\.worklistCase.name)), state.deliver
        )
      }
      if !changed.isEmpty {
        deliver(.reviews(changed))
        measureAgainIfPaired()
      }
      let own = writer.fileName
      let elsewhere = changed.filter { !waiting.contains($0.key) }.compactMapValues { review in
        review.entries[writer.reader].flatMap { entry in
          entry.decidingFile == nil || entry.decidingFile == own ? nil : entry.last.decision
        }
      }
      if !elsewhere.isEmpty { deliver(.decidedElsewhere(elsewhere)) }
      write()
      queue.asyncAfter(deadline: .now() + Self.pollSeconds) { [weak self] in self?.poll() }
    }
  }

  /// The path of the image in a record; that of an added case counts on any machine that has the image there.
  private func imagePath(_ entry: Entry) -> String {
    let image = entry.worklistCase.images[0]
    return entry.kind == .added
      ? FilePath.absolute(image) : RecordFolder.recordedPath(ofImage: image, worklist: place)
  }

  /// Writes the queued records in order, up to the first that cannot be written.
  private func write() {
    var changed: Set<String> = []
    var failure: String?
    while let entry = state.withLock({ $0.waiting.first }) {
      let name = entry.worklistCase.name
      do throws(InputError) {
        let written = try writer.append(
          entry.kind, caseName: name, image: imagePath(entry),
          series: entry.worklistCase.series, decision: entry.decision,
          after: state.withLock { $0.records.highestSequence }, at: entry.date ?? Date())
        state.withLock { state in
          state.records.add(written.event, file: written.file, line: written.line)
          state.waiting.removeFirst()
        }
        changed.insert(name)
      } catch {
        failure = error.description
        break
      }
    }
    let (reviews, hasFailureChanged, deliver) = state.withLock { state in
      defer { state.failure = failure }
      return (
        state.records.reviews.filter { changed.contains($0.key) }, state.failure != failure, state.deliver
      )
    }
    if !reviews.isEmpty {
      deliver(.reviews(reviews))
      measureAgainIfPaired()
    }
    if hasFailureChanged { deliver(.recordsFailed(failure)) }
    let isNewNote = state.withLock { state in
      defer { state.note = writer.note }
      return state.note != writer.note
    }
    if isNewNote, let note = writer.note { deliver(.noted(note)) }
  }
}
