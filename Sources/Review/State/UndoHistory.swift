/// The decisions so far, step by step, in chronological order.
///
/// Undo and redo move through the steps by their changes. A decision after an undo first appends a step that returns to
/// the current state, then its own step. So undone steps stay in the history, and enough undos lead back to them.
package struct UndoHistory: Equatable, Sendable {
  /// A step: its name and its change of the decisions.
  package struct Step: Equatable, Sendable {
    /// The name: "hide spleen".
    package var name: String
    /// The change of the previous step's decisions.
    package var change: DecisionChange
    /// The identity in the case's journal; later steps have larger numbers.
    package var number = 0
    /// The number of the earlier step that this one returns to; nil for none.
    package var returnsTo: Int?
  }

  /// Every step, oldest first; the first is where the history begins.
  package private(set) var steps: [Step]
  /// The index of the current step.
  package private(set) var position = 0
  /// The largest number that a step of the case had, in the journal too.
  private var lastNumber = 0

  /// Limits beyond which the oldest steps are forgotten; bytes are those of the edited voxels.
  private static let maximumStepCount = 1000
  private static let maximumByteCount = 256 << 20

  /// A history with one step, the opening of the case.
  package init() { steps = [Step(name: "opening", change: DecisionChange())] }

  /// A history of these steps; the one at `position` is the present one, the last unless given.
  ///
  /// - Parameter lastNumber: The largest number in the journal, if it belongs to a step that is not in the history.
  init(steps: [Step], position: Int? = nil, lastNumber: Int? = nil) {
    precondition(!steps.isEmpty, "a history begins with a step")
    self.steps = steps
    self.position = position ?? steps.count - 1
    self.lastNumber = max(lastNumber ?? 0, steps[steps.count - 1].number)
    forgetOldest()
  }

  /// The number of the current step.
  package var number: Int { steps[position].number }

  private mutating func append(_ name: String, _ change: DecisionChange, returnsTo: Int? = nil) {
    lastNumber += 1
    steps.append(Step(name: name, change: change, number: lastNumber, returnsTo: returnsTo))
  }

  /// Records a step from `old` to `new` decisions.
  ///
  /// With `joins`, it is merged with a last step of the same name.
  mutating func record(_ name: String, from old: Decisions, to new: Decisions, joins: Bool) {
    if joins, position == steps.count - 1, position > 0, number == lastNumber, steps[position].name == name {
      let before = decisions(at: position - 1, from: old)
      steps[position].change = DecisionChange(from: before, to: new)
    } else {
      let change = DecisionChange(from: old, to: new)
      // Showing the other side is not a step.
      if !change.isEmpty { record(name, change, from: old) }
    }
  }

  /// Records a step that changed `old` decisions.
  ///
  /// After an undo, a step that returns to them is recorded first.
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
    var count = max(0, steps.count - UndoHistory.maximumStepCount)
    for step in steps.prefix(count) { bytes -= step.change.byteCount }
    while bytes > UndoHistory.maximumByteCount, count < position {
      bytes -= steps[count].change.byteCount
      count += 1
    }
    steps.removeFirst(count)
    position = max(0, position - count)
  }

  /// Those of some versions that the present step does not have: the step that made them was undone, or left by a step
  /// that returns to an earlier one.
  ///
  /// A version is made by the first step after which it is A or B. None are absent where the oldest steps are forgotten.
  /// - Complexity: O(steps).
  func absent(of versions: Set<VersionID>) -> Set<VersionID> {
    guard !versions.isEmpty, steps[0].number == 0 else { return [] }
    var (all, last, present): (Set<VersionID>, Set<VersionID>, Set<VersionID>) = ([], [], [])
    var afterStep: [Int: Set<VersionID>] = [:]
    for (index, step) in steps.enumerated() {
      if let target = step.returnsTo { last = afterStep[target] ?? last }
      last.formUnion(versions.intersection(step.change.compared))
      afterStep[step.number] = last
      all.formUnion(last)
      if index == position { present = last }
    }
    return all.subtracting(present)
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

  /// Goes to a step, clamped to those there are.
  /// - Returns: The decisions after it, from those at ``position`` before.
  mutating func move(to step: Int, from present: Decisions) -> Decisions {
    let step = min(max(0, step), steps.count - 1)
    let decisions = self.decisions(at: step, from: present)
    position = step
    return decisions
  }
}
