import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

@Suite("Texts of DICOM files")
struct DicomTextTests {
  /// The item of a sequence with a defined length.
  private func item(_ elements: [UInt8]) -> [UInt8] {
    [0xfe, 0xff, 0, 0xe0] + bytes(UInt32(elements.count)) + elements
  }

  private func element(_ group: UInt16, _ number: UInt16, _ vr: String, _ value: [UInt8]) -> [UInt8] {
    let padded = value + [UInt8](repeating: 0x20, count: value.count % 2)
    return bytes(group) + bytes(number) + Array(vr.utf8) + bytes(UInt16(padded.count)) + padded
  }

  /// Opens a copy of a segmentation whose segments have these labels.
  private func opened<Result>(
    _ labels: [[UInt8]], characterSet: String? = nil, _ change: (URL) throws -> Void = { _ in },
    _ body: (ImageFile) throws -> Result
  ) throws -> Result {
    try withDicomCopy(of: "segmentation") { folder in
      let file = folder.appending(path: "binary.dcm")
      let items = labels.enumerated().flatMap { index, label in
        item(
          element(0x62, 0x4, "US", [UInt8(index + 1), 0]) + element(0x62, 0x5, "LO", label))
      }
      try setElement(0x62, 0x2, "SQ", items, in: file)
      try setText(0x8, 0x5, "CS", characterSet, in: file)
      try change(file)
      return try body(try ImageFile.open(file.path))
    }
  }

  private func names(_ image: ImageFile) -> [String] { image.labelNames?.entries.map(\.name) ?? [] }

  @Test(
    "a label is decoded in the file's character set",
    arguments: [
      ("ISO_IR 100", [0x4c, 0xfc, 0x63], "Lüc"), ("ISO_IR 101", [0xb3], "ł"), ("ISO_IR 109", [0xe6], "ĉ"),
      ("ISO_IR 110", [0xb6], "ļ"), ("ISO_IR 144", [0xbf, 0xd5, 0xe7], "Печ"), ("ISO_IR 127", [0xe3], "ك"),
      ("ISO_IR 126", [0xc1], "Α"), ("ISO_IR 138", [0xe0], "א"), ("ISO_IR 148", [0xfd], "ı"),
      ("ISO_IR 203", [0xa4], "€"), ("ISO_IR 13", [0xb1], "ｱ"), ("ISO_IR 166", [0xa1], "ก"),
      ("ISO_IR 192", [0xe8, 0x82, 0x9d], "肝"), ("GB18030", [0xb8, 0xce], "肝"), ("GBK", [0xb8, 0xce], "肝"),
      ("\\ISO 2022 IR 87", [0x1b, 0x24, 0x42, 0x34, 0x4e, 0x1b, 0x28, 0x42, 0x31], "肝1"),
      ("\\ISO 2022 IR 159", [0x1b, 0x24, 0x28, 0x44, 0x30, 0x21, 0x1b, 0x28, 0x42], "丂"),
      ("\\ISO 2022 IR 149", [0x1b, 0x24, 0x29, 0x43, 0xb0, 0xa3, 0x31], "간1"),
      ("\\ISO 2022 IR 58", [0x1b, 0x24, 0x29, 0x41, 0xb8, 0xce, 0x31], "肝1"),
      ("ISO 2022 IR 100\\ISO 2022 IR 144", [0xfc, 0x1b, 0x2d, 0x4c, 0xbf], "üП"),
    ] as [(String, [UInt8], String)])
  func characterSets(term: String, label: [UInt8], text: String) throws {
    try opened([label, Array("b".utf8)], characterSet: term) { image in
      #expect(names(image) == [text, "b"])
      #expect(image.findings == [])
    }
  }

