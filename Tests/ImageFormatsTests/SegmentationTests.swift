import Foundation
import ImageFormats
import Testing
import Volumes
import Work

/// A mask of the fixtures' segmentations, whose liver is a block and whose second label is the first voxel.
private func segments(_ liver: UInt16, _ other: UInt16, overlap: UInt16? = nil) -> [UInt16] {
  (0..<60).map { offset in
    let (i, j) = (offset % 5, offset / 5 % 4)
    if offset == 0 { return other }
    if let overlap, offset == 2 + 5 + 20 { return overlap }
    return (1..<4).contains(i) && (1..<3).contains(j) ? liver : 0
  }
}

private let names = [
  LabelNames.Entry(value: 1, name: "liver", colour: RGBColour(204, 51, 0)),
  LabelNames.Entry(value: 2, name: "left kidney", colour: RGBColour(0, 153, 255)),
]

@Suite("Segmentations of 3D Slicer")
struct SegmentationTests {
  @Test("the segments of one layer are labels with their names and colours")
  func oneLayer() throws {
    let image = try ImageFile.open(fixture("NRRD/one_layer.seg.nrrd"))
    #expect(try image.labelVolume().voxels == segments(1, 2))
    #expect(image.labelNames?.entries == names)
    #expect(LabelNamesFile.read(of: image, values: nil)?.entries == names)
  }

