import Foundation
import ImageFormats
import Testing
import Volumes
import Work

/// A mask of the image with a few labels.
private func mask(of image: ImageFile, largestLabel: UInt16) -> LabelVolume {
  var voxels = [UInt16](repeating: 0, count: image.grid.size.voxelCount)
  voxels[3] = 1
  voxels[voxels.count - 1] = largestLabel
  return LabelVolume(grid: image.grid, voxels: voxels)
}

/// Bytes of the header fields that state the grid: dim[1...3], pixdim, units, codes, quaternion, offsets and rows.
private func gridBytes(_ path: String) throws -> [Data] {
  let data = try Data(contentsOf: URL(filePath: path))
  let isFirst = data.starts(with: [92, 1])
  let ranges =
    isFirst ? [42..<48, 76..<108, 123..<124, 252..<328] : [24..<48, 104..<168, 344..<496, 500..<504]
  return ranges.map { Data(data[$0]) }
}

@Test(
  "a written mask has the header fields of its image to the last bit and gives the same labels back",
  arguments: [
    "plain.nii", "qform_only.nii", "qform_and_sform.nii", "neither_form.nii", "micrometres.nii",
    "two_axes.nii",
    "nifti2_i1_le.nii", "nifti1_u1_le.nii",
  ])
func maskKeepsGrid(name: String) throws {
  let image = try ImageFile.open(fixture(name))
  try withTemporaryFolder { folder in
    for largestLabel: UInt16 in [2, 255, 256, 65535] {
      let written = mask(of: image, largestLabel: largestLabel)
      let path = folder.appending(path: "\(largestLabel).nii").path
      try written.write(to: path, source: image.source)
      let read = try ImageFile.open(path)
      #expect(try read.labelVolume() == written)
      #expect(read.voxelType == (largestLabel <= 255 ? .uint8 : .uint16))
      #expect(read.source == image.source)
      #expect(try gridBytes(path) == gridBytes(fixture(name)))
    }
  }
}

@Test("a mask of one frame of a 4D image is 3D and on its grid")
func maskOfFrame() throws {
  let image = try ImageFile.open(fixture("four_axes.nii.gz"))
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "mask.nii.gz").path
    try mask(of: image, largestLabel: 3).write(to: path, source: image.source)
    let read = try ImageFile.open(path)
    #expect(read.frameSizes == [])
    #expect(read.source == image.source)
    #expect(read.storage == "NIfTI-1, gzip, little-endian")
  }
}

@Test("the same mask always gives the same bytes, without a time")
func deterministicBytes() throws {
  let image = try ImageFile.open(fixture("plain.nii"))
  try withTemporaryFolder { folder in
    let paths = ["a.nii.gz", "b.nii.gz"].map { folder.appending(path: $0).path }
    for path in paths { try mask(of: image, largestLabel: 3).write(to: path, source: image.source) }
    let contents = try paths.map { try Data(contentsOf: URL(filePath: $0)) }
    #expect(contents[0] == contents[1])
    #expect(contents[0].prefix(8) == Data([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]))
  }
}

@Test("intensities are written as int16 when they are whole and as float32 otherwise")
func scalarTypes() throws {
  let image = try ImageFile.open(fixture("nifti2_f4_be.nii"))
  let fractions = try image.scalarVolume()
  let whole = ScalarVolume(grid: image.grid, voxels: fractions.voxels.map { ($0 * 10).rounded() })
  try withTemporaryFolder { folder in
    for (volume, type) in [(fractions, VoxelType.float32), (whole, .int16)] {
      let path = folder.appending(path: "\(type.rawValue).nii.gz").path
      try volume.write(to: path, source: image.source)
      let read = try ImageFile.open(path)
      #expect(try read.scalarVolume() == volume)
      #expect(read.voxelType == type)
    }
  }
}

@Test("probabilities come back as they were written")
func probabilitiesRoundTrip() throws {
  let image = try ImageFile.open(fixture("probabilities.nii.gz"))
  let probabilities = try image.probabilityVolume()
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "p.nii.gz").path
    try probabilities.write(to: path, source: image.source)
    #expect(try ImageFile.open(path).probabilityVolume() == probabilities)
  }
}

@Test(
  "a copy keeps type, scaling, frames and grid",
  arguments: ["scaled.nii", "four_axes.nii.gz", "pair2_be.img", "nifti2_u8_be.nii"])
func copy(name: String) throws {
  let image = try ImageFile.open(fixture(name))
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "copy.nii").path
    try PendingFile.commit(image.pendingCopy(for: path))
    let read = try ImageFile.open(path)
    #expect(read.source == image.source)
    #expect(read.voxelType == image.voxelType)
    #expect(read.scaling == image.scaling)
    #expect(read.frameSizes == image.frameSizes)
    #expect(try read.scalarVolume() == image.scalarVolume())
    let last = folder.appending(path: "last.nii").path
    try PendingFile.commit(image.pendingCopy(for: last, frame: image.frameCount - 1))
    #expect(
      try ImageFile.open(last).scalarVolume() == image.scalarVolume(frame: image.frameCount - 1))
  }
}

