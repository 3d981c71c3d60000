import Volumes

/// An event of a review, as its journal stores it.
package enum JournalEntry: Equatable, Sendable {
  /// A version was created or opened.
  case version(Version)
  /// The labels of a version have these names and colours now.
  case labels(of: VersionID, LabelTables)
  /// A step of the history and the decisions after it, without versions. A later entry of the same number replaces it.
  case step(JournalStep)
  /// The number of the current step of the history, and the current decisions.
  case position(step: Int, Decisions)
  /// A version was written to a file at `path`; nil when the version was changed since.
  case exported(VersionID, path: String?)
  /// The view changed.
  case view(ViewState)
}

extension [JournalEntry] {
  /// The entries without those that later ones replace: consecutive changes of one knob, and all views but the last.
  package var condensed: [JournalEntry] {
    var condensed: [JournalEntry] = []
    var view: JournalEntry?
    for entry in self {
      switch (entry, condensed.last) {
      case (.view, _):
        view = entry
        continue
      case (.step(let step), .step(let last)?) where step.number == last.number: condensed.removeLast()
      case (.position, .position?): condensed.removeLast()
      case (.version, _), (.labels, _), (.step, _), (.position, _), (.exported, _): break
      }
      condensed.append(entry)
    }
    return condensed + [view].compactMap(\.self)
  }
}

/// Whether the decisions about a case are being written to its journal.
package enum JournalStatus: Equatable, Sendable {
  /// The case's journal is being searched for.
  case opening
  /// Everything is written as it happens.
  case writing
  /// The last write failed for this reason; the next entry tries again.
  case failing(String)
  /// Nothing is written, for this reason.
  case absent(String)
}

/// A step of the history as the journal stores it.
package struct JournalStep: Equatable, Sendable {
  package var number: Int
  package var name: String
  /// All decisions after it, without versions.
  package var decisions: Decisions
  /// Names and colours that it changed.
  package var relabellings: [DecisionChange.Relabelling]
  /// The edits of voxels, with all labels of each version after the edit.
  package var edits: [Edit]
  /// The number of the earlier step that this one returns to; nil for none.
  package var returnsTo: Int?

  /// A change of a version's voxels.
  package struct Edit: Equatable, Sendable {
    package var version: VersionID
    /// The change of its voxels.
    package var change: LabelChange
    /// Its labels after the change.
    package var labels: ChunkedLabels

    package init(version: VersionID, change: LabelChange, labels: ChunkedLabels) {
      self.version = version
      self.change = change
      self.labels = labels
    }
  }

  package init(
    number: Int, name: String, decisions: Decisions, relabellings: [DecisionChange.Relabelling] = [],
    edits: [Edit] = [], returnsTo: Int? = nil
  ) {
    self.returnsTo = returnsTo
    self.relabellings = relabellings
    self.number = number
    self.name = name
    self.decisions = decisions
    self.edits = edits
  }
}

/// Names and colours of a version's labels.
package struct LabelTables: Equatable, Sendable {
  /// Names and colours of the version's own file or model, as the reviewer changed them.
  package var own: LabelTable
  /// The names, with the colours of the structures.
  package var shown: LabelTable
}

extension Version {
  package var tables: LabelTables { LabelTables(own: ownTable, shown: table) }
}

/// The content of a case's journal when the case was opened.
package struct OpenedJournal: Equatable, Sendable {
  /// Versions of earlier sessions, oldest first, under the numbers that they had.
  package var versions: [Version]
  /// The version in ``versions`` that is each mask opened with the image: of the same file and equal voxel by voxel, by
  /// the mask's index; masks without one are missing.
  package var knownMasks: [Int: VersionID]
  /// Whether ``decisions`` were made beside the same masks in the same order, so that A and B are still those that were
  /// chosen then.
  package var isOfTheseMasks = true
  /// The steps of the history, oldest first.
  package var steps: [JournalStep]
  /// The number of the current step; nil for the last one.
  package var step: Int?
  /// The current decisions; nil for those after that step.
  package var decisions: Decisions?
  /// The paths of exported versions.
  package var exported: [VersionID: String]
  package var view: ViewState?
  /// The time of the last entry: "14:46".
  package var time: String?
  /// The time of the last change of verdicts or pairs of labels in seconds since 1970; nil for none.
  package var decisionSeconds: Double?
  /// Versions of which an edit is lost.
  package var incompleteVersions: Set<VersionID>
  /// One line about unreadable records, or the reason why nothing is written; nil for neither.
  package var warning: String?
  /// The state of the journal after opening.
  package var status: JournalStatus

  /// The content of a journal; by default that of a case that was never opened.
  package init(
    versions: [Version] = [], knownMasks: [Int: VersionID] = [:], steps: [JournalStep] = [], step: Int? = nil,
    decisions: Decisions? = nil,
    exported: [VersionID: String] = [:], view: ViewState? = nil, time: String? = nil,
    decisionSeconds: Double? = nil,
    incompleteVersions: Set<VersionID> = [], warning: String? = nil, status: JournalStatus = .writing
  ) {
    self.versions = versions
    self.knownMasks = knownMasks
    self.steps = steps
    self.step = step
    self.decisions = decisions
    self.exported = exported
    self.view = view
    self.time = time
    self.decisionSeconds = decisionSeconds
    self.incompleteVersions = incompleteVersions
    self.warning = warning
    self.status = status
  }
}

/// The state as it was last written to the journal; differences from it are written next.
package struct WrittenJournalState: Equatable, Sendable {
  /// Names and colours of every version.
  package var tables: [VersionID: LabelTables] = [:]
  /// The last step, as it was written; nil for none.
  package var lastStep: UndoHistory.Step?
  /// The number of the current step.
  package var step = -1
  /// The decisions, without versions.
  package var decisions = Decisions()
  /// The paths of exported versions.
  package var exported: [VersionID: String] = [:]
  package var view = ViewState()
}
