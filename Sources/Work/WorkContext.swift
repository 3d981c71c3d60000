/// The execution parameters of a long computation: threads, cancellation, progress.
///
/// Every function that may run longer than a frame takes one, polls ``checkCancellation()`` at least every 50 ms and
/// reports the fraction done. The defaults use every core, never stop and ignore progress.
package struct WorkContext: Sendable {
  /// Threads that ``forEach(count:grain:_:)`` may use, at least 1.
  package var threadCount: Int
  /// Stops the computation from another thread.
  package var cancellation: Cancellation
  /// Whether the threads of parallel loops have a low priority; see ``ThreadPriority``.
  package var hasLowPriority = false
  /// The fraction of the available memory that the work may take, 0...1; less than 1 for work that the user did not
  /// request.
  package var memoryFraction = 1.0
  /// Receives the fraction done, 0...1, never decreasing, on any thread.
  package var report: @Sendable (Double) -> Void

  /// A context; without arguments it uses every core, is never cancelled and ignores progress.
  package init(
    threadCount: Int = WorkContext.coreCount, cancellation: Cancellation = Cancellation(),
    report: @escaping @Sendable (Double) -> Void = { _ in }
  ) {
    self.threadCount = max(1, threadCount)
    self.cancellation = cancellation
    self.report = report
  }

  /// Polls the cancellation.
  /// - Throws: ``Cancelled`` once a stop was requested.
  package func checkCancellation() throws(Cancelled) {
    if cancellation.isRequested { throw Cancelled() }
  }

  /// The same context, whose progress 0...1 is mapped to `range` of this one's progress.
  package func part(_ range: ClosedRange<Double>) -> WorkContext {
    var part = self
    let report = self.report
    part.report = { fraction in
      report(range.lowerBound + (range.upperBound - range.lowerBound) * min(max(fraction, 0), 1))
    }
    return part
  }

  /// The same context without progress reports, for inner steps whose caller reports.
  package var withoutProgress: WorkContext {
    var context = self
    context.report = { _ in }
    return context
  }
}
