import Review
import ReviewFixtures
import Screen
import Testing
import Worklist

@Suite struct SessionScreenTests {
  private func openedSession() throws -> SessionState {
    var (session, effects) = begunSession(3)
    try session.finish(effects)
    return session
  }

  @Test(
    "a click on a key of the session in the key bar has the effect of the key, in the case and in the list")
  func clicks() throws {
    var session = try openedSession()
    _ = reduce(&session, .terminal(.resize(rows: 40, columns: 200)))
    func click(_ key: Key) throws {
      let area = try #require(render(session).clickAreas.first { $0.target == .key(key) }?.area)
      let cell = ScreenCell(row: area.row, column: area.column)
      try session.finish(
        reduce(&session, .terminal(.mouse(MouseEvent(action: .press, button: 1, cell: cell)))))
    }
    try click(.control("n"))
    #expect(session.current == CaseID(1))
    try click("C")
    #expect(session.worklist.list != nil)
    try click(.escape)
    #expect(session.worklist.list == nil)
  }

  @Test("the key that stops a cine does nothing else, and the end of the session does not wait for it")
  func cine() throws {
    var session = try openedSession()
    try session.type("V")
    #expect(session.review.cine != nil)
    try session.press(.control("n"))
    #expect(session.review.cine == nil && session.current == CaseID(0))
    try session.press(.control("n"))
    #expect(session.current == CaseID(1))
    try session.type("V")
    _ = reduce(&session, .terminal(.end))
    #expect(session.end == .left)
  }
}
