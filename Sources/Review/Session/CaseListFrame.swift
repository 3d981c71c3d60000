import Screen
import Work
import Worklist

/// The frame of a session: the list of cases, or the case that is on it.
package func render(_ session: SessionState) -> Frame {
  guard session.worklist.list != nil, !session.review.layout.isTooSmall else { return render(session.review) }
  var frame = Frame(rows: session.screen.rows, columns: session.screen.columns)
  session.paintList(into: &frame)
  return frame
}

extension SessionState {
  /// Lines above the cases, and below them.
  private static let headRows = 2
  private static let footRows = 4

  /// The number of cases that the screen has room for.
  var listRows: Int { max(1, screen.rows - SessionState.headRows - SessionState.footRows) }

  /// The first case in sight: the one that is pointed at stays in the middle, as far as the ends allow.
  private var firstListed: Int {
    let position = worklist.list?.selected.flatMap { worklist.order.firstIndex(of: $0) } ?? 0
    return min(max(0, position - listRows / 2), max(0, worklist.order.count - listRows))
  }

  /// The case in a row of the screen; nil where there is none.
  func caseInList(at row: Int) -> CaseID? {
    let position = firstListed + row - SessionState.headRows
    guard (SessionState.headRows..<SessionState.headRows + listRows).contains(row),
      worklist.order.indices.contains(position)
    else { return nil }
    return worklist.order[position]
  }

  fileprivate func paintList(into frame: inout Frame) {
    let area = frame.bounds
    func line(_ row: Int) -> Rectangle { Rectangle(row: row, column: 0, rows: 1, columns: area.columns) }
    paintListTitle(line(0), into: &frame)
    let table = CaseTable(worklist, width: area.columns - 3)
    frame.write([Span("   " + table.header, Theme.quiet)], row: 1, in: area)
    let first = firstListed
    for (offset, id) in worklist.order.dropFirst(first).prefix(listRows).enumerated() {
      let mark = id == current ? " ▸ " : cases[id] == nil ? "   " : " · "
      let style = id == worklist.list?.selected ? Theme.selected : style(of: id)
      frame.write(
        [Span(mark, Theme.strong), Span(table.line(id), style)], row: SessionState.headRows + offset, in: area
      )
    }
    if worklist.order.isEmpty {
      frame.writeCentred("no case fits the filter", row: 3, style: Theme.quiet, in: area)
    }
    paintDetails(
      Rectangle(row: area.rows - 4, column: 1, rows: 3, columns: area.columns - 2), into: &frame)
    let bar = line(area.rows - 1)
    if let entry = worklist.list?.entry {
      let hint =
        entry.text.isEmpty ? "dice<0.8 and unread, flagged, score>=4, text" : worklist.filterProblem ?? ""
      review.paintEntry("filter ", entry, hint: hint, bar, into: &frame)
    } else {
      review.paintKeys(bar, in: .cases, into: &frame)
    }
  }

  private func paintListTitle(_ area: Rectangle, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let (shown, all) = (worklist.order.count, worklist.cases.count)
    var spans = [
      Span(" segdeck  ", Theme.barQuiet),
      Span(shown == all ? counted(all, "case") : "\(shown) of \(counted(all, "case"))", Theme.barStrong),
    ]
    if !worklist.filter.isEmpty { spans.append(Span("  filter \(cleaned(worklist.filter))", Theme.active)) }
    spans.append(Span("  by \(worklist.sortText)", Theme.bar))
    frame.write(spans, row: area.row, in: area)
    frame.writeAtRight(progressText, row: area.row, style: Theme.barStrong, in: area)
  }

  /// "12 decided, 3 read, 25 unread".
  private var progressText: String {
    let reviews = worklist.cases.indices.map { worklist.review(of: CaseID($0)) }
    let decided = reviews.count { $0?.decision?.verdict != nil }
    let unread = reviews.count { $0 == nil }
    return " \(decided) decided, \(reviews.count - decided - unread) read, \(unread) unread "
  }

  private func style(of id: CaseID) -> Style {
    guard worklist.cases[id.position].missingFiles.isEmpty else { return Theme.error }
    guard let review = worklist.review(of: id) else { return Theme.strong }
    return review.isDisputed || worklist.flags[id]?.isEmpty == false ? Theme.warning : Theme.plain
  }

  /// Draws the facts about the case that is pointed at: why it stands out, what each reader says, what is missing.
  private func paintDetails(_ area: Rectangle, into frame: inout Frame) {
    guard let id = worklist.list?.selected else { return }
    let entry = worklist.cases[id.position]
    var lines = entry.missingFiles.map { Span("missing: \($0)", Theme.error) }
    lines += (worklist.flags[id] ?? []).map { Span($0.text, Theme.warning) }
    if let review = worklist.review(of: id) {
      let decisions = review.decisions
      let texts = review.readers.compactMap { reader in decisions[reader].map { "\(reader): \($0.details)" } }
      lines.append(Span(texts.joined(separator: "; "), Theme.plain))
    }
    let rows = lines.flatMap { line in
      wrapped(cleaned(line.text), width: area.columns).map { Span($0, line.style) }
    }
    for (offset, row) in rows.prefix(area.rows).enumerated() {
      let isCut = offset == area.rows - 1 && rows.count > area.rows
      frame.write([isCut ? Span(row.text + " …", row.style) : row], row: area.row + offset, in: area)
    }
  }
}

/// The columns of the list.
private struct CaseTable {
  private let worklist: WorklistState
  private let table: NameTable
  private let commentWidth: Int

  /// A table of `width` columns; comments get a third of a wide one.
  init(_ worklist: WorklistState, width: Int) {
    self.worklist = worklist
    commentWidth = width >= 100 ? width / 3 : 0
    table = NameTable(
      width: width - commentWidth,
      [
        NameTable.Column("verdict", widest: "needs work, flagged"), NameTable.Column("score", widest: "5"),
        NameTable.Column("Dice", widest: "0.999"), NameTable.Column("flags", widest: "99"),
      ])
  }

  var header: String { table.header("case") + (commentWidth > 0 ? "  readers, comment" : "") }

  func line(_ id: CaseID) -> String {
    let review = worklist.review(of: id)
    let decision = review?.decision
    let flags = worklist.flags[id]?.count ?? 0
    let line = table.line(
      TextWidth.shortened(cleaned(worklist.cases[id.position].name), to: max(1, table.nameWidth)),
      [
        worklist.row(id).statusText, decision?.score.map { "\($0)" } ?? "",
        worklist.measures[id]?.lowestDice.map { decimals($0, 3) } ?? "", flags == 0 ? "" : "\(flags)",
      ])
    guard commentWidth > 2 else { return line }
    let comment = [review?.readers.joined(separator: " "), decision?.comment].compactMap(\.self)
      .filter { !$0.isEmpty }.joined(separator: ": ")
    return line + "  " + cleaned(comment).fitted(commentWidth - 2)
  }
}

extension CaseDecision {
  /// All that was decided, in words.
  fileprivate var details: String {
    var text = summary
    if !tags.isEmpty { text += ", tags " + tags.joined(separator: " ") }
    if let version, !version.name.isEmpty { text += ", \(version.name)" }
    if !comment.isEmpty { text += " \"\(comment)\"" }
    if seconds >= 1 { text += " (\(duration(seconds)))" }
    return text
  }
}
