import Foundation
import ImageFormats
import Testing
import Volumes
import Work

@Test(
  "every good file gives the size, type, affine and values that nibabel or SimpleITK finds",
  arguments: ExpectedImage.all.keys.sorted())
func goodFile(name: String) throws {
  let expected = try #require(ExpectedImage.all[name])
  let image = try ImageFile.open(fixture(name))
  #expect(image.grid.size == GridSize(expected.size[0], expected.size[1], expected.size[2]))
  #expect(image.frameCount == expected.frames.reduce(1, *))
  #expect(image.voxelType.rawValue == expected.type)
  #expect(largestDifference(image.grid.affine, expected.affine) < 1e-5)
  var values: [Float] = []
  for frame in 0..<image.frameCount { values += try image.scalarVolume(frame: frame).voxels }
  #expect(values == expected.values.map(Float.init))
}

@Test("frames are counted over all axes beyond the third and an absent one is refused")
func absentFrame() throws {
  let image = try ImageFile.open(fixture("five_axes.nii"))
  #expect(image.frameSizes == [1, 2])
  #expect(
    throws: InputError(image.path, "has no such frame", found: "frame 2", expected: "0 to 1")
  ) { try image.scalarVolume(frame: 2) }
  #expect(throws: InputError.self) { try image.scalarVolume(frame: -1) }
}

@Test("a defective header is read with the finding that describes the repair")
func findings() throws {
  func descriptions(_ name: String) throws -> [String] {
    try ImageFile.open(fixture(name)).findings.map(\.description)
  }
  #expect(try descriptions("plain.nii") == [])
  #expect(try descriptions("slope_nan.nii") == [])
  #expect(try descriptions("bitpix_wrong.nii") == ["bitpix is 64 where int16 has 16; datatype decides"])
  #expect(
    try descriptions("vox_offset_0.nii") == [
      "vox_offset is 0; voxels are read from byte 352, after the header"
    ])
  #expect(
    try descriptions("neither_form.nii") == [
      "neither sform nor qform is set; only the spacing is known: i is taken to run to the left, "
        + "the centre is the origin"
    ])
  #expect(
    try descriptions("micrometres.nii") == [
      "lengths are stated in micrometres; they are read as millimetres times 0.001"
    ])
}

@Test(
  "axes that are not perpendicular are a finding from half a degree on, with the angle of each pair",
  arguments: [
    ([[1, 0, 0], [0, 1, 0], [0, 1.2, 3]], "the axes j and k meet at 68.2 degrees"),
    ([[1, 0, 0], [0, -1, 0], [0, 1.2, 3]], "the axes j and k meet at 111.8 degrees"),
    (
      [[1, 0, 0], [0.5, 1, 0], [0.5, 0, 2]],
      "the axes i and j meet at 63.4 degrees, i and k meet at 76.0 degrees, j and k meet at 83.8 degrees"
    ),
    ([[1, 0, 0], [0, 1, 0], [0, 0.01, 1]], "the axes j and k meet at 89.4 degrees"),
    ([[1, 0, 0], [0, 1, 0], [0, 0.0085, 1]], nil),
    ([[0.36, 0.48, -0.8], [-0.8, 0.6, 0], [0.48, 0.64, 0.6]], nil),
  ] as [([[Float]], String?)])
func shearedAxes(columns: [[Float]], problem: String?) throws {
  var bytes = try Data(contentsOf: URL(filePath: fixture("plain.nii")))
  // sform_code, then the rows of the sform; pixdim as the columns are long.
  bytes.replaceSubrange(254..<256, with: [1, 0])
  for axis in 0..<3 {
    let length = columns[axis].reduce(0) { $0 + $1 * $1 }.squareRoot()
    bytes.replaceSubrange(80 + 4 * axis..<84 + 4 * axis, with: withUnsafeBytes(of: length) { Data($0) })
    for row in 0..<3 {
      let start = 280 + 16 * row + 4 * axis
      bytes.replaceSubrange(start..<start + 4, with: withUnsafeBytes(of: columns[axis][row]) { Data($0) })
    }
  }
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "sheared.nii").path
    try bytes.write(to: URL(filePath: path))
    let findings = try ImageFile.open(path).findings
    #expect(findings.map(\.problem) == [problem].compactMap(\.self))
    #expect(
      findings.allSatisfy {
        $0.repair
          == "volumes, positions and distances are exact; planes are drawn, and the network and the CRF work, "
          + "as if the axes were perpendicular"
      })
  }
}

