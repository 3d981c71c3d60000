import Foundation
import TestSupport
import Testing

/// `segdeck report` and `segdeck render` on generated cases.
@Suite(.serialized)
struct ReportCommandTests {
  private static let names = [
    "report.csv", "report.html", "report.json", "report.labels.csv", "report.md", "report.verdicts.csv",
  ]

  private func text(_ name: String, _ folder: TemporaryFolder) throws -> String {
    String(decoding: try folder.bytes(name), as: UTF8.self)
  }

  /// Width and height in the header of a PNG file; nil for no such file.
  private func pixels(_ png: Data) -> [Int]? {
    guard png.prefix(8) == Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), png.count > 24 else {
      return nil
    }
    return [16, 20].map { start in (0..<4).reduce(0) { $0 << 8 | Int(png[start + $1]) } }
  }

  @Test("a report has six files with every case, and nothing else is written")
  func report() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let outcome = try cases.call(["report", "data", "--labels", "net", "-o", "out/report"])
    #expect(outcome.errors == "")
    #expect(outcome.output == "3 cases in out/report/report.html\n")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder("out/report")).sorted()
    #expect(files == Self.names)
    let rows = try text("out/report/report.csv", folder).split(separator: "\n").map(String.init)
    #expect(rows.count == 4)
    #expect(rows[1].hasPrefix("case1,data/images/case1.nii,data/labels/case1.nii,net/case1.nii,unread,,,,"))
    #expect(rows[1].contains(",1.0000,0.00,1.0000,"))
    #expect(rows[3].hasPrefix("case10,data/images/case10.nii,data/labels/case10.nii,,unread,"))
    let page = try text("out/report/report.html", folder)
    // A picture of the labels for each case, and one of the difference for each of two.
    #expect(page.matches(of: /<img src="data:image\/png;base64,/).count == 5)
    let json = try #require(
      JSONSerialization.jsonObject(with: folder.bytes("out/report/report.json")) as? [String: Any])
    #expect(json["schema"] as? String == "segdeck-report")
    #expect(
      (json["cases"] as? [[String: Any]])?.map { $0["name"] as? String } == ["case1", "case2", "case10"])
  }

  @Test("a report opens no mask more often than measuring alone does", arguments: [[], ["--no-pictures"]])
  func readsOnce(options: [String]) throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    /// How often a mask is opened by a command for which nothing is cached.
    func openings(_ mask: String, _ words: [String]) throws -> Int {
      try? FileManager.default.removeItem(atPath: folder("cache/segdeck"))
      let watch = try FileWatch(folder(mask))
      #expect(try cases.call(words).status == 0)
      return watch.openingCount
    }
    for mask in ["data/labels/case1.nii", "net/case1.nii"] {
      let measured = try openings(mask, ["worklist", "data", "--labels", "net", "--measure"])
      #expect(measured > 0)
      let words = ["report", "data", "--labels", "net", "-o", "out", "--force"] + options
      #expect(try openings(mask, words) == measured, "\(mask)")
    }
  }

  @Test("a report is replaced only when asked for, never in part, and a refused one leaves no folder")
  func replacing() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let words = ["report", "data", "--no-pictures", "-o", "out"]
    #expect(try cases.call(words).status == 0)
    try Data("mine".utf8).write(to: URL(filePath: folder("out/report.md")))
    let before = try folder.contents()
    #expect(
      try cases.call(words).errors
        == "segdeck: out/report.html: exists: expected another name, or --force to replace it\n")
    #expect(try folder.contents() == before)
    #expect(try cases.call(words + ["--force"]).status == 0)
    #expect(try text("out/report.md", folder).hasPrefix("# Report of data\n"))
    let refused = try cases.call(["report", "data", "--filter", "x<", "-o", "new"])
    #expect(refused.status == 1)
    #expect(!FileManager.default.fileExists(atPath: folder("new")))
    // The report's own folder is no case.
    try Data("case,image\na,out/report.csv\n".utf8).write(to: URL(filePath: folder("odd.csv")))
    #expect(try cases.call(["report", "odd.csv", "-o", "out", "--force"]).status == 1)
  }

  @Test("a case that cannot be read is a row that says why, and the others are reported")
  func problems() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    try folder.bytes("data/labels/case2.nii").prefix(500).write(
      to: URL(filePath: folder("data/labels/case2.nii")))
    let list = """
      case,image,mask
      a,data/images/case1.nii,data/labels/case1.nii
      b,data/images/case2.nii,data/labels/case2.nii
      c,gone.nii,data/labels/case10.nii
      """
    try Data(list.utf8).write(to: URL(filePath: folder("list.csv")))
    let outcome = try cases.call(["report", "list.csv", "-o", "out"])
    #expect(outcome.status == 0)
    #expect(outcome.output == "3 cases, 2 with problems in out/report.html\n")
    let notes = outcome.errors.split(separator: "\n")
    #expect(notes.count == 2)
    #expect(notes[0].hasPrefix("segdeck: note: b: data/labels/case2.nii: "))
    #expect(notes[1] == "segdeck: note: c: gone.nii: no such file")
    let rows = try text("out/report.csv", folder).split(separator: "\n")
    #expect(rows[2].contains("data/labels/case2.nii: "))
    #expect(rows[3].hasSuffix("gone.nii: no such file"))
    // The image of b is shown all the same.
    #expect(try text("out/report.html", folder).matches(of: /<img src="data:/).count == 2)
  }

  @Test(
    "an image becomes a picture of three planes, of one, or of slices, of exactly the width that was asked for"
  )
  func renderImage() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let (image, mask) = ("data/images/case1.nii", "data/labels/case1.nii")
    func size(_ words: [String]) throws -> [Int]? {
      let outcome = try cases.call(["render", image, "-o", "p.png", "--force", "--no-caption"] + words)
      #expect(outcome.errors == "")
      return pixels(try folder.bytes("p.png"))
    }
    // Three planes 120 mm wide, the axial one 120 mm high.
    #expect(try size(["--mask", mask, "--width", "308"]) == [308, 100])
    #expect(try size(["--plane", "axial", "--width", "200"]) == [200, 200])
    #expect(try size(["--every", "4", "--width", "308", "--columns", "3"]) == [308, 100])
    #expect(
      try size(["--mask", mask, "--mask", "net/case2.nii", "--difference", "--width", "308"]) == [308, 100])
    #expect(try size(["--mask", mask, "--mask", "net/case2.nii", "--width", "308"]) == [308, 204])
    let plain = try folder.bytes("p.png")
    #expect(try size(["--mask", mask, "--mask", "net/case2.nii", "--width", "308", "--fill"]) == [308, 204])
    #expect(try folder.bytes("p.png") != plain)
  }

  @Test("what cannot be drawn is refused with one line, and nothing is written")
  func renderRefusals() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let image = "data/images/case1.nii"
    for (words, line) in [
      (["-o", "p.jpg"], "p.jpg: cannot be written as a picture: expected a name that ends in .png"),
      (
        ["-o", "p.png", "--at", "1,2"],
        "--at: not a voxel: found 1,2, expected I,J,K from 0, as in 120,80,40"
      ),
      (
        ["-o", "p.png", "--at", "20,0,0"],
        "--at: lies outside the image: found 20,0,0, expected up to 19,19,11"
      ),
      (
        ["-o", "p.png", "--slices", "3-1"],
        "--slices: not a list of slices: found \"3-1\", expected positions and ranges, as in 10,20 or 10-40, at most 4096"
      ),
      (
        ["-o", "p.png", "--slices", "12"], "--slices: the image has no such slice: found 12, expected 0 to 11"
      ),
      (
        ["-o", "p.png", "--window", "40,0"],
        "--window: not a window: found 40,0, expected centre and width above 0, as in 40,400"
      ),
      (
        ["-o", "p.png", "--difference"],
        "--difference: compares two masks: found 0, expected --mask A --mask B"
      ),
      (["-o", "p.png", "--fill"], "--fill: is about masks: expected --mask with it"),
      (
        ["-o", "p.png", "--columns", "2"],
        "--columns: is about several slices: expected --slices or --every with it"
      ),
      (
        ["-o", "p.png", "--sort", "case"],
        "--sort: chooses cases: found the image data/images/case1.nii, expected a folder or a worklist file"
      ),
    ] {
      let outcome = try cases.call(["render", image] + words)
      #expect(outcome.errors == "segdeck: \(line)\n")
      #expect(outcome.status == 1)
    }
    #expect(!(try folder.contents().keys.contains { $0.hasSuffix(".png") || $0.hasSuffix(".jpg") }))
    #expect(try cases.call(["render", image, "-o", image, "--force"]).status == 1)
  }

  @Test("cases become a picture each, named after them, or a sheet of all")
  func renderCases() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let outcome = try cases.call(["render", "data", "-o", "out", "--width", "308"])
    #expect(outcome.errors == "")
    #expect(outcome.output == "3 pictures in out\n")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder("out")).sorted()
        == ["case1.png", "case10.png", "case2.png"])
    let sheet = try cases.call(
      ["render", "data", "-o", "sheet.png", "--width", "624", "--columns", "2", "--no-caption"])
    #expect(sheet.output == "3 cases, 624x208 pixels in sheet.png\n")
    let photograph = try cases.call(["render", "data", "-o", "sheet.JPG"])
    #expect(photograph.status == 1)
    #expect(
      photograph.errors.contains("sheet.JPG: is no name of a picture that can be written: expected NAME.png"))
    #expect(!FileManager.default.fileExists(atPath: folder("sheet.JPG")))
    try Data("case,image\na/b,data/images/case1.nii\na_b,data/images/case2.nii\n..,gone.nii\n".utf8)
      .write(to: URL(filePath: folder("list.csv")))
    let odd = try cases.call(["render", "list.csv", "-o", "odd"])
    #expect(odd.output == "2 pictures in odd\n")
    #expect(odd.errors.hasPrefix("segdeck: note: ..: gone.nii: "))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder("odd")).sorted() == ["a_b 2.png", "a_b.png"])
    try Data("case,image\n\" a|b<c>: \",data/images/case1.nii\ncon?. ,data/images/case2.nii\n".utf8)
      .write(to: URL(filePath: folder("hostile.csv")))
    #expect(try cases.call(["render", "hostile.csv", "-o", "hostile"]).output == "2 pictures in hostile\n")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder("hostile")).sorted()
        == ["a_b_c__.png", "con_.png"])
  }
}

/// Counts how often a file is opened.
private final class FileWatch {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = inotify_init1(Int32(O_NONBLOCK))
    // An opening and a closing in turn are told apart; equal events in a row would be one.
    let added = inotify_add_watch(descriptor, path, UInt32(IN_OPEN | IN_CLOSE_NOWRITE))
    try #require(descriptor >= 0 && added >= 0)
  }

  deinit { close(descriptor) }

  /// The openings so far.
  var openingCount: Int {
    var buffer = [UInt32](repeating: 0, count: 4096)
    var count = 0
    while true {
      let bytes = read(descriptor, &buffer, buffer.count * MemoryLayout<UInt32>.stride)
      guard bytes > 0 else { return count }
      // Events of a file that is watched by itself have no name: watch, mask, cookie, 0.
      for event in stride(from: 0, to: bytes / 4, by: 4) where buffer[event + 1] & UInt32(IN_OPEN) != 0 {
        count += 1
      }
    }
  }
}
