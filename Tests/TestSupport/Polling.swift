import Testing
import Work

/// Runs `body` and then stops it at its polls, with one thread at each of them (or at some, evenly spread, where there
/// are many) and with three threads at the first and a middle one: it must throw ``Cancelled`` every time.
///
/// - Parameter least: The minimum number of polls of a complete run with one thread: one per tile, slice or chunk.
package func expectStops(
  atEachOf least: Int, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (WorkContext) throws -> Void
) throws {
  let whole = Cancellation()
  try body(WorkContext(threadCount: 1, cancellation: whole))
  let count = whole.pollCount
  #expect(count >= least, comment, sourceLocation: sourceLocation)
  let step = max(1, count / 12)
  for (threads, polls) in [
    (1, Array(stride(from: 1, through: count, by: step)) + [count]), (3, [1, count / 2]),
  ] {
    for poll in polls where poll > 0 {
      let context = WorkContext(threadCount: threads, cancellation: Cancellation(atPoll: poll))
      #expect(
        throws: Cancelled.self,
        "\(comment?.description ?? "") at poll \(poll) of \(count), \(threads) threads",
        sourceLocation: sourceLocation
      ) { try body(context) }
    }
  }
}
