import Foundation
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

  @Test(
    "until all cases are measured the list says so, and so does a filter that no case fits",
    arguments: [80, 120])
  func measuring(columns: Int) throws {
    var session = try openedSession()
    _ = reduce(&session, .terminal(.resize(rows: 24, columns: columns)))
    try session.press("C")
    func text(_ row: Int) -> String { render(session).text[row] }
    _ = reduce(&session, .unmeasured([CaseID(0), CaseID(2)]))
    #expect((2...4).map { text($0).contains("…") } == [true, false, true])
    #expect(text(0).contains(" measuring 2 cases, 0 decided") == (columns == 120))
    try session.press("/")
    try session.type("score>4")
    #expect(
      (3...4).map { text($0).trimmingCharacters(in: .whitespaces) } == [
        "no case fits the filter", "2 cases are still being measured",
      ])
    // Read aloud, a number that counts down would be said again and again.
    let words = readAloud(session).lines.whole
    _ = reduce(&session, .unmeasured([CaseID(2)]))
    #expect(readAloud(session).lines.whole == words)
    #expect(words.contains("cases are still being measured"))
    _ = reduce(&session, .unmeasured([]))
    #expect(text(4).trimmingCharacters(in: .whitespaces) == "")
  }

  @Test(
    "u limits the filter to unread cases, and gives it back",
    arguments: [
      ("", "unread"), ("score<3 or flagged", "unread and (score<3 or flagged)"),
      ("unread and (flagged) or (score>2)", "unread and (unread and (flagged) or (score>2))"),
    ])
  func unreadOfFilter(filter: String, limited: String) throws {
    var session = try openedSession()
    try session.press("C", "/")
    try session.type(filter)
    try session.press(.enter, "u")
    #expect(session.worklist.filter == limited)
    #expect(session.worklist.filterProblem == nil)
    try session.press("u")
    #expect(session.worklist.filter == filter)
  }

  @Test(
    "the list's title leaves out the worklist's own order where the filter needs its room, but no other order"
  )
  func narrowTitle() throws {
    var session = try openedSession()
    try session.press("C", "/")
    try session.type("score<3 or not decided")
    try session.press(.enter)
    #expect(render(session).text[0].hasPrefix(" segdeck  3 cases  filter score<3 or not decided  "))
    #expect(!render(session).text[0].contains(" by "))
    try session.press("s")
    #expect(render(session).text[0].contains("…"))
    #expect(render(session).text[0].contains("  by name "))
  }

  @Test(
    "on narrow screens the list's title has the filter and the order, cut with … if at all, and how many are unread",
    arguments: [
      (60, " segdeck  3 cases  filter not decided  by name "), (50, " 3 cases  filter not decided  by name "),
      (40, " 3 cases  filter n"),
    ])
  func narrowestTitle(columns: Int, beginning: String) throws {
    var session = try openedSession()
    try session.press("C", "/")
    try session.type("not decided")
    try session.press(.enter, "s")
    _ = reduce(&session, .terminal(.resize(rows: 24, columns: columns)))
    let title = render(session).text[0]
    #expect(title.hasPrefix(beginning))
    #expect(title.contains("  by name "))
    #expect(title.trimmingCharacters(in: .whitespaces).hasSuffix(" unread") && !title.contains(" read,"))
  }

  @Test("the title counts the other cases where the filter leaves out the one on the screen")
  func positionOutsideFilter() throws {
    var session = try openedSession()
    try session.press("C", "/")
    try session.type("score>4")
    try session.press(.enter, .escape)
    #expect(render(session).text[0].hasPrefix(" segdeck  0 others of 3, filter score>4  case-1 "))
    try session.press("C", "/", .control("u"))
    try session.type("case~3")
    try session.press(.enter, .escape)
    #expect(render(session).text[0].hasPrefix(" segdeck  1 other of 3, filter case~3  case-1 "))
  }

  @Test("? in the list opens the key reference at the list's keys, and Esc leads back to the list")
  func keysOfList() throws {
    var session = try openedSession()
    try session.press("C", "j", "?")
    let shown = render(session).text
    #expect(shown.contains { $0.contains("filter as you type") })
    #expect(!shown.contains { $0.contains("case-2") })
    try session.press("j", .escape)
    #expect(session.review.dialog == nil)
    #expect(session.worklist.list?.selected == CaseID(1))
    #expect(render(session).text[0].contains("3 cases"))
    try session.press(.enter)
    #expect(session.current == CaseID(1))
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
