import Foundation
import TestSupport
import Testing
import Work
import Worklist

@Suite("DICOM folders of a worklist")
struct DicomDiscoveryTests {
  private static let source = checkout.appending(path: "Tests/ImageFormatsTests/Fixtures/DICOM")

  private func copy(_ name: String, to path: String, _ folder: SampleFolder) throws {
    try FileSystem.makeFolder(FilePath.folder(of: folder(path)))
    try FileManager.default.copyItem(atPath: Self.source.appending(path: name).path, toPath: folder(path))
  }

  @Test("each series of a study is a case, and its segmentation a mask, wherever it lies")
  func study() throws {
    let folder = try SampleFolder()
    try copy("explicit", to: "study/CT", folder)
    try copy("slopes", to: "study/PET", folder)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder("study/PET")) {
      // Another series: its UID ends in 5.
      let file = URL(filePath: folder("study/PET/" + name))
      var bytes = try Data(contentsOf: file)
      let uid = Data("10.1499.2.1".utf8)
      let range = try #require(bytes.firstRange(of: uid))
      bytes.replaceSubrange(range, with: Data("10.1499.2.5".utf8))
      try bytes.write(to: file)
    }
    try copy("segmentation/binary.dcm", to: "study/SEG/liver.dcm", folder)
    #expect(
      try folder.found("study") == ["CT: study/CT; liver=study/SEG/liver.dcm", "PET: study/PET"])
    #expect(try Worklist.discover(folder("study")).notes == [])
  }

  @Test("a series whose files are divided among folders is one case, the folder above them; copies are cases")
  func dividedSeries() throws {
    let folder = try SampleFolder()
    for patient in ["ann", "bob"] {
      for (part, others) in [("IMG1", ["02", "03"]), ("IMG2", ["00", "01"])] {
        try copy("explicit", to: "people/\(patient)/\(part)", folder)
        // Of Bob both folders have all slices.
        for name in patient == "ann" ? others : [] {
          try FileManager.default.removeItem(atPath: folder("people/\(patient)/\(part)/\(name).dcm"))
        }
      }
    }
    try copy("segmentation/binary.dcm", to: "people/ann/SEG/liver.dcm", folder)
    #expect(try folder.found("people/ann") == ["ann: people/ann; liver=people/ann/SEG/liver.dcm"])
    #expect(
      try folder.found("people/bob") == ["IMG1: people/bob/IMG1", "IMG2: people/bob/IMG2"])
    #expect(
      try folder.found("people").map { $0.prefix { $0 != ";" } } == [
        "ann: people/ann", "IMG1: people/bob/IMG1", "IMG2: people/bob/IMG2",
      ])
  }

  @Test("masks beside the folders of a divided series belong to its case, DICOM segmentations and others")
  func masksBesideDividedSeries() throws {
    let folder = try SampleFolder()
    for (part, others) in [("IMG1", ["02", "03"]), ("IMG2", ["00", "01"])] {
      try copy("explicit", to: "people/ann/\(part)", folder)
      for name in others {
        try FileManager.default.removeItem(atPath: folder("people/ann/\(part)/\(name).dcm"))
      }
    }
    try copy("segmentation/binary.dcm", to: "people/ann/liver.dcm", folder)
    #expect(try folder.found("people") == ["ann: people/ann; liver=people/ann/liver.dcm"])
    try FileManager.default.removeItem(atPath: folder("people/ann/liver.dcm"))
    try folder.make(["people/ann/liver_seg.nii.gz"])
    #expect(try folder.found("people") == ["ann: people/ann; liver_seg=people/ann/liver_seg.nii.gz"])
  }

  @Test(
    "a segmentation of a series that is there twice belongs to the copy of its name, else to the nearest one")
  func segmentationsOfCopies() throws {
    let folder = try SampleFolder()
    for name in ["p1", "p2"] {
      try copy("explicit", to: "set/images/\(name)", folder)
      try copy("segmentation/binary.dcm", to: "set/labels/\(name).dcm", folder)
      try copy("explicit", to: "people/\(name)/CT", folder)
      try copy("segmentation/binary.dcm", to: "people/\(name)/SEG/liver.dcm", folder)
    }
    #expect(
      try folder.found("set") == [
        "p1: set/images/p1; p1=set/labels/p1.dcm", "p2: set/images/p2; p2=set/labels/p2.dcm",
      ])
    #expect(
      try folder.found("people").map { $0.split(separator: ": ").last.map(String.init) } == [
        "people/p1/CT; liver=people/p1/SEG/liver.dcm", "people/p2/CT; liver=people/p2/SEG/liver.dcm",
      ])
  }

  /// Replaces bytes of a file where they occur first.
  private func replace(_ bytes: [UInt8], by others: [UInt8], in path: String) throws {
    let file = URL(filePath: path)
    var content = try Data(contentsOf: file)
    content.replaceSubrange(try #require(content.firstRange(of: Data(bytes))), with: Data(others))
    try content.write(to: file)
  }

  @Test("each of several stacks in one file is a case with its number, also in the file of the list")
  func stacks() throws {
    let folder = try SampleFolder()
    try copy("enhanced", to: "study/MR", folder)
    // StackID of half of the frames.
    let stack: [UInt8] = [0x20, 0, 0x56, 0x90, 0x53, 0x48, 2, 0]
    for _ in 0..<3 {
      try replace(stack + Array("1 ".utf8), by: stack + Array("2 ".utf8), in: folder("study/MR/00.dcm"))
    }
    var worklist = try Worklist.discover(folder("study"))
    #expect(folder.lines(worklist) == ["MR_1: study/MR/00.dcm", "MR_2: study/MR/00.dcm"])
    #expect(worklist.cases.map(\.series) == ["1", "2"])
    #expect(worklist.columns == ["series"] && worklist.notes == [])
    try AtomicFile.write(worklist.bytes(forFile: folder("list.csv")), to: folder("list.csv"))
    #expect(
      String(decoding: try FileSystem.read(folder("list.csv")), as: UTF8.self) == """
        case,image,series
        MR_1,study/MR/00.dcm,1
        MR_2,study/MR/00.dcm,2

        """)
    worklist.notes = []
    #expect(try Worklist(file: folder("list.csv")) == worklist)
    try folder.make(["study/MR/00_2_seg.nii"])
    let record = #"{"tool": "segdeck", "input": {"path": "00.dcm", "choice": {"series": "2"}}"#
    try folder.write(record + "}", to: "study/MR/00_2_seg.json")
    #expect(
      try folder.found("study") == [
        "MR_1: study/MR/00.dcm", "MR_2: study/MR/00.dcm; seg=study/MR/00_2_seg.nii",
      ])
    // The record was read, so the program would not replace it.
    try Data((record + #", "review": {}}"#).utf8).write(to: URL(filePath: folder("study/MR/00_2_seg.json")))
    #expect(try folder.found("study") == ["MR_1: study/MR/00.dcm", "MR_2: study/MR/00.dcm"])
  }

  @Test("of several images of one series, a segmentation belongs to the one with its planes")
  func segmentationOfStack() throws {
    let folder = try SampleFolder()
    try copy("explicit", to: "study/CT", folder)
    for name in ["00.dcm", "01.dcm"] {
      try replace(
        Array(#"0.8\0.6\0\-0.6\0.8\0 "#.utf8), by: Array(#"0.6\0.8\0\-0.8\0.6\0 "#.utf8),
        in: folder("study/CT/" + name))
    }
    try copy("segmentation/binary.dcm", to: "study/SEG/liver.dcm", folder)
    #expect(
      try folder.found("study") == [
        "CT_1: study/CT/00.dcm", "CT_2: study/CT/02.dcm; liver=study/SEG/liver.dcm",
      ])
  }

  @Test("a DICOM segmentation that a review exported with its mask is no version, one of a network is")
  func exportedSegmentation() throws {
    let folder = try SampleFolder()
    try copy("explicit", to: "study/CT", folder)
    for name in ["CT_seg", "CT_only", "CT_net"] {
      try copy("segmentation/binary.dcm", to: "study/\(name).dcm", folder)
      let review = name == "CT_net" ? "" : #", "review": {"verdict": "accepted"}"#
      try folder.write(
        #"{"tool": "segdeck", "input": {"path": "/data/study/CT"}\#(review)}"#, to: "study/\(name).json")
    }
    try folder.make(["study/CT_seg.nii.gz"])
    #expect(try folder.found("study") == ["CT: study/CT; CT_net=study/CT_net.dcm"])
    #expect(
      try Worklist.discover(folder("study")).notes.map(folder.relative) == [
        "2 masks exported from a review not listed (:mask FILE opens one beside a case): study/CT_seg.nii.gz, "
          + "study/CT_only.dcm"
      ])
  }

  @Test("a DICOM segmentation that a review exported can be exported again, the slices are never replaced")
  func exportsAgain() throws {
    let folder = try SampleFolder()
    try copy("explicit", to: "study/CT", folder)
    try copy("segmentation/binary.dcm", to: "study/CT_seg.dcm", folder)
    try folder.write(
      #"{"tool": "segdeck", "input": {"path": "/data/study/CT"}, "review": {"verdict": "accepted"}}"#,
      to: "study/CT_seg.json")
    #expect(try folder.found("study") == ["CT: study/CT"])
    let isReplaced = ["study/CT_seg.dcm", "study/CT_seg.json", "study/CT/00.dcm"].map { name in
      (try? AtomicFile.write(Data("{}".utf8), to: folder(name))) != nil
    }
    #expect(isReplaced == [true, true, false])
  }

  @Test("several series of a folder are cases, opened by their first files; folders beside masks are images")
  func layouts() throws {
    let folder = try SampleFolder()
    try copy("two_series", to: "both", folder)
    #expect(try folder.found("both") == ["both_1: both/00.dcm", "both_2: both/03.dcm"])
    try copy("explicit", to: "set/images/p1", folder)
    try copy("jpegls", to: "set/images/p2", folder)
    try folder.make(["set/labels/p1.nii.gz", "set/labels/p2.nii.gz"])
    #expect(
      try folder.found("set") == [
        "p1: set/images/p1; labels=set/labels/p1.nii.gz", "p2: set/images/p2; labels=set/labels/p2.nii.gz",
      ])
    try copy("explicit", to: "people/ann/CT", folder)
    try folder.make(["people/ann/liver_seg.nii.gz"])
    try copy("explicit", to: "people/bob/CT", folder)
    #expect(
      try folder.found("people") == [
        "ann: people/ann/CT; liver_seg=people/ann/liver_seg.nii.gz", "CT: people/bob/CT",
      ])
  }
}
