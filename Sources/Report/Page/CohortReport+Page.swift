import CCrypto
import Foundation
import Work
import Worklist

extension CohortReport {
  /// The report as one HTML page without other files: it contains pictures, styles and script, and its content security
  /// policy forbids connections and other scripts.
  package var page: Data { Data(pageParts.joined().utf8) }

  /// Writes ``page`` to a file, case by case, so that only one case of the page is in memory.
  /// - Throws: `InputError` when the disk is full or fails.
  package func writePage(to file: inout AtomicFile) throws(InputError) {
    for part in pageParts { try file.write(Data(part.utf8)) }
  }

  /// The parts of the page: the text before the cases, a part for each case, and the text after them.
  private var pageParts: LazyMapSequence<Range<Int>, String> {
    (0..<cases.count + 2).lazy.map { number in
      if number == 0 { return beginning }
      if number > cases.count { return ending }
      return CasePart(reported: cases[number - 1], columns: columns).html(position: number - 1) + "\n"
    }
  }

  private var ending: String {
    "</table>\n</main>\n<script>\(PageScript.text)</script>\n</body>\n</html>\n"
  }

  private var beginning: String {
    let counts = tallies.map {
      "<li class=\"tally \(Self.className($0.name))\"><b>\($0.count)</b> \(HTMLText.escaped($0.name))</li>"
    }
    var parts = [
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(Self.policy)">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="generator" content="\(HTMLText.escaped(program))">
      <meta name="color-scheme" content="light dark">
      <title>Report of \(HTMLText.escaped(place))</title>
      <style>\(PageStyle.text)</style>
      </head>
      <body>
      <header>
      <h1>Report of \(HTMLText.isolated(place))</h1>
      <p>\(HTMLText.isolated(extentText)), written <time>\(HTMLText.escaped(createdText))</time> by \
      \(HTMLText.escaped(program))</p>
      <ul class=tallies>\(counts.joined())</ul>
      </header>
      <main>
      """
    ]
    if !readers.isEmpty { parts.append(readerSection) }
    parts += [toolbar, tableHead]
    return parts.joined(separator: "\n") + "\n"
  }

  /// The content security policy: nothing is loaded, and only the page's own script runs, even if a text contained
  /// another.
  private static let policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    + "script-src 'sha256-\(sha256(PageScript.text))'"

  /// The SHA-256 of a text in base64.
  private static func sha256(_ text: String) -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    let bytes = Array(text.utf8)
    precondition(
      EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil) == 1, "libcrypto has SHA-256")
    return Data(digest.prefix(Int(count))).base64EncodedString()
  }

  /// The CSS class of a status: "needs-work".
  static func className(_ name: String) -> String { name.replacing(" ", with: "-") }

  private var readerSection: String {
    var text = "<section class=readers>\n<div><h2>Readers</h2>\n"
    text += HTMLText.table(readerTable.heading, readerTable.rows) + "</div>"
    if let agreementTable {
      text +=
        "\n<div><h2>Agreement</h2>\n" + HTMLText.table(agreementTable.heading, agreementTable.rows) + "</div>"
    }
    return text + "\n</section>"
  }

  /// The filters of the table, hidden where scripts do not run.
  private var toolbar: String {
    let present = CaseRow.Status.allCases.filter { status in
      cases.contains { $0.row.statuses.contains(status) }
    }
    let statuses = present.map {
      "<label class=\"chip \(Self.className($0.rawValue))\"><input type=checkbox name=status "
        + "value=\"\(HTMLText.escaped($0.rawValue))\">\(HTMLText.escaped($0.rawValue))</label>"
    }
    let marks = [
      ("unusual", cases.contains { !$0.row.flags.isEmpty }),
      ("disputed", cases.contains { $0.row.review?.isDisputed == true }),
      ("problem", cases.contains { !$0.problems.isEmpty }),
    ].filter(\.1).map { "<label class=chip><input type=checkbox name=mark value=\($0.0)>\($0.0)</label>" }
    return """
      <form class=toolbar id=filters hidden>
      <input type=search id=text placeholder="Filter: name, comment, tag, flag, dice&lt;0.8, hd95&gt;5" \
      aria-label="Filter" autocomplete=off spellcheck=false>
      <span class=chips>\(statuses.joined())\(marks.joined())</span>
      <button type=button id=fold>Fold all</button>
      <output id=count>\(HTMLText.escaped(counted(cases.count, "case")))</output>
      </form>
      """
  }

  private var tableHead: String {
    let columns = [
      ("case", "Case"), ("status", "Status"), ("score", "Score"), ("dice", "Dice"), ("hd95", "HD95 mm"),
      ("surface", "Surface Dice"), ("flags", "Flags"), ("seconds", "Time"), ("readers", "Readers"),
      ("comment", "Comments and tags"),
    ]
    let numbers = ["score", "dice", "hd95", "surface", "flags", "seconds"]
    let head = columns.map { key, name in
      "<th data-key=\(key)\(numbers.contains(key) ? " class=number" : "")>\(name)</th>"
    }.joined()
    return """
      <table class=cases id=cases>
      <thead><tr>\(head)</tr></thead>
      """
  }
}
