/// What a long computation is given by whoever started it: threads, a way to be stopped, a place to report.
///
/// Every function that may run longer than a frame takes one, polls ``checkCancellation()`` at least every
/// 50 ms of work and reports its share done. The defaults use every core, never stop and report to nobody.
package struct WorkContext: Sendable {
  /// Threads that ``forEach(count:grain:_:)`` may use, at least 1.
  package var threadCount: Int
  /// Stops the computation from another thread.
  package var cancellation: Cancellation
  /// Whether the loops' threads step back behind those that do not compute; see ``ThreadPriority``.
  package var hasLowPriority = false
  /// How much of the memory there is the work may take: less than all of it where nobody asked for it.
  package var memoryFraction = 1.0
  /// Receives the share done, 0...1, never decreasing, from whichever thread did the work.
  package var report: @Sendable (Double) -> Void

  /// A context; without arguments it uses every core, cannot be cancelled and reports to nobody.
  package init(
    threadCount: Int = WorkContext.coreCount, cancellation: Cancellation = Cancellation(),
    report: @escaping @Sendable (Double) -> Void = { _ in }
  ) {
    self.threadCount = max(1, threadCount)
    self.cancellation = cancellation
    self.report = report
  }

  /// Throws ``Cancelled`` once somebody asked for a stop.
  package func checkCancellation() throws(Cancelled) {
    if cancellation.isRequested { throw Cancelled() }
  }

  /// The same context, whose 0...1 covers only `range` of this one's progress.
  package func part(_ range: ClosedRange<Double>) -> WorkContext {
    var part = self
    let report = self.report
    part.report = { share in
      report(range.lowerBound + (range.upperBound - range.lowerBound) * min(max(share, 0), 1))
    }
    return part
  }

  /// The same context without progress, for inner steps whose caller reports.
  package var withoutProgress: WorkContext {
    var context = self
    context.report = { _ in }
    return context
  }
}
