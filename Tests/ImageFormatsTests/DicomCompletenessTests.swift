import Foundation
import ImageFormats
import TestSupport
import Testing
import Work

@Suite("What DICOM files state about files and values beside those that are read")
struct DicomCompletenessTests {
  private static let slices = ["00.dcm", "01.dcm", "02.dcm", "03.dcm"]

  private func findings(of folder: URL) throws -> [String] {
    try ImageFile.open(folder.path).findings.map(\.description)
  }

  @Test("slices are said to be missing also where most of them are, by the distance that the files state")
  func mostSlicesMissing() throws {
    func refused(_ depths: [String], thickness: String) throws -> String {
      try withDicomCopy(of: "explicit") { folder in
        for (name, depth) in zip(Self.slices, depths) {
          try setText(0x20, 0x32, "DS", "-31.5\\42.25\\\(depth)", in: folder.appending(path: name))
          try setText(0x18, 0x50, "DS", thickness, in: folder.appending(path: name))
          try setText(0x18, 0x88, "DS", nil, in: folder.appending(path: name))
        }
        return refusal(below: folder.deletingLastPathComponent()) { _ = try ImageFile.open(folder.path) }
      }
    }
    let depths = ["0.00", "5.00", "10.00", "12.50"]
    #expect(
      try refused(depths, thickness: "2.5")
        == "explicit: 2 slices are missing, 1 of them between 00.dcm and 01.dcm: found 5 mm, expected 2.5 mm, "
        + "as between others")
    // Slices that are thinner than any distance tell nothing.
    #expect(
      try refused(depths, thickness: "0.5")
        == "explicit: its slices are not evenly spaced: 02.dcm and 03.dcm: found 2.5 mm, expected 5 mm, "
        + "as between others")
  }

  @Test(
    "slices that lie a multiple of the stated distance apart are a finding, unless the files state the gap")
  func everyOtherSliceMissing() throws {
    let finding =
      "slices are 5 mm apart, and SpacingBetweenSlices (0018,0088) is 2.5 mm; they are read where they lie; "
      + "see that none is missing between them"
    for (distance, thickness, expected): (String, String, [String]) in [
      ("2.5", "2", [finding]), ("2.5", "2.5", [finding]), ("1", "4", []), ("5", "2.5", []), ("3", "3", []),
    ] {
      try withDicomCopy(of: "explicit") { folder in
        for name in ["01.dcm", "03.dcm"] {
          try FileManager.default.removeItem(at: folder.appending(path: name))
        }
        for name in ["00.dcm", "02.dcm"] {
          try setText(0x18, 0x88, "DS", distance, in: folder.appending(path: name))
          try setText(0x18, 0x50, "DS", thickness, in: folder.appending(path: name))
        }
        let found = try findings(of: folder)
        #expect(found == expected)
      }
    }
  }

  /// Makes a file part `number` of a concatenation of `count` files.
  private func concatenate(_ file: URL, number: UInt8, of count: UInt8?) throws {
    try setText(0x20, 0x9161, "UI", "1.2.3.4", in: file)
    try setElement(0x20, 0x9162, "US", [number, 0], in: file)
    try setElement(0x20, 0x9163, "US", count.map { [$0, 0] }, in: file)
  }

  @Test("a multi-frame image in several files is refused where one of them is missing, also the last one")
  func concatenation() throws {
    try withDicomCopy(of: "enhanced") { folder in
      let parent = folder.deletingLastPathComponent()
      let (first, second) = (folder.appending(path: "00.dcm"), folder.appending(path: "01.dcm"))
      let rest = "too, by InConcatenationNumber (0020,9162)"
      try concatenate(first, number: 1, of: 2)
      #expect(
        refusal(below: parent) { _ = try ImageFile.open(folder.path) }
          == "enhanced: lacks 1 file of a multi-frame image in 2 files: found part 1, expected part 2 \(rest)"
      )
      try FileManager.default.copyItem(at: first, to: second)
      try setText(0x8, 0x18, "UI", "1.2.3", in: second)
      try setText(0x20, 0x13, "IS", "9", in: second)
      try concatenate(second, number: 2, of: 2)
      for path in [folder.path, second.path] {
        #expect(try ImageFile.open(path).frameSizes == [4])
      }
      // A part that cannot be read is named.
      let content = try Data(contentsOf: second)
      try content.prefix(200).write(to: second)
      #expect(
        refusal(below: parent) { _ = try ImageFile.open(folder.path) }
          == "enhanced: lacks 1 file of a multi-frame image in 2 files: found part 1, expected part 2 \(rest); "
          + "01.dcm, which cannot be read, may be it")
      try content.write(to: second)
      // The number of files need not be stated.
      try concatenate(first, number: 2, of: nil)
      try concatenate(second, number: 8, of: nil)
      #expect(
        refusal(below: parent) { _ = try ImageFile.open(folder.path) }
          == "enhanced: lacks 6 files of a multi-frame image in 8 files: found part 2, 8, "
          + "expected part 1, 3, 4, 5 and 2 more \(rest)")
    }
  }

  @Test("a PET series with fewer slices than it states has a finding, and one of another modality has none")
  func sliceCount() throws {
    for (modality, count, expected): (String, UInt8, [String]) in [
      ("PT", 4, []), ("CT", 6, []),
      (
        "PT", 6,
        ["NumberOfSlices (0054,0081) is 6, and there are 4 slices; see that none is missing at an end"]
      ),
    ] {
      try withDicomCopy(of: "explicit") { folder in
        for name in Self.slices {
          try setText(0x8, 0x60, "CS", modality, in: folder.appending(path: name))
          try setElement(0x54, 0x81, "US", [count, 0], in: folder.appending(path: name))
        }
        #expect(try findings(of: folder) == expected)
      }
    }
  }

  @Test("PET of several time points may state the slices of one or of all of them")
  func sliceCountOfTimePoints() throws {
    let finding = { (stated: Int) in
      "NumberOfSlices (0054,0081) is \(stated), and there are 4 slices of each of 2 time points; see that none is "
        + "missing at an end"
    }
    for (stated, expected): (UInt8, [String]) in [(4, []), (8, []), (5, [finding(5)]), (10, [finding(10)])] {
      try withDicomCopy(of: "times") { folder in
        for number in 0..<8 {
          let file = folder.appending(path: "0\(number).dcm")
          try setText(0x8, 0x60, "CS", "PT", in: file)
          try setElement(0x54, 0x81, "US", [stated, 0], in: file)
        }
        let found = try findings(of: folder).filter { $0.hasPrefix("NumberOfSlices") }
        #expect(found == expected)
      }
    }
  }

  /// A folder whose folder `study` has slices of a series in folders of their own.
  private func withDivided<Result>(
    _ parts: [(folder: String, fixture: String, names: [String])], _ body: (URL) throws -> Result
  ) throws -> Result {
    try withTemporaryFolder { root in
      for part in parts {
        let folder = root.appending(path: "study/" + part.folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in part.names {
          try FileManager.default.copyItem(
            atPath: fixture("DICOM/\(part.fixture)/\(name)"), toPath: folder.appending(path: name).path)
        }
      }
      return try body(root)
    }
  }

  @Test("a series whose files are divided among folders is the image of the folder above them")
  func dividedSeries() throws {
    let whole = try ImageFile.open(fixture("DICOM/explicit"))
    for folders in [["a", "b"], ["x/1", "y"]] {
      let parts = [
        (folders[0], "explicit", ["00.dcm", "02.dcm"]), (folders[1], "explicit", ["01.dcm", "03.dcm"]),
      ]
      try withDivided(parts) { root in
        let image = try ImageFile.open(root.path + "/study")
        #expect(image.grid == whole.grid && image.files.count == 4)
        #expect(try image.scalarVolume() == whole.scalarVolume())
        let names = folders.map { ($0 as NSString).lastPathComponent }.joined(separator: ", ")
        #expect(
          image.findings.map(\.description) == [
            "the files of the series lie in 2 folders: \(names); they are read as one image"
          ])
        // A part alone is what its folder holds; the other part is seen where it lies beside it.
        let part = try ImageFile.open(root.path + "/study/" + folders[0])
        #expect(part.grid.size.k == 2)
        #expect(
          part.findings.map(\.description)
            == (folders == ["a", "b"]
              ? [
                "2 files in b, the folder beside it, would continue the series; they are not read; the folder above "
                  + "both can be opened instead, with --series where it holds other images"
              ] : []))
      }
    }
  }

  @Test(
    "the folders of a divided series are named in natural order, and segmentations beside them are not the image"
  )
  func segmentationBesideDividedSeries() throws {
    let whole = try ImageFile.open(fixture("DICOM/explicit"))
    let parts = [("10", "explicit", ["00.dcm", "02.dcm"]), ("9", "explicit", ["01.dcm", "03.dcm"])]
    try withDivided(parts + [("", "segmentation", ["binary.dcm"])]) { root in
      let image = try ImageFile.open(root.path + "/study")
      #expect(image.grid == whole.grid && image.files.count == 4)
      #expect(
        image.findings.map(\.description) == [
          "the files of the series lie in 2 folders: 9, 10; they are read as one image"
        ])
      let file = try ImageFile.open(root.path + "/study/binary.dcm")
      #expect(file.storage.contains("segmentation"))
      // An option that is about a segmentation asks for it.
      let mask = try ImageFile.open(root.path + "/study", options: ImageReadingOptions(segment: "1"))
      #expect(mask.storage.contains("segmentation"))
    }
  }

  @Test("slices in a folder of the series' own folder, and those in the folder above, are a finding")
  func nestedParts() throws {
    let parts = [("", "explicit", ["00.dcm", "02.dcm"]), ("more", "explicit", ["01.dcm", "03.dcm"])]
    let rest = "would continue the series; they are not read; in one folder the files are one image"
    try withDivided(parts) { root in
      for (path, place) in [
        ("/study", "more, a folder in it"), ("/study/more", "study, the folder above it"),
      ] {
        let found = try findings(of: root.appending(path: path))
        #expect(found == ["2 files in \(place), \(rest)"])
      }
    }
  }

  @Test("parts of a series that state two patients or two frames of reference are not joined")
  func partsOfTwoPatients() throws {
    let parts = [("a", "explicit", ["00.dcm", "02.dcm"]), ("b", "explicit", ["01.dcm", "03.dcm"])]
    for (group, number, representation, value): (UInt16, UInt16, String, String) in [
      (0x10, 0x20, "LO", "other"), (0x20, 0x52, "UI", "1.2.3"),
    ] {
      try withDivided(parts) { root in
        for name in ["01.dcm", "03.dcm"] {
          try setText(group, number, representation, value, in: root.appending(path: "study/b/" + name))
        }
        #expect(
          refusal(below: root) { _ = try ImageFile.open(root.path + "/study") }
            == "study: holds images only in its folders: found a: CT, Phantom, 2 files, 15x11x2, 00.dcm; "
            + "b: CT, Phantom, 2 files, 15x11x2, 01.dcm, expected one of these folders")
        let found = try findings(of: root.appending(path: "study/a"))
        #expect(found == [])
      }
    }
  }

  @Test("copies of a series, and parts that are no image together, stay images of their folders")
  func undividedSeries() throws {
    func refused(_ parts: [(String, String, [String])]) throws -> String {
      try withDivided(parts) { root in
        for part in parts {
          let image = try ImageFile.open(root.path + "/study/" + part.0)
          #expect(!image.findings.contains { $0.problem.contains("beside") })
        }
        return refusal(below: root) { _ = try ImageFile.open(root.path + "/study") }
      }
    }
    func list(_ lines: String...) -> String {
      "study: holds images only in its folders: found \(lines.joined(separator: "; ")), "
        + "expected one of these folders"
    }
    let all = "CT, Phantom, 4 files, 15x11x4, 00.dcm"
    #expect(
      try refused([("a", "explicit", Self.slices), ("b", "jpegls", Self.slices)])
        == list("a: \(all)", "b: \(all)"))
    #expect(
      try refused([("a", "explicit", ["00.dcm"]), ("b", "explicit", ["02.dcm", "03.dcm"])])
        == list("a: CT, Phantom, 1 file, 15x11x1, 00.dcm", "b: CT, Phantom, 2 files, 15x11x2, 02.dcm"))
  }

  @Test("a divided series beside another image is chosen by its number or UID in the folder above both")
  func dividedSeriesBesideImage() throws {
    let parts = [
      ("a", "explicit", ["00.dcm", "01.dcm"]),
      ("b", "two_series", ["03.dcm", "04.dcm", "05.dcm", "06.dcm"]),
      ("c", "explicit", ["02.dcm", "03.dcm"]),
    ]
    let uid = "1.2.826.0.1.3680043.10.1499.2.1"
    let whole = try ImageFile.open(fixture("DICOM/explicit")).scalarVolume()
    for segmentations in [[], [("", "segmentation", ["binary.dcm"])]] {
      try withDivided(parts + segmentations) { root in
        let study = root.path + "/study"
        // The UID of the divided series is the beginning of that of the other one.
        for name in ["03.dcm", "04.dcm", "05.dcm", "06.dcm"] {
          try setText(0x20, 0xe, "UI", uid + "0", in: root.appending(path: "study/b/" + name))
        }
        func opened(_ series: String) throws -> ImageFile {
          try ImageFile.open(study, options: ImageReadingOptions(series: series))
        }
        for series in ["1", uid] {
          let image = try opened(series)
          #expect(try image.scalarVolume() == whole)
          // Where folders are added, the number may be that of another image.
          #expect(image.seriesInFile == uid && image.path == study && image.files.count == 4)
          #expect(
            image.findings.map(\.description) == [
              "the files of the series lie in 2 folders: a, c; they are read as one image"
            ])
        }
        let choices = try ImageFile.choices(of: study)
        #expect(choices.contains(.series))
        let other = try opened("2")
        #expect(try other.scalarVolume() == ImageFile.open(study + "/b").scalarVolume())
        #expect(other.seriesInFile == nil)
        let list =
          "1: a, c: CT, Phantom, 4 files, 15x11x4, 00.dcm; 2: b: CT, Phantom, 4 files, 15x11x4, 03.dcm"
        #expect(
          refusal(below: root) { _ = try opened("3") }
            == "study: has no such series: found 3, expected \(list)")
        if segmentations.isEmpty {
          #expect(
            refusal(below: root) { _ = try ImageFile.open(study) }
              == "study: holds images only in its folders: found \(list), "
              + "expected --series NUMBER, or one of these folders")
        }
      }
    }
  }

  /// The item of a sequence that maps stored numbers to other values.
  private func mapping(slope: Double, intercept: Double) -> [UInt8] {
    func element(_ number: UInt8, _ value: Double) -> [UInt8] {
      [0x40, 0, number, 0x92] + Array("FD".utf8) + [8, 0] + bytes(value.bitPattern)
    }
    let elements = element(0x24, intercept) + element(0x25, slope)
    return [0xfe, 0xff, 0, 0xe0] + bytes(UInt32(elements.count)) + elements
  }

  @Test(
    "values that are stated in another unit are one finding, and none where they are those of the scaling")
  func realWorldValues() throws {
    let finding =
      "RealWorldValueMappingSequence (0040,9096) states other values, as in another unit; it is not applied; "
      + "RescaleSlope and RescaleIntercept are, where they are stated"
    let (other, same) = (mapping(slope: 0.5, intercept: 3), mapping(slope: 1, intercept: -1024))
    for (items, expected) in [(other, [finding]), (same, []), (other + same, [])] {
      try withDicomCopy(of: "explicit") { folder in
        let voxels = try ImageFile.open(folder.path).scalarVolume().voxels
        for name in Self.slices {
          try setElement(0x40, 0x9096, "SQ", items, in: folder.appending(path: name))
        }
        let image = try ImageFile.open(folder.path)
        #expect(try image.scalarVolume().voxels == voxels)
        #expect(image.findings.map(\.description) == expected)
      }
    }
  }
}
