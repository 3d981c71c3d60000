import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

/// The content that the script wrote into the DICOM files, by path.
private let expected: [String: ExpectedImage] = {
  guard let data = try? Data(contentsOf: fixtures.appending(path: "expected_dicom.json")),
    let decoded = try? JSONDecoder().decode([String: ExpectedImage].self, from: data)
  else { preconditionFailure("Fixtures/expected_dicom.json cannot be read") }
  return decoded
}()

/// Copies a folder of DICOM files and calls `body` with the copy.
func withDicomCopy<Result>(of name: String, _ body: (URL) throws -> Result) throws -> Result {
  try withTemporaryFolder { folder in
    let copy = folder.appending(path: FilePath.name(of: name))
    try FileManager.default.copyItem(atPath: fixture("DICOM/" + name), toPath: copy.path)
    return try body(copy)
  }
}

/// Replaces the first occurrence of bytes in a file; they must occur.
func replace(_ old: [UInt8], by new: [UInt8], in file: URL) throws {
  var content = try Data(contentsOf: file)
  let range = try #require(content.firstRange(of: Data(old)))
  content.replaceSubrange(range, with: new)
  try content.write(to: file)
}

/// The error of `body` without the paths of a folder.
func refusal(below folder: URL? = nil, _ body: () throws -> Void) -> String {
  do {
    try body()
    return "accepted"
  } catch { return folder.map { "\(error)".replacing($0.path + "/", with: "") } ?? "\(error)" }
}

@Suite("DICOM")
struct DicomReadingTests {
  @Test(
    "a series or file has the grid, type and values that were put into it", arguments: expected.keys.sorted())
  func goodFiles(name: String) throws {
    let image = try ImageFile.open(fixture(name))
    let wanted = try #require(expected[name])
    #expect(image.grid.size == GridSize(wanted.size[0], wanted.size[1], wanted.size[2]))
    #expect(image.frameSizes == wanted.frames)
    #expect(image.voxelType.rawValue == wanted.type)
    #expect(largestDifference(image.grid.affine, wanted.affine) < 1e-5)
    let values = try (0..<image.frameCount).flatMap { try image.scalarVolume(frame: $0).voxels }
    #expect(values == wanted.values.map { Float($0) })
  }

  @Test("a path to any file opens the series that the file belongs to")
  func fileOfSeries() throws {
    let whole = try ImageFile.open(fixture("DICOM/two_series"), options: ImageReadingOptions(series: "2"))
    for name in ["03.dcm", "06.dcm"] {
      let image = try ImageFile.open(fixture("DICOM/two_series/" + name))
      #expect(image.files == whole.files)
      #expect(try image.scalarVolume() == whole.scalarVolume())
    }
  }