@Test("a grid that no header stated is written as sform, and as qform when its axes are perpendicular")
func writtenGrid() throws {
  let step = 0.5.squareRoot()
  let affines = [
    Affine(spacing: Spacing(0.7, 0.8, 2.5), origin: WorldPoint(-10, 20, 30)),
    Affine(spacing: Spacing(-1, -1, 1)),
    Affine(
      stepI: WorldPoint(0, step, step), stepJ: WorldPoint(0, -2 * step, 2 * step),
      stepK: WorldPoint(-3, 0, 0),
      origin: WorldPoint(1, 2, 3)),
    Affine(
      stepI: WorldPoint(0, 0, 1), stepJ: WorldPoint(-1, 0, 0), stepK: WorldPoint(0, 1, 0),
      origin: WorldPoint(1, 2, 3)),
  ]
  try withTemporaryFolder { folder in
    for (number, affine) in affines.enumerated() {
      let path = folder.appending(path: "grid\(number).nii").path
      let grid = VolumeGrid(size: GridSize(2, 3, 4), affine: affine)
      let volume = LabelVolume(grid: grid, voxels: [UInt16](repeating: 1, count: 24))
      try volume.write(to: path, source: ImageSource(grid: grid))
      #expect(largestDifference(try ImageFile.open(path).grid.affine, rows(affine)) < 1e-6)
      // With the sform's code taken away the qform must say the same.
      var bytes = try Data(contentsOf: URL(filePath: path))
      #expect(bytes[252] == 1)
      bytes[254] = 0
      try bytes.write(to: URL(filePath: path))
      #expect(largestDifference(try ImageFile.open(path).grid.affine, rows(affine)) < 1e-5)
    }
    let sheared = Affine(
      stepI: WorldPoint(1, 0, 0), stepJ: WorldPoint(0.5, 1, 0), stepK: WorldPoint(0, 0, 1),
      origin: WorldPoint(0, 0, 0))
    let grid = VolumeGrid(size: GridSize(1, 1, 1), affine: sheared)
    let path = folder.appending(path: "grid.nii").path
    try LabelVolume(grid: grid, voxels: [1]).write(to: path, source: ImageSource(grid: grid))
    #expect(try Data(contentsOf: URL(filePath: path))[252] == 0)
    #expect(try ImageFile.open(path).grid == grid)
  }
}

@Test("writing stops wherever it is asked to, within a quarter of a megabyte, and leaves nothing")
func stoppedWriting() throws {
  let grid = VolumeGrid(size: GridSize(256, 256, 24), affine: Affine(spacing: Spacing(1)))
  let source = ImageSource(grid: grid)
  let count = grid.size.voxelCount
  let labels = LabelVolume(grid: grid, voxels: [UInt16](repeating: 7, count: count))
  let image = ScalarVolume(grid: grid, voxels: [Float](repeating: 0.5, count: count))
  try withTemporaryFolder { folder in
    func polls(_ write: (WorkContext) throws -> Void) throws -> Int {
      let cancellation = Cancellation()
      try write(WorkContext(cancellation: cancellation))
      return cancellation.pollCount
    }
    for name in ["a.nii", "a.nii.gz"] {
      let path = folder.appending(path: name).path
      let writes: [(bytes: Int, (WorkContext) throws -> Void)] = [
        (count, { try labels.write(to: path, source: source, work: $0) }),
        (4 * count, { try image.write(to: path, source: source, work: $0) }),
      ]
      for (byteCount, write) in writes {
        let pollCount = try polls(write)
        #expect(pollCount > byteCount >> 18)
        try FileManager.default.removeItem(atPath: path)
        for poll in [1, 2, pollCount / 2, pollCount] {
          #expect(throws: Cancelled()) {
            try write(WorkContext(cancellation: Cancellation(atPoll: poll)))
          }
          #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        }
      }
    }
  }
}

@Test("an extent beyond 16 bits is written as NIfTI-2")
func longAxis() throws {
  let grid = VolumeGrid(size: GridSize(40000, 1, 2), affine: Affine(spacing: Spacing(1)))
  let volume = LabelVolume(grid: grid, voxels: [UInt16](repeating: 7, count: 80000))
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "long.nii").path
    try volume.write(to: path, source: ImageSource(grid: grid))
    let read = try ImageFile.open(path)
    #expect(read.storage == "NIfTI-2, little-endian")
    #expect(try read.labelVolume() == volume)
  }
}

@Test("a failed write is one line, and the old file stays")
func refusedWriting() throws {
  let image = try ImageFile.open(fixture("plain.nii"))
  let written = mask(of: image, largestLabel: 1)
  #expect(
    throws: InputError(
      "mask.img", "cannot be written as an image",
      expected: "a name that ends in \(ImageName.writtenSuffixList)")
  ) { try written.write(to: "mask.img", source: image.source) }
  #expect(throws: InputError("/nowhere/m.nii", "cannot be written", found: "no folder /nowhere")) {
    try written.write(to: "/nowhere/m.nii", source: image.source)
  }
  #expect(throws: InputError.self) {
    try written.write(to: "/dev/full.nii.gz/mask.nii", source: image.source)
  }
}
