import Foundation
import ImageFormats
import Testing
import Volumes
import Work

/// Writes `text` as `name` beside `scan.nii.gz` and reads the names of that mask.
private func names(_ name: String, _ text: String) throws -> LabelTable? {
  try withTemporaryFolder { folder in
    try Data(text.utf8).write(to: folder.appending(path: name))
    return try LabelNamesFile.read(besideMask: folder.appending(path: "scan.nii.gz").path)?.table()
  }
}

@Test("names beside a mask are read as each tool writes them")
func namesOfEachTool() throws {
  let itkSnap = """
    ################
    # ITK-SnAP Label Description File
        0     0    0    0        0  0  0    "Clear Label"
        6   255    0    0        1  1  1    "right liver"
    """
  let liver = Label(value: 6, name: "right liver", colour: RGBColour(255, 0, 0))
  #expect(try names("scan.label", itkSnap) == LabelTable([liver]))
  #expect(try names("scan.txt", itkSnap) == LabelTable([liver]))
  let precentral = Label(value: 1, name: "Precentral_L", colour: LabelTable.colour(ofValue: 1))
  #expect(try names("scan.nii.txt", "1 Precentral_L 2001\r\n") == LabelTable([precentral]))
  let hippocampus = Label(value: 17, name: "Left-Hippocampus", colour: RGBColour(220, 216, 20))
  #expect(try names("scan.txt", "17  Left-Hippocampus  220 216 20 0") == LabelTable([hippocampus]))
  #expect(
    try names("scan.labels.json", #"{"labels": {"background": 0, "Precentral_L": 1}}"#)
      == LabelTable([precentral]))
  #expect(
    try names(
      "scan.labels.json", ##"{"labels": [{"value": 6, "name": "right liver", "colour": "#ff0000"}]}"##)
      == LabelTable([liver]))
}

@Test("names may have spaces, and a number that distinguishes them; impossible values are ignored")
func namesOfSeveralWords() throws {
  let text = """
    1 kidney left
    2 kidney right 2002
    3 Area 44
    4 Area 45
    5 left lung 10 20 30 0
    99999999999999999999 nothing
    -5 nothing
    """
  let found = try withTemporaryFolder { folder in
    try Data(text.utf8).write(to: folder.appending(path: "scan.nii.txt"))
    return try LabelNamesFile.read(besideMask: folder.appending(path: "scan.nii.gz").path)
  }
  #expect(found?.entries.map(\.name) == ["kidney left", "kidney right", "Area 44", "Area 45", "left lung"])
  #expect(found?.entries.last?.colour == RGBColour(10, 20, 30))
  #expect(found?.notes() == ["2 names are of values that no voxel can have; they are ignored"])
  #expect(
    LabelNames(entries: [.init(value: 2, name: "K"), .init(value: 1, name: "K")]).notes()
      == ["labels 1, 2 are all called K: where structures go by name they are one"])
}

@Test("names that are written are read back")
func namesRoundTrip() throws {
  let table = LabelTable([
    Label(value: 6, name: "Leber \"rechts\"", colour: RGBColour(1, 2, 255)),
    Label(value: 65535, name: "x", colour: RGBColour(0, 0, 0)),
  ])
  try withTemporaryFolder { folder in
    let mask = folder.appending(path: "scan.nii.gz").path
    let path = try LabelNamesFile.write(LabelNames(table), besideMask: mask)
    let read = try LabelNamesFile.read(besideMask: mask)
    #expect(path == folder.appending(path: "scan.labels.json").path)
    #expect(read?.table() == table)
  }
}

@Test("a text that holds no label names is ignored, a label file that is damaged is refused")
func damagedNames() throws {
  #expect(try names("scan.txt", "Patient moved during the scan.") == nil)
  #expect(try names("other.label", "1 a") == nil)
  #expect(throws: InputError.self) { try names("scan.label", "1 a\nnonsense") }
  #expect(throws: InputError.self) { try names("scan.labels.json", "{") }
  #expect(throws: InputError.self) {
    try names("scan.labels.json", #"{"labels": [{"value": 6, "name": "liver", "colour": "red"}]}"#)
  }
}