  @Test("segments of several layers are labels of one mask, numbered where they share a value")
  func layers() throws {
    let image = try ImageFile.open(fixture("NRRD/apart.seg.nrrd"))
    #expect(try image.labelVolume().voxels == segments(1, 2))
    #expect(image.labelNames?.entries.map(\.name) == ["liver", "lesion"])
    #expect(
      image.findings.map(\.description) == [
        "segments of several layers have the same label value; they are numbered from 1 in their order in the file"
      ])
  }

  @Test("of overlapping segments one layer or one segment is read, by its name, identifier or number")
  func choices() throws {
    let path = fixture("NRRD/overlapping.seg.nrrd")
    for (options, voxels, name) in [
      (ImageReadingOptions(layer: 0), segments(1, 0), "liver"),
      (ImageReadingOptions(layer: 1), segments(0, 2, overlap: 2), "lesion"),
      (ImageReadingOptions(segment: "LIVER"), segments(1, 0), "liver"),
      (ImageReadingOptions(segment: "Segment_2"), segments(0, 2, overlap: 2), "lesion"),
      (ImageReadingOptions(segment: "1"), segments(1, 0), "liver"),
      (ImageReadingOptions(segment: "2"), segments(0, 2, overlap: 2), "lesion"),
    ] {
      let image = try ImageFile.open(path, options: options)
      #expect(try image.labelVolume().voxels == voxels)
      #expect(image.labelNames?.entries.map(\.name) == [name])
    }
    // Where layers share a value, the numbers are those of the mask of all segments.
    let apart = try ImageFile.open(fixture("NRRD/apart.seg.nrrd"), options: ImageReadingOptions(segment: "2"))
    #expect(apart.labelNames?.entries.map(\.name) == ["lesion"])
  }

  @Test("layers are listed with the numbers that choose their segments")
  func numbers() throws {
    let image = try ImageFile.open(fixture("NRRD/apart.seg.nrrd"))
    #expect(image.layers.map { $0.entries.map(\.value) } == [[1], [2]])
    #expect(image.layers.map { $0.entries.map(\.name) } == [["liver"], ["lesion"]])
  }

  @Test(
    "a number chooses a segment before a name or identifier, and one's identifier as another's name is refused"
  )
  func ambiguousChoices() throws {
    func chosen(_ firstName: String, _ secondID: String, _ choice: String) throws -> String {
      try withTemporaryFolder { folder in
        let path = folder.appending(path: "a.seg.nrrd").path
        try Data(contentsOf: URL(filePath: fixture("NRRD/apart.seg.nrrd")))
          .replacing(Data("Segment0_Name:=liver".utf8), with: Data("Segment0_Name:=\(firstName)".utf8))
          .replacing(Data("Segment1_ID:=Segment_2".utf8), with: Data("Segment1_ID:=\(secondID)".utf8))
          .write(to: URL(filePath: path))
        do {
          let image = try ImageFile.open(path, options: ImageReadingOptions(segment: choice))
          return image.labelNames?.entries.map(\.name).joined(separator: ", ") ?? ""
        } catch { return "\(error)".replacing(folder.path + "/", with: "") }
      }
    }
    #expect(try chosen("2", "Segment_2", "2") == "lesion")
    #expect(try chosen("liver", "1", "1") == "liver")
    #expect(try chosen("7", "Segment_2", "7") == "7")
    #expect(try chosen("lesion", "Segment_2", "Segment_2") == "lesion")
    #expect(
      try chosen("spleen", "spleen", "spleen")
        == "a.seg.nrrd: has 2 segments of this name, number or identifier: found --segment spleen, "
        + "expected 1 spleen, 2 lesion")
  }

  @Test("an option that does not apply to the file is refused")
  func refusedChoices() {
    func line(_ name: String, _ options: ImageReadingOptions) -> String {
      do {
        _ = try ImageFile.open(fixture(name), options: options)
        return "nothing"
      } catch { return "\(error)".replacing(fixtures.path + "/", with: "") }
    }
    #expect(
      line("NRRD/overlapping.seg.nrrd", ImageReadingOptions(segment: "spleen"))
        == "NRRD/overlapping.seg.nrrd: has no such segment: found --segment spleen, expected 1 liver, 2 lesion"
    )
    #expect(
      line("NRRD/overlapping.seg.nrrd", ImageReadingOptions(layer: 2))
        == "NRRD/overlapping.seg.nrrd: has no such layer: found --layer 2, expected 0 to 1")
    #expect(
      line("NRRD/raw.nrrd", ImageReadingOptions(layer: 0))
        == "NRRD/raw.nrrd: leaves no layer to choose: found --layer 0, expected no such option with an image without "
        + "segments")
    #expect(
      line("DICOM/segmentation/binary.dcm", ImageReadingOptions(layer: 0))
        == "DICOM/segmentation/binary.dcm: leaves no layer to choose: found --layer 0, expected --segment, as DICOM has "
        + "no layers")
    #expect(
      line("NRRD/overlapping.seg.nrrd", ImageReadingOptions(segment: "3"))
        == "NRRD/overlapping.seg.nrrd: has no such segment: found --segment 3, expected 1 liver, 2 lesion")
    #expect(
      line("plain.nii", ImageReadingOptions(segment: "liver"))
        == "plain.nii: leaves no segment to choose: found --segment liver, expected no such option with NIfTI"
    )
  }

  @Test("names and colours are written into the file and read back, of labels without names too")
  func writtenNames() throws {
    let grid = VolumeGrid(size: GridSize(5, 4, 3), affine: Affine(spacing: Spacing(1, 2, 3)))
    let mask = LabelVolume(grid: grid, voxels: segments(1, 300))
    let stated = LabelNames(entries: [
      .init(value: 1, name: "liver \\ \"lobe\"", colour: RGBColour(1, 2, 255)),
      .init(value: 7, name: "absent"),
    ])
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "a.seg.nrrd").path
      try PendingFile.commit(mask.pending(for: path, source: ImageSource(grid: grid), names: stated))
      let image = try ImageFile.open(path)
      #expect(try image.labelVolume().voxels == mask.voxels)
      let read = image.labelNames?.entries ?? []
      #expect(read.map(\.name) == ["liver \\ \"lobe\"", "absent", "label 300"])
      #expect(read.map(\.value) == [1, 7, 300])
      #expect(read.first?.colour == RGBColour(1, 2, 255))
    }
  }

  @Test("a copy keeps the codes of the anatomy for labels of the same names")
  func tags() throws {
    try withTemporaryFolder { folder in
      let (path, copy) = (
        folder.appending(path: "a.seg.nrrd").path, folder.appending(path: "b.seg.nrrd").path
      )
      let whole = try Data(contentsOf: URL(filePath: fixture("NRRD/one_layer.seg.nrrd")))
      let old = Data("Segment1_Tags:=Segmentation.Status:inprogress|".utf8)
      let kept =
        "TerminologyEntry:Anatomy~SCT^64033007^Kidney~SCT^7771000^Left|Segmentation.Status:completed|"
      let new = Data("Segment1_Tags:=PatientName:Doe|\(kept)DICOM.UID:1.2|".utf8)
      try whole.replacing(old, with: new).write(to: URL(filePath: path))
      let image = try ImageFile.open(path)
      for (names, isKept) in [
        (image.labelNames, true), (LabelNames(entries: [.init(value: 2, name: "spleen")]), false),
      ] {
        try PendingFile.commit(image.pendingCopy(for: copy, names: names ?? LabelNames()))
        let text = String(decoding: try Data(contentsOf: URL(filePath: copy)), as: UTF8.self)
        #expect(text.contains("Tags:=\(kept)\n") == isKept)
        // What other tags say of the patient does not go into a copy.
        #expect(!text.contains("Doe") && !text.contains("DICOM.UID"))
        try FileManager.default.removeItem(atPath: copy)
      }
    }
  }

  @Test("an image that is not a mask is not written as a segmentation")
  func images() throws {
    let image = try ImageFile.open(fixture("nifti1_f4_le.nii"))
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "a.seg.nrrd").path
      #expect(throws: InputError.self) { try image.pendingCopy(for: path) }
      #expect(throws: InputError.self) { try image.scalarVolume().write(to: path, source: image.source) }
      #expect(folderNames(folder) == [])
    }
  }
}

@Suite("Files that a header names")
struct NamedFileTests {
  @Test("are not read where a link leads out of the header's folder, and are where it stays within")
  func links() throws {
    try withTemporaryFolder { folder in
      let manager = FileManager.default
      let (inside, outside) = (folder.appending(path: "inside"), folder.appending(path: "outside.raw"))
      try manager.createDirectory(at: inside.appending(path: "sub"), withIntermediateDirectories: true)
      let voxels = try Data(contentsOf: URL(filePath: fixture("MetaImage/raw.raw")))
      try voxels.write(to: outside)
      try voxels.write(to: inside.appending(path: "sub/own.raw"))
      let header = inside.appending(path: "raw.mhd")
      try manager.copyItem(at: URL(filePath: fixture("MetaImage/raw.mhd")), to: header)
      let link = inside.appending(path: "raw.raw")
      try manager.createSymbolicLink(at: link, withDestinationURL: outside)
      let error = #expect(throws: InputError.self) { try ImageFile.open(header.path) }
      #expect(error?.problem == "names a link that leads out of its folder")
      try manager.removeItem(at: link)
      try manager.createSymbolicLink(atPath: link.path, withDestinationPath: "sub/own.raw")
      #expect(try ImageFile.open(header.path).scalarVolume().voxels.count == 60)
    }
  }
}
