/// What the records of all tasks say about one case.
///
/// Records may come in any order and more than once: adding one again changes nothing, so that a case counts once whatever
/// wrote about it.
package struct CaseProgress: Equatable, Sendable {
  /// The state of a case under some settings.
  package enum State: Equatable, Sendable {
    /// Nothing was begun, or what was done is of another image.
    case left
    /// The last attempt began and did not end: its process computes, or was killed.
    case begun(CohortRecord)
    case done(CohortRecord)
    case failed(CohortRecord)
  }

  /// The records in the order of their attempts; those of one attempt in the order of their events.
  private var records: [CohortRecord] = []

  package init() {}

  /// Adds a record unless it is there.
  package mutating func add(_ record: CohortRecord) {
    guard !records.contains(record) else { return }
    let position = records.firstIndex { Self.isBefore(record, $0) } ?? records.endIndex
    records.insert(record, at: position)
  }

  private static func isBefore(_ one: CohortRecord, _ other: CohortRecord) -> Bool {
    (one.attempt, one.event.rank, one.time) < (other.attempt, other.event.rank, other.time)
  }

  /// The number of the last attempt, whatever its settings; 0 before the first.
  package var attempt: Int { records.last?.attempt ?? 0 }

  /// The state under settings, whatever became of the images.
  package func state(settingsSha256: String) -> State { state(settingsSha256: settingsSha256) { _ in true } }

  /// The state under settings.
  /// - Parameter isOfImages: Whether a record is of the images as they are now.
  package func state(
    settingsSha256: String, isOfImages: (CohortRecord) throws -> Bool
  ) rethrows -> State {
    let own = records.filter { $0.settingsSha256 == settingsSha256 }
    if let done = own.last(where: { $0.event == .done }), try isOfImages(done) { return .done(done) }
    guard let last = own.last else { return .left }
    switch last.event {
    case .started: return .begun(last)
    case .failed: return try isOfImages(last) ? .failed(last) : .left
    case .done, .retried: return .left
    }
  }

  /// How many attempts in a row began and did not end, at the end of what is known under settings.
  package func interruptionCount(settingsSha256: String) -> Int {
    let own = records.filter { $0.settingsSha256 == settingsSha256 }
    return own.reversed().prefix { $0.event == .started }.count
  }
}

extension CohortRecord.Event {
  /// The order of the events of one attempt.
  fileprivate var rank: Int {
    switch self {
    case .started: 0
    case .failed: 1
    case .done: 2
    case .retried: 3
    }
  }
}