@Test("voxels that are not finite numbers become the smallest or largest value, with a finding")
func nonFiniteVoxels() throws {
  let image = try ImageFile.open(fixture("not_finite.nii"))
  let voxels = try image.scalarVolume().voxels
  let largest: Float = 39 * 0.37
  #expect(voxels[0] == -19 * 0.37)
  #expect(abs(voxels.max()! - largest) < 1e-5)
  // nibabel's flat index runs k fastest: 7 is voxel (0, 2, 1), 9 is (0, 3, 0).
  #expect(voxels[image.grid.size.offset(VoxelIndex(0, 2, 1))] == voxels.max())
  #expect(voxels[image.grid.size.offset(VoxelIndex(0, 3, 0))] == voxels.min())
  #expect(image.findings.map(\.problem) == ["3 voxels are not finite"])
}

@Test("a gzip bomb is read in bounded memory, up to the size that the header states")
func bomb() throws {
  let image = try ImageFile.open(fixture("bomb.nii.gz"))
  #expect(try Array(image.scalarVolume().voxels) == [Float](repeating: 0, count: 60))
  #expect(
    image.findings == [Finding("1048576 bytes or more follow the last voxel", repair: "they are not read")])
}

@Test("a mask of whole floats is read as labels, NaN as background")
func floatMask() throws {
  let image = try ImageFile.open(fixture("mask_255_float.nii"))
  let mask = try image.labelVolume()
  #expect(mask.voxelCounts() == [0: 56, 255: 4])
  #expect(mask.voxels[mask.grid.size.offset(VoxelIndex(2, 1, 1))] == 255)
  #expect(image.findings.map(\.problem) == ["1 voxel of the mask is NaN"])
}

@Test("a voxel that is not a label is named")
func noLabel() throws {
  let plain = fixture("plain.nii")
  #expect(
    throws: InputError(
      plain, "is not a mask: voxel (0, 0, 0) is not a label", found: "-20.0",
      expected: "a whole number, 0 or more")
  ) { try ImageFile.open(plain).labelVolume() }
  let fraction = fixture("nifti1_f4_le.nii")
  #expect(throws: InputError.self) { try ImageFile.open(fraction).labelVolume() }
}

@Test(
  "every integer type that fits is read as labels",
  arguments: ["u1_le", "u2_be", "u4_le", "u8_be"])
func integerLabels(suffix: String) throws {
  let name = try #require(ExpectedImage.all.keys.first { $0.hasSuffix("_\(suffix).nii") })
  #expect(try ImageFile.open(fixture(name)).labelVolume().voxels == (0..<60).map(UInt16.init))
}

@Test("frames of probabilities are classes; anything else is refused at the first voxel")
func probabilities() throws {
  let image = try ImageFile.open(fixture("probabilities.nii.gz"))
  let probabilities = try image.probabilityVolume()
  let expected = try #require(ExpectedImage.all["probabilities.nii.gz"])
  #expect(probabilities.classCount == 2)
  #expect(probabilities.values == expected.values.map(Float.init))
  #expect(throws: InputError.self) { try ImageFile.open(fixture("four_axes.nii.gz")).probabilityVolume() }
  #expect(throws: InputError.self) { try ImageFile.open(fixture("plain.nii")).probabilityVolume() }
}

@Test("reading stops when asked to")
func cancelledReading() throws {
  let context = WorkContext()
  context.cancellation.request()
  #expect(throws: Cancelled()) { try ImageFile.open(fixture("plain.nii")).scalarVolume(work: context) }
}