  @Test("several series are listed, and chosen by number or UID")
  func severalSeries() throws {
    let folder = fixture("DICOM/two_series")
    func open(_ series: String?) throws -> Int {
      try ImageFile.open(folder, options: ImageReadingOptions(series: series)).grid.size.k
    }
    #expect(
      refusal { _ = try open(nil) }
        == "\(folder): holds 2 series: found 1: CT, Phantom, 3 files, 15x11x3, 00.dcm; "
        + "2: CT, Phantom, 4 files, 15x11x4, 03.dcm, expected --series NUMBER, or the path of a file of one")
    #expect(try open("1") == 3)
    #expect(try open("1.2.826.0.1.3680043.10.1499.2.2") == 4)
    #expect(refusal { _ = try open("3") }.contains("has no such series: found 3, expected 1: CT"))
    #expect(
      refusal {
        _ = try ImageFile.open(fixture("nifti1_u1_le.nii"), options: ImageReadingOptions(series: "1"))
      }
      .hasSuffix("leaves no series to choose: found --series 1, expected no such option with NIfTI"))
  }

  @Test("what is shown contains no patient data")
  func patient() throws {
    try withDicomCopy(of: "two_series") { folder in
      for name in ["00.dcm", "01.dcm", "02.dcm"] {
        try replace(Array("Phantom ".utf8), by: Array("of Made ".utf8), in: folder.appending(path: name))
      }
      let shown = refusal { _ = try ImageFile.open(folder.path) }
      #expect(shown.contains("1: CT, 3 files") && shown.contains("2: CT, Phantom, 4 files"))
    }
  }

  @Test("a missing, duplicate, larger or shifted slice is refused by name")
  func slices() throws {
    func refused(_ change: (URL) throws -> Void) throws -> String {
      try withDicomCopy(of: "explicit") { folder in
        try change(folder)
        return refusal(below: folder.deletingLastPathComponent()) { _ = try ImageFile.open(folder.path) }
      }
    }
    #expect(
      try refused { try FileManager.default.removeItem(at: $0.appending(path: "01.dcm")) }
        == "explicit: 1 slice is missing between 00.dcm and 02.dcm: found 5 mm, "
        + "expected 2.5 mm, as between others")
    #expect(
      try refused {
        try FileManager.default.copyItem(at: $0.appending(path: "01.dcm"), to: $0.appending(path: "x.dcm"))
      }
        == "explicit: 01.dcm and x.dcm lie at the same position: found 1 of 4 positions with several slices, "
        + "expected one, or the same number everywhere")
    let rows: [UInt8] = [0x28, 0, 0x10, 0, 0x55, 0x53, 2, 0]
    #expect(
      try refused { try replace(rows + [11], by: rows + [10], in: $0.appending(path: "02.dcm")) }
        == "explicit: 02.dcm has another size than the other slices: found 15x10, expected 15x11")
    #expect(
      try refused {
        try replace(Array("\\12.75".utf8), by: Array("\\13.75".utf8), in: $0.appending(path: "02.dcm"))
      }
        == "explicit: its slices are not evenly spaced: 01.dcm and 02.dcm: found 3.5 mm, expected 2.5 mm, "
        + "as between others")
  }

  @Test("missing slices are counted, and the largest gap is named by the files beside it")
  func missingSlices() throws {
    try withDicomCopy(of: "explicit") { folder in
      let depths = ["20.25", "22.75", "30.25"]
      for (number, depth) in depths.enumerated() {
        let copy = folder.appending(path: "\(number + 4).dcm")
        try FileManager.default.copyItem(at: folder.appending(path: "03.dcm"), to: copy)
        try replace(Array("\\15.25".utf8), by: Array("\\\(depth)".utf8), in: copy)
      }
      #expect(
        refusal(below: folder.deletingLastPathComponent()) { _ = try ImageFile.open(folder.path) }
          == "explicit: 3 slices are missing, 2 of them between 5.dcm and 6.dcm: found 7.5 mm, "
          + "expected 2.5 mm, as between others")
    }
  }

  @Test(
    "a damaged file that is no slice of the image is a finding, a damaged slice is an error with its name")
  func damagedFiles() throws {
    func cut(_ file: URL, at count: Int) throws {
      try Data(contentsOf: file).prefix(count).write(to: file)
    }
    try withDicomCopy(of: "two_series") { folder in
      func open(_ series: String) throws -> ImageFile {
        try ImageFile.open(folder.path, options: ImageReadingOptions(series: series))
      }
      let whole = try open("2").scalarVolume()
      try cut(folder.appending(path: "00.dcm"), at: 1000)
      let image = try open("2")
      #expect(
        image.findings.map(\.description) == [
          "00.dcm cannot be read (the pixels are cut off); it is not part of this series"
        ])
      #expect(try image.scalarVolume() == whole)
      let error = "00.dcm: the pixels are cut off: found 262 bytes, expected 330 (15x11x1 of 16 bits)"
      #expect(refusal(below: folder) { _ = try open("1") } == error)
      #expect(
        refusal(below: folder) { _ = try ImageFile.open(folder.appending(path: "01.dcm").path) } == error)
      // Nothing tells of which series these two are.
      for name in ["a", "b"] {
        let file = folder.appending(path: name)
        try FileManager.default.copyItem(at: folder.appending(path: "01.dcm"), to: file)
        try cut(file, at: 200)
      }
      let problem = try open("2").findings.map(\.description).filter { $0.hasPrefix("a cannot be read (") }
      #expect(problem.count == 1)
      #expect(
        problem[0].hasSuffix(
          "), nor can 1 other file; they are left out; see that no slice of this series is missing"))
    }
  }

  @Test("values that a table gives are refused, unless a slope is stated too")
  func lookUpTable() throws {
    // ModalityLUTSequence with an empty item, before the pixels.
    let pixels: [UInt8] = [0xe0, 0x7f, 0x10, 0]
    let table: [UInt8] = [0x28, 0, 0, 0x30, 0x53, 0x51, 0, 0, 8, 0, 0, 0, 0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0]
    try withDicomCopy(of: "explicit") { folder in
      let files = ["00.dcm", "01.dcm", "02.dcm", "03.dcm"].map { folder.appending(path: $0) }
      for file in files { try replace(pixels, by: table + pixels, in: file) }
      #expect(
        try ImageFile.open(folder.path).findings.map(\.description) == [
          "ModalityLUTSequence and RescaleSlope are both stated; RescaleSlope and RescaleIntercept are used"
        ])
      for file in files { try replace([0x28, 0, 0x53, 0x10], by: [0x29, 0, 0x53, 0x10], in: file) }
      #expect(
        refusal(below: folder) { _ = try ImageFile.open(folder.path) }
          == "00.dcm: its values are to be looked up in a ModalityLUTSequence (0028,3000), which is not read: "
          + "expected RescaleSlope and RescaleIntercept, or neither")
    }
  }

  @Test("a folder whose folders hold images lists them; one without an image says what is expected")
  func folders() throws {
    try withTemporaryFolder { root in
      func opened() -> String { refusal(below: root) { _ = try ImageFile.open(root.path + "/all") } }
      let all = root.appending(path: "all")
      try FileManager.default.createDirectory(
        at: all.appending(path: "study/ct"), withIntermediateDirectories: true)
      #expect(
        opened()
          == "all: cannot be read: found a folder without an image, "
          + "expected a file, or a folder with the DICOM files of a series")
      try FileManager.default.copyItem(
        atPath: fixture("DICOM/two_series"), toPath: all.path + "/study/ct/both")
      try FileManager.default.copyItem(atPath: fixture("DICOM/enhanced"), toPath: all.path + "/b")
      #expect(
        opened()
          == "all: holds images only in its folders: found b: MR, Phantom, 1 file, 15x11x6, 00.dcm; "
          + "study/ct/both: CT, Phantom, 3 files, 15x11x3, 00.dcm; "
          + "study/ct/both: CT, Phantom, 4 files, 15x11x4, 03.dcm, expected one of these folders")
    }
  }

  @Test("slices displaced by the rounding of decimals are read as evenly spaced, with a finding")
  func rounding() throws {
    try withDicomCopy(of: "explicit") { folder in
      try replace(Array("\\12.75".utf8), by: Array("\\12.65".utf8), in: folder.appending(path: "02.dcm"))
      let image = try ImageFile.open(folder.path)
      #expect(image.grid.spacing.k == 2.5)
      #expect(image.findings.map(\.repair) == ["they are taken to be evenly spaced"])
    }
  }

  @Test("an unsupported compression, a mosaic and a colour image are refused by name")
  func refusedKinds() throws {
    func refused(_ name: String, _ old: String, _ new: String) throws -> String {
      try withDicomCopy(of: name) { folder in
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
          try replace(Array(old.utf8), by: Array(new.utf8), in: file)
        }
        return refusal(below: folder) { _ = try ImageFile.open(folder.path) }
      }
    }
    #expect(
      try refused(
        "jpeg2000", "UI\u{16}\0" + "1.2.840.10008.1.2.4.90", "UI\u{18}\0" + "1.2.840.10008.1.2.4.201\0"
      ).hasSuffix(
        ".dcm: is compressed as HTJ2K lossless, which cannot be read: "
          + "expected JPEG, JPEG-LS, JPEG 2000, RLE or no compression"))
    #expect(
      try refused("explicit", "PRIMARY\\AXIAL", "PRIM\\X\\MOSAIC").contains(
        "is a Siemens mosaic: all slices in one picture"))
    #expect(
      try refused("explicit", "MONOCHROME2 ", "RGB         ")
        .hasSuffix(".dcm: is in colour: found RGB, expected one number for each pixel"))
  }

  @Test("reading stops at any poll and reports progress")
  func cancellation() throws {
    let image = try ImageFile.open(fixture("DICOM/explicit"))
    try expectStops(atEachOf: 3) { work in _ = try image.scalarVolume(work: work) }
  }
}

