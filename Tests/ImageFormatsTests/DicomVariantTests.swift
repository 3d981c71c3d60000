import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

/// The bytes of an element in explicit little-endian encoding; `value` has an even length.
private func element(_ group: UInt16, _ number: UInt16, _ vr: String, _ value: [UInt8]) -> [UInt8] {
  let isLong = ["SQ", "OB", "OW"].contains(vr)
  let length = isLong ? [0, 0] + bytes(UInt32(value.count)) : bytes(UInt16(value.count))
  return bytes(group) + bytes(number) + Array(vr.utf8) + length + value
}

/// The bytes of an element with a text.
private func text(_ group: UInt16, _ number: UInt16, _ vr: String, _ text: String) -> [UInt8] {
  element(group, number, vr, Array((text.utf8.count % 2 == 0 ? text : text + " ").utf8))
}

/// The bytes of an item of a sequence.
private func item(_ elements: [UInt8]) -> [UInt8] {
  [0xfe, 0xff, 0, 0xe0] + bytes(UInt32(elements.count)) + elements
}

@Suite("What DICOM files of other makers contain")
struct DicomVariantTests {
  private static let frameByteCount = 330

  /// Makes a multi-frame file of the first slice's fixture: a frame for each of `groups`, filled with its number.
  private func withFrames<Result>(_ groups: [[UInt8]], _ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "frames.dcm")
      try FileManager.default.copyItem(atPath: fixture("DICOM/explicit/00.dcm"), toPath: file.path)
      var elements = try DicomElements(file)
      elements.set(0x28, 0x8, "IS", Array("\(groups.count)".utf8))
      elements.set(0x28, 0x1052, "DS", nil)
      elements.set(0x28, 0x1053, "DS", nil)
      elements.set(0x5200, 0x9230, "SQ", groups.flatMap { item($0) })
      let pixels = groups.indices.flatMap { number in
        [[UInt8]](repeating: bytes(UInt16(number)), count: Self.frameByteCount / 2).joined()
      }
      elements.set(0x7fe0, 0x10, "OW", pixels)
      try elements.write(to: file)
      return try body(file.path)
    }
  }

  private func position(_ depth: Double) -> [UInt8] {
    element(0x20, 0x9113, "SQ", item(text(0x20, 0x32, "DS", "-31.5\\42.25\\\(depth)")))
  }

  /// The diffusion of a frame: its b value, and its direction where it has one.
  private func diffusion(_ value: Double, _ direction: [Double]?) -> [UInt8] {
    let directions = direction.map { direction in
      element(
        0x18, 0x9076, "SQ",
        item(element(0x18, 0x9089, "FD", direction.flatMap { bytes($0.bitPattern) })))
    }
    return element(
      0x18, 0x9117, "SQ", item((directions ?? []) + element(0x18, 0x9087, "FD", bytes(value.bitPattern))))
  }

  private func indices(_ values: [UInt32]) -> [UInt8] {
    element(0x20, 0x9111, "SQ", item(element(0x20, 0x9157, "UL", values.flatMap { bytes($0) })))
  }

  @Test("directions of diffusion are frames in the order of the file, also beside one image without any")
  func diffusionDirections() throws {
    let directions: [[Double]?] = [nil, [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    for (used, isPositionFirst) in [(0..<4, false), (0..<4, true), (1..<4, false), (1..<4, true)] {
      let order: [(depth: Int, volume: Int)] =
        isPositionFirst
        ? (0..<2).flatMap { depth in used.map { (depth, $0) } }
        : used.flatMap { volume in (0..<2).map { ($0, volume) } }
      let groups = order.map { depth, volume -> [UInt8] in
        diffusion(volume == 0 ? 0 : 1000, directions[volume]) + position(Double(depth) * 2.5)
      }
      try withFrames(groups) { path in
        let image = try ImageFile.open(path)
        #expect(image.frameSizes == [used.count])
        for (frame, volume) in used.enumerated() {
          let expected = (0..<2).flatMap { depth in
            let number = order.firstIndex { $0 == (depth, volume) }
            return [Float](repeating: Float(number ?? -1), count: Self.frameByteCount / 2)
          }
          #expect(try Array(image.scalarVolume(frame: frame).voxels) == expected)
        }
      }
    }
  }

  @Test("an image without direction beside directions is distinguished by the indices of the dimensions")
  func trace() throws {
    let directions: [[Double]?] = [nil, [0, 0, 1], [1, 0, 0], nil]
    var groups: [[UInt8]] = []
    for depth in 0..<2 {
      for (volume, direction) in directions.enumerated() {
        let dimensions = [UInt32(depth + 1), volume == 0 ? 1 : 2, UInt32(max(1, volume))]
        let own = diffusion(volume == 0 ? 0 : 1000, direction) + indices(dimensions)
        groups.append(own + position(Double(depth) * 2.5))
      }
    }
    try withFrames(groups) { path in
      let image = try ImageFile.open(path)
      #expect(image.frameSizes == [4])
      let firsts = try (0..<4).map { try image.scalarVolume(frame: $0).voxels[0] }
      #expect(firsts == [0, 1, 2, 3])
    }
  }

  @Test("equal frames among many that every order of attributes would distinguish are refused")
  func manyAttributes() throws {
    let groups = (0..<1024).map { number in
      indices((0..<9).map { UInt32(number >> $0 & 1) }) + position(0)
    }
    try withFrames(groups) { path in
      #expect(
        refusal { _ = try ImageFile.open(path) }.contains(
          "lie at the same position: found 1024 slices at each position, which no attribute distinguishes"))
    }
  }

  @Test("the list of the images of one file ends after 500")
  func manyStacks() throws {
    let groups = (0..<600).map { number in
      element(0x20, 0x9111, "SQ", item(text(0x20, 0x9056, "SH", "\(number)"))) + position(0)
    }
    try withFrames(groups) { path in
      let error = refusal { _ = try ImageFile.open(path) }
      #expect(
        error.contains("is one series of 600 images that differ in their stacks (0020,9056): found 1: CT"))
      #expect(
        error.hasSuffix(
          "; 500: CT, Phantom, 1 file, 15x11x1, frames.dcm; and 100 more, expected --series NUMBER"))
      let last = try ImageFile.open(path, options: ImageReadingOptions(series: "600"))
      #expect(try last.scalarVolume().voxels[0] == 599)
    }
  }

  @Test("an icon and private pixels that are compressed are skipped, and one that is damaged is one line")
  func compressedIcon() throws {
    let end: [UInt8] = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]
    let fragments = item([]) + item([UInt8](repeating: 0xff, count: 14))
    func unlimited(_ group: UInt16, _ number: UInt16, _ vr: String, _ value: [UInt8]) -> [UInt8] {
      bytes(group) + bytes(number) + Array((vr + "\0\0").utf8) + bytes(UInt32.max) + value
    }
    func icon(_ pixels: [UInt8]) -> [UInt8] {
      let content = unlimited(0x7fe0, 0x10, "OB", pixels)
      return unlimited(
        0x88, 0x200, "SQ", [0xfe, 0xff, 0, 0xe0] + bytes(UInt32(content.count)) + content + end)
    }
    func opened(_ element: [UInt8]) throws -> [Float] {
      try withDicomCopy(of: "explicit") { folder in
        for name in folderNames(folder) {
          let file = folder.appending(path: name)
          var content = try Data(contentsOf: file)
          let pixels = try #require(content.firstRange(of: Data([0xe0, 0x7f, 0x10, 0])))
          content.replaceSubrange(pixels.lowerBound..<pixels.lowerBound, with: element)
          try content.write(to: file)
        }
        return try Array(ImageFile.open(folder.path).scalarVolume().voxels)
      }
    }
    let voxels = try Array(ImageFile.open(fixture("DICOM/explicit")).scalarVolume().voxels)
    #expect(try opened(icon(fragments + end)) == voxels)
    #expect(try opened(unlimited(0x99, 0x1010, "OW", fragments + end)) == voxels)
    #expect(refusal { _ = try opened(icon(fragments + [0, 1, 2, 3, 4, 5, 6, 7])) }.contains("has no length"))
    #expect(
      refusal { _ = try opened(icon(item([]) + [0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0, 0])) }.contains(
        "ends inside"))
  }

  @Test(
    "positions that are rounded to a decimal place may have coordinates without decimals that do not change")
  func roundedBesideWhole() throws {
    func spacing(_ depths: [String], besides: String) throws -> Double {
      try withDicomCopy(of: "explicit") { folder in
        for (name, depth) in zip(folderNames(folder), depths) {
          try setText(0x20, 0x32, "DS", besides + "\\" + depth, in: folder.appending(path: name))
        }
        return try ImageFile.open(folder.path).grid.spacing.k
      }
    }
    for besides in ["-31\\42", "-31.5\\42", "-31.50\\42.25"] {
      #expect(abs(try spacing(["0", "0.3", "0.7", "1.1"], besides: besides) - 1.1 / 3) < 1e-9)
      #expect(
        refusal { _ = try spacing(["0", "3", "5", "8"], besides: besides) }.contains("not evenly spaced"))
    }
  }
}

