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
