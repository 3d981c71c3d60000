import Review
import Screen
import Testing
import Volumes

extension ReviewState {
  /// Presses keys one after the other, and returns their effects.
  @discardableResult
  package mutating func press(_ keys: Key...) -> [ReviewEffect] {
    keys.flatMap { reduce(&self, .terminal(.key($0))) }
  }

  /// Types characters.
  @discardableResult
  package mutating func type(_ text: String) -> [ReviewEffect] {
    text.flatMap { reduce(&self, .terminal(.key(.character($0)))) }
  }

  /// Types a command line and Enter.
  @discardableResult
  package mutating func command(_ line: String) -> [ReviewEffect] {
    type(":\(line)") + press(.enter)
  }

  /// Goes to a voxel and gives it a label.
  @discardableResult
  package mutating func paint(_ voxel: VoxelIndex, _ label: String) -> [ReviewEffect] {
    command("\(voxel.i),\(voxel.j),\(voxel.k)") + command("paint \(label)")
  }

  /// Ends the job that reads the journal with this content.
  package mutating func read(_ journal: OpenedJournal) throws -> [ReviewEffect] {
    reduce(&self, .jobEnded(try #require(jobs[.journal]?.id), .finished(JournalJob.self, with: journal)))
  }
}

extension [ReviewEffect] {
  /// The one job that the effects start, apart from the history of command lines.
  package var started: (id: JobID, job: AnyJob)? {
    for case .start(let id, let job) in self where job.kind != .commandHistory { return (id, job) }
    return nil
  }

  /// The job of a type that the effects start.
  package func started<J: Job>(_ type: J.Type) -> (id: JobID, job: J)? {
    for case .start(let id, let started) in self {
      if let job = started.base as? J { return (id, job) }
    }
    return nil
  }

  /// The job of a kind that the effects start.
  package func started(_ kind: JobKind) -> JobID? {
    for case .start(let id, let job) in self where job.kind == kind { return id }
    return nil
  }

  /// The entries that the effects write to the journal.
  package var notes: [JournalEntry] { compactMap { if case .note(let entry) = $0 { entry } else { nil } } }
}
