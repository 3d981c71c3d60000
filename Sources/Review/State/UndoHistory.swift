/// Every state of the decisions so far, in the order in which they were reached.
///
/// Undoing and redoing move through it. A decision after an undo is appended like any other, behind a step back to where
/// it was made: what was undone stays in the history, and undoing far enough reaches it again.
package struct UndoHistory: Equatable, Sendable {
  /// A state and what led to it.
  package struct Step: Equatable, Sendable {
    /// What was done: "hide spleen".
    package var name: String
    /// The decisions after it.
    package var decisions: Decisions

    /// A step.
    package init(name: String, decisions: Decisions) {
      self.name = name
      self.decisions = decisions
    }
  }

  /// Every step, oldest first; the first is what the case was opened with.
  package private(set) var steps: [Step]
  /// The step that was reached last.
  package private(set) var position = 0

  /// Steps that are kept; a step holds no voxels.
  private static let depth = 1000

  /// A history that begins with `decisions`.
  package init(opening decisions: Decisions) { steps = [Step(name: "opening", decisions: decisions)] }

  /// A history of these steps, of which the one at `position` was reached last; the last one unless given.
  init(steps: [Step], position: Int? = nil) {
    precondition(!steps.isEmpty, "a history begins with a step")
    self.steps = steps.suffix(UndoHistory.depth)
    self.position = position ?? self.steps.count - 1
  }

  /// Notes a step to `decisions`; a step of the same name right after another takes its place when `joins`.
  mutating func record(_ name: String, to decisions: Decisions, joins: Bool) {
    if position < steps.count - 1 {
      let present = steps[position]
      steps.append(Step(name: "back to before \(steps[position + 1].name)", decisions: present.decisions))
    } else if joins, position > 0, steps[position].name == name {
      steps[position].decisions = decisions
      return
    }
    steps.append(Step(name: name, decisions: decisions))
    if steps.count > UndoHistory.depth { steps.removeFirst(steps.count - UndoHistory.depth) }
    position = steps.count - 1
  }

  /// Goes to a step, as far as there is one.
  mutating func move(to position: Int) { self.position = min(max(0, position), steps.count - 1) }
}
