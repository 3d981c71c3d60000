import Foundation
import Testing
import Work
import Worklist

@Suite struct WorklistFileTests {
  /// The cases of a text as lines, or the error without the folder.
  private func read(_ text: String, files: String...) throws -> [String] {
    try read(Data(text.utf8), files: files)
  }

  private func read(_ data: Data, files: [String] = []) throws -> [String] {
    let folder = try SampleFolder()
    try folder.make(files)
    try AtomicFile.write(data, to: folder("list.csv"))
    do {
      let worklist = try Worklist(file: folder("list.csv"))
      return zip(folder.lines(worklist), worklist.cases).map { line, item in
        let values = worklist.columns.compactMap { name in item.values[name].map { "\(name)=\($0)" } }
        let missing = item.missingFiles.map { "missing \(folder.relative($0))" }
        return ([line] + values + missing).joined(separator: "; ")
      }
    } catch { return [folder.relative("\(error)")] }
  }

  @Test("columns are case, images, masks, probabilities and any others")
  func columns() throws {
    #expect(
      try read(
        "case,image,image2,mask,mask2,mask:ann,probabilities,site\nc1,a.nii,b.nii,m.nii,,n.nii,p.nii,Bonn\n",
        files: "a.nii", "b.nii", "m.nii", "n.nii")
        == ["c1: a.nii b.nii; mask=m.nii; ann=n.nii; p=p.nii; site=Bonn; missing p.nii"])
  }

  @Test("further columns of image files are noted, those of other texts are not")
  func columnsOfFiles() throws {
    let folder = try SampleFolder("a.nii.gz", "masks/m.nii.gz", "notes.txt")
    try folder.write(
      """
      case,image,manual,net,site,notes
      c1,a.nii.gz,,masks/m.nii.gz,Bonn,notes.txt
      c2,a.nii.gz,gone.nii.gz,,a.nii,
      c3,a.nii.gz,a.nii.gz,,Köln,
      """, to: "list.csv")
    #expect(
      try Worklist(file: folder("list.csv")).notes == [
        "2 columns with files not used: manual, net (masks are in columns called mask, mask2 or mask:NAME)"
      ])
  }

  @Test(
    "the columns series, segment and layer choose what is read of the files, and stay columns of the list")
  func choices() throws {
    let folder = try SampleFolder("a.dcm", "m.dcm", "n.seg.nrrd")
    try folder.write(
      """
      case,image,mask,mask:Ann,mask3,Series,segment,Layer:Ann,segment3,layer3,segments
      c1,a.dcm,m.dcm,n.seg.nrrd,,2,liver,1,,,two
      c2,a.dcm,,,m.dcm,,,,spleen,first,
      """, to: "list.csv")
    let worklist = try Worklist(file: folder("list.csv"))
    #expect(
      worklist.columns == ["series", "segment", "layer:Ann", "segment3", "layer3", "segments"])
    #expect(worklist.cases.map(\.series) == ["2", nil])
    let (first, second) = (worklist.cases[0], worklist.cases[1])
    #expect(first.masks.map(first.segment) == ["liver", nil] && first.masks.map(first.layer) == [nil, 1])
    // What is no number is only text.
    #expect(second.masks.map(second.segment) == ["spleen"] && second.masks.map(second.layer) == [nil])
    #expect(first.values == ["series": "2", "segment": "liver", "layer:Ann": "1", "segments": "two"])
    try AtomicFile.write(worklist.bytes(forFile: folder("copy.csv")), to: folder("copy.csv"))
    #expect(try Worklist(file: folder("copy.csv")) == worklist)
  }

  @Test(
    "RFC 4180 is read: quotes, separators, line breaks and doubled quotes in them, with any end of line",
    arguments: ["\n", "\r\n", "\r"])
  func quotes(lineEnd: String) throws {
    let text = [
      "case,image,note", "\"a,b\",a.nii,\"two\nlines\"", "\"say \"\"hi\"\"\",b.nii,", "", ",,",
      "c , c.nii , \" x \"",
    ].joined(separator: lineEnd)
    let missing = { (name: String) in "missing \(name).nii" }
    let expected = [
      "a,b: a.nii; note=two\nlines; \(missing("a"))", "say \"hi\": b.nii; \(missing("b"))",
      "c: c.nii; note= x ; \(missing("c"))",
    ]
    #expect(try read(text) == expected)
    #expect(try read(text + lineEnd) == expected)
  }

  @Test("semicolons and tabs separate too, and a byte order mark and UTF-16 are understood")
  func separators() throws {
    let expected = ["c1: a.nii; note=1,5; missing a.nii"]
    #expect(try read("case;image;note\nc1;a.nii;1,5\n") == expected)
    #expect(try read("case\timage\tnote\nc1\ta.nii\t1,5\n") == expected)
    #expect(try read("\u{feff}case,image,note\r\nc1,a.nii,\"1,5\"\r\n") == expected)
    let wide = try #require("case,image,note\nc1,a.nii,\"1,5\"\n".data(using: .utf16LittleEndian))
    #expect(try read(Data([0xff, 0xfe]) + wide) == expected)
    #expect(try read("image\na.nii\n") == ["a: a.nii; missing a.nii"])
  }

  @Test(
    "a file that is not a table of cases is refused with the line",
    arguments: [
      ("", "is empty: expected a first row with the columns case, image, mask"),
      (
        "case,mask\nc,m.nii\n",
        "has no column image: found case, mask, expected the columns case, image, mask"
      ),
      ("case,image,image\n", "has a column twice: found \"image\", expected each once"),
      (
        "case,image\nc,a.nii\n\nd,b.nii\nc,e.nii\n",
        "two cases have the name c: found lines 2 and 5, expected a name for each case"
      ),
      ("case,image\nc,\"a\nb\n", "line 2: a quote is not closed: expected comma-separated values"),
      (
        "case,image\n\"x\ny\",a\nc,\"a\"b\n",
        "line 4: text follows a closing quote: expected comma-separated values"
      ),
      ("case,image\nc,a,b\n", "line 2 has too many cells: found 3, expected 2"),
      ("case,image,mask\nc,,m.nii\n", "line 2 has no image: expected a path in the column image"),
      ("case,image,series,Series\n", "has a column twice: found \"Series\", expected each once"),
      (
        "case,image,mask,mask2,segment,segment2\nc,a,m.nrrd,m.nrrd,liver,spleen\n",
        "line 2 has two parts of one file as masks: found m.nrrd, expected one part, and a copy of the file under "
          + "another name for the other"
      ),
    ])
  func refusals(text: String, line: String) throws {
    #expect(try read(text) == ["list.csv: \(line)"])
  }

  @Test("a worklist that was written is read as the same cases, with relative paths")
  func roundTrip() throws {
    let folder = try SampleFolder(
      "images/a b,c.nii", "images/\"q\".nii", "labels/a b,c.nii", "~x.nii", "images/two\nlines.nii")
    let text = "\u{1f600} a\tb; \"c\""
    var worklist = Worklist(
      cases: [
        WorklistCase(
          name: " a,b", images: [folder("images/a b,c.nii"), folder("~x.nii")],
          masks: [
            .init(name: "mask", path: folder("labels/a b,c.nii")),
            .init(name: "Mask2", path: folder("~x.nii")),
          ],
          values: ["note": text]),
        WorklistCase(
          name: "q\n\"", images: [folder("images/\"q\".nii")],
          masks: [.init(name: "Mask2", path: folder("images/two\nlines.nii"))],
          probabilities: [folder("~x.nii")]),
      ], columns: ["note"])
    try AtomicFile.write(worklist.bytes(forFile: folder("list.csv")), to: folder("list.csv"))
    #expect(
      String(decoding: try FileSystem.read(folder("list.csv")), as: UTF8.self) == """
        case,image,image2,mask,mask:Mask2,probabilities,note
        " a,b","images/a b,c.nii",./~x.nii,"labels/a b,c.nii",./~x.nii,,"\u{1f600} a\tb; ""c\"""
        "q
        ""\","images/""q"".nii",,,"images/two
        lines.nii",./~x.nii,

        """)
    // A leading "./" is part of the path that is read.
    worklist.cases[0].images[1] = folder("./~x.nii")
    worklist.cases[0].masks[1].path = folder("./~x.nii")
    worklist.cases[1].probabilities[0] = folder("./~x.nii")
    #expect(try Worklist(file: folder("list.csv")) == worklist)
  }

  @Test("cases found in a folder are written and read back equal, also where names are not UTF-8")
  func discoveredRoundTrip() throws {
    let folder = try SampleFolder("imagesTr/a_0000.nii", "imagesTr/a_0001.nii", "labelsTr/a.nii", "p/a.nii")
    try folder.make(["imagesTr/" + FilePath.text([0x62, 0xe9].withUnsafeBytes { $0 }) + "_0000.nii"])
    var worklist = try Worklist.discover(folder.path, labelFolders: [folder("p")])
    try AtomicFile.write(worklist.bytes(forFile: folder("list.csv")), to: folder("list.csv"))
    worklist.notes = []
    #expect(try Worklist(file: folder("list.csv")) == worklist)
  }
}
