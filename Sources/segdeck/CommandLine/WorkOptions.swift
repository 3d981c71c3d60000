import ArgumentParser
import Foundation
import Synchronization
import Work

/// The option for the number of threads, and the work context of a command: progress line and cancellation by Ctrl-C.
struct WorkOptions: ParsableArguments {
  @Option(
    name: .long, help: "Threads to compute with; by default all cores.", transform: OptionParsing.wholeNumber)
  var threads: Int?

  func validate() throws {
    if let threads { try Self.requireThreads(threads) }
  }

  /// Refuses a number of threads that is out of range.
  static func requireThreads(_ count: Int) throws(InputError) {
    try OptionParsing.require(count, in: 1...1024, option: "--threads")
  }

  /// A context that shows its progress after `title` and is cancelled by Ctrl-C.
  func context(_ title: String) -> WorkContext {
    WorkContext(threadCount: threads ?? WorkContext.coreCount, cancellation: Interruption.cancellation())
      .showingProgress(title)
  }
}

extension WorkContext {
  /// The same context, which shows its progress after `title`.
  func showingProgress(_ title: String) -> WorkContext {
    let line = ProgressLine(title)
    var context = self
    context.report = { line.show($0) }
    return context
  }
}
