import Foundation
import ImageFormats
import Synchronization
import TestSupport
import Testing
import Volumes
import Work

/// Every suffix under which images are written except DICOM's, which needs a DICOM image (`DicomSegmentationTests`).
private let writtenSuffixes = ImageFormatList.all.writable.flatMap { $0.writtenSuffixes }.filter {
  $0 != ".dcm"
}
/// The suffixes under which any image can be written, not only masks.
private let imageSuffixes = writtenSuffixes.filter { $0 != ".seg.nrrd" }

/// A grid that is oblique, left-handed and of three different sizes and spacings.
private let obliqueGrid = VolumeGrid(
  size: GridSize(7, 6, 5),
  affine: Affine(
    stepI: WorldPoint(-0.8, 0.6, 0), stepJ: WorldPoint(0.72, 0.96, 0), stepK: WorldPoint(0, 0, 2.5),
    origin: WorldPoint(31.5, -42.25, 7.75)))

/// A grid whose axes are not perpendicular.
private let shearedGrid = VolumeGrid(
  size: GridSize(4, 5, 6),
  affine: Affine(
    stepI: WorldPoint(-1, 0, 0), stepJ: WorldPoint(0, -1, 0.25), stepK: WorldPoint(0, 0.5, 3),
    origin: WorldPoint(1, 2, 3)))

private func mask(_ grid: VolumeGrid, largest: UInt16 = 5) -> LabelVolume {
  let voxels = (0..<grid.size.voxelCount).map { UInt16($0 % 4 == 3 ? 0 : $0 % min(Int(largest), 7)) }
  return LabelVolume(grid: grid, voxels: voxels.dropLast() + [largest])
}

private func image(_ grid: VolumeGrid) -> ScalarVolume {
  ScalarVolume(grid: grid, voxels: (0..<grid.size.voxelCount).map { Float($0) * 0.37 - 20 })
}

/// Writes an image of a name in a new folder and calls `body` with its path.
private func written(
  _ image: any ImageWritable, _ grid: VolumeGrid, _ suffix: String, _ body: (String, URL) throws -> Void
) throws {
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "a" + suffix).path
    try image.write(to: path, source: ImageSource(grid: grid))
    try body(path, folder)
  }
}

@Suite("Every format that is written")
struct FormatContractTests {
  @Test("returns a mask on the same grid, and is recognised under any name", arguments: writtenSuffixes)
  func masks(suffix: String) throws {
    for grid in [obliqueGrid, shearedGrid] {
      for largest: UInt16 in [5, 255, 256, 32768, 65535] {
        let labels = mask(grid, largest: largest)
        try written(labels, grid, suffix) { path, folder in
          let read = try ImageFile.open(path)
          #expect(try read.labelVolume().voxels == labels.voxels)
          #expect(largestDifference(read.grid.affine, rows(grid.affine)) < 1e-5)
          #expect(read.files.map { FilePath.name(of: $0) }.sorted() == folderNames(folder))
          #expect(read.findings.filter { !$0.problem.hasPrefix("the axes ") } == [])
          guard read.files.count == 1 else { return }
          let other = folder.appending(path: "other").path
          try FileManager.default.copyItem(atPath: path, toPath: other)
          #expect(try ImageFile.open(other).labelVolume().voxels == labels.voxels)
        }
      }
    }
  }

  @Test("returns whole and fractional intensities unchanged", arguments: imageSuffixes)
  func intensities(suffix: String) throws {
    let fractions = image(obliqueGrid)
    let whole = ScalarVolume(grid: obliqueGrid, voxels: fractions.voxels.map { ($0 * 100).rounded() })
    for (volume, type) in [(fractions, VoxelType.float32), (whole, .int16)] {
      try written(volume, obliqueGrid, suffix) { path, _ in
        let read = try ImageFile.open(path)
        #expect(try read.scalarVolume().voxels == volume.voxels)
        #expect(read.voxelType == type)
      }
    }
  }

