import Work

/// Something that a run writes beside its work, and goes on without.
///
/// The first failure is said, and the first success behind it.
final class BestEffortWriter {
  private let subject: String
  private var isFailing = false

  /// - Parameter subject: What is written: "log".
  init(_ subject: String) { self.subject = subject }

  /// Runs `write`.
  /// - Returns: Whether it succeeded.
  @discardableResult
  func attempt(_ write: () throws(InputError) -> Void) -> Bool {
    do throws(InputError) {
      try write()
      if isFailing { Console.note("the \(subject) is written again") }
      isFailing = false
    } catch {
      if !isFailing { Console.note("the \(subject) waits, the training goes on: \(error)") }
      isFailing = true
    }
    return !isFailing
  }
}