  @Test("bytes of a label that are no characters are replaced, with a finding")
  func undecodable() throws {
    let replacements: [(String, [UInt8], String)] = [
      ("ISO_IR 192", [0x61, 0xff, 0x62], "a\u{fffd}b"), ("ISO_IR 999", [0x61, 0xfc], "a\u{fffd}"),
    ]
    for (term, label, text) in replacements {
      try opened([label, Array("b".utf8)], characterSet: term) { image in
        #expect(names(image) == [text, "b"])
        #expect(
          image.findings.map(\.description) == [
            "the label of segment 1 cannot be decoded in the stated SpecificCharacterSet; "
              + "unreadable characters are replaced"
          ])
      }
    }
  }

  @Test(
    "a label that may tell who the patient is becomes the segment's number",
    arguments: [
      "liver Made", "Lesion 0815", "seen 2026-11-30", "03.02.1951", "19510203", "3 Feb 1951",
      "Springfield node",
    ])
  func patientInLabels(label: String) throws {
    try opened([Array("up to rib 10".utf8), Array(label.utf8)]) { file in
      try setText(0x10, 0x10, "PN", "Made^Lo", in: file)
      try setText(0x10, 0x20, "LO", "0815", in: file)
      try setText(0x8, 0x80, "LO", "Springfield Liver Clinic", in: file)
    } _: { image in
      #expect(names(image) == ["up to rib 10", "segment 2"])
      #expect(
        image.findings.map(\.description) == [
          "the label of segment 2 may tell who the patient is (a name, ID, institution or date); "
            + "it is named by the number instead"
        ])
    }
  }

  @Test("a character set that an item states counts for the texts of that item")
  func characterSetOfItem() throws {
    try opened([[0x61], [0x62]], characterSet: "ISO_IR 100") { file in
      let first = element(0x8, 0x5, "CS", Array("ISO_IR 144".utf8)) + element(0x62, 0x4, "US", [1, 0])
      let items =
        item(first + element(0x62, 0x5, "LO", [0xbf, 0xd5, 0xe7]))
        + item(element(0x62, 0x4, "US", [2, 0]) + element(0x62, 0x5, "LO", [0xe4]))
      try setElement(0x62, 0x2, "SQ", items, in: file)
    } _: { image in
      #expect(names(image) == ["Печ", "ä"])
    }
  }

  @Test("names count in any spelling and IDs without punctuation; parts of words and sizes hide nothing")
  func spellings() throws {
    let hidden = [
      "Muller liver", "MÜLLER", "mueller_liver", "AnnaMaria", "O'Brien", "obrien", "PID 998877", "998877",
      "ACC556677", "Schulz", "Geburtsname", "OPID77", "klinikum nord", "2019-04", "03/2019", "born 1951",
      "510203", "March 2020", "Mar 2020", "2020 March", "März 2020", "Maerz2020", "Dezember 2019", "2020-3",
      "3-2020", "3.2020", "2020/3", "2020_3", "marzo de 2020", "März_2020", "SEP-1999", "August 3rd, 2020",
      "décembre 2020", "Tumor Mrz.2020",
    ]
    let shown = [
      "Mariana trench", "Nord lobe", "Dr.", "3.2.19 mm", "threshold 1000-2000", "annular ligament",
      "lobe 2000",
      "12345678", "marginal 2000", "March", "may 12 nodes", "set 2000", "1000-3",
    ]
    try opened((hidden + shown).map { Array($0.utf8) }, characterSet: "ISO_IR 192") { file in
      try setText(0x10, 0x10, "PN", "Müller O'Brien^Anna Maria^^Dr.", in: file)
      try setText(0x10, 0x20, "LO", "PID-998877", in: file)
      try setText(0x10, 0x30, "DA", "19510203", in: file)
      try setText(0x10, 0x1000, "LO", "OPID77", in: file)
      try setText(0x10, 0x1005, "PN", "Geburtsname^Anna", in: file)
      try setText(0x8, 0x50, "SH", "ACC556677", in: file)
      try setText(0x8, 0x80, "LO", "Klinikum Nord", in: file)
      try setText(0x8, 0x90, "PN", "Schulz^Otto", in: file)
    } _: { image in
      #expect(names(image) == hidden.indices.map { "segment \($0 + 1)" } + shown)
    }
  }

  @Test("a name in another character set is recognised in a label")
  func nameInCharacterSet() throws {
    try opened([Array("山田肝".utf8), Array("肝".utf8)], characterSet: "ISO_IR 192") { file in
      try setText(0x10, 0x10, "PN", "Yamada^Taro=山田^太郎", in: file)
    } _: { image in
      #expect(names(image) == ["segment 1", "肝"])
    }
  }

  @Test("names of structures and general words of a name or institution hide no label")
  func harmlessLabels() throws {
    try opened([Array("Liver left".utf8), Array("lesion 12, 2.5 mm".utf8)]) { file in
      try setText(0x10, 0x10, "PN", "LIVER^CASE12", in: file)
      try setText(0x10, 0x20, "LO", "12", in: file)
      try setText(0x8, 0x80, "LO", "Left Liver Clinic", in: file)
    } _: { image in
      #expect(names(image) == ["Liver left", "lesion 12, 2.5 mm"])
      #expect(image.findings == [])
    }
  }

  @Test("a description with a date, a name or an institution is not shown in lists")
  func descriptions() throws {
    for (text, isShown) in [
      ("T1 1951-02-03", false), ("T1 03.02.1951", false), ("T1 19510203", false),
      ("T1 of Springfield", false),
      ("T1 made up", false), ("T1 0815", false), ("T1 2.5 mm", true),
    ] {
      try withDicomCopy(of: "two_series") { folder in
        for name in ["00.dcm", "01.dcm", "02.dcm"] {
          try setText(0x8, 0x103e, "LO", text, in: folder.appending(path: name))
          try setText(0x8, 0x80, "LO", "Springfield Hospital", in: folder.appending(path: name))
        }
        let list = refusal { _ = try ImageFile.open(folder.path) }
        #expect(list.contains(isShown ? "1: CT, \(text), 3 files" : "1: CT, 3 files"))
      }
    }
  }

  @Test("a segment is chosen by its number before its name, and a name of several segments is ambiguous")
  func choice() throws {
    func chosen(_ labels: [String], _ choice: String) throws -> String {
      try withDicomCopy(of: "segmentation") { folder in
        let file = folder.appending(path: "binary.dcm")
        let items = labels.enumerated().flatMap { index, label in
          item(
            element(0x62, 0x4, "US", [UInt8(index + 1), 0])
              + element(0x62, 0x5, "LO", Array(label.utf8)))
        }
        try setElement(0x62, 0x2, "SQ", items, in: file)
        var names: [Int] = []
        let error = refusal(below: folder) {
          let image = try ImageFile.open(file.path, options: ImageReadingOptions(segment: choice))
          names = image.labelNames?.entries.map(\.value) ?? []
        }
        return error == "accepted" ? "\(names)" : error
      }
    }
    #expect(try chosen(["2", "liver"], "2") == "[2]")
    #expect(try chosen(["7", "liver"], "7") == "[1]")
    #expect(
      try chosen(["liver", "Liver"], "liver")
        == "binary.dcm: has 2 segments of this name or number: found --segment liver, expected 1 liver, 2 Liver"
    )
  }

  @Test("a segmentation without a known type, and a frame of a segment that is not described, are refused")
  func segmentationType() throws {
    func refused(_ change: (URL) throws -> Void) throws -> String {
      try withDicomCopy(of: "segmentation") { folder in
        let file = folder.appending(path: "binary.dcm")
        try change(file)
        return refusal(below: folder) { _ = try ImageFile.open(file.path) }
      }
    }
    let expected = "expected BINARY, FRACTIONAL or LABELMAP"
    #expect(
      try refused { try setText(0x62, 0x1, "CS", nil, in: $0) }
        == "binary.dcm: SegmentationType (0062,0001) is missing or unknown: found none, \(expected)")
    #expect(
      try refused { try setText(0x62, 0x1, "CS", "BITS", in: $0) }
        == "binary.dcm: SegmentationType (0062,0001) is missing or unknown: found BITS, \(expected)")
    #expect(
      try refused {
        let first = item(element(0x62, 0x4, "US", [1, 0]) + element(0x62, 0x5, "LO", Array("liver".utf8)))
        try setElement(0x62, 0x2, "SQ", first, in: $0)
      }.contains("shows a segment that SegmentSequence (0062,0002) does not describe: found segment 2"))
  }
}
