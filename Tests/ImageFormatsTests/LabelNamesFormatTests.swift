import Foundation
import ImageFormats
import Testing
import Volumes
import Work

private let liver = LabelNames.Entry(value: 6, name: "liver", colour: RGBColour(204, 51, 0))
private let kidney = LabelNames.Entry(value: 2, name: "left kidney", colour: RGBColour(0, 153, 255))

/// Writes files in a new folder and calls `body` with it.
private func withFiles(_ files: [String: String], _ body: (URL) throws -> Void) throws {
  try withTemporaryFolder { folder in
    for (name, content) in files {
      let file = folder.appending(path: name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(content.utf8).write(to: file)
    }
    try body(folder)
  }
}

@Suite("Names of labels in the files of other programs")
struct LabelNamesFormatTests {
  @Test(
    "are written and read back with their colours",
    arguments: [
      ("a.label", #"6 204 51 0 1 1 1 "liver""#), ("a.tsv", "6\tliver\t#cc3300"),
      ("a.labels.json", ##""colour" : "#cc3300""##),
    ])
  func roundTrip(name: String, line: String) throws {
    let content = try LabelNamesFormat(ofFile: name).encoded(LabelNames(entries: [liver, kidney]))
    #expect(String(decoding: content, as: UTF8.self).contains(line))
    try withTemporaryFolder { folder in
      let path = folder.appending(path: name).path
      try content.write(to: URL(filePath: path))
      let entries = try LabelNamesFile.read(path).entries.sorted { $0.value < $1.value }
      #expect(entries == [kidney, liver])
    }
  }

  @Test("have apostrophes for quotation marks in lines of text, with a finding, and are read back")
  func quotationMarks() throws {
    var quoted = liver
    quoted.name = "so-called \"liver\""
    let names = LabelNames(entries: [quoted, kidney])
    for (name, expected) in [("a.label", "so-called 'liver'"), ("a.txt", "so-called-'liver'")] {
      let format = try LabelNamesFormat(ofFile: name)
      #expect(
        format.findings(about: names).map(\.description) == [
          "the name of label 6 has a quotation mark; an apostrophe is written instead"
        ])
      try withTemporaryFolder { folder in
        let path = folder.appending(path: name).path
        try format.encoded(names).write(to: URL(filePath: path))
        #expect(try LabelNamesFile.read(path).entries.first { $0.value == 6 }?.name == expected)
      }
    }
    for name in ["a.tsv", "a.json", "dataset.json"] {
      #expect(try LabelNamesFormat(ofFile: name).findings(about: names) == [])
    }
    #expect(
      try LabelNamesFormat(ofFile: "a.txt").findings(about: LabelNames(entries: [liver, kidney])) == [])
  }

  @Test("are written without blanks for FreeSurfer, and as keys that differ for nnU-Net")
  func restricted() throws {
    let lines = try LabelNamesFormat(ofFile: "lut.TXT").encoded(LabelNames(entries: [liver, kidney]))
    #expect(
      String(decoding: lines, as: UTF8.self)
        == "# No. Label-Name R G B A\n0 Unknown 0 0 0 0\n2 left-kidney 0 153 255 0\n6 liver 204 51 0 0\n")
    var namesake = kidney
    namesake.name = "liver"
    let json = try LabelNamesFormat(ofFile: "dataset.json").encoded(LabelNames(entries: [liver, namesake]))
    #expect(
      JSONValue(String(decoding: json, as: UTF8.self))
        == JSONValue(#"{"labels": {"background": 0, "liver": 2, "liver 6": 6}}"#))
  }

  @Test("a table beside a mask is read as label names only where it has the columns of BIDS")
  func tables() throws {
    try withFiles([
      "a_dseg.tsv": "index\tname\tcolor\n2\tleft kidney\t#0099ff\n6\tliver\tn/a\n",
      "b.tsv": "onset\tduration\n1\t2\n", "c.tsv": "index\tname\nx\tliver\n",
    ]) { folder in
      func read(_ name: String) throws -> LabelNames? {
        try LabelNamesFile.read(besideMask: folder.appending(path: name).path)
      }
      let entries = try read("a_dseg.nii.gz")?.entries
      #expect(entries == [kidney, .init(value: 6, name: "liver")])
      let other = try read("b.nii")
      #expect(other == nil)
      let error = #expect(throws: InputError.self) { try read("c.nii") }
      #expect(error?.problem == "line 2 is not a label")
    }
  }

  @Test("in a BIDS data set names are inherited from the folders above, up to its root")
  func inherited() throws {
    let table = "index\tname\n2\tleft kidney\n"
    try withFiles([
      "set/dataset_description.json": "{}", "set/derivatives/net/dseg.tsv": table,
      "set/derivatives/net/sub-1/anat/x.txt": "",
      "set/derivatives/net/sub-2/dseg.tsv": "index\tname\n2\tspleen\n",
      "set/derivatives/net/sub-2/anat/x.txt": "", "dseg.tsv": table, "set/raw/x.txt": "",
      "plain/dseg.tsv": table, "plain/deep/x.txt": "",
    ]) { folder in
      func names(_ path: String) -> [String]? {
        LabelNamesFile.read(commonTo: folder.appending(path: path).path, values: [2])?.entries.map(\.name)
      }
      #expect(names("set/derivatives/net/sub-1/anat/a.nii") == ["left kidney"])
      #expect(names("set/derivatives/net/sub-2/anat/a.nii") == ["spleen"])
      #expect(names("set/raw/a.nii") == nil)
      #expect(names("plain/deep/a.nii") == nil)
    }
  }

  @Test("from a file of names for a whole folder, only the names of values that occur are used")
  func common() throws {
    let files = [
      "lut/FreeSurferColorLUT.txt":
        "0 Unknown 0 0 0 0\n2 Left-Cerebral-White-Matter 245 245 245 0\n17 Left-Hippocampus 1 2 3 0\n",
      "labelsTr/x.nii": "", "dataset.json": #"{"labels": {"background": 0, "liver": 6, "both": [2, 6]}}"#,
      "predictions/dataset.json": #"{"labels": {"0": "background", "2": "kidney"}}"#, "bad/dataset.json": "{",
      "other/dataset.json": #"{"name": "heads"}"#,
    ]
    try withFiles(files) { folder in
      func names(_ path: String, _ values: Set<Int>) -> [String]? {
        LabelNamesFile.read(commonTo: folder.appending(path: path).path, values: values)?.entries.map(\.name)
      }
      #expect(names("lut/aseg.mgz", [0, 17]) == ["Left-Hippocampus"])
      #expect(names("labelsTr/case1.nii.gz", [0, 6]) == ["liver"])
      #expect(names("labelsTr/case1.nii.gz", [0, 3]) == nil)
      #expect(names("predictions/case1.nii.gz", [0, 2, 6]) == ["kidney"])
      #expect(
        LabelNamesFile.read(commonTo: folder.appending(path: "other/a.nii").path, values: [1]) == nil)
      let damaged = LabelNamesFile.read(
        commonTo: folder.appending(path: "bad/a.nii").path, values: [1])
      #expect(damaged?.notes() == ["dataset.json: is not JSON, or damaged; its names are not used"])
      // Of what may be an image, every number must have a name.
      func ofImage(_ path: String, _ values: Set<Int>) -> [String]? {
        LabelNamesFile.read(
          commonTo: folder.appending(path: path).path, values: values, isMask: false)?.entries.map(\.name)
      }
      #expect(ofImage("labelsTr/case1.nii.gz", [0, 6]) == ["liver"])
      #expect(ofImage("predictions/case1.nii.gz", [0, 2, 6]) == nil)
      #expect(ofImage("bad/a.nii", [1]) == nil)
    }
  }

  @Test("a file of names beside a mask that cannot be read is a finding, and there are no names")
  func damaged() throws {
    let names = #"{"labels": {"liver": 1}}"#
    try withFiles(["a.labels.json": "{", "dataset.json": names, "b.label": "1 a\nnonsense"]) { folder in
      let mask = try Data(contentsOf: URL(filePath: fixture("plain.nii")))
      for (name, finding) in [
        ("a.nii", "a.labels.json: is not JSON, or damaged; its names are not used"), ("b.nii", nil),
      ] as [(String, String?)] {
        let path = folder.appending(path: name).path
        try mask.write(to: URL(filePath: path))
        let read = try LabelNamesFile.read(of: ImageFile.open(path), values: [0, 1])
        #expect(read?.entries == [])
        let notes = read?.notes() ?? []
        #expect(notes.count == 1 && notes.allSatisfy { $0.hasSuffix("; its names are not used") })
        if let finding { #expect(notes == [finding]) }
      }
    }
  }

  @Test("the files of a whole folder that could name labels are listed, whether they exist or not")
  func commonFiles() throws {
    try withFiles(["set/dataset_description.json": "{}", "set/sub-1/anat/x.txt": ""]) { folder in
      let paths = LabelNamesFile.commonFiles(ofImage: folder.appending(path: "set/sub-1/anat/a.nii").path)
      let names = paths.map { $0.replacing(folder.path + "/", with: "") }
      let anat = "set/sub-1/anat/"
      #expect(
        Array(names.prefix(3)) == [
          anat + "FreeSurferColorLUT.txt", anat + "dseg.tsv", anat + "dataset.json",
        ])
      #expect(names[3].hasSuffix("dataset.json") && names.count == 6)
      #expect(Array(names.suffix(2)) == ["set/sub-1/dseg.tsv", "set/dseg.tsv"])
    }
  }
}