@Suite("Segmentations of other makers")
struct SegmentationVariantTests {
  private static let image = fixture("DICOM/explicit")

  /// Opens a copy of a fixture whose bytes are replaced, and calls `body` with it.
  private func withChanged(
    _ name: String, _ changes: [([UInt8], [UInt8])], _ body: (ImageFile) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "segmentation.dcm")
      try FileManager.default.copyItem(atPath: fixture("DICOM/segmentation/\(name).dcm"), toPath: file.path)
      for (old, new) in changes { try replace(old, by: new, in: file) }
      try body(ImageFile.open(file.path))
    }
  }

  @Test("a label map whose numbers have the colours of a palette is read as any other")
  func palette() throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "labelmap.dcm")
      try FileManager.default.copyItem(atPath: fixture("DICOM/segmentation/labelmap.dcm"), toPath: file.path)
      let voxels = try ImageFile.open(file.path).labelVolume().voxels
      try setText(0x28, 0x4, "CS", "PALETTE COLOR", in: file)
      #expect(try ImageFile.open(file.path).labelVolume().voxels == voxels)
    }
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "binary.dcm")
      try FileManager.default.copyItem(atPath: fixture("DICOM/segmentation/binary.dcm"), toPath: file.path)
      try setText(0x28, 0x4, "CS", "PALETTE COLOR", in: file)
      #expect(refusal { _ = try ImageFile.open(file.path) }.contains("is in colour: found PALETTE COLOR"))
    }
  }

  @Test(
    "slices lie in those of the image where the distance between them is not stated, or not that of the image"
  )
  func unstatedDistance() throws {
    let grid = try ImageFile.open(Self.image).grid
    let whole = try ImageFile.open(fixture("DICOM/segmentation/binary.dcm")).extended(to: grid)
    let labels = try whole.labelVolume().voxels
    let thickness = [0x18, 0, 0x50, 0] + Array("DS".utf8) + [4, 0]
    let unstated: ([UInt8], [UInt8]) = ([0x18, 0, 0x88, 0], [0x18, 0, 0x89, 0])
    for stated in ["2.5 ", "1.25", "5   ", "3   ", "0   "] {
      let changed = (thickness + Array("2.5 ".utf8), thickness + Array(stated.utf8))
      try withChanged("binary", [unstated, changed]) { own in
        let extended = own.extended(to: grid)
        let (found, fit) = (try extended.labelVolume().voxels, try extended.fit(on: grid))
        #expect(extended.grid == grid && found == labels && fit == .same)
        // Of an image whose slices do not meet those of the mask, none is.
        var other = grid
        other.affine.stepK = WorldPoint(0, 0, 2.1)
        #expect(own.extended(to: other).grid == own.grid)
      }
    }
  }

  @Test("the box of its segments that a program writes of a .seg.nrrd is extended to the image")
  func croppedNrrd() throws {
    try withTemporaryFolder { folder in
      let size = GridSize(5, 4, 3)
      let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1, 2, 3)))
      var affine = grid.affine
      affine.origin = affine.world(VoxelIndex(1, 2, 1))
      let voxels: [UInt16] = [1, 2, 0, 3, 1, 1]
      let path = folder.appending(path: "box.seg.nrrd").path
      let box = LabelVolume(grid: VolumeGrid(size: GridSize(3, 1, 2), affine: affine), voxels: voxels)
      let names = LabelNames(entries: [.init(value: 1, name: "liver")])
      try PendingFile.commit(box.pending(for: path, source: ImageSource(grid: box.grid), names: names))
      let extended = try ImageFile.open(path).extended(to: grid)
      var expected = [UInt16](repeating: 0, count: size.voxelCount)
      for (number, voxel) in voxels.enumerated() {
        expected[1 + number % 3 + 5 * (2 + 4 * (1 + number / 3))] = voxel
      }
      #expect(extended.grid == grid)
      #expect(try extended.labelVolume().voxels == expected)
      #expect(extended.labelNames?.entries.map(\.name).first == "liver")
    }
  }
}