  @Test("keeps the frames of class probabilities apart", arguments: imageSuffixes)
  func frames(suffix: String) throws {
    let grid = obliqueGrid
    let count = grid.size.voxelCount
    let first = (0..<count).map { Float($0 % 8) / 8 }
    let values = first + first.map { (1 - $0) * 0.25 } + first.map { (1 - $0) * 0.75 }
    let probabilities = ProbabilityVolume(grid: grid, classCount: 3, values: values)
    try written(probabilities, grid, suffix) { path, _ in
      let read = try ImageFile.open(path)
      #expect(read.frameSizes == [3])
      #expect(try read.probabilityVolume().values == values)
      #expect(try Array(read.scalarVolume(frame: 2).voxels) == Array(values[(2 * count)...]))
    }
  }

  @Test("keeps the type of a copy, or its values in another type with a finding", arguments: imageSuffixes)
  func copies(suffix: String) throws {
    let format = try #require(
      ImageFormatList.all.writable.first { $0.writtenSuffixes.contains(suffix) })
    for name in [
      "nifti1_u1_le.nii", "nifti1_i1_be.nii", "nifti1_u2_le.nii", "nifti1_i2_be.nii", "nifti1_u4_le.nii",
      "nifti1_i4_be.nii", "nifti1_u8_le.nii", "nifti1_i8_be.nii", "nifti1_f4_le.nii", "nifti1_f8_be.nii",
      "scaled.nii", "four_axes.nii.gz",
    ] {
      try withTemporaryFolder { folder in
        let source = try ImageFile.open(fixture(name))
        let path = folder.appending(path: "a" + suffix).path
        try PendingFile.commit(source.pendingCopy(for: path))
        let read = try ImageFile.open(path)
        let isHeld =
          format.writtenTypes.contains(source.voxelType)
          && (source.scaling.isIdentity || format.holdsScaling)
        #expect(!isHeld || read.voxelType == source.voxelType, "\(name)")
        #expect(source.findings.contains { $0.problem.contains(" holds no ") } == !isHeld, "\(name)")
        #expect(read.frameCount == source.frameCount)
        for frame in 0..<source.frameCount {
          #expect(
            try read.scalarVolume(frame: frame).voxels == source.scalarVolume(frame: frame).voxels, "\(name)")
        }
        #expect(largestDifference(read.grid.affine, rows(source.grid.affine)) < 1e-5)
      }
    }
  }

  @Test("gives the same bytes for the same mask, under any name of its length", arguments: writtenSuffixes)
  func bytes(suffix: String) throws {
    try withTemporaryFolder { folder in
      let contents = try ["a", "b"].map { name in
        let path = folder.appending(path: name).appending(path: "m" + suffix).path
        try FileManager.default.createDirectory(
          atPath: FilePath.folder(of: path), withIntermediateDirectories: true)
        try mask(obliqueGrid).write(to: path, source: ImageSource(grid: obliqueGrid))
        return try ImageFile.open(path).files.map { try Data(contentsOf: URL(filePath: $0)) }
      }
      #expect(contents[0] == contents[1])
    }
  }

  @Test(
    "stores voxels as they are where it was asked to and the suffix leaves it open",
    arguments: writtenSuffixes.filter { ImageName.compressionIsOptional("a" + $0) })
  func uncompressed(suffix: String) throws {
    let labels = mask(obliqueGrid, largest: 300)
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "a" + suffix).path
      let source = ImageSource(grid: obliqueGrid)
      try PendingFile.commit(
        labels.pending(for: path, source: source, names: LabelNames(), isCompressed: false))
      let read = try ImageFile.open(path)
      #expect(try read.labelVolume().voxels == labels.voxels)
      let last = try Data(contentsOf: URL(filePath: read.files.last ?? ""))
      #expect(Array(last.suffix(2)) == [44, 1])
      #expect(folderNames(folder) == read.files.map { FilePath.name(of: $0) }.sorted())
    }
  }

  @Test("is also written under suffixes in capital letters", arguments: writtenSuffixes)
  func capitals(suffix: String) throws {
    try written(mask(obliqueGrid), obliqueGrid, suffix.uppercased()) { path, _ in
      let voxels = try ImageFile.open(path).labelVolume().voxels
      #expect(voxels == mask(obliqueGrid).voxels)
      #expect(ImageName.stem(of: FilePath.name(of: path)) == (suffix == ".seg.nrrd" ? "a.SEG" : "a"))
    }
  }

  @Test("is refused with one line, or read whole, where one of its files is cut", arguments: writtenSuffixes)
  func cuts(suffix: String) throws {
    let labels = mask(obliqueGrid)
    try written(labels, obliqueGrid, suffix) { path, folder in
      for name in folderNames(folder) {
        let file = folder.appending(path: name)
        let whole = try Data(contentsOf: file)
        for count in 0..<whole.count {
          try whole.prefix(count).write(to: file)
          do {
            let read = try ImageFile.open(path).labelVolume()
            // Only bytes after the voxels may be missing: a checksum, or bytes that no reader needs.
            #expect(read.voxels == labels.voxels, "\(name) cut at byte \(count)")
          } catch let error as InputError {
            #expect(!error.description.contains("\n"))
          }
        }
        try whole.write(to: file)
      }
    }
  }

  @Test("never traps over a changed byte", arguments: writtenSuffixes)
  func changes(suffix: String) throws {
    var generator = SplitMix64(seed: 11)
    try written(mask(obliqueGrid), obliqueGrid, suffix) { path, folder in
      for name in folderNames(folder) {
        let file = folder.appending(path: name)
        let whole = try Data(contentsOf: file)
        var refused = 0
        for position in whole.indices {
          var changed = whole
          changed[position] = UInt8.random(in: 0...255, using: &generator)
          try changed.write(to: file)
          do { _ = try ImageFile.open(path).scalarVolume() } catch is InputError { refused += 1 }
        }
        try whole.write(to: file)
        #expect(refused > 0, "\(name)")
      }
    }
  }

  @Test("leaves no file when writing is cancelled at any poll", arguments: writtenSuffixes)
  func stoppedWriting(suffix: String) throws {
    let grid = VolumeGrid(size: GridSize(64, 64, 100), affine: obliqueGrid.affine)
    let labels = mask(grid, largest: 65535)
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "a" + suffix).path
      try expectStops(atEachOf: 4) { work in
        try labels.write(to: path, source: ImageSource(grid: grid), work: work)
        try FileManager.default.removeItem(atPath: path)
        for file in ImageName.voxelFiles(ofWritten: path) { try FileManager.default.removeItem(atPath: file) }
      }
      #expect(folderNames(folder) == [])
    }
  }

  @Test("is read with progress, and stops at any poll", arguments: writtenSuffixes)
  func reading(suffix: String) throws {
    let grid = VolumeGrid(size: GridSize(64, 64, 144), affine: obliqueGrid.affine)
    try written(mask(grid, largest: 65535), grid, suffix) { path, _ in
      try expectStops(atEachOf: 2) { work in _ = try ImageFile.open(path).labelVolume(work: work) }
      let shares = Recorder()
      _ = try ImageFile.open(path).labelVolume(work: WorkContext(report: shares.add))
      #expect(shares.values == shares.values.sorted() && shares.values.count > 1)
      #expect(shares.values.last == 1)
    }
  }

  @Test(
    "is never written over an image that is read, nor over one of its voxel files", arguments: writtenSuffixes
  )
  func inputs(suffix: String) throws {
    try written(mask(obliqueGrid), obliqueGrid, suffix) { path, folder in
      let image = try ImageFile.open(path)
      let before = try folderNames(folder).map { try Data(contentsOf: folder.appending(path: $0)) }
      #expect(throws: InputError.self) { try image.labelVolume().write(to: path, source: image.source) }
      #expect(try folderNames(folder).map { try Data(contentsOf: folder.appending(path: $0)) } == before)
    }
  }
}

/// Collects the reported progress, from any thread.
final class Recorder: Sendable {
  private let recorded = Mutex<[Double]>([])
  var values: [Double] { recorded.withLock(\.self) }
  @Sendable func add(_ share: Double) { recorded.withLock { $0.append(share) } }
}
