import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

@Suite("Series of DICOM files")
struct DicomSeriesTests {
  /// Sets BitsStored, HighBit and PixelRepresentation of a file.
  private func setBits(_ stored: UInt8, isSigned: Bool, in file: URL) throws {
    try setElement(0x28, 0x101, "US", [stored, 0], in: file)
    try setElement(0x28, 0x102, "US", [stored - 1, 0], in: file)
    try setElement(0x28, 0x103, "US", [isSigned ? 1 : 0, 0], in: file)
  }

  @Test("slices that differ in their stored bits or sign are one image with the same values")
  func bits() throws {
    let whole = try ImageFile.open(fixture("DICOM/explicit")).scalarVolume()
    func read(_ changes: [String: (UInt8, Bool)]) throws -> (VoxelType, ScalarVolume) {
      try withDicomCopy(of: "explicit") { folder in
        for (name, bits) in changes {
          try setBits(bits.0, isSigned: bits.1, in: folder.appending(path: name))
        }
        let image = try ImageFile.open(folder.path)
        return (image.voxelType, try image.scalarVolume())
      }
    }
    let wide = try read(["02.dcm": (16, false)])
    #expect(wide.0 == .uint16 && wide.1.voxels == whole.voxels)
    let signed = try read(["01.dcm": (13, true)])
    #expect(signed.0 == .int16 && signed.1.voxels == whole.voxels)
    // No 16-bit type holds the numbers of both.
    let both = try read(["01.dcm": (13, true), "02.dcm": (16, false)])
    #expect(both.0 == .float32 && both.1.voxels == whole.voxels)
  }

  @Test("a slice with another kind of pixels is refused with what differs")
  func kinds() throws {
    func refused(_ change: (URL) throws -> Void) throws -> String {
      try withDicomCopy(of: "explicit") { folder in
        try change(folder.appending(path: "02.dcm"))
        return refusal(below: folder.deletingLastPathComponent()) { _ = try ImageFile.open(folder.path) }
      }
    }
    #expect(
      try refused { try setText(0x28, 0x4, "CS", "MONOCHROME1", in: $0) }
        == "explicit: 02.dcm has other pixels than the other slices: found MONOCHROME1, expected MONOCHROME2")
    #expect(
      try refused { file in
        try setElement(0x28, 0x100, "US", [8, 0], in: file)
        try setBits(8, isSigned: false, in: file)
      } == "explicit: 02.dcm has other pixels than the other slices: found 8 bits allocated, expected 16")
  }

  @Test("images of one series say in what they differ; those of one file are only chosen by number")
  func stacks() throws {
    try withDicomCopy(of: "explicit") { folder in
      for name in ["02.dcm", "03.dcm"] {
        try setText(0x20, 0x37, "DS", "1\\0\\0\\0\\0\\-1", in: folder.appending(path: name))
      }
      #expect(
        refusal(below: folder.deletingLastPathComponent()) { _ = try ImageFile.open(folder.path) }
          == "explicit: is one series of 2 images that differ in orientation or spacing: "
          + "found 1: CT, Phantom, 2 files, 15x11x2, 00.dcm; 2: CT, Phantom, 2 files, 15x11x2, 02.dcm, "
          + "expected --series NUMBER, or the path of a file of one")
    }
    try withDicomCopy(of: "enhanced") { folder in
      // The stack of the frames of the second time point.
      let file = folder.appending(path: "00.dcm")
      let stack: [UInt8] = [0x20, 0, 0x56, 0x90, 0x53, 0x48, 2, 0]
      for _ in 0..<3 { try replace(stack + Array("1 ".utf8), by: stack + Array("2 ".utf8), in: file) }
      let parent = folder.deletingLastPathComponent()
      #expect(
        refusal(below: parent) { _ = try ImageFile.open(folder.path) }
          == "enhanced: is one series of 2 images that differ in their stacks (0020,9056): "
          + "found 1: MR, Phantom, 1 file, 15x11x3, 00.dcm; 2: MR, Phantom, 1 file, 15x11x3, 00.dcm, "
          + "expected --series NUMBER")
      let file2 = try ImageFile.open(file.path, options: ImageReadingOptions(series: "2"))
      #expect(file2.grid.size == GridSize(15, 11, 3) && file2.frameCount == 1)
      #expect(file2.seriesInFile == "2")
    }
  }

  @Test("a UID that several series begin with is ambiguous, and these are listed")
  func ambiguousUID() throws {
    let folder = fixture("DICOM/two_series")
    #expect(
      refusal {
        _ = try ImageFile.open(folder, options: ImageReadingOptions(series: "1.2.826.0.1.3680043.10.1499.2"))
      }
        == "\(folder): has 2 series of this number or UID: found 1.2.826.0.1.3680043.10.1499.2, "
        + "expected 1: CT, Phantom, 3 files, 15x11x3, 00.dcm; 2: CT, Phantom, 4 files, 15x11x4, 03.dcm")
  }

  @Test("multi-frame files of one series that differ in their number or time are time points")
  func multiFrameFiles() throws {
    let times = ["101010", "101020.5"]
    for (group, element, vr, texts): (UInt16, UInt16, String, [String]) in [
      (0x20, 0x13, "IS", ["2", "1"]), (0x20, 0x12, "IS", ["2", "1"]), (0x8, 0x32, "TM", times.reversed()),
      (0x8, 0x33, "TM", times.reversed()),
    ] {
      try withDicomCopy(of: "enhanced") { folder in
        let first = folder.appending(path: "00.dcm")
        let second = folder.appending(path: "01.dcm")
        let whole = try ImageFile.open(folder.path)
        let volumes = try (0..<2).map { try whole.scalarVolume(frame: $0).voxels }
        try FileManager.default.copyItem(at: first, to: second)
        try setText(0x8, 0x18, "UI", "1.2.3", in: second)
        for (file, text) in zip([first, second], texts) {
          try setText(0x20, 0x13, "IS", "1", in: file)
          try setText(group, element, vr, text, in: file)
        }
        let image = try ImageFile.open(folder.path)
        #expect(image.frameSizes == [4])
        let read = try (0..<4).map { try image.scalarVolume(frame: $0).voxels }
        #expect(read == [volumes[0], volumes[0], volumes[1], volumes[1]])
      }
    }
  }

  @Test("a slice that a time point lacks is named by its time point and position")
  func incompleteTimePoint() throws {
    try withDicomCopy(of: "times") { folder in
      for name in ["05.dcm"] { try FileManager.default.removeItem(at: folder.appending(path: name)) }
      #expect(
        refusal(below: folder.deletingLastPathComponent()) { _ = try ImageFile.open(folder.path) }
          == "times: 1 slice is missing: found none of acquisition 2 at the position of 04.dcm, "
          + "expected a slice of each acquisition at every position")
    }
  }

  @Test("slices that no attribute distinguishes are named, with their number at each position")
  func indistinguishable() throws {
    try withDicomCopy(of: "times") { folder in
      for name in folderNames(folder) {
        try setText(0x20, 0x12, "IS", nil, in: folder.appending(path: name))
        try setText(0x20, 0x13, "IS", nil, in: folder.appending(path: name))
      }
      #expect(
        refusal(below: folder.deletingLastPathComponent()) { _ = try ImageFile.open(folder.path) }
          == "times: 00.dcm and 01.dcm lie at the same position: found 2 slices at each position, which no "
          + "attribute distinguishes, expected one, or slices that differ in time, echo or b value")
      // An attribute that would distinguish them is no number.
      try setText(0x18, 0x81, "DS", "5,1", in: folder.appending(path: "01.dcm"))
      #expect(
        refusal(below: folder.deletingLastPathComponent()) { _ = try ImageFile.open(folder.path) }
          == "times: 00.dcm and 01.dcm lie at the same position: found 2 slices at each position, and echo time "
          + "(0018,0081) is 5,1 in 01.dcm, expected one, or slices that differ in time, echo or b value")
    }
  }
}