@Suite("Damaged DICOM")
struct DamagedDicomTests {
  private static let files = ["explicit/00.dcm", "deflated/00.dcm", "jpeg2000/00.dcm", "enhanced/00.dcm"]

  /// Opens and reads a file with this content, alone in a folder.
  private func read(_ content: Data, _ folder: URL) throws -> ScalarVolume {
    let file = folder.appending(path: "a.dcm")
    try content.write(to: file)
    return try ImageFile.open(file.path).scalarVolume(frame: 0)
  }

  @Test("a file that is cut at any byte is refused with one line or read whole", arguments: files)
  func cuts(name: String) throws {
    let whole = try Data(contentsOf: URL(filePath: fixture("DICOM/" + name)))
    try withTemporaryFolder { folder in
      let voxels = try read(whole, folder).voxels
      for count in stride(from: 0, to: whole.count, by: whole.count > 4000 ? 7 : 1) {
        do {
          #expect(try read(whole.prefix(count), folder).voxels == voxels, "cut at byte \(count)")
        } catch let error as InputError {
          #expect(!error.description.contains("\n"))
        }
      }
    }
  }

  @Test("a file with a changed byte is refused with one line or read", arguments: files)
  func changes(name: String) throws {
    let whole = try Data(contentsOf: URL(filePath: fixture("DICOM/" + name)))
    var generator = SplitMix64(seed: 5)
    try withTemporaryFolder { folder in
      for position in stride(from: 128, to: whole.count, by: 3) {
        var changed = whole
        changed[position] = UInt8.random(in: 0...255, using: &generator)
        do { _ = try read(changed, folder) } catch let error as InputError {
          #expect(!error.description.contains("\n"))
        }
      }
    }
  }

