import Foundation
import Glibc
import TestSupport
import Testing

extension JournalTests {
  @Test("decisions just before a hang-up or a request to end are kept")
  func toldToEnd() throws {
    for signal in [SIGHUP, SIGTERM, SIGINT] {
      let tiny = try TinyCase()
      defer { tiny.folder.remove() }
      let terminal = try PseudoTerminal(
        [try BuiltProgram.path(), "review", tiny.folder("ct.nii.gz")], environment: tiny.environment)
      #expect(terminal.hasSent("Axial", within: 60))
      // The journal is there once it can be listed.
      for _ in 0..<300 {
        if try tiny.journal("list").contains("ct.nii.gz") { break }
        usleep(100_000)
      }
      // Only what differs from the screen before is sent, so that any response to the key must do.
      #expect(terminal.respondsTo("f", within: 30))
      #expect(terminal.end(with: signal) == signal)
      #expect(try tiny.journal("list").contains(" flagged "))
    }
  }

  @Test("a journal folder that is missing at the start is tried again, and then receives all entries")
  func laterPlace() throws {
    let tiny = try TinyCase()
    let folder = tiny.folder
    defer { folder.remove() }
    try Data().write(to: URL(filePath: folder("state")))
    let session = try TmuxSession(columns: 80, rows: 30, environment: tiny.environment)
    try session.enter("clear; \(tiny.reviewWithMask)")
    try session.waitFor("what you do here is not kept: File exists", seconds: 60)
    try session.press("f")
    try session.waitFor("flagged the case")
    try FileManager.default.removeItem(atPath: folder("state"))
    try session.press("e")
    try session.waitFor("the journal is written again", seconds: 30)
    try session.press("q")
    try session.waitFor("ready>")
    #expect(try tiny.journal("list").contains("rejected labels.nii.gz; flagged"))
  }

  @Test("without a journal folder the review continues, reports it, and asks before it quits")
  func noPlace() throws {
    let tiny = try TinyCase()
    defer { tiny.folder.remove() }
    let session = try TmuxSession(
      columns: 120, rows: 40,
      environment: tiny.environment.merging(["XDG_STATE_HOME": "/proc/nowhere"]) { $1 })
    try session.enter("clear; \(tiny.reviewWithMask)")
    try session.waitFor("what you do here is not kept", seconds: 60)
    try session.press("f", "q")
    try session.waitFor("is not in the journal")
    try session.press("y")
    try session.waitFor("ready>")
  }
}
