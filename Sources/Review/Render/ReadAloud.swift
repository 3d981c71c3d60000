import Foundation
import Screen
import Volumes
import Work

/// The content of a session in words, for a terminal that is read line by line.
///
/// Each row is a fact or an entry of a list. The last one is where keys act: the entry that a list points at, or what is
/// under the crosshair. Below it is the line that is being typed, if one is, with the cursor at its end.
package func readAloud(_ session: SessionState) -> Frame {
  guard session.worklist.list == nil else {
    // A number that counts down would be said again and again.
    var rows = render(session, countsDown: false).inWords(dropping: 1)
    let typed = session.worklist.list?.entry.map { "filter " + $0.text }
    rows.end = rows.end ?? rows.lines.popLast()
    return Frame(lines: rows.lines + [rows.end].compactMap(\.self), typed: typed)
  }
  guard session.tourStep != nil else { return readAloud(session.review) }
  var lines = session.review.linesInWords
  if let step = session.tourStep, case .step(let position, _) = session.tour, let end = lines.popLast() {
    lines += ["Tour, \(position + 1) of \(Tour.steps.count): " + inWords(step.text), end]
  }
  return Frame(lines: lines, typed: session.review.typedLine)
}

/// The content of a review in words, in the same way.
package func readAloud(_ review: ReviewState) -> Frame {
  Frame(lines: review.linesInWords, typed: review.typedLine)
}

/// A line of the screen in words: without boxes, bars and swatches, and with commas between columns.
func inWords(_ line: String) -> String {
  let scalars = Array(line.unicodeScalars)
  var words = String.UnicodeScalarView()
  for (position, scalar) in scalars.enumerated() {
    let isDrawn = { (at: Int) in scalars.indices.contains(at) && scalars[at].isDrawn }
    let arrow =
      switch scalar {
      case "↑": "up"
      case "↓": "down"
      case "←": "left"
      case "→": position > 0 && scalars[position - 1].properties.numericType != nil ? "to" : "right"
      default: ""
      }
    if !arrow.isEmpty {
      if let last = words.last, last != " " { words.append(" ") }
      words += arrow.unicodeScalars
      // A point or a comma stays beside the word.
      if position + 1 < scalars.count, scalars[position + 1].isWordOrArrow { words.append(" ") }
    } else if scalar.isDrawn || scalar == "·" || scalar == "›" {
      words.append(" ")
    } else if isDrawn(position - 1), isDrawn(position + 1) {
      // A mark on the scale of a knob.
      words.append(" ")
    } else {
      words.append(scalar)
    }
  }
  return String(words).components(separatedBy: "  ")
    .map { $0.trimmingCharacters(in: .whitespaces) }
    .filter { !$0.isEmpty }.joined(separator: ", ")
}

extension Unicode.Scalar {
  /// Whether it is a part of a box or a bar, or a mark, and says nothing.
  fileprivate var isDrawn: Bool { (0x2500...0x25FF).contains(value) }
  fileprivate var isWordOrArrow: Bool {
    properties.isAlphabetic || properties.numericType != nil || (0x2190...0x2193).contains(value)
  }
}

/// Longer lists are not read as a whole when they open.
private let listedEntries = 20

extension Frame {
  /// The rows in words, but for some at the end; apart from them the entry of a list that is pointed at.
  fileprivate func inWords(dropping count: Int = 0) -> (lines: [String], end: String?) {
    var entryRows: Set<Int> = []
    for area in clickAreas where (0..<rows).contains(area.area.row) {
      if case .entry = area.target { entryRows.insert(area.area.row) }
    }
    let texts = text.map { Review.inWords($0) }
    let pointed = entryRows.first { row in
      cells[row * columns..<(row + 1) * columns].contains { $0.style.isReversed }
    }
    let lines = texts.indices.dropLast(count).filter { row in
      row != pointed && !texts[row].isEmpty && (entryRows.count <= listedEntries || !entryRows.contains(row))
    }
    return (lines.map { texts[$0] }, pointed.map { texts[$0] })
  }
}