@Test("a byte order mark is not part of a name, and UTF-16 is read where its mark says so")
func markedNames() throws {
  let kidney = LabelTable([Label(value: 1, name: "Kidney", colour: LabelTable.colour(ofValue: 1))])
  for (name, text) in [
    ("scan.nii.txt", "1 Kidney\r\n"), ("scan.label", "1 Kidney"),
    ("scan.labels.json", #"{"labels": {"Kidney": 1}}"#),
  ] {
    #expect(try names(name, "\u{feff}" + text) == kidney, "\(name)")
    try withTemporaryFolder { folder in
      let data = try #require(("\u{feff}" + text).data(using: .utf16LittleEndian))
      try data.write(to: folder.appending(path: name))
      let mask = folder.appending(path: "scan.nii.gz").path
      #expect(try LabelNamesFile.read(besideMask: mask)?.table() == kidney, "\(name)")
    }
  }
}

@Test("names are assigned to the values that occur: beyond 16 bits, 255 alone, regions, ignored values")
func namesOfValues() throws {
  let text = "1 Kidney\n255 Tumour\n614454277 VISp 1 2 3 0\n"
  let table = try withTemporaryFolder { folder -> (Set<Int>) throws -> [String] in
    try Data(text.utf8).write(to: folder.appending(path: "scan.nii.txt"))
    let found = try #require(
      try LabelNamesFile.read(besideMask: folder.appending(path: "scan.nii.gz").path))
    return { values in
      found.applied(to: values).table(try #require(LabelCoding(of: values))).labels.map {
        "\($0.value) \($0.name)"
      }
    }
  }
  #expect(try table([0, 1, 255]) == ["1 Kidney", "255 Tumour"])
  #expect(try table([0, 255]) == ["1 Tumour"])
  #expect(try table([0, 614_454_277]) == ["1 Kidney", "255 Tumour", "65535 VISp"])
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "dataset.json").path
    let json = #"{"labels": {"background": 0, "whole": [1, 2], "core": [2], "ignore": 3}}"#
    try Data(json.utf8).write(to: URL(filePath: path))
    let names = try LabelNamesFile.read(path)
    #expect(
      names.entries == [
        LabelNames.Entry(value: 2, name: "core"), LabelNames.Entry(value: 3, name: "ignore"),
      ])
    #expect(names.ignoredValues == [3])
    #expect(
      names.notes() == [
        "whole is a region of several values and no label; --label 1,2=whole takes them as one"
      ])
  }
}

@Test("a label without a name that is stored as 255 is called label 255 in the file and read back as label 1")
func namesOf255() throws {
  let coding = try #require(LabelCoding(of: [0, 255]))
  let colour = RGBColour(230, 159, 0)
  let unnamed = LabelTable([Label(value: 1, name: "label 1", colour: colour)])
  let tumour = LabelTable([Label(value: 1, name: "tumour", colour: colour)])
  for (table, stored) in [(unnamed, "label 255"), (tumour, "tumour")] {
    let names = LabelNames(table, coding: coding)
    #expect(names.entries == [LabelNames.Entry(value: 255, name: stored, colour: colour)])
    try withTemporaryFolder { folder in
      let mask = folder.appending(path: "m.nii").path
      try LabelNamesFile.write(names, besideMask: mask)
      let read = try #require(try LabelNamesFile.read(besideMask: mask))
      #expect(read == names && read.notes(coding) == [])
      #expect(read.applied(to: [0, 255]).table(coding) == table)
    }
  }
  // As earlier versions wrote it, and beside other labels.
  let earlier = LabelNames(entries: [LabelNames.Entry(value: 255, name: "label 1", colour: colour)])
  #expect(earlier.applied(to: [0, 255]).table(coding) == unnamed)
  #expect(earlier.applied(to: [0, 1, 255]).table().labels.map(\.name) == ["label 255"])
}

