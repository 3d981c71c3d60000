import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

@Suite("Numbers of DICOM files")
struct DicomNumberTests {
  private static let files = ["00.dcm", "01.dcm", "02.dcm", "03.dcm"]

  /// Opens a copy of a series after a change of every file.
  private func opened<Result>(
    _ change: (URL) throws -> Void, _ body: (ImageFile) throws -> Result
  ) throws -> Result {
    try withDicomCopy(of: "explicit") { folder in
      for name in Self.files { try change(folder.appending(path: name)) }
      return try body(try ImageFile.open(folder.path))
    }
  }

  private func refused(_ changed: [String] = files, _ change: (URL) throws -> Void) throws -> String {
    try withDicomCopy(of: "explicit") { folder in
      for name in changed { try change(folder.appending(path: name)) }
      return refusal(below: folder) { _ = try ImageFile.open(folder.path) }
    }
  }

  @Test("an intercept without a slope has slope 1, and a slope without an intercept has intercept 0")
  func halfOfScaling() throws {
    #expect(
      try opened({ try setText(0x28, 0x1053, "DS", nil, in: $0) }, \.scaling)
        == VoxelScaling(slope: 1, intercept: -1024))
    #expect(
      try opened(
        {
          try setText(0x28, 0x1052, "DS", nil, in: $0)
          try setText(0x28, 0x1053, "DS", "2", in: $0)
        }, \.scaling) == VoxelScaling(slope: 2, intercept: 0))
    let neither = try opened({
      for element: UInt16 in [0x1052, 0x1053] { try setText(0x28, element, "DS", nil, in: $0) }
    }) { ($0.scaling, $0.findings) }
    #expect(neither.0 == VoxelScaling() && neither.1 == [])
  }

  @Test(
    "a slope or intercept that is not one finite number is refused with its name",
    arguments: ["-1024x", "1,5", "nan", "1e400", "10\\2", "0x10", "\\"])
  func malformedScaling(text: String) throws {
    #expect(
      try refused(["00.dcm"]) { try setText(0x28, 0x1052, "DS", text, in: $0) }
        == "00.dcm: RescaleIntercept (0028,1052) is not usable: found \(text), expected one finite number")
    #expect(
      try refused(["02.dcm"]) { try setText(0x28, 0x1053, "DS", text, in: $0) }
        == "02.dcm: RescaleSlope (0028,1053) is not usable: found \(text), expected one finite number")
  }

  @Test("a slice without a scaling beside scaled slices is refused with its name")
  func unscaledSlice() throws {
    #expect(
      try refused(["02.dcm"]) {
        for element: UInt16 in [0x1052, 0x1053] { try setText(0x28, element, "DS", nil, in: $0) }
      }
        == "02.dcm: states neither RescaleSlope (0028,1053) nor RescaleIntercept (0028,1052): found none, "
        + "expected one, as 00.dcm has: 1 and -1024")
  }

  @Test("a slice that lacks only the slope or the intercept that others have is refused with its name")
  func halfScaledSlice() throws {
    func refused(_ element: UInt16, _ text: String?, slope: String) throws -> String {
      try withDicomCopy(of: "explicit") { folder in
        for name in Self.files { try setText(0x28, 0x1053, "DS", slope, in: folder.appending(path: name)) }
        try setText(0x28, element, "DS", text, in: folder.appending(path: "02.dcm"))
        return refusal(below: folder) { _ = try ImageFile.open(folder.path) }
      }
    }
    for text in [nil, ""] {
      #expect(
        try refused(0x1053, text, slope: "2")
          == "02.dcm: states no RescaleSlope (0028,1053): found none, expected one, as 00.dcm has: 2")
      #expect(
        try refused(0x1052, text, slope: "1")
          == "02.dcm: states no RescaleIntercept (0028,1052): found none, expected one, as 00.dcm has: -1024")
      // A slope of 1 is what a missing one means.
      #expect(try refused(0x1053, text, slope: "1") == "accepted")
    }
  }

  @Test(
    "a slope or intercept beyond the range of float32 is refused", arguments: ["1e39", "-1e39", "1e-300"])
  func scalingRange(text: String) throws {
    for (element, name): (UInt16, String) in [(0x1052, "RescaleIntercept"), (0x1053, "RescaleSlope")] {
      #expect(
        try refused(["00.dcm"]) { try setText(0x28, element, "DS", text, in: $0) }.hasSuffix(
          "is not usable: found \(text), expected a number in the range of float32"), "\(name)")
    }
  }

  @Test("a thickness that is no length is in the finding about a single slice")
  func thickness() throws {
    try withDicomCopy(of: "explicit") { folder in
      for name in Self.files.dropFirst() {
        try FileManager.default.removeItem(at: folder.appending(path: name))
      }
      try setText(0x18, 0x50, "DS", "5,0", in: folder.appending(path: "00.dcm"))
      #expect(
        try ImageFile.open(folder.path).findings.map(\.description) == [
          "there is one slice, and SliceThickness (0018,0050) is no length: 5,0; it is taken to be 1 mm thick"
        ])
    }
  }

  @Test("a scaling of a frame that is not one finite number is refused with the frame")
  func frameScaling() throws {
    func enhanced(_ old: String, _ new: String) throws -> String {
      try withDicomCopy(of: "enhanced") { folder in
        // The slope of the first frame that states one.
        try replace(Array(old.utf8), by: Array(new.utf8), in: folder.appending(path: "00.dcm"))
        return refusal(below: folder) { _ = try ImageFile.open(folder.path) }
      }
    }
    #expect(
      try enhanced("DS\u{2}\0" + "-3", "DS\u{2}\0" + "-x")
        == "00.dcm: frame 0: RescaleIntercept (0028,1052) is not usable: found -x, expected one finite number"
    )
    #expect(
      try enhanced("\\42.25\\12.75", "\\42.25\\12,75")
        == "00.dcm: frame 0: ImagePositionPatient (0020,0032) is not usable: found -31.5\\42.25\\12,75, "
        + "expected 3 finite numbers")
  }

  @Test("a spacing, orientation or position that is stated but not usable is refused with what was found")
  func geometry() throws {
    let lengths = "expected two lengths above 0 mm"
    for (text, expected) in [
      ("0\\0", lengths), ("-1\\1", lengths), ("1e7\\1", "expected two lengths from 1e-6 to 1e6 mm"),
      ("1e-9\\1", "expected two lengths from 1e-6 to 1e6 mm"), ("1,1\\0,9", "expected 2 finite numbers"),
      ("1.1", "expected 2 finite numbers"), ("1.1\\0.9\\1", "expected 2 finite numbers"),
    ] {
      #expect(
        try refused { try setText(0x28, 0x30, "DS", text, in: $0) }
          == "00.dcm: PixelSpacing (0028,0030) is not usable: found \(text), \(expected)")
    }
    let vectors = "expected two perpendicular unit vectors"
    for (text, expected) in [
      ("1\\0\\0\\1\\0\\0", vectors), ("2\\0\\0\\0\\2\\0", vectors), ("0\\0\\0\\0\\0\\0", vectors),
      ("1\\0\\0\\0\\1", "expected 6 finite numbers"),
    ] {
      #expect(
        try refused { try setText(0x20, 0x37, "DS", text, in: $0) }
          == "00.dcm: ImageOrientationPatient (0020,0037) is not usable: found \(text), \(expected)")
    }
    #expect(
      try refused { try setText(0x20, 0x32, "DS", "1e9\\0\\0", in: $0) }
        == "00.dcm: ImagePositionPatient (0020,0032) is not usable: found 1e9\\0\\0, "
        + "expected coordinates below 1 km")
    // An empty attribute is a missing one.
    #expect(
      try refused { try setText(0x28, 0x30, "DS", "", in: $0) }.contains("00.dcm does not say where it lies"))
  }

  @Test("a number of the pixels' format with several values is refused")
  func pixelFormat() throws {
    #expect(
      try refused { try setElement(0x28, 0x101, "US", [12, 0, 16, 0], in: $0) }
        == "00.dcm: BitsStored (0028,0101) is missing or not usable: found 12\\16, expected 1 to 16")
  }

  @Test("a highest bit that does not fit is refused with the only one that does")
  func highBit() throws {
    #expect(
      try refused { file in
        try setElement(0x28, 0x101, "US", [16, 0], in: file)
        try setElement(0x28, 0x102, "US", [11, 0], in: file)
      } == "00.dcm: HighBit (0028,0102) is missing or not usable: found 11, expected 15")
  }

  @Test("a number of frames that is no number or too large is refused as it is stated")
  func frameCount() throws {
    #expect(
      try refused { try setText(0x28, 0x8, "IS", "one", in: $0) }
        == "00.dcm: NumberOfFrames (0028,0008) is not usable: found one, expected one finite number")
    #expect(
      try refused { try setText(0x28, 0x8, "IS", "100000000", in: $0) }
        == "00.dcm: NumberOfFrames (0028,0008) is not a count that is read: found 100000000, "
        + "expected 1 to 262144")
  }
}
