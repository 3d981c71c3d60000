/// What was decided so far, step by step, in the order in which it happened.
///
/// Undoing and redoing move through the steps by what each changed. A decision after an undo is appended like any other,
/// behind a step back to where it was made: what was undone stays in the history, and undoing far enough reaches it again.
package struct UndoHistory: Equatable, Sendable {
  /// What happened, and what it changed.
  package struct Step: Equatable, Sendable {
    /// What was done: "hide spleen".
    package var name: String
    /// What it changed about the decisions of the step before it.
    package var change: DecisionChange
    /// Names it within the case's journal; later steps have larger numbers.
    package var number = 0
    /// The number of the earlier step whose decisions and voxels are those behind this one; nil for none.
    package var returnsTo: Int?
  }

  /// Every step, oldest first; the first is where the history begins.
  package private(set) var steps: [Step]
  /// The step that was reached last.
  package private(set) var position = 0
  /// The largest number that a step of the case had, in the journal too.
  private var lastNumber = 0

  /// Steps that are kept, and bytes of voxels in them.
  private static let depth = 1000
  private static let byteCount = 256 << 20

  /// A history that begins.
  package init() { steps = [Step(name: "opening", change: DecisionChange())] }

  /// A history of these steps, of which the one at `position` was reached last; the last one unless given.
  ///
  /// - Parameter lastNumber: The largest number in the journal, where that is of a step that is left out.
  init(steps: [Step], position: Int? = nil, lastNumber: Int? = nil) {
    precondition(!steps.isEmpty, "a history begins with a step")
    self.steps = steps
    self.position = position ?? steps.count - 1
    self.lastNumber = max(lastNumber ?? 0, steps[steps.count - 1].number)
    forgetOldest()
  }

  /// The number of the step that was reached last.
  package var number: Int { steps[position].number }

  private mutating func append(_ name: String, _ change: DecisionChange, returnsTo: Int? = nil) {
    lastNumber += 1
    steps.append(Step(name: name, change: change, number: lastNumber, returnsTo: returnsTo))
  }

  /// Notes a step from `old` to `new` decisions; a step of the same name right before it becomes one with it when `joins`.
  mutating func record(_ name: String, from old: Decisions, to new: Decisions, joins: Bool) {
    if joins, position == steps.count - 1, position > 0, number == lastNumber, steps[position].name == name {
      let before = decisions(at: position - 1, from: old)
      steps[position].change = DecisionChange(from: before, to: new)
    } else {
      let change = DecisionChange(from: old, to: new)
      // Looking at the other side is no step.
      if !change.isEmpty { record(name, change, from: old) }
    }
  }

  /// Notes a step that changed `old` decisions; behind an undo, a step back to them comes before it.
  mutating func record(_ name: String, _ change: DecisionChange, from old: Decisions) {
    if position < steps.count - 1 {
      let last = decisions(at: steps.count - 1, from: old)
      append(
        "back to before \(steps[position + 1].name)", DecisionChange(from: last, to: old), returnsTo: number)
    }
    append(name, change)
    position = steps.count - 1
    forgetOldest()
  }

  private mutating func forgetOldest() {
    var bytes = steps.reduce(0) { $0 + $1.change.byteCount }
    var count = max(0, steps.count - UndoHistory.depth)
    for step in steps.prefix(count) { bytes -= step.change.byteCount }
    while bytes > UndoHistory.byteCount, count < position {
      bytes -= steps[count].change.byteCount
      count += 1
    }
    steps.removeFirst(count)
    position = max(0, position - count)
  }

  /// The decisions at a step, from those at ``position``.
  func decisions(at step: Int, from present: Decisions) -> Decisions {
    var decisions = present
    if step < position {
      for earlier in steps[step + 1...position].reversed() { earlier.change.inverse.apply(to: &decisions) }
    } else if step > position {
      for later in steps[position + 1...step] { later.change.apply(to: &decisions) }
    }
    return decisions
  }

  /// Goes to a step, as far as there is one, and takes the decisions there.
  mutating func move(to step: Int, _ decisions: inout Decisions) {
    let step = min(max(0, step), steps.count - 1)
    decisions = self.decisions(at: step, from: decisions)
    position = step
  }
}