@Suite("Unusual DICOM files and folders")
struct UnusualDicomTests {
  @Test(
    "a file with the name of a DICOM file but without its content is a finding, or may be the missing slice")
  func emptyFiles() throws {
    let rest = "it is left out; see that no slice of this series is missing"
    for (name, content, problem) in [
      ("03.dcm", Data(), "is empty"), ("03.dcm", Data(count: 400), "is not a DICOM file"),
      ("IM0004", Data(), "is empty"), ("1.2.826.4", Data(), "is empty"),
    ] {
      try withDicomCopy(of: "explicit") { folder in
        try FileManager.default.removeItem(at: folder.appending(path: "03.dcm"))
        try content.write(to: folder.appending(path: name))
        let image = try ImageFile.open(folder.path)
        #expect(image.grid.size.k == 3)
        #expect(image.findings.map(\.description) == ["\(name) cannot be read (\(problem)); \(rest)"])
      }
    }
    try withDicomCopy(of: "explicit") { folder in
      try Data().write(to: folder.appending(path: "01.dcm"))
      #expect(
        refusal(below: folder.deletingLastPathComponent()) { _ = try ImageFile.open(folder.path) }
          == "explicit: 1 slice is missing between 00.dcm and 02.dcm: found 5 mm, expected 2.5 mm, "
          + "as between others; 01.dcm, which cannot be read, may be it")
    }
  }

  @Test(
    "whatever cannot be opened beside slices is a finding with the reason, also a link that leads nowhere")
  func unopenedFiles() throws {
    let rest = "it is left out; see that no slice of this series is missing"
    func findings(_ change: (URL) throws -> Void) throws -> [String] {
      try withDicomCopy(of: "explicit") { folder in
        try FileManager.default.removeItem(at: folder.appending(path: "03.dcm"))
        try change(folder)
        return try ImageFile.open(folder.path).findings.map(\.description)
      }
    }
    for name in ["03.dcm", "IM0004", "slice.annex"] {
      #expect(
        try findings {
          try FileManager.default.createSymbolicLink(
            atPath: $0.appending(path: name).path, withDestinationPath: "../annex/03.dcm")
        } == [
          "\(name) cannot be read (a link to ../annex/03.dcm, No such file or directory); \(rest)"
        ])
      // Nobody may refuse root to read a file.
      guard geteuid() != 0 else { continue }
      #expect(
        try findings {
          let file = $0.appending(path: name)
          try Data(count: 400).write(to: file)
          chmod(file.path, 0)
        } == ["\(name) cannot be read (Permission denied); \(rest)"])
    }
    let beginning = try Data(contentsOf: URL(filePath: fixture("DICOM/explicit/03.dcm"))).prefix(100)
    for name in ["03.dcm", "IM0004"] {
      #expect(
        try findings { try beginning.write(to: $0.appending(path: name)) } == [
          "\(name) cannot be read (ends after 100 bytes); \(rest)"
        ])
    }
    #expect(
      try findings { folder in
        try Data("Acquired without contrast\n".utf8).write(to: folder.appending(path: "README"))
        try FileManager.default.createDirectory(
          at: folder.appending(path: "derived"), withIntermediateDirectories: true)
      } == [])
  }

  @Test("a truncated file with the suffix of the slices is a finding whatever that suffix is")
  func unusualSuffix() throws {
    try withDicomCopy(of: "explicit") { folder in
      for name in folderNames(folder) {
        try FileManager.default.moveItem(
          at: folder.appending(path: name),
          to: folder.appending(path: name.replacingOccurrences(of: ".dcm", with: ".mr")))
      }
      try Data(count: 64).write(to: folder.appending(path: "03.mr"))
      try Data(count: 64).write(to: folder.appending(path: "03.bin"))
      #expect(
        try ImageFile.open(folder.path).findings.map(\.description) == [
          "03.mr cannot be read (ends after 64 bytes); it is left out; see that no slice of this series is missing"
        ])
    }
  }

  @Test("a folder of slices of which none can be opened is refused with the reason")
  func nothingOpened() throws {
    try withDicomCopy(of: "explicit") { folder in
      for name in folderNames(folder) {
        let file = folder.appending(path: name)
        try FileManager.default.removeItem(at: file)
        try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: "../annex/\(name)")
      }
      #expect(
        refusal(below: folder.deletingLastPathComponent()) { _ = try ImageFile.open(folder.path) }
          == "explicit/00.dcm: cannot be opened: found a link to ../annex/00.dcm, No such file or directory")
    }
  }

  @Test("a slice that ends before its pixels is refused with its name")
  func missingPixels() throws {
    try withDicomCopy(of: "explicit") { folder in
      let file = folder.appending(path: "03.dcm")
      let content = try Data(contentsOf: file)
      let pixels = try #require(content.firstRange(of: Data([0xe0, 0x7f, 0x10, 0])))
      try content[..<pixels.lowerBound].write(to: file)
      #expect(
        refusal(below: folder) { _ = try ImageFile.open(folder.path) }
          == "03.dcm: has no pixels: expected an image, as the other files of its series")
    }
  }

  @Test("a slice of another patient, frame of reference or modality is a finding with its name")
  func mixtures() throws {
    for (group, element, vr, name): (UInt16, UInt16, String, String) in [
      (0x10, 0x20, "LO", "PatientID (0010,0020)"), (0x20, 0x52, "UI", "FrameOfReferenceUID (0020,0052)"),
      (0x8, 0x60, "CS", "Modality (0008,0060)"),
    ] {
      try withDicomCopy(of: "explicit") { folder in
        try setText(group, element, vr, "1.2", in: folder.appending(path: "02.dcm"))
        #expect(
          try ImageFile.open(folder.path).findings.map(\.description) == [
            "02.dcm has another \(name) than the rest of the series; it is read as part of the same image"
          ])
      }
    }
  }

  @Test("slices whose distance grows little by little are refused as unevenly spaced")
  func growingDistance() throws {
    try withDicomCopy(of: "explicit") { folder in
      let first = folder.appending(path: "00.dcm")
      let content = try Data(contentsOf: first)
      for name in folderNames(folder) {
        try FileManager.default.removeItem(at: folder.appending(path: name))
      }
      let depths = [
        "0.00", "2.40", "4.82", "7.26", "9.72", "12.20", "14.70", "17.22", "19.76", "22.32", "24.90", "27.50",
      ]
      for (number, depth) in depths.enumerated() {
        let file = folder.appending(path: "\(number).dcm")
        try content.write(to: file)
        try setText(0x20, 0x32, "DS", "-31.5\\42.25\\\(depth)", in: file)
      }
      let error = refusal { _ = try ImageFile.open(folder.path) }
      #expect(error.contains("its slices are not evenly spaced: "))
      #expect(
        error.hasSuffix(
          ".dcm lies 0.3 mm from its place: found distances from 2.4 to 2.6 mm, "
            + "expected one distance between all slices"))
    }
  }

  @Test("a file that begins with DICM, without the preamble before it, is read")
  func missingPreamble() throws {
    let whole = try ImageFile.open(fixture("DICOM/explicit"))
    try withDicomCopy(of: "explicit") { folder in
      for name in folderNames(folder) {
        let file = folder.appending(path: name)
        try Data(contentsOf: file).dropFirst(128).write(to: file)
      }
      for path in [folder.path, folder.appending(path: "01.dcm").path] {
        let image = try ImageFile.open(path)
        #expect(image.grid == whole.grid)
        #expect(try image.scalarVolume() == whole.scalarVolume())
      }
    }
  }

  @Test("the list of files of a medium is no image, and says what to open")
  func directoryFile() throws {
    try withDicomCopy(of: "explicit") { folder in
      let content = try Data(contentsOf: folder.appending(path: "00.dcm"))
      let pixels = try #require(content.firstRange(of: Data([0xe0, 0x7f, 0x10, 0])))
      let file = folder.appending(path: "DICOMDIR")
      try content[..<pixels.lowerBound].write(to: file)
      #expect(
        refusal(below: folder) { _ = try ImageFile.open(file.path) }
          == "DICOMDIR: holds no image, but a list of files: found DICOMDIR, expected the folder that it lies in"
      )
      #expect(try ImageFile.open(folder.path).files.count == 4)
    }
  }

  @Test("a folder of segmentations alone lists them")
  func onlySegmentations() throws {
    let folder = fixture("DICOM/segmentation")
    #expect(
      refusal { _ = try ImageFile.open(folder) }
        == "\(folder): holds no image, but 4 segmentations: found binary.dcm (2 segments), "
        + "fractional.dcm (2 segments), labelmap.dcm (2 segments), overlapping.dcm (2 segments), "
        + "expected the path of one, such as \(folder)/binary.dcm")
  }

  @Test("slices whose positions are rounded to a decimal place are read as evenly spaced, with a finding")
  func roundedPositions() throws {
    func opened(_ depths: [String]) throws -> (Double, [String]) {
      try withDicomCopy(of: "explicit") { folder in
        for (number, depth) in depths.enumerated() {
          let file = folder.appending(path: String(format: "%02d.dcm", number))
          if number > 3 {
            try FileManager.default.copyItem(at: folder.appending(path: "00.dcm"), to: file)
            try setText(0x8, 0x18, "UI", "1.2.3.\(number)", in: file)
          }
          try setText(0x20, 0x32, "DS", "-31.5\\42.25\\\(depth)", in: file)
        }
        let image = try ImageFile.open(folder.path)
        return (image.grid.spacing.k, image.findings.map(\.description))
      }
    }
    // 0.35 mm to a tenth: neighbours are 0.3 and 0.4 mm apart.
    let rounded = try opened(["0.0", "0.3", "0.7", "1.1"])
    #expect(abs(rounded.0 - 1.1 / 3) < 1e-9)
    #expect(
      rounded.1 == [
        "slices are up to 0.067 mm away from an even spacing of 0.3667 mm; they are taken to be evenly spaced"
      ])
    // The same positions, stated to a hundredth, are not rounded ones.
    #expect(
      refusal { _ = try opened(["0.00", "0.30", "0.70", "1.10"]) }.contains(
        "its slices are not evenly spaced"))
    // 0.15 mm to a tenth: neighbours are 0.1 and 0.2 mm apart.
    let fine = try opened(["0.0", "0.1", "0.3", "0.4"])
    #expect(abs(fine.0 - 0.4 / 3) < 1e-9 && fine.1.count == 1)
    let tenths = (0..<13).map { String(format: "%.1f", 0.15 * Double($0)) }
    #expect(abs(try opened(tenths).0 - 0.15) < 1e-9)
    // Without the seventh, no even spacing is rounded to these.
    #expect(
      refusal { _ = try opened(tenths.enumerated().filter { $0.offset != 6 }.map(\.element)) }.contains(
        "its slices are not evenly spaced"))
    #expect(
      refusal { _ = try opened(["0.0", "0.1", "0.5", "0.6"]) }.contains("3 slices are missing between"))
    // Whole millimetres are no rounding that is to be expected.
    #expect(refusal { _ = try opened(["0", "3", "5", "8"]) }.contains("its slices are not evenly spaced"))
  }
}