/// The content of a JSON file: names by value, ignored values, notes; or the line that refuses it.
private func outcome(_ json: String) throws -> [String] {
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "scan.labels.json").path
    try Data(json.utf8).write(to: URL(filePath: path))
    do {
      let names = try LabelNamesFile.read(path)
      return names.table().labels.map { "\($0.value) \($0.name)" }
        + names.ignoredValues.map { "ignored \($0)" }
        + names.notes()
    } catch let error as InputError {
      return ["refused: " + error.description.replacing(path, with: "F")]
    }
  }
}

@Test(
  "any file of names is read, ignored with a note, or refused with the line number",
  arguments: [
    (#"{"a": 1, "ignore": [2, 3]}"#, ["1 a", "2 ignore", "3 ignore", "ignored 2", "ignored 3"]),
    (#"{"1": "a", "2": "ignore"}"#, ["1 a", "2 ignore", "ignored 2"]),
    (#"{"a": 1, "Ignore": 2}"#, ["1 a", "2 Ignore", "ignored 2"]),
    (#"{"ignore": 0}"#, ["refused: F: labels: ignore is 0, the background: expected a value above 0"]),
    (#"{"a": "1", "b": [2, 2]}"#, ["1 a", "2 b"]),
    (#"{"a": 1e-400, "b": 1}"#, ["1 b", "1 name is of a value that no voxel can have; it is ignored"]),
    (#"{"a": 1, "b": 1}"#, ["1 b", "label 1 is called a and then b; the last name counts"]),
    (
      #"{"a": -1, "b": 1.5, "c": 1e300, "d": 4}"#,
      ["4 d", "3 names are of values that no voxel can have; they are ignored"]
    ),
    (
      #"{"a": null}"#,
      [
        #"refused: F: labels: "a" has no value: found null, expected "liver": 6 or "6": "liver""#
      ]
    ),
    (
      #"{"a": []}"#, [#"refused: F: labels: "a" has no value: found [], expected "liver": 6 or "6": "liver""#]
    ),
    (
      #"{"a": [1, "x"]}"#,
      [#"refused: F: labels: "a" has no value: found [1, "x"], expected "liver": 6 or "6": "liver""#]
    ),
    (
      #"[{"value": 1, "name": "label 2"}, {"value": 3, "name": "label 3"}]"#,
      [
        "1 label 1", "3 label 3",
        "label 1 is called label 2; that is what a label without a name is called after its own value; "
          + "the name is ignored",
      ]
    ),
    (
      #"[{"value": 1, "name": "a"}, {"value": 1, "name": "b"}, {"value": 2, "name": "c"}, {"value": 2, "name": "C"}]"#,
      ["1 b", "2 C", "label 1 is called a and then b; the last name counts"]
    ),
    (
      #"[{"value": 1, "name": ""}, {"value": 2, "name": " "}, {"value": 4}]"#,
      [
        "1 label 1", "2 label 2", "4 label 4",
        "label 1 has an empty name, and 2 more likewise; it is called after its value",
      ]
    ),
    (
      #"[{"value": 1, "name": "a"}, {"value": 1, "name": "label 3"}, {"value": 1, "name": ""}]"#,
      [
        "1 a", "label 1 has an empty name; its other name counts",
        "label 1 is called label 3; that is what a label without a name is called after its own value; "
          + "the name is ignored",
      ]
    ),
    (
      #"[{"value": 1, "name": "label 3"}, {"value": 1, "name": "\u200b"}, {"value": 1, "name": "a"}]"#,
      [
        "1 a", "label 1 has an empty name; its other name counts",
        "label 1 is called label 3; that is what a label without a name is called after its own value; "
          + "the name is ignored",
      ]
    ),
    (
      #"{"1": "\ufeff", "2": "\u00ad\u2060", "3": "\u00a0 "}"#,
      [
        "1 label 1", "2 label 2", "3 label 3",
        "label 1 has an empty name, and 2 more likewise; it is called after its value",
      ]
    ),
    (#"{"b": 1, "a": 1}"#, ["1 a", "label 1 is called b and then a; the last name counts"]),
    (#"{"a": 1, "a": 2}"#, [#"refused: F: labels: a key occurs twice: found "a", expected each once"#]),
    (
      #"[{"value": 1, "name": "a", "n\u0061me": "b"}]"#,
      [#"refused: F: labels: a key occurs twice: found "name", expected each once"#]
    ),
    (
      #"{"a": 1e400, "1e400": "b", "c": 2.0}"#,
      ["2 c", "2 names are of values that no voxel can have; they are ignored"]
    ),
    (#"{"a": 99999999999999999999}"#, ["1 name is of a value that no voxel can have; it is ignored"]),
    (#"{"background": 1, "a": 0}"#, ["1 background", "a is 0; 0 is background, and no label"]),
    (#"{"Background": 0, "a": 1}"#, ["1 a"]),
    (
      #""junk""#,
      [
        ##"refused: F: holds no label names: expected {"labels": [{"value": 6, "name": "liver", "colour": "#0072b2"}]}"##
      ]
    ),
    (
      #"{"a": 1}} junk"#,
      [
        ##"refused: F: is not JSON, or damaged: expected {"labels": [{"value": 6, "name": "liver", "colour": "#0072b2"}]}"##
      ]
    ),
    (
      #"[{"value": -7, "name": "a"}, {"value": 1e30, "name": "b"}, {"value": 5, "name": "c"}]"#,
      ["5 c", "2 names are of values that no voxel can have; they are ignored"]
    ),
    (
      #"[{"name": "a"}]"#,
      [#"refused: F: labels[0] is not a label: found an object, expected {"value": 6, "name": "liver"}"#]
    ),
    (
      #"["background", "a"]"#,
      [
        #"refused: F: labels[0] is not a label: found "background", expected {"value": 6, "name": "liver"}"#
      ]
    ),
  ])
func oddNames(labels: String, expected: [String]) throws {
  #expect(try outcome(#"{"labels": \#(labels)}"#) == expected)
}

@Test("a text with lines of labels and others gives no names, and the finding names the other line")
func mixedText() throws {
  let found = try withTemporaryFolder { folder in
    try Data("1 liver\nspleen\n".utf8).write(to: folder.appending(path: "scan.txt"))
    return try LabelNamesFile.read(besideMask: folder.appending(path: "scan.nii.gz").path)
  }
  #expect(found?.entries == [])
  #expect(found?.notes() == ["scan.txt: line 2 is not a label, \"spleen\"; its names are not used"])
}

@Test("a line with the default name of another value is ignored")
func numberedLines() throws {
  for text in ["1 a\n1 label 3\n", "1 label 3\n1 a\n", "1 a\n1 Label_3 1 2 3 0\n"] {
    #expect(try names("scan.label", text)?.labels.map(\.name) == ["a"])
  }
  #expect(try names("scan.label", "3 label 3\n")?.labels.map(\.name) == ["label 3"])
}

@Test("names that are not UTF-8 are read as Latin-1, with a note")
func latin1Names() throws {
  for (name, text) in [
    ("scan.label", "1 Leber gr\u{f6}\u{df}e"),
    ("scan.labels.json", "{\"labels\": {\"1\": \"Leber gr\u{f6}\u{df}e\"}}"),
  ] {
    try withTemporaryFolder { folder in
      try #require(text.data(using: .isoLatin1)).write(to: folder.appending(path: name))
      let names = try LabelNamesFile.read(besideMask: folder.appending(path: "scan.nii.gz").path)
      #expect(names?.entries.map(\.name) == ["Leber gr\u{f6}\u{df}e"])
      #expect(names?.notes() == ["\(name) is not UTF-8; its names are read as Latin-1"])
    }
  }
}
