import Foundation
import TestSupport
import Testing

/// `segdeck worklist` on generated cases.
@Suite(.serialized)
struct WorklistTests {
  private func list(_ words: [String], in cases: PhantomCases) throws -> CommandOutcome {
    try cases.call(["worklist"] + words)
  }

  @Test("the cases of a folder are listed, written, and listed again from the file")
  func listing() throws {
    let cases = try PhantomCases()
    let folder = cases.folder
    defer { folder.remove() }
    let outcome = try list([".", "--labels", "net"], in: cases)
    #expect(outcome.errors == "")
    #expect(
      outcome.output == """
        case    image              masks        verdict  readers  score
        case1   images/case1.nii   labels, net  unread   -            -
        case2   images/case2.nii   labels, net  unread   -            -
        case10  images/case10.nii  labels       unread   -            -
        3 cases, 0 decided

        """)
    #expect(
      try list([".", "--labels", "net", "-o", "list.csv"], in: cases).output == "3 cases in list.csv\n")
    let text = """
      case,image,mask:labels,mask:net
      case1,images/case1.nii,labels/case1.nii,net/case1.nii
      case2,images/case2.nii,labels/case2.nii,net/case2.nii
      case10,images/case10.nii,labels/case10.nii,

      """
    #expect(String(decoding: try folder.bytes("list.csv"), as: UTF8.self) == text)
    #expect(try list(["list.csv"], in: cases).output == outcome.output)
    #expect(
      try list([".", "-o", "list.csv"], in: cases).errors
        == "segdeck: list.csv: exists: expected another name, or --force to replace it\n")
    #expect(try list(["list.csv", "-o", "list.csv", "--force"], in: cases).status == 1)
    #expect(try list([".", "-o", "images/case1.nii", "--force"], in: cases).status == 1)
    #expect(String(decoding: try folder.bytes("list.csv"), as: UTF8.self) == text)
  }

  @Test("a list never replaces the records of readers, also through links")
  func recordsAreInputs() throws {
    let cases = try PhantomCases()
    let folder = cases.folder
    defer { folder.remove() }
    try folder.make("segdeck-records")
    let record = "segdeck-records/bob@here-1-00000000.jsonl"
    try Data("verdicts\n".utf8).write(to: URL(filePath: folder(record)))
    symlink(record, folder("symbolic.csv"))
    link(folder(record), folder("hard.csv"))
    for name in ["symbolic.csv", "hard.csv"] {
      let outcome = try list([".", "-o", name, "--force"], in: cases)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("\(name): is the file that is read"), "\(outcome.errors)")
    }
    #expect(try folder.bytes(record) == Data("verdicts\n".utf8))
  }

  @Test("a missing file is a status, and filters and orders choose the rows")
  func filters() throws {
    let cases = try PhantomCases()
    let folder = cases.folder
    defer { folder.remove() }
    try Data("case,image,site\na,images/case1.nii,Bonn\nb,gone.nii,Köln\nc,images/case2.nii,Berlin\n".utf8)
      .write(to: URL(filePath: folder("list.csv")))
    func names(_ words: String...) throws -> [String] {
      try list(["list.csv"] + words, in: cases).output.split(separator: "\n").dropFirst().dropLast()
        .map { String($0.prefix(1)) }
    }
    #expect(try names("--filter", "missing") == ["b"])
    #expect(try names("--sort", "site") == ["c", "a", "b"])
    #expect(try names("--sort", "site", "--descending", "--filter", "not status=missing") == ["a", "c"])
    #expect(
      try list(["list.csv", "--filter", "site="], in: cases).errors
        == "segdeck: --filter: at 6: a value is missing after =\n")
    #expect(
      try list(["list.csv", "--sort", "x"], in: cases).errors.hasPrefix("segdeck: --sort: no such column"))
    #expect(try list(["list.csv", "--labels", "net"], in: cases).status == 1)
  }

  @Test("of two masks the one that does not fit the image is flagged, with one reason, whichever is first")
  func misfit() throws {
    let cases = try PhantomCases()
    let folder = cases.folder
    defer { folder.remove() }
    #expect(
      try cases.call([
        "phantom", "mr", "--seed", "9", "--size", "12x12x12", "--spacing", "6", "-o", "small.nii", "--labels",
        "small_seg.nii",
      ]).status == 0)
    try Data(
      """
      case,image,mask:good,mask:bad
      a,images/case1.nii,labels/case1.nii,small_seg.nii
      b,images/case2.nii,,

      """.utf8
    ).write(to: URL(filePath: folder("list.csv")))
    try Data("case,image,mask:bad,mask:good\na,images/case1.nii,small_seg.nii,labels/case1.nii\n".utf8)
      .write(to: URL(filePath: folder("swapped.csv")))
    for list in ["list.csv", "swapped.csv"] {
      let outcome = try self.list([list, "--measure"], in: cases)
      let all = outcome.output.split(separator: "\n").filter { $0.hasPrefix("a: ") }
      let flags = all.filter { !$0.contains("touches the image's") }
      // The small mask ends within the left atrium, but where it ends is no border of the image.
      #expect(list == "list.csv" || flags == all, "\(outcome.output)")
      #expect(flags.count == 1, "\(outcome.output)")
      #expect(flags.first?.hasPrefix("a: bad does not fit the image's grid: other dimensions") == true)
      for text in [flags.first.map(String.init) ?? "", outcome.errors] {
        #expect(text.ranges(of: "found ").count == 1 && text.ranges(of: "expected ").count == 1, "\(text)")
      }
    }
  }

  @Test("masks are measured once, compared, and printed as JSON")
  func measures() throws {
    let cases = try PhantomCases()
    let folder = cases.folder
    defer { folder.remove() }
    try Data("damaged".utf8).write(to: URL(filePath: folder("labels/case10.nii")))
    struct Row: Decodable {
      struct Label: Decodable {
        var ml: Double
        var dice: Double?
      }
      var name: String
      var labels: [Label]?
      var flags: [String]
    }
    func rows() throws -> (rows: [Row], errors: String) {
      let outcome = try list([".", "--labels", "net", "--measure", "--json"], in: cases)
      return (try JSONDecoder().decode([Row].self, from: Data(outcome.output.utf8)), outcome.errors)
    }
    let (first, errors) = try rows()
    #expect(first.map(\.name) == ["case1", "case2", "case10"])
    #expect(first[0].labels?.isEmpty == false)
    #expect(first[0].labels?.allSatisfy { $0.dice == 1 && $0.ml > 0 } == true)
    #expect(first[1].labels?.contains { ($0.dice ?? 1) < 1 } == true)
    #expect(first[2].labels == nil)
    #expect(first[2].flags.map { $0.hasPrefix("labels is not measured: ") } == [true])
    #expect(errors.hasPrefix("segdeck: note: case10: "))
    #expect(errors.count(where: \.isNewline) == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("cache/segdeck/measures")).count == 2)
    let (second, _) = try rows()
    #expect(second.map { $0.labels?.map(\.ml) } == first.map { $0.labels?.map(\.ml) })
    let outcome = try list([".", "--labels", "net", "--measure", "--filter", "dice<0.9"], in: cases)
    #expect(outcome.output.split(separator: "\n").map { $0.prefix(5) } == ["case ", "case2", "1 of "])
  }

  @Test("masks whose files have one name are listed with their folders, as in a review")
  func equalFileNames() throws {
    let cases = try PhantomCases()
    let folder = cases.folder
    defer { folder.remove() }
    try Data("case,image,mask,mask2\na,images/case1.nii,labels/case1.nii,net/case1.nii\n".utf8)
      .write(to: URL(filePath: folder("two.csv")))
    #expect(try list(["two.csv"], in: cases).output.contains("  labels/case1.nii, net/case1.nii  "))
  }

  @Test("an image that cannot be read is flagged once, beside the measures of its masks")
  func unreadImage() throws {
    let cases = try PhantomCases()
    let folder = cases.folder
    defer { folder.remove() }
    try Data().write(to: URL(filePath: folder("images/case2.nii")))
    let outcome = try list([".", "--labels", "net", "--measure"], in: cases)
    let lines = outcome.output.split(separator: "\n").filter { $0.contains("cannot be read") }
    #expect(lines == ["case2: image cannot be read: is empty: found 0 bytes"])
    #expect(outcome.status == 0)
  }

  @Test(
    "measures have the names of the labels as they are now, also where a file of the folder begins to name them"
  )
  func changedNames() throws {
    let cases = try PhantomCases()
    let folder = cases.folder
    defer { folder.remove() }
    for name in try folder.contents().keys where name.hasSuffix(".labels.json") {
      try FileManager.default.removeItem(atPath: folder(name))
    }
    struct Row: Decodable {
      struct Label: Decodable { var name: String }
      var labels: [Label]?
    }
    func names() throws -> [String] {
      let outcome = try list([".", "--measure", "--json"], in: cases)
      #expect(outcome.status == 0)
      let rows = try JSONDecoder().decode([Row].self, from: Data(outcome.output.utf8))
      return rows.first?.labels?.map(\.name) ?? []
    }
    #expect(try names().contains("label 1"))
    for (file, name) in [
      ("dataset.json", "atrium"), ("labels/dataset.json", "chamber"), ("labels/dseg.tsv", "cavity"),
      ("labels/FreeSurferColorLUT.txt", "left-atrium"), ("labels/FreeSurferColorLUT.txt", "left-cavity"),
    ] {
      let text =
        file.hasSuffix(".json")
        ? #"{"labels": {"background": 0, "\#(name)": 1}}"#
        : file.hasSuffix(".tsv") ? "index\tname\n1\t\(name)\n" : "1 \(name) 1 2 3 0\n"
      try Data(text.utf8).write(to: URL(filePath: folder(file)))
      #expect(try names().contains(name), "\(file)")
      #expect(try names().contains(name), "\(file), again")
    }
  }
}
