import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

@Suite("DICOM segmentations")
struct DicomSegmentationTests {
  private let image = fixture("DICOM/explicit")

  private func segmentation(_ name: String, _ segment: String? = nil) throws -> ImageFile {
    try ImageFile.open(
      fixture("DICOM/segmentation/\(name).dcm"), options: ImageReadingOptions(segment: segment))
  }

  /// A mask with a few labels on the grid of the image.
  private func mask(_ grid: VolumeGrid) -> LabelVolume {
    LabelVolume(
      grid: grid, voxels: (0..<grid.size.voxelCount).map { [0, 1, 0, 3, 300][$0 % 5] * ($0 < 500 ? 1 : 0) })
  }

  @Test("names and colours are those of the segments", arguments: ["binary", "fractional", "labelmap"])
  func names(kind: String) throws {
    #expect(
      try segmentation(kind).labelNames?.entries == [
        LabelNames.Entry(value: 1, name: "Liver", colour: RGBColour(221, 130, 101)),
        LabelNames.Entry(value: 2, name: "Left kidney", colour: RGBColour(128, 174, 128)),
      ])
  }

  @Test("pixels with a sign, which no segmentation has, are refused")
  func signedPixels() throws {
    try withDicomCopy(of: "segmentation") { folder in
      let file = folder.appending(path: "labelmap.dcm")
      let header: [UInt8] = [0x28, 0, 3, 1, 0x55, 0x53, 2, 0]
      try replace(header + [0], by: header + [1], in: file)
      #expect(
        refusal(below: folder) { _ = try ImageFile.open(file.path) }
          == "labelmap.dcm: its pixels are no labels: found int8, expected 1, 8 or 16 bits without a sign")
    }
  }

  @Test("a frame whose distance is no multiple of the spacing is named")
  func strayFrame() throws {
    try withDicomCopy(of: "segmentation") { folder in
      let file = folder.appending(path: "binary.dcm")
      try replace(Array("\\42.25\\15.25".utf8), by: Array("\\42.25\\96.45".utf8), in: file)
      #expect(
        refusal(below: folder) { _ = try ImageFile.open(file.path) }
          == "binary.dcm: its frames are not evenly spaced: frame 0 lies 81.2 mm from frame 2: "
          + "found 81.2 mm, expected 2.5 mm, or multiples of it")
    }
  }

  @Test("numbers of pixels that a segmentation does not explain are refused")
  func unexplainedNumbers() throws {
    func refused(_ name: String, _ element: UInt16, _ vr: String, _ value: [UInt8]?) throws -> String {
      try withDicomCopy(of: "segmentation") { folder in
        let file = folder.appending(path: name)
        try setElement(0x62, element, vr, value, in: file)
        return refusal(below: folder) { _ = try ImageFile.open(file.path).labelVolume() }
      }
    }
    for (value, found): ([UInt8]?, String) in [(nil, "none"), ([0, 0], "0")] {
      #expect(
        try refused("fractional.dcm", 0xe, "US", value)
          == "fractional.dcm: MaximumFractionalValue (0062,000e) is missing or not usable: found \(found), "
          + "expected the number of a pixel that lies wholly in a segment")
    }
    #expect(
      try refused("fractional.dcm", 0xe, "US", [149, 0]).hasSuffix(
        "has a pixel above MaximumFractionalValue (0062,000e): found 150, expected 149 or less"))
    let first: [UInt8] = [0xfe, 0xff, 0, 0xe0, 10, 0, 0, 0, 0x62, 0, 4, 0, 0x55, 0x53, 2, 0, 1, 0]
    #expect(
      try refused("labelmap.dcm", 0x2, "SQ", first).hasSuffix(
        "shows a segment that SegmentSequence (0062,0002) does not describe: found segment 2, "
          + "expected one of 1 segment"))
  }

  @Test("a name that is no valid SegmentLabel is written without backslashes and in 64 bytes, with a finding")
  func invalidLabels() throws {
    let source = try ImageFile.open(image)
    let names = LabelNames(entries: [
      .init(value: 1, name: "left\\lung\u{7}x"), .init(value: 3, name: String(repeating: "ä", count: 40)),
      .init(value: 300, name: String(repeating: "x", count: 64)),
    ])
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "m.dcm").path
      try PendingFile.commit(mask(source.grid).pending(for: path, source: source.source, names: names))
      #expect(
        try ImageFile.open(path).labelNames?.entries.map(\.name) == [
          "left/lung x", String(repeating: "ä", count: 32), String(repeating: "x", count: 64),
        ])
      let own = try segmentation("binary")
      // The fixture is no image of slices, so that only the finding comes of it.
      _ = refusal { _ = try own.pendingCopy(for: path, names: names) }
      #expect(
        own.findings.map(\.description) == [
          "the name of label 1 and 1 more is no valid SegmentLabel (64 bytes, no backslash or control characters); "
            + "it is written shortened, with / and blanks instead"
        ])
    }
  }

  @Test("one segment is chosen by number or name")
  func choice() throws {
    let all = try segmentation("binary").labelVolume().voxels
    #expect(Set(all) == [0, 1, 2])
    for choice in ["2", "left kidney"] {
      #expect(try segmentation("binary", choice).labelVolume().voxels == all.map { $0 == 2 ? 2 : 0 })
    }
    #expect(
      refusal { _ = try segmentation("binary", "spleen") }
        .hasSuffix("has no such segment: found --segment spleen, expected 1 Liver, 2 Left kidney"))
  }

  @Test("segments that overlap are refused by their names, and read one by one")
  func overlap() throws {
    let file = try segmentation("overlapping")
    #expect(
      refusal { _ = try file.labelVolume() }
        .hasSuffix(
          "has overlapping segments, and a voxel of a mask can have only one label: found 1 Liver and 2 Left kidney, "
            + "expected --segment with the name or number of one"))
    let first = try segmentation("overlapping", "1").labelVolume().voxels
    #expect(try segmentation("overlapping", "2").labelVolume().voxels == first.map { $0 * 2 })
  }

  @Test("slices that a segmentation leaves out are background on the image's grid")
  func extended() throws {
    let grid = try ImageFile.open(image).grid
    let own = try segmentation("binary")
    #expect(own.grid.size == GridSize(15, 11, 3))
    let whole = own.extended(to: grid)
    #expect(whole.grid.size == grid.size)
    #expect(
      try whole.labelVolume().voxels == [UInt16](repeating: 0, count: 165) + own.labelVolume().voxels)
    #expect(whole.findings.map(\.problem) == ["the mask holds 15x11x3 of 15x11x4 voxels"])
    let elsewhere = VolumeGrid(size: grid.size, affine: Affine(spacing: Spacing(1)))
    #expect(own.extended(to: elsewhere).grid == own.grid)
  }

  @Test("a segmentation is extended over the slices of another one, and over a grid that contains it")
  func covering() throws {
    let own = try segmentation("binary")
    let (grid, labels) = (own.grid, try own.labelVolume().voxels)
    func moved(_ index: VoxelIndex, _ size: GridSize) -> VolumeGrid {
      var affine = grid.affine
      affine.origin = affine.world(index)
      return VolumeGrid(size: size, affine: affine)
    }
    func empty(_ slices: Int) -> [UInt16] { [UInt16](repeating: 0, count: slices * 165) }
    let above = moved(VoxelIndex(0, 0, 2), grid.size)
    let below = moved(VoxelIndex(0, 0, -1), GridSize(15, 11, 1))
    for (others, whole, voxels) in [
      ([above], moved(VoxelIndex(0, 0, 0), GridSize(15, 11, 5)), labels + empty(2)),
      ([below], moved(VoxelIndex(0, 0, -1), GridSize(15, 11, 4)), empty(1) + labels),
      ([above, below], moved(VoxelIndex(0, 0, -1), GridSize(15, 11, 6)), empty(1) + labels + empty(2)),
    ] {
      let extended = own.extended(toCover: others)
      #expect(extended.grid == whole)
      #expect(try extended.labelVolume().voxels == voxels)
    }
    let margins = moved(VoxelIndex(-1, -2, 0), GridSize(17, 14, 3))
    #expect(own.extended(toCover: [margins]).grid == margins)
    // Neither another part of the planes, nor other voxels.
    let beside = moved(VoxelIndex(1, 0, 0), grid.size)
    let elsewhere = VolumeGrid(size: grid.size, affine: Affine(spacing: Spacing(1)))
    #expect(own.extended(toCover: [beside, elsewhere, grid]).grid == grid)
  }

  @Test("a segmentation that does not fit an image says which of its voxels is none of the image")
  func misfits() throws {
    let own = try segmentation("binary")
    let image = try ImageFile.open(image).grid
    #expect(try own.extended(to: image).fit(on: image) == .same)
    func refused(_ change: (inout VolumeGrid) -> Void) -> String {
      var grid = image
      change(&grid)
      return refusal { _ = try own.extended(to: grid).fit(on: grid) }.replacing(own.path, with: "own")
    }
    func moved(_ index: VoxelIndex, by fraction: Double = 0) -> String {
      refused { grid in
        let whole = grid.affine.world(index)
        let next = grid.affine.world(index + VoxelIndex(1, 0, 0))
        grid.affine.origin = WorldPoint(
          whole.x + fraction * (next.x - whole.x), whole.y + fraction * (next.y - whole.y),
          whole.z + fraction * (next.z - whole.z))
      }
    }
    // The segmentation begins at the second slice of the image.
    #expect(
      moved(VoxelIndex(0, 0, 0), by: 0.25)
        == "own: does not fit the image: its first voxel lies between those of the image: "
        + "found voxel (-0.25, 0.00, 1.00) of the image, expected whole numbers")
    #expect(
      moved(VoxelIndex(0, 0, 3))
        == "own: does not fit the image: its first voxel lies outside of the image: "
        + "found voxel (0.00, 0.00, -2.00) of the image, expected one of 15x11x4")
    #expect(
      moved(VoxelIndex(0, 0, -1))
        == "own: does not fit the image: its last voxel lies outside of the image: "
        + "found voxel (14.00, 10.00, 4.00) of the image, expected one of 15x11x4")
  }

  @Test("a written mask of a series is read back unchanged, with its names, and contains no patient data")
  func writing() throws {
    let source = try ImageFile.open(image)
    let labels = mask(source.grid)
    let names = LabelNames(entries: [
      .init(value: 1, name: "liver", colour: RGBColour(200, 30, 40)), .init(value: 3, name: "Kidney, left"),
      .init(value: 300, name: "thing"),
    ])
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "m.dcm").path
      try PendingFile.commit(labels.pending(for: path, source: source.source, names: names))
      let read = try ImageFile.open(path)
      #expect(try read.extended(to: source.grid).labelVolume().voxels == labels.voxels)
      #expect(read.labelNames?.entries.map(\.name) == ["liver", "Kidney, left", "thing"])
      #expect(read.labelNames?.entries.first?.colour == RGBColour(200, 30, 40))
      let bytes = try Data(contentsOf: URL(filePath: path))
      for absent in ["Made", "0815"] { #expect(bytes.firstRange(of: Data(absent.utf8)) == nil) }
      // The study, an instance of the series, and the codes of liver, kidney and left.
      for present in ["10.1499.1", "10.1499.3.1.2", "10200004", "64033007", "7771000"] {
        #expect(bytes.firstRange(of: Data(present.utf8)) != nil, "\(present)")
      }
    }
  }

  @Test("a segmentation is written only for a DICOM image and a mask with labels")
  func refusals() throws {
    let other = try ImageFile.open(fixture("nifti1_u1_le.nii"))
    let source = try ImageFile.open(image)
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "m.dcm").path
      #expect(
        refusal(below: folder) { try mask(other.grid).write(to: path, source: other.source) }
          == "m.dcm: can only be written for a mask of a DICOM image: found an image of another format, "
          + "expected another suffix, or --like with a DICOM image")
      let empty = LabelVolume(
        grid: source.grid, voxels: [UInt16](repeating: 0, count: source.grid.size.voxelCount))
      #expect(
        refusal(below: folder) { try empty.write(to: path, source: source.source) }
          == "m.dcm: cannot hold these labels as segments: found no label, expected labels from 1 to 65535")
      #expect(folderNames(folder) == [])
    }
  }
}
