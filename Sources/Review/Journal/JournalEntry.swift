import Volumes

/// One thing that happened in a review, as its journal keeps it.
package enum JournalEntry: Equatable, Sendable {
  /// A version was made or opened.
  case version(Version)
  /// The labels of a version have these names and colours now.
  case labels(of: VersionID, LabelTable)
  /// Voxels of a version changed in a step; those inside the box now have these labels.
  case edited(VersionID, step: String, box: VoxelBounds, ChunkedLabels)
  /// A step, and the decisions behind it; the versions among them are those that came before.
  case decided(step: String, Decisions)
  /// A version was written to a file.
  case exported(VersionID, path: String)
  /// Where and how the reviewer looks.
  case looked(ViewState)
}

extension [JournalEntry] {
  /// The same without what later entries make superfluous: turns of one knob in a row, and all views but the last.
  package var condensed: [JournalEntry] {
    var condensed: [JournalEntry] = []
    var view: JournalEntry?
    for entry in self {
      if case .looked = entry {
        view = entry
        continue
      }
      if case .decided(let step, _) = entry, case .decided(step, _)? = condensed.last {
        condensed.removeLast()
      }
      condensed.append(entry)
    }
    return condensed + [view].compactMap(\.self)
  }
}

/// Whether what happens is kept.
package enum JournalStatus: Equatable, Sendable {
  /// The case's journal is being looked for.
  case opening
  /// Everything is written as it happens.
  case writing
  /// Could not be written, for this reason; it is tried again with whatever happens next.
  case failing(String)
  /// Nothing is written, for this reason.
  case absent(String)
}

/// A step of an earlier session.
package struct JournalledStep: Equatable, Sendable {
  /// What was done.
  package var name: String
  /// All decisions behind it, without versions.
  package var decisions: Decisions
  /// The version whose voxels it changed, and how.
  package var edited: VersionID?
  package var edit: LabelChange?

  /// A step.
  package init(name: String, decisions: Decisions, edited: VersionID? = nil, edit: LabelChange? = nil) {
    self.name = name
    self.decisions = decisions
    self.edited = edited
    self.edit = edit
  }
}

/// What a case's journal held when the case was opened.
package struct OpenedJournal: Equatable, Sendable {
  /// Versions of earlier sessions, oldest first, under the numbers that they had.
  package var versions: [Version]
  /// Of the masks that were opened with the image, by position, those that are one of ``versions`` voxel by voxel.
  package var knownMasks: [Int: VersionID]
  /// What was decided, step by step, oldest first.
  package var steps: [JournalledStep]
  /// Versions that were written, and where to.
  package var exported: [VersionID: String]
  /// Where the reviewer looked last.
  package var view: ViewState?
  /// When the last entry was made: "14:46".
  package var time: String?
  /// What could not be read of it, or why nothing is written, one line.
  package var warning: String?
  /// What becomes of what happens now.
  package var status: JournalStatus

  /// A journal; that of a case that was never opened unless more is given.
  package init(
    versions: [Version] = [], knownMasks: [Int: VersionID] = [:], steps: [JournalledStep] = [],
    exported: [VersionID: String] = [:], view: ViewState? = nil, time: String? = nil, warning: String? = nil,
    status: JournalStatus = .writing
  ) {
    self.versions = versions
    self.knownMasks = knownMasks
    self.steps = steps
    self.exported = exported
    self.view = view
    self.time = time
    self.warning = warning
    self.status = status
  }
}

/// What was last handed to the journal; whatever differs from it is news.
package struct JournalledState: Equatable, Sendable {
  /// Names and colours of every version.
  package var tables: [VersionID: LabelTable] = [:]
  /// Voxels of every version.
  package var labels: [VersionID: ChunkedLabels] = [:]
  /// The decisions, without versions.
  package var decisions = Decisions()
  /// Versions that were written to a file, and where to.
  package var exported: [VersionID: String] = [:]
  /// Where the reviewer looked.
  package var view = ViewState()
}
