import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

@Suite("References of DICOM segmentations")
struct DicomReferenceTests {
  /// The bytes of a segmentation of one frame of an image.
  private func segmentation(of image: ImageFile, frame: Int) throws -> Data {
    let labels = LabelVolume(
      grid: image.grid, voxels: (0..<image.grid.size.voxelCount).map { $0 % 7 == 0 ? 1 : 0 })
    return try withTemporaryFolder { folder in
      let path = folder.appending(path: "m.dcm").path
      try labels.write(to: path, source: image.source.ofFrame(frame))
      return try Data(contentsOf: URL(filePath: path))
    }
  }

  /// How often a text occurs, without the longer UIDs that begin with it.
  private func count(_ text: String, in data: Data) -> Int {
    var (count, rest) = (0, data[...])
    while let range = rest.firstRange(of: Data(text.utf8)) {
      let next = range.upperBound < data.endIndex ? data[range.upperBound] : 0
      if next != 0x2e, !(0x30...0x39).contains(next) { count += 1 }
      rest = data[range.upperBound...]
    }
    return count
  }

  @Test("a segmentation of one time point refers to the instances of that time point", arguments: [0, 1])
  func instances(frame: Int) throws {
    let image = try ImageFile.open(fixture("DICOM/times"))
    #expect(image.frameCount == 2)
    let data = try segmentation(of: image, frame: frame)
    // An instance is named in the list of the series and by the frame that was made from it.
    for slice in 1...4 {
      let uid = "1.2.826.0.1.3680043.10.1499.3.1.\(slice)"
      #expect(count("\(uid).\(frame + 1)", in: data) == 2)
      #expect(count("\(uid).\(2 - frame)", in: data) == 0)
    }
  }

  @Test("a segmentation of one time point of a multi-frame file refers to the frames of that time point")
  func frames() throws {
    let image = try ImageFile.open(fixture("DICOM/enhanced"))
    // The frames of the first time point are stored last, in the order of the slices 3, 1, 2.
    for (frame, expected) in [(0, ["5", "6", "4"]), (1, ["2", "3", "1"])] {
      let data = try segmentation(of: image, frame: frame)
      // ReferencedFrameNumber, an IS of two bytes.
      let header = Data([0x08, 0, 0x60, 0x11, 0x49, 0x53, 2, 0])
      var (numbers, rest) = ([String](), data[...])
      while let range = rest.firstRange(of: header) {
        numbers.append(
          String(decoding: data[range.upperBound..<range.upperBound + 2], as: UTF8.self)
            .trimmingCharacters(in: .whitespaces))
        rest = data[range.upperBound...]
      }
      #expect(numbers == expected)
    }
  }

