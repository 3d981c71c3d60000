import Foundation
import TestSupport
import Testing

/// Chromium, where it is installed.
private let chromium: String? = {
  let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  return ["chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"].flatMap { name in
    folders.map { "\($0)/\(name)" }
  }.first { FileManager.default.isExecutableFile(atPath: $0) }
}()

/// The page of `Tests/ReportTests/Golden` as a browser shows it.
@Suite(.serialized, .enabled(if: chromium != nil, "Chromium is not installed"))
struct ReportPageTests {
  /// The document after its script ran, with a fragment; `change` is what a forger does to the page before.
  private func document(_ fragment: String, _ change: (String) -> String = { $0 }) throws -> String {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let golden = checkout.appending(path: "Tests/ReportTests/Golden/report.html")
    try change(String(contentsOf: golden, encoding: .utf8))
      .write(to: URL(filePath: folder("page.html")), atomically: false, encoding: .utf8)
    let result = try run([
      "timeout", "60", try #require(chromium), "--headless", "--no-sandbox", "--disable-gpu",
      "--disable-dev-shm-usage", "--no-first-run", "--user-data-dir=\(folder("profile"))", "--dump-dom",
      "file://\(folder("page.html"))\(fragment)",
    ])
    #expect(result.status == 0)
    return result.output
  }

  /// The names of the cases that show, in order.
  private func shown(_ document: String) -> [String] {
    document.matches(of: /<tbody class="case"([^>]*)>(?:.|\n)*?<bdi>([^<]*)<\/bdi>/)
      .filter { !$0.1.contains("hidden") }.map { String($0.2) }
  }

  private let hostile = "=cmd|' /C calc'!A0"

  @Test("the page shows every case, and its filters")
  func all() throws {
    let shownPage = try document("")
    #expect(shown(shownPage) == ["case1", hostile, "case10"])
    #expect(shownPage.contains(">3 cases</output>"))
    #expect(shownPage.contains("<form class=\"toolbar\" id=\"filters\">"))
  }

  @Test(
    "the fragment of the address filters by text, number, verdict and mark, and sorts",
    arguments: [
      ("#text=sharp", ["case1"], "1 of 3 cases"), ("#text=hd95>6", ["case1"], "1 of 3 cases"),
      ("#text=hd95>7", [], "0 of 3 cases"),
      ("#status=rejected,missing", ["case10", "case1"], "2 of 3 cases"),
      ("#mark=disputed", ["case1"], "1 of 3 cases"), ("#mark=problem", ["case10"], "1 of 3 cases"),
      ("#sort=case&down=1&text=case", ["case10", "case1"], "2 of 3 cases"),
    ])
  func filters(fragment: String, names: [String], count: String) throws {
    let shownPage = try document(fragment)
    #expect(Set(shown(shownPage)) == Set(names))
    if fragment.contains("sort") { #expect(shown(shownPage) == names) }
    #expect(shownPage.contains(">\(count)</output>"))
  }

  @Test("texts of cases stay texts")
  func hostileTexts() throws {
    let shownPage = try document("")
    #expect(shownPage.contains("<title>Report of data &amp; &lt;more&gt;</title>"))
    #expect(shownPage.contains("&lt;script&gt;document.title='broken'&lt;/script&gt;"))
    #expect(shownPage.matches(of: /<img\s/).count == 1)
  }

  @Test("a script or a connection that is smuggled into the page does nothing")
  func policy() throws {
    let shownPage = try document("") {
      $0.replacing(
        "</main>",
        with:
          "</main><p id=probe>intact</p><script>document.getElementById('probe').textContent='broken'</script>"
          + "<img src=x onerror=\"document.getElementById('probe').textContent='broken'\">")
    }
    #expect(shownPage.contains(">intact</p>"))
    #expect(shown(shownPage).count == 3)
  }
}
