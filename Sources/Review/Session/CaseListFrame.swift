import Screen
import Work
import Worklist

/// The frame of a session: the list of cases, or the case that is on the screen.
///
/// - Parameters:
///   - countsDown: Whether the list says how many cases are still being measured, or only that some are.
///   - samples: The samples of the volumes that the frame before showed; they are replaced by those of this one.
package func render(
  _ session: SessionState, _ detail: PictureDetail = .full, countsDown: Bool = true,
  reusing samples: inout PaneSamples
) -> Frame {
  guard session.isListShown, !session.review.layout.isTooSmall else {
    var frame = render(session.review, detail, reusing: &samples)
    if !session.review.layout.isTooSmall { session.paintTour(into: &frame) }
    return frame
  }
  samples = PaneSamples()
  var frame = Frame(rows: session.screen.rows, columns: session.screen.columns)
  session.paintList(countsDown: countsDown, into: &frame)
  frame.makeLegible(on: session.capabilities)
  return frame
}

/// The frame of a session, without samples of an earlier frame.
package func render(_ session: SessionState, countsDown: Bool = true) -> Frame {
  var samples = PaneSamples()
  return render(session, countsDown: countsDown, reusing: &samples)
}

extension SessionState {
  /// The title and the headings of the columns.
  private static let headRows = 2
  /// The key bar, and three lines above it for details of the selected case.
  private static let footRows = 4

  /// The number of cases that the screen has room for.
  var listRows: Int { max(1, screen.rows - SessionState.headRows - SessionState.footRows) }

  /// The position of the first visible case; the selected case is in the middle, except near the ends of the list.
  private var firstListed: Int {
    let position = worklist.list?.selected.flatMap { worklist.order.firstIndex(of: $0) } ?? 0
    return min(max(0, position - listRows / 2), max(0, worklist.order.count - listRows))
  }

  fileprivate func paintList(countsDown: Bool, into frame: inout Frame) {
    let area = frame.bounds
    func line(_ row: Int) -> Rectangle { Rectangle(row: row, column: 0, rows: 1, columns: area.columns) }
    paintListTitle(line(0), countsDown: countsDown, into: &frame)
    let table = CaseTable(worklist, width: area.columns - 3)
    frame.write([Span("   ", Theme.quiet)] + table.header, row: 1, in: area)
    let first = firstListed
    for (offset, id) in worklist.order.dropFirst(first).prefix(listRows).enumerated() {
      let mark = id == current ? " ▸ " : cases[id] == nil ? "   " : " · "
      let style = id == worklist.list?.selected ? Theme.selected : style(of: id)
      frame.write(
        [Span(mark, Theme.strong), Span(table.line(id), style)], row: SessionState.headRows + offset, in: area
      )
      frame.clickAreas.append(
        ClickArea(line(SessionState.headRows + offset), .entry(first + offset, opening: nil)))
    }
    if worklist.order.isEmpty {
      let reason = worklist.list?.entry == nil ? worklist.filterProblem.map { ": \(cleaned($0))" } : nil
      let text = "no case fits the filter" + (reason ?? "")
      frame.writeCentred(text, row: 3, style: Theme.quiet, in: area)
      if let measuringText = measuringText(countsDown: countsDown) {
        frame.writeCentred(measuringText, row: 4, style: Theme.quiet, in: area)
      }
    }
    paintDetails(Rectangle(row: 0, column: 1, rows: area.rows - 1, columns: area.columns - 2), into: &frame)
    let bar = line(area.rows - 1)
    if let entry = worklist.list?.entry {
      let hint =
        entry.text.isEmpty ? "dice<0.8 and unread, flagged, score>=4, text" : worklist.filterProblem ?? ""
      review.paintEntry("filter ", entry, hint: hint, bar, into: &frame)
    } else {
      review.paintKeys(bar, in: .cases, into: &frame)
    }
  }

  /// The columns of a filter or an order in the title for whose sake the title says less of the rest.
  private static let minimumTitlePart = 16

  private func paintListTitle(_ area: Rectangle, countsDown: Bool, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let (shown, all) = (worklist.order.count, worklist.cases.count)
    let count = shown == all ? counted(all, "case") : "\(shown) of \(counted(all, "case"))"
    let filter = cleaned(worklist.filter)
    let filterHeading = filter.isEmpty ? "" : "  filter "
    var order = "  by \(worklist.sortText)"
    func needed(_ text: String) -> Int { min(TextWidth.columns(text), Self.minimumTitlePart) }
    let wanted =
      TextWidth.columns(count + filterHeading) + needed(filter) + (worklist.isSorted ? needed(order) : 0)
    // On narrow screens the filter and the order come before the other numbers, and before the name of the program.
    var progress = progressText(countsDown: countsDown)
    var program = " segdeck  "
    if wanted + TextWidth.columns(program + progress) > area.columns { progress = " \(unreadCount) unread " }
    if wanted + TextWidth.columns(program + progress) > area.columns { program = " " }
    var spans = [Span(program, Theme.barQuiet), Span(count, Theme.barStrong)]
    func room() -> Int {
      spans.reduce(area.columns - TextWidth.columns(progress)) { $0 - TextWidth.columns($1.text) }
    }
    // The worklist's own order goes without saying where the filter needs its room.
    if !worklist.isSorted, TextWidth.columns(filterHeading + filter + order) > room() { order = "" }
    if !filter.isEmpty {
      let free = room() - TextWidth.columns(filterHeading)
      let width = min(free - needed(order), max(needed(filter), free - TextWidth.columns(order)))
      spans.append(
        Span(filterHeading + TextWidth.shortened(filter, to: max(1, width)), Theme.active, click: .key("/")))
    }
    spans.append(Span(TextWidth.truncated(order, to: room()), Theme.bar, click: .key("s")))
    frame.write(spans, row: area.row, in: area)
    frame.writeAtRight(progress, row: area.row, style: Theme.barStrong, in: area)
    let unread = area.splitRight(min(TextWidth.columns(progress), area.columns)).0
    frame.clickAreas.append(ClickArea(unread, .key("u")))
  }