  @Test("an image without UIDs of study, series or instances has findings, and its segmentation new UIDs")
  func missingUIDs() throws {
    try withDicomCopy(of: "explicit") { folder in
      for name in ["00.dcm", "01.dcm", "02.dcm", "03.dcm"] {
        for (group, element): (UInt16, UInt16) in [(0x20, 0xd), (0x20, 0xe), (0x8, 0x18)] {
          try setText(group, element, "UI", nil, in: folder.appending(path: name))
        }
      }
      let image = try ImageFile.open(folder.path)
      #expect(
        image.findings.map(\.description) == [
          "StudyInstanceUID is missing; a segmentation of this image gets a new one",
          "SeriesInstanceUID is missing; a segmentation of this image refers to a new one",
          "SOPClassUID or SOPInstanceUID is missing; a segmentation of this image refers to no instance",
        ])
      let data = try segmentation(of: image, frame: 0)
      // StudyInstanceUID has a value.
      let header = try #require(data.firstRange(of: Data([0x20, 0, 0x0d, 0, 0x55, 0x49])))
      #expect(data[header.upperBound] > 0)
    }
  }

  /// An element of a segmentation that is replaced, or removed where its value is nil.
  private typealias Change = (group: UInt16, element: UInt16, vr: String, value: [UInt8]?)

  /// The finding of a changed segmentation that is read for the image that it was made from.
  private func finding(_ changes: [Change]) throws -> String? {
    try withDicomCopy(of: "segmentation") { folder in
      let file = folder.appending(path: "binary.dcm")
      for change in changes {
        try setElement(change.group, change.element, change.vr, change.value, in: file)
      }
      let image = try ImageFile.open(fixture("DICOM/explicit"))
      let mask = try ImageFile.open(file.path).extended(to: image.grid)
      return Finding(of: mask, readFor: image)?.description
    }
  }

  /// A sequence of one item with a UID.
  private func sequence(_ group: UInt16, _ element: UInt16, uidElement: UInt16, _ uid: String) -> Change {
    let text = Array(uid.utf8) + [UInt8](repeating: 0, count: uid.utf8.count % 2)
    let content =
      bytes(UInt16(0x20)) + bytes(uidElement) + Array("UI".utf8) + bytes(UInt16(text.count)) + text
    let header = bytes(UInt16(0xfffe)) + bytes(UInt16(0xe000)) + bytes(UInt32(content.count))
    return (group, element, "SQ", header + content)
  }

  @Test(
    "a segmentation of another patient, study or frame of reference than the image has a finding without UIDs"
  )
  func otherSubjects() throws {
    let otherPatient: Change = (0x10, 0x20, "LO", Array("4711".utf8))
    let otherStudy: Change = (0x20, 0xd, "UI", Array("1.2.3".utf8))
    let otherFrame: Change = (0x20, 0x52, "UI", Array("1.2.4".utf8))
    let noSeries: Change = (0x8, 0x1115, "SQ", nil)
    func text(_ differences: String) -> String {
      "it is of another \(differences) than \(fixture("DICOM/explicit")); its voxels are read by its grid alone"
    }
    #expect(try finding([otherPatient]) == text("patient"))
    #expect(try finding([otherStudy, noSeries]) == text("study"))
    #expect(try finding([otherFrame]) == text("frame of reference"))
    #expect(
      try finding([otherPatient, otherStudy, otherFrame, noSeries])
        == text("patient, study and frame of reference"))
  }

  @Test("a segmentation that nothing contradicts to be of the image has no such finding")
  func sameSubjects() throws {
    let otherStudy: Change = (0x20, 0xd, "UI", Array("1.2.3".utf8))
    #expect(try finding([]) == nil)
    // Of another series of the same study.
    #expect(try finding([sequence(0x8, 0x1115, uidElement: 0xe, "1.2.5")]) == nil)
    // In a study of its own, but of the image's series, or with a reference to the image's study.
    #expect(try finding([otherStudy]) == nil)
    let studies = sequence(0x8, 0x1200, uidElement: 0xd, "1.2.826.0.1.3680043.10.1499.1")
    #expect(try finding([otherStudy, (0x8, 0x1115, "SQ", nil), studies]) == nil)
    // Without any of the attributes.
    #expect(
      try finding([
        (0x8, 0x1115, "SQ", nil), (0x10, 0x20, "LO", nil), (0x20, 0xd, "UI", nil), (0x20, 0x52, "UI", nil),
      ]) == nil)
  }

  @Test("only DICOM files state a subject, and series and segmentations of it state the same")
  func subjects() throws {
    let image = try ImageFile.open(fixture("DICOM/explicit"))
    let mask = try ImageFile.open(fixture("DICOM/segmentation/binary.dcm"))
    #expect(image.dicomSubject != nil && image.dicomSubject == mask.dicomSubject)
    let other = try ImageFile.open(
      fixture("NRRD/overlapping.seg.nrrd"), options: ImageReadingOptions(layer: 0))
    #expect(other.dicomSubject == nil && Finding(of: other, readFor: image) == nil)
  }
}
