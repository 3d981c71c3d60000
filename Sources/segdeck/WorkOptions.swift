import ArgumentParser
import Foundation
import Synchronization
import Work

/// How a command computes: threads from its option, a progress line when stderr is a terminal, Ctrl-C as cancel.
struct WorkOptions: ParsableArguments {
  @Option(name: .long, help: "Threads to compute with; by default all cores.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is 1 to 1024, not \(threads)")
    }
  }

  /// A context whose progress shows behind `title`, and which Ctrl-C cancels.
  func context(_ title: String) -> WorkContext {

    let line = ProgressLine(title)
    return WorkContext(
      threadCount: threads ?? WorkContext.coreCount, cancellation: Interruption.cancellation()
    ) {
      line.show($0)
    }
  }
}