  /// "12 cases are still being measured"; nil where all are measured.
  private func measuringText(countsDown: Bool) -> String? {
    let count = worklist.unmeasured.count
    guard countsDown || count == 0 else { return "cases are still being measured" }
    return count == 0 ? nil : "\(counted(count, "case")) \(count == 1 ? "is" : "are") still being measured"
  }

  /// What this reader did, after what the program does: "measuring 9 cases, 12 decided, 3 read, 25 unread".
  private func progressText(countsDown: Bool) -> String {
    let rows = worklist.cases.indices.map { worklist.row(CaseID($0)) }
    let decided = rows.count { $0.ownDecision?.verdict != nil }
    let unread = unreadCount
    // On narrow screens the list alone shows what is still to be measured.
    let count = screen.columns < 100 ? 0 : worklist.unmeasured.count
    return (count == 0 ? "" : " measuring \(countsDown ? counted(count, "case") : "cases"),")
      + " \(decided) decided, \(rows.count - decided - unread) read, \(unread) unread "
  }

  /// The cases that this reader has neither opened nor decided.
  private var unreadCount: Int {
    worklist.cases.indices.count { position in
      let row = worklist.row(CaseID(position))
      return row.isUnread && row.ownDecision?.verdict == nil
    }
  }

  private func style(of id: CaseID) -> Style {
    guard worklist.cases[id.position].missingFiles.isEmpty else { return Theme.error }
    guard worklist.failures[id] == nil else { return Theme.error }
    guard let review = worklist.review(of: id), !worklist.row(id).isUnread else { return Theme.strong }
    return review.isDisputed || worklist.flags[id]?.isEmpty == false ? Theme.warning : Theme.plain
  }

  /// The maximum number of rows for details of a case: all rows but one that a short list leaves free.
  private var detailRows: Int {
    let listed = max(1, min(worklist.order.count, listRows))
    return max(SessionState.footRows - 1, screen.rows - SessionState.headRows - listed - 2)
  }

  /// Draws details of the selected case, down to the last row of an area: the decision of each reader, missing files,
  /// and what is unusual.
  private func paintDetails(_ area: Rectangle, into frame: inout Frame) {
    guard let id = worklist.list?.selected else { return }
    func rows(_ verdicts: [String]) -> [Span] {
      (verdicts.map { Span($0, Theme.plain) } + reasons(id)).flatMap { line in
        wrapped(cleaned(line.text), width: area.columns).map { Span($0, line.style) }
      }
    }
    let verdicts = verdictLines(id)
    var lines = rows(verdicts)
    // Readers share lines where there is not a line for each.
    if lines.count > detailRows, verdicts.count > 1 { lines = rows([verdicts.joined(separator: "; ")]) }
    let shown = lines.prefix(detailRows)
    let first = area.row + area.rows - max(SessionState.footRows - 1, shown.count)
    for (offset, row) in shown.enumerated() {
      let isCut = offset == shown.count - 1 && lines.count > shown.count
      let span = isCut ? Span(TextWidth.truncated(row.text, to: area.columns - 2) + " …", row.style) : row
      frame.write([span], row: first + offset, in: area)
      let line = Rectangle(row: first + offset, column: area.column, rows: 1, columns: area.columns)
      frame.clickAreas.append(ClickArea(line, .key(.enter)))
    }
  }

  /// The decisions of each reader about a case, a line each.
  private func verdictLines(_ id: CaseID) -> [String] {
    guard let review = worklist.review(of: id) else { return [] }
    let decisions = review.decisions
    return review.readers.compactMap { reader in decisions[reader].map { "\(reader): \($0.details)" } }
  }

  /// The missing files of a case, the reason why it cannot be opened, and what is unusual.
  private func reasons(_ id: CaseID) -> [Span] {
    worklist.cases[id.position].missingFiles.map { Span("missing: \($0)", Theme.error) }
      + [worklist.failures[id]].compactMap(\.self).map { Span("cannot be opened: \($0)", Theme.error) }
      + (worklist.flags[id] ?? []).map { Span($0.text, Theme.warning) }
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
