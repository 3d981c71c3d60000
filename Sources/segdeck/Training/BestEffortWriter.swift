import Work

/// Writes files of a run whose failure must not end the run.
///
/// A note is printed for the first failure, and for the first success after it.
final class BestEffortWriter {
  private let subject: String
  private var isFailing = false

  /// - Parameter subject: The name of the file in notes: "log".
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
      if !isFailing { Console.note("the \(subject) cannot be written, the training continues: \(error)") }
      isFailing = true
    }
    return !isFailing
  }
}
