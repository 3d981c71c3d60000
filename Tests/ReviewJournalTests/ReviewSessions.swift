import Foundation
import Journal
import Review
import ReviewFixtures
import TestSupport
import Testing
import Volumes
import Work
import segdeck

/// An action of a reviewer.
enum ReviewerAction: Sendable {
  /// Gives a voxel of the shown version a label.
  case paint(VoxelIndex, String)
  /// Presses keys of the picture.
  case keys(String)
  /// Shows the version at this index of the list.
  case show(Int)
  /// Names the first label of the table.
  case name(String)
  /// Gives the first label of the table the next colour.
  case recolour
  case network
  /// The CRF on the shown version.
  case refine
  /// Writes what is accepted.
  case export
}

/// A temporary folder with the journal of one case, which is removed with the object.
final class JournalDirectory {
  let path = NSTemporaryDirectory() + "segdeck-loss-\(UUID().uuidString)"
  var journals: JournalFolder { JournalFolder(environment: ["XDG_STATE_HOME": path]) }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

let runs = NetworkRunCache()

/// A review that keeps a journal on the disk.
struct Session {
  var state: ReviewState
  let opened: OpenedJournal
  /// The entries that it wrote.
  private(set) var written: [JournalEntry] = []
  private let journal: CaseJournal

  /// Opens the case the `number`th time, and does something before its journal is read.
  ///
  /// - Parameter owner: The case of a worklist and its reader; nil for an image by itself.
  init(
    _ number: Int, in directory: JournalDirectory, early: [ReviewerAction] = [],
    owner: CaseJournal.Owner? = nil
  ) throws {
    journal = CaseJournal(runs: runs, folder: directory.journals, owner: owner)
    opened = try Session.open(journal)
    state = try laterSession(firstVersionNumber: 1000 * number)
    for action in early { try perform(action) }
    let read = try state.read(opened)
    try write(read)
  }

  static func open(_ journal: CaseJournal) throws -> OpenedJournal {
    try journal.open(
      phantomCase(), WorkContext(), readFile: { _ throws(Cancelled) in nil },
      readFrame: { _ in throw Cancelled() })
  }

  private mutating func write(_ effects: [ReviewEffect]) throws {
    guard !effects.notes.isEmpty else { return }
    try journal.append(effects.notes)
    written += effects.notes
  }

  mutating func perform(_ action: ReviewerAction) throws {
    var effects: [ReviewEffect] = []
    switch action {
    case .paint(let voxel, let label): effects = state.paint(voxel, label)
    case .keys(let keys): effects = state.type(keys)
    case .show(let index):
      effects = state.type("v")
      state.selectedVersion = state.decisions.versions[index % state.decisions.versions.count].id
      effects += state.press(.enter, .escape)
    case .name(let name):
      effects = state.type("br")
      for _ in 0..<12 { effects += state.press(.backspace) }
      effects += state.type(name) + state.press(.enter, .escape)
    case .recolour: effects = state.type("bc") + state.press(.down, .enter, .escape)
    case .network: effects = try state.runNetwork()
    case .refine:
      effects = state.type("t")
      effects +=
        try state.finishRefining(PreviewJob.self) + state.finishRefining(BackgroundRefinementJob.self)
      effects += state.press(.enter, .escape)
    case .export:
      effects = state.type("E")
      guard let id = state.jobs[.export]?.id else { break }
      effects += reduce(&state, .jobEnded(id, .finished(ExportJob.self, with: .written(path: "/out.nii.gz"))))
    }
    try write(effects)
  }

  /// Snapshots of every step while everything is undone, and then redone, by the number of the step.
  func walked() -> [Int: Snapshot] {
    var state = state
    var snapshots: [Int: Snapshot] = [:]
    for key in ["z", "Z"] {
      for _ in 0..<state.history.steps.count {
        state.type(key)
        snapshots[state.history.number] = Snapshot(state)
      }
    }
    return snapshots
  }
}

/// The visible state at one moment of a review.
struct Snapshot: Equatable {
  var labels: [VersionID: ChunkedLabels]
  var verdicts: Verdicts

  init(_ state: ReviewState) {
    labels = Dictionary(uniqueKeysWithValues: state.decisions.versions.map { ($0.id, $0.labels) })
    verdicts = state.decisions.verdicts
  }
}