  @Test("endlessly nested sequences, and lengths beyond the file, are refused")
  func structure() throws {
    let beginning = try Data(contentsOf: URL(filePath: fixture("DICOM/explicit/00.dcm"))).prefix(132)
    // OtherPatientIDsSequence of undefined length, with an item of undefined length that contains the next one.
    let nested: [UInt8] = [
      0x10, 0, 0x02, 0x10, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff,
      0xff,
    ]
    try withTemporaryFolder { folder in
      let deep = beginning + Data((0..<100_000).flatMap { _ in nested })
      #expect(
        refusal(below: folder) { _ = try read(deep, folder) }
          == "a.dcm: (0010,1002) at byte 464 is nested too deep: found 17 sequences, expected 16 or fewer")
      let long = beginning + Data([0x08, 0, 0x08, 0, 0x55, 0x54, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x41])
      #expect(
        refusal(below: folder) { _ = try read(long, folder) }
          == "a.dcm: (0008,0008) at byte 144 is cut off: found 1 byte, expected 4294967294")
    }
  }

  @Test("more frames than any image has are refused, because each takes memory whatever its pixels take")
  func frames() throws {
    let whole = try Data(contentsOf: URL(filePath: fixture("DICOM/enhanced/00.dcm")))
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "a.dcm")
      try whole.write(to: file)
      let header: [UInt8] = [0x28, 0, 8, 0, 0x49, 0x53]
      try replace(
        header + [2, 0] + Array("6 ".utf8), by: header + [6, 0] + Array("262145".utf8), in: file)
      #expect(
        refusal(below: folder) { _ = try ImageFile.open(file.path) }
          == "a.dcm: NumberOfFrames (0028,0008) is not a count that is read: found 262145, expected 1 to 262144"
      )
    }
  }

  @Test("sizes that the file cannot hold are refused before memory is allocated")
  func sizes() throws {
    let whole = try Data(contentsOf: URL(filePath: fixture("DICOM/jpeg2000/00.dcm")))
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "a.dcm")
      try whole.write(to: file)
      for element: UInt8 in [0x10, 0x11] {
        let header: [UInt8] = [0x28, 0, element, 0, 0x55, 0x53, 2, 0]
        try replace(header + [element == 0x10 ? 11 : 15, 0], by: header + [0xff, 0xff], in: file)
      }
      #expect(
        refusal(below: folder) { _ = try ImageFile.open(file.path) }
          .contains("holds fewer bytes than its pixels can be compressed to"))
    }
  }
}
