import Foundation
import ImageFormats
import Testing
import Volumes
import Work

/// The bytes of a voxel in memory.
private func byteCount(of type: VoxelType) -> Int {
  switch type {
  case .uint8, .int8: 1
  case .uint16, .int16: 2
  default: 4
  }
}

/// A file of 2 x 1 x 1 voxels of uint8 or int16, which have the bytes `voxels`, with a scaling.
private func scaledFile(
  _ type: VoxelType, _ voxels: [UInt8], slope: Float, intercept: Float = 0, in folder: URL
) throws -> ImageFile {
  let header = try changed(
    "plain.nii",
    [
      (42, [2, 1, 1].flatMap { bytes(Int16($0)) }), (70, bytes(Int16(type == .uint8 ? 2 : 4))),
      (72, bytes(Int16(8 * type.byteCount))), (112, bytes(slope)), (116, bytes(intercept)),
    ])
  let path = folder.appending(path: "scaled.nii").path
  try (header.prefix(352) + voxels).write(to: URL(filePath: path))
  return try ImageFile.open(path)
}

@Test(
  "integers of 8 and 16 bits take as many bytes in memory as in the file, voxels of other types 4",
  arguments: ExpectedImage.all.keys.sorted() + ["DICOM/two_series/03.dcm"])
func storedTypes(name: String) throws {
  let image = try ImageFile.open(fixture(name))
  let volume = try image.scalarVolume(frame: 0)
  #expect(image.intensityByteCount == byteCount(of: image.voxelType))
  #expect(volume.voxels.byteCount == image.grid.size.voxelCount * image.intensityByteCount)
}

@Test("values of a scaled file are slope · number + intercept as 32-bit floats, and stay in its type")
func scaledValues() throws {
  try withTemporaryFolder { folder in
    let scaled = try scaledFile(
      .int16, [0x00, 0x80, 0xff, 0x7f], slope: 0.1, intercept: -1024.3, in: folder)
    let expected = [-32768, 32767].map { Float(Double(Float(0.1)) * $0 + Double(Float(-1024.3))) }
    let voxels = try scaled.scalarVolume().voxels
    #expect(Array(voxels) == expected)
    #expect(voxels.byteCount == 4)
    #expect(scaled.findings == [])
  }
}

@Test(
  "a scaling that takes numbers of the type beyond the floats is applied on reading, with a finding for infinite ones"
)
func overflowingScaling() throws {
  try withTemporaryFolder { folder in
    // 200 · 3e36 is beyond the largest float, 100 · 3e36 is not.
    let image = try scaledFile(.uint8, [100, 200], slope: 3e36, in: folder)
    let voxels = try image.scalarVolume().voxels
    let finite = Float(Double(Float(3e36)) * 100)
    #expect(Array(voxels) == [finite, finite])
    #expect(voxels.byteCount == 2 * image.intensityByteCount && image.intensityByteCount == 4)
    #expect(image.findings.map(\.problem) == ["1 voxel is not finite"])
    let small = try scaledFile(.uint8, [50, 100], slope: 3e36, in: folder)
    #expect(Array(try small.scalarVolume().voxels) == [finite / 2, finite])
    #expect(small.findings == [])
  }
}

@Test("a scaling that is no number counts as none, and integers stay as they are")
func scalingWithoutNumbers() throws {
  try withTemporaryFolder { folder in
    let image = try scaledFile(.int16, [1, 0, 2, 0], slope: .nan, intercept: .nan, in: folder)
    #expect(try image.scalarVolume().voxels == IntensityVoxels([1, 2] as [Int16]))
    #expect(image.intensityByteCount == 2)
  }
}

@Test(
  "an image that does not fit in memory is refused by the bytes of its voxels in memory, before it is read")
func refusalCountsStoredBytes() throws {
  try withTemporaryFolder { folder in
    for (datatype, type) in [(2, VoxelType.uint8), (4, .int16), (512, .uint16), (8, .int32), (16, .float32)] {
      let header = try changed(
        "plain.nii",
        [
          (42, [16384, 16384, 8192].flatMap { bytes(Int16($0)) }), (70, bytes(Int16(datatype))),
          (72, bytes(Int16(8 * type.byteCount))),
        ]
      ).prefix(352)
      let path = folder.appending(path: "huge.nii").path
      try header.write(to: URL(filePath: path))
      let file = try FileHandle(forWritingTo: URL(filePath: path))
      // The voxels are a hole of the file, which takes no room on the disk.
      try file.truncate(atOffset: UInt64(352 + type.byteCount << 41))
      try file.close()
      let error = #expect(throws: InputError.self) { try ImageFile.open(path).scalarVolume() }
      #expect(
        error?.description.hasPrefix(
          "\(path): its content, of 16384x16384x8192 voxels, does not fit in memory: "
            + "found \(byteCount(of: type) << 21) MiB, expected at most ") == true, "\(type)")
    }
  }
}

@Test("a copy in a type with less range or precision is refused, or noted as rounded")
func copiesInNarrowerTypes() throws {
  /// The outcome of a copy of two voxels as FreeSurfer's format, which holds no 64-bit types: its findings, or its refusal.
  func copied(_ datatype: Int16, _ voxels: [UInt8]) throws -> [String] {
    try withTemporaryFolder { folder in
      let header = try changed(
        "plain.nii",
        [(42, [2, 1, 1].flatMap { bytes(Int16($0)) }), (70, bytes(datatype)), (72, bytes(Int16(64)))])
      let path = folder.appending(path: "a.nii").path
      try (header.prefix(352) + voxels).write(to: URL(filePath: path))
      let image = try ImageFile.open(path)
      let error = refusal(below: folder) {
        try PendingFile.commit(image.pendingCopy(for: folder.appending(path: "a.mgz").path))
      }
      return error == "accepted" ? image.findings.map(\.description) : [error]
    }
  }
  func floats(_ numbers: [Double]) -> [UInt8] { numbers.flatMap { bytes($0.bitPattern) } }
  let note = "FreeSurfer MGH holds no"
  let whole = "values are written as float32"
  #expect(
    try copied(64, floats([1e300, 0.5])) == [
      "a.nii: holds values that no type of FreeSurfer MGH holds: found 0.5 to 1e+300, "
        + "expected values within the range of float32, or another suffix"
    ])
  #expect(try copied(64, floats([0.1, 0.5])) == ["\(note) float64; \(whole), rounded to its precision"])
  #expect(try copied(64, floats([0.25, 0.5])) == ["\(note) float64; \(whole)"])
  #expect(
    try copied(64, floats([.infinity, 0.5])) == [
      "\(note) float64; \(whole)", "1 voxel is not finite; it is copied as it is",
    ])
  for (datatype, name) in [(1280 as Int16, "uint64"), (1024, "int64")] {
    #expect(
      try copied(datatype, bytes(UInt64(1 << 53 + 1)) + bytes(UInt64(0))) == [
        "\(note) \(name); \(whole), rounded to its precision"
      ])
    #expect(
      try copied(datatype, bytes(UInt64(1 << 53)) + bytes(UInt64(0))) == ["\(note) \(name); \(whole)"])
  }
}