extension ReviewState {
  /// The case in words.
  fileprivate var linesInWords: [String] {
    guard phase == .reviewing else { return openingInWords }
    var lines = [titleInWords, lineInWords { paintViewLine($0, into: &$1) }]
    var end = crosshairInWords
    if let section = focus.panelSection {
      lines.append(end)
      let content = section.content(self, width: screen.columns, rows: 4 * screen.rows)
      func entry(_ position: Int) -> String { inWords(content.lines(position..<position + 1)) }
      // Lines below the entries explain the one that is pointed at.
      let count = section.list(self).count
      let read = (count > listedEntries ? min(count, content.count) : 0)..<content.count
      lines.append(Review.inWords(content.title))
      lines += (content.header + content.footer).map { inWords([$0]) }
      lines += read.filter { $0 != content.pointer }.map(entry)
      if let pointer = content.pointer, (0..<content.count).contains(pointer) { end = entry(pointer) }
    }
    if dialog != nil {
      lines.append(end)
      var box = Frame(rows: screen.rows, columns: screen.columns)
      paintDialog(into: &box)
      var rows = box.inWords()
      if case .command(let line) = dialog { rows.lines += pointedCandidateInWords(line) }
      end = rows.end ?? rows.lines.popLast() ?? end
      lines += rows.lines
    }
    if dialog?.entry == nil, search?.isTyping != true {
      lines.append("keys: " + lineInWords { paintKeys($0, into: &$1) })
    }
    if let (job, title) = longJob { lines.append(progressInWords(title, job)) }
    if let message {
      let kind = message.kind == .note ? "" : message.kind == .warning ? "warning: " : "error: "
      lines.append(kind + Review.inWords(message.text))
    }
    // What is the same as the last line would be read twice.
    return lines.filter { !$0.isEmpty && $0 != end } + [end]
  }

  /// The line that is being typed; nil for none.
  fileprivate var typedLine: String? {
    if let search, search.isTyping { return "/" + search.entry.text }
    guard let entry = dialog?.entry else { return nil }
    return switch dialog {
    case .command(let line): line.prompt.rawValue + entry.text
    case .label(let edit, _): prompt(edit) + entry.text
    default: "comment " + entry.text
    }
  }

  private func pointedCandidateInWords(_ line: CommandLine) -> [String] {
    let found = candidates(of: line)
    guard let pointed = line.pointed, found.indices.contains(pointed) else { return [] }
    let summary = found[pointed].summary
    return [found[pointed].text + (summary.isEmpty ? "" : ", " + Review.inWords(summary))]
  }

  /// What a line of the screen says, on a row that is long enough for all of it.
  private func lineInWords(_ paint: (Rectangle, inout Frame) -> Void) -> String {
    var frame = Frame(rows: 1, columns: 1000)
    paint(frame.bounds, &frame)
    return Review.inWords(frame.text[0])
  }

  private func inWords(_ lines: [[Span]]) -> String {
    lines.map { Review.inWords($0.map(\.text).joined()) }.filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// The progress of a job, in quarters.
  private func progressInWords(_ title: String, _ job: RunningJob) -> String {
    "\(title), \(25 * Int(saturating: (job.fraction * 4).rounded(.down)))%"
  }

  /// The screen while nothing can be reviewed.
  private var openingInWords: [String] {
    if case .ended(failure: .some) = phase { return render(self).inWords().lines }
    let name = [position, caseName.map { cleaned($0) }, request.imagePath.map { cleaned($0) }]
      .compactMap(\.self).joined(separator: ", ")
    let title = "Opening \(name.isEmpty ? "the sample case" : name)"
    let reading = isImageShownEarly ? ["the image is open, reading masks"] : []
    return [message.map { Review.inWords($0.text) }].compactMap(\.self) + [title] + reading
  }

  /// Case, versions and verdicts.
  private var titleInWords: String {
    let compared = [("A", decisions.a), ("B", decisions.b)].compactMap { letter, id in
      id.flatMap { version($0) }.map { (letter: letter, version: $0) }
    }
    let versions = compared.map { letter, version in
      let isShown = compared.count > 1 && version.id == shownVersion?.id
      return "\(letter) \(cleaned(version.name))" + (isShown ? ", shown" : "")
    }
    var parts = [position, cleaned(caseName ?? content.name)].compactMap(\.self)
    parts += versions.isEmpty ? ["no mask"] : versions
    if live != nil, focus == .refinement { parts.append(shownLive == nil ? "before refinement" : "refined") }
    if let comparison = shownComparison?.view { parts.append(comparison.title) }
    let verdict = Review.inWords(verdictText(atMost: 400, room: 1000))
    return (parts + [verdict]).filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// What is under the crosshair: slice of the active plane, labels, intensity, voxel, millimetres.
  private var crosshairInWords: String {
    let geometry = geometry(view.activePlane)
    let index = view.crosshair
    let axis = ["i", "j", "k"][geometry.sliceAxis]
    let world = grid.affine.world(index)
    let intensity = Double(content.image.voxels[grid.size.offset(index)])
    let labels = labelsAtCrosshair.map { label in
      let name = label.label.map { cleaned($0.name) } ?? "background"
      return "\(label.version) \(name)" + (label.probability.map { " " + decimals($0, 2) } ?? "")
    }
    let place = [
      "\(view.activePlane.rawValue) \(axis) \(index[geometry.sliceAxis]) of 0-\(geometry.sliceCount - 1)"
    ]
    let rest = [
      "\(intensityUnit) \(brief(intensity, atMost: 2))", "voxel \(index.i) \(index.j) \(index.k)",
      "\(decimals(world.x, 1)) \(decimals(world.y, 1)) \(decimals(world.z, 1)) mm RAS",
    ]
    return (place + labels + rest).joined(separator: ", ")
  }
}
