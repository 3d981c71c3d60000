import Foundation

/// How the threads of this process share its cores.
package enum ThreadPriority {
  /// Puts the calling thread behind those that were not put behind, for as long as it lives.
  ///
  /// While as many such threads compute as there are cores, another thread that wakes up, such as the screen's, gets
  /// a core at once and about nine tenths of it. Without such another thread nothing is lost. Raising a thread again
  /// needs privileges on Linux, so this is for threads that only ever compute.
  package static func lower() {
    // On Linux the nice value belongs to the thread, and 0 means the calling one: setpriority(2). Nothing to do if
    // it fails: the thread then computes as before.
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceValue)
  }

  /// Linux's weight for it is about a tenth of that of 0: sched(7).
  package static let niceValue: CInt = 10
}
