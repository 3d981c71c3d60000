import Screen
import Volumes
import Worklist

/// Names one case of a session: its position in the worklist, from 0.
package struct CaseID: Hashable, Sendable, Comparable {
  /// The position in the worklist, from 0.
  package var position: Int

  package init(_ position: Int) { self.position = position }

  /// In the worklist's own order.
  package static func < (one: CaseID, other: CaseID) -> Bool { one.position < other.position }
}

/// A session: the cases that are open at once, of which one is on the screen, and the worklist that they come from.
///
/// At most three cases are in memory: the one on the screen, the one before it, and the next, which is opened ahead. An
/// earlier case with new decisions stays until its journal is open and has them, and one with versions that nothing else
/// holds until the session ends.
/// ``reduce(_:_:)-(SessionState,_)`` changes it, ``render(_:)-(SessionState)`` draws it.
package struct SessionState: Equatable, Sendable {
  /// Rows and columns of the screen.
  package private(set) var screen: ScreenSize
  package private(set) var capabilities: TerminalCapabilities
  /// The cases in memory.
  package internal(set) var cases: [CaseID: ReviewState] = [:]
  /// The case on the screen.
  package internal(set) var current: CaseID
  /// The case that was on the screen before.
  package internal(set) var previous: CaseID?
  /// The case from which the reader came to a case by going forward; empty again when filter or order change.
  var cameFrom: [CaseID: CaseID] = [:]
  /// The filter and the order to which ``cameFrom`` belongs.
  var cameFromArrangement = ""
  /// What was decided about cases that cannot be opened before each decision of this session, for undo.
  var decisionsBefore: [CaseID: [CaseDecision]] = [:]
  /// The worklist; with one case where only that was asked for.
  package var worklist: WorklistState
  /// The duration of the session in seconds, at the last key.
  var clock = 0.0
  /// The time in seconds at which the case on the screen was first drawn, nil before.
  ///
  /// A key that gave no verdict because it came too early counts as a drawing, so that a held key gives none.
  var seenSince: Double? = -.infinity
  /// The time in seconds at which the question about pairs on the screen was first drawn; nil before, and without one.
  ///
  /// An answer that came too early counts as a drawing, so that a held key answers nothing.
  var askedSince: Double?
  /// The display settings of the case that was shown last, for the next one; nil before the first.
  var displaySettings: DisplaySettings?
  /// Seconds that the reviewer spent on each case, earlier sessions included.
  var secondsSpent: [CaseID: Double] = [:]
  /// The decision about each case that was on the screen, as it was last sent to the worklist's records.
  var recorded: [CaseID: CaseDecision] = [:]
  /// Cases that were on the screen; the others were only opened ahead.
  var shown: Set<CaseID> = []
  /// The case that the worklist's records show as open.
  var onRecord: CaseID?
  /// Cases in memory to which this reader's decisions in the worklist were applied.
  var reconciled: Set<CaseID> = []
  /// Those of them of which the journal has a decision that the records lack.
  var unrecorded: Set<CaseID> = []
  /// The tour; nil for none.
  package internal(set) var tour: Tour?
  /// Notes about unused files of the worklist, until the first case is there to show them.
  var pendingNotes: [String]
  /// How the session ended; nil while it runs.
  package internal(set) var end: End?

  /// The end of a session.
  package enum End: Equatable, Sendable {
    /// The reviewer left.
    case left
    /// The only case could not be opened, for this reason, in one line.
    case failed(String)
  }

  /// A session that is about to open a case of the worklist.
  package init(
    worklist: WorklistState, first: CaseID, tour: Tour? = nil, screen: ScreenSize,
    capabilities: TerminalCapabilities
  ) {
    self.tour = tour
    self.worklist = worklist
    self.screen = screen
    self.capabilities = capabilities
    current = first
    pendingNotes = worklist.notes
  }

  /// The state of the case on the screen.
  package var review: ReviewState { cases[current] ?? newReview(current) }

  /// A case that is about to be opened.
  func newReview(_ id: CaseID) -> ReviewState {
    var state = ReviewState(
      request: worklist.request(of: id), screen: screen, capabilities: capabilities)
    guard !worklist.isAbsent else { return state }
    state.position = worklist.listPosition(of: id)
    state.caseName = worklist.cases[id.position].name
    state.unwrittenVerdictsReason = worklist.recordFailure
    return state
  }

  /// Tells every case the size of the screen.
  mutating func resize(to size: ScreenSize) -> [SessionEffect] {
    screen = size
    return cases.keys.sorted().flatMap {
      reduceCase($0, .terminal(.resize(rows: size.rows, columns: size.columns)))
    }
  }

  /// Shows every case in memory as far as the terminal can.
  mutating func showAll(with capabilities: TerminalCapabilities) -> [SessionEffect] {
    self.capabilities = capabilities
    return cases.keys.sorted().flatMap { reduceCase($0, .terminal(.capabilities(capabilities))) }
  }

  /// Changes the state of a case that is in memory; an event of a closed case changes nothing.
  mutating func reduceCase(_ id: CaseID, _ event: ReviewEvent) -> [SessionEffect] {
    guard cases[id] != nil else { return [] }
    return Review.reduce(&cases[id]!, event).map { .review(id, $0) }
  }
}
