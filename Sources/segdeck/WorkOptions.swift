import ArgumentParser
import Foundation
import Synchronization
import Work

/// The option for the number of threads, and the work context of a command: progress line and cancellation by Ctrl-C.
struct WorkOptions: ParsableArguments {
  @Option(name: .long, help: "Threads to compute with; by default all cores.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is 1 to 1024, not \(threads)")
    }
  }

  /// A context that shows its progress after `title` and is cancelled by Ctrl-C.
  func context(_ title: String) -> WorkContext {

    let line = ProgressLine(title)
    return WorkContext(
      threadCount: threads ?? WorkContext.coreCount, cancellation: Interruption.cancellation()
    ) {
      line.show($0)
    }
  }
}
