import Foundation

/// The scheduling priority of threads.
package enum ThreadPriority {
  /// Lowers the priority of the calling thread for the rest of its life: its nice value becomes ``niceValue``.
  ///
  /// While such threads occupy all cores, a thread of normal priority that wakes up, such as the screen's, gets a core
  /// at once and about nine tenths of its time. When no such thread waits, the low priority costs nothing. On Linux a
  /// thread needs privileges to raise its priority again, so this is for threads that only compute.
  package static func lower() {
    // On Linux the nice value belongs to the thread, and 0 means the calling one: setpriority(2). If it fails, the
    // thread keeps its priority.
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceValue)
  }

  /// Linux gives a thread of this nice value about a tenth of the weight of nice value 0: sched(7).
  package static let niceValue: CInt = 10
}
