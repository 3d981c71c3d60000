import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

/// Every good file, and folders with a series of every kind.
private let names =
  ExpectedImage.all.keys.sorted()
  + [
    "big_endian", "deflated", "enhanced", "explicit", "high_bits", "implicit", "jpeg2000", "jpeg_lossless",
    "jpegls", "rle", "shuffled", "signed_12_bits", "slopes", "tilted", "times", "two_series/03.dcm",
  ].map { "DICOM/" + $0 }

@Suite("Single slices")
struct SliceReadingTests {
  @Test("a slice has the values of the volume at its position", arguments: names)
  func values(name: String) throws {
    let image = try ImageFile.open(fixture(name))
    let size = image.grid.size
    let count = size.i * size.j
    for frame in 0..<image.frameCount {
      let volume = try image.scalarVolume(frame: frame)
      for k in 0..<size.k {
        let slice = try image.slice(k, frame: frame)
        #expect(slice.grid.size == GridSize(size.i, size.j, 1))
        var affine = image.grid.affine
        affine.origin = affine.world(VoxelIndex(0, 0, k))
        #expect(slice.grid.affine == affine)
        let expected = (0..<count).map { volume.voxels[k * count + $0] }
        #expect(slice.voxels.count == count)
        // Numbers that are not finite are repaired by the whole frame.
        #expect(zip(slice.voxels, expected).allSatisfy { $0 == $1 || !$0.isFinite })
      }
    }
  }

  @Test("a slice of a segmentation has its labels, of one layer or of all")
  func segmentations() throws {
    for (name, options) in [
      ("NRRD/one_layer.seg.nrrd", ImageReadingOptions()), ("NRRD/apart.seg.nrrd", ImageReadingOptions()),
      ("NRRD/overlapping.seg.nrrd", ImageReadingOptions(segment: "lesion")),
      ("DICOM/segmentation/binary.dcm", ImageReadingOptions()),
    ] {
      let image = try ImageFile.open(fixture(name), options: options)
      let slices = try (0..<image.grid.size.k).flatMap { try image.slice($0).voxels }
      #expect(slices == (try image.scalarVolume().voxels.map { Float($0) }), "\(name)")
    }
  }

  @Test("voxels after the slice are not read, so that damage there does not matter")
  func damageAfter() throws {
    try withTemporaryFolder { folder in
      let grid = VolumeGrid(size: GridSize(64, 64, 64), affine: Affine(spacing: Spacing(1)))
      var random = SplitMix64(seed: 4)
      let labels = LabelVolume(
        grid: grid, voxels: (0..<grid.size.voxelCount).map { _ in UInt16(random.next() % 60000) })
      let path = folder.appending(path: "a.nii.gz")
      try labels.write(to: path.path, source: ImageSource(grid: grid))
      let content = try Data(contentsOf: path)
      try content.prefix(content.count / 2).write(to: path)
      let image = try ImageFile.open(path.path)
      let expected = IntensityVoxels(labels.voxels[20 * 4096..<21 * 4096].map { Float($0) })
      #expect(try image.slice(20).voxels == expected)
      #expect(throws: InputError.self) { try image.slice(60) }
    }
    try withDicomCopy(of: "jpeg2000") { folder in
      let image = try ImageFile.open(folder.path)
      let whole = try image.slice(0)
      let last = try #require(image.files.last)
      var content = try Data(contentsOf: URL(filePath: last))
      content.replaceSubrange(
        content.count - 200..<content.count - 20, with: Data(repeating: 7, count: 180))
      try content.write(to: URL(filePath: last))
      #expect(try image.slice(0) == whole)
    }
  }

  @Test("reading a slice stops at any poll", arguments: ["gzip.nii.gz", "DICOM/explicit", "NRRD/text.nrrd"])
  func stops(name: String) throws {
    let image = try ImageFile.open(fixture(name))
    try expectStops(atEachOf: 1) { work in _ = try image.slice(image.grid.size.k - 1, work: work) }
  }

  @Test("a frame that is not there, and voxels that are no numbers, are refused")
  func refused() throws {
    let image = try ImageFile.open(fixture("plain.nii"))
    #expect(
      refusal { _ = try image.slice(0, frame: 1) }.hasSuffix(
        "has no such frame: found frame 1, expected 0, the only one"))
  }

  @Test(
    "an image in a few words",
    arguments: [
      ("DICOM/explicit", "15x11x4, 0.9x1.1x2.5 mm, CT, 16-bit"),
      ("plain.nii", "5x4x3, 0.902x1.1x2.5 mm, 16-bit"),
      ("four_axes.nii.gz", "5x4x3, 3 frames, 0.902x1.1x2.5 mm, 32-bit float"),
    ])
  func summary(name: String, text: String) throws {
    #expect(try ImageFile.open(fixture(name)).summary == text)
  }
}

@Suite("Opening a folder with many files")
struct FolderOpeningTests {
  @Test("scanning reports progress up to the end, and stops at any poll")
  func scanning() throws {
    for path in ["DICOM/explicit", "DICOM/explicit/00.dcm"] {
      try expectStops(atEachOf: 2) { work in _ = try ImageFile.open(fixture(path), work: work) }
      let shares = Recorder()
      _ = try ImageFile.open(fixture(path), work: WorkContext(report: shares.add))
      #expect(shares.values.last == 1)
    }
  }

  @Test("the choices that a file leaves are those of its format")
  func choices() throws {
    func choices(_ name: String) throws -> Set<ImageReadingOptions.Choice> {
      try ImageFile.choices(of: fixture(name))
    }
    #expect(try choices("plain.nii") == [])
    #expect(try choices("NRRD/apart.seg.nrrd") == [.segment, .layer])
    #expect(try choices("DICOM/two_series") == [.series, .segment])
    #expect(try choices("DICOM/two_series/00.dcm") == [.series, .segment])
    #expect(try choices("NRRD") == [])
    #expect(throws: InputError.self) { try choices("missing.nii") }
  }
}
