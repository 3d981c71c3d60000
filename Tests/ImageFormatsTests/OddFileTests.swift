import Foundation
import ImageFormats
import Testing
import Volumes
import Work

/// The findings of opening a file and reading its voxels, or the line that refuses it.
private func outcome(_ data: Data, name: String = "scan.nii") throws -> [String] {
  try withTemporaryFolder { folder in
    let path = folder.appending(path: name).path
    try data.write(to: URL(filePath: path))
    do {
      let image = try ImageFile.open(path)
      _ = try image.scalarVolume()
      return image.findings.map(\.description)
    } catch let error as InputError {
      return ["refused: " + error.description.replacing(path, with: name)]
    }
  }
}

/// A change of a fixture's header, and the outcome of reading the file: its findings, or its refusal.
struct OddHeader: Sendable, CustomTestStringConvertible {
  var name: String
  var changes: [(at: Int, bytes: [UInt8])]
  var outcome: [String]
  var testDescription: String { outcome.joined(separator: " | ") }

  static let all: [OddHeader] = [
    OddHeader(
      name: "qform_and_sform.nii", changes: [(280, [UInt8](repeating: 0, count: 48))],
      outcome: ["sform is all 0; the qform is used"]),
    OddHeader(
      name: "qform_and_sform.nii", changes: [(280, [UInt8](repeating: 0, count: 16))],
      outcome: ["sform is not an invertible map; the qform is used"]),
    OddHeader(
      name: "qform_and_sform.nii", changes: [(280, bytes(Float.nan))],
      outcome: ["sform holds nan; the qform is used"]),
    OddHeader(
      name: "qform_and_sform.nii", changes: [(324, bytes(Float.infinity))],
      outcome: ["sform holds inf; the qform is used"]),
    OddHeader(
      name: "qform_and_sform.nii", changes: [(280, bytes(Float.nan)), (256, bytes(Float.nan))],
      outcome: [
        "refused: scan.nii: sform (byte 280) is not an affine map: found nan, expected finite numbers"
      ]
    ),
    OddHeader(
      name: "qform_and_sform.nii", changes: [(264, bytes(Float.nan))],
      outcome: ["the qform's quaternion holds nan; it is not used, the sform states the grid"]),
    OddHeader(
      name: "qform_and_sform.nii", changes: [(256, bytes(Float(3)))],
      outcome: [
        "the qform's quaternion is longer than 1; it is not used, the sform states the grid"
      ]),
    OddHeader(
      name: "qform_and_sform.nii", changes: [(80, bytes(Float(-0.90210867)))],
      outcome: ["pixdim[1] is -0.902109; the sform decides"]),
    OddHeader(
      name: "plain.nii", changes: [(84, bytes(Float(-3)))],
      outcome: [
        "pixdim[2] is -3 where the sform has 1.09772; the sform decides"
      ]),
    OddHeader(
      name: "qform_and_sform.nii", changes: [(268, bytes(Float.nan))],
      outcome: ["the qform's offset holds nan; it is not used, the sform states the grid"]),
    OddHeader(
      name: "qform_only.nii", changes: [(256, bytes(Float.nan))],
      outcome: [
        "refused: scan.nii: the qform's quaternion (byte 256) is not a rotation: found nan, expected finite numbers"
      ]),
    OddHeader(
      name: "qform_only.nii", changes: [(76, bytes(Float(7)))],
      outcome: ["pixdim[0] (qfac) is 7; it is read as 1"]),
    OddHeader(
      name: "qform_only.nii", changes: [(76, bytes(Float.nan))],
      outcome: ["pixdim[0] (qfac) is nan; it is read as 1"]),
    OddHeader(name: "qform_only.nii", changes: [(76, bytes(Float(0)))], outcome: []),
    OddHeader(
      name: "plain.nii",
      changes: [
        (40, bytes(Int16(5))), (46, bytes(Int16(1))), (48, bytes(Int16(0))), (50, bytes(Int16(2))),
      ],
      outcome: [
        "dim[4] is 0; it is read as 1 frame",
        "the image holds 2 frames or channels; frame 0 of 2 is used; --frame chooses another",
      ]),
    OddHeader(
      name: "plain.nii", changes: [(254, bytes(Int16(17152)))],
      outcome: ["sform_code is 17152, which is unknown; it is taken as set"]),
    OddHeader(
      name: "plain.nii", changes: [(252, bytes(Int16(-3)))],
      outcome: ["qform_code is -3, which is unknown; it is taken as not set"]),
    OddHeader(
      name: "plain.nii", changes: [(40, bytes(Int16(4))), (48, bytes(Int16(0)))],
      outcome: ["dim[4] is 0; it is read as 1 frame"]),
    OddHeader(
      name: "plain.nii", changes: [(40, bytes(Int16(5))), (48, bytes(Int16(1))), (50, bytes(Int16(0)))],
      outcome: ["dim[5] is 0; it is read as 1 frame"]),
    OddHeader(
      name: "qform_only.nii", changes: [(80, bytes(Float(-2)))],
      outcome: ["pixdim[1] is -2; it is read as 2"]),
    OddHeader(
      name: "plain.nii", changes: [(123, [5])],
      outcome: ["the unit of lengths is 5, which is unknown; they are read as millimetres"]),
    OddHeader(
      name: "plain.nii", changes: [(292, bytes(Float(-3e8)))],
      outcome: [
        "refused: scan.nii: the first voxel lies beyond any grid: found -300000000.0 mm, "
          + "expected within 10000000 mm of 0"
      ]),
    OddHeader(
      name: "plain.nii", changes: [(68, bytes(Int16(3006)))],
      outcome: [
        "refused: scan.nii: is CIFTI: numbers of points on brain surfaces, not of voxels in space: "
          + "expected an image"
      ]),
    OddHeader(
      name: "extension.nii", changes: [(352, bytes(Int32(1_000_000)))],
      outcome: [
        "extension 1 states 1000000 bytes, where 112 lie before the voxels; "
          + "it is ignored, voxels are read from where vox_offset says"
      ]),
    OddHeader(
      name: "extension.nii", changes: [(356, bytes(Int32(32)))],
      outcome: [
        "refused: scan.nii: is CIFTI: numbers of points on brain surfaces, not of voxels in space: "
          + "expected an image"
      ]),
  ]
}

@Test("an odd header is read with the finding that says how, or refused by name", arguments: OddHeader.all)
func oddHeader(_ odd: OddHeader) throws {
  #expect(try outcome(changed(odd.name, odd.changes)) == odd.outcome)
}

@Test("an sform that is not invertible is replaced by the qform")
func qformInsteadOfSform() throws {
  let data = try changed("qform_and_sform.nii", [(280, [UInt8](repeating: 0, count: 48))])
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "scan.nii").path
    try data.write(to: URL(filePath: path))
    let expected = try #require(ExpectedImage.all["qform_only.nii"])
    #expect(largestDifference(try ImageFile.open(path).grid.affine, expected.affine) < 1e-5)
  }
}

@Test("bytes after the gzip data are ignored with a finding, however they begin")
func trailingBytes() throws {
  let packed = try Data(contentsOf: URL(filePath: fixture("gzip.nii.gz")))
  #expect(try outcome(packed, name: "scan.nii.gz") == [])
  let tails: [[UInt8]] = [
    [1, 2, 3], [0x1f], [0x1f, 0], [0x1f, 0x8b], [0x1f, 0x8b, 8, 9, 9, 9, 9, 9, 9, 9, 9], [0],
  ]
  for tail in tails {
    #expect(
      try outcome(packed + Data(tail), name: "scan.nii.gz")
        == ["other bytes follow the gzip data; they are not read"], "\(tail)")
  }
}

@Test("suffixes are known in small and capital letters, and those of CIFTI are named")
func suffixes() throws {
  #expect(ImageName.stem(of: "a/Scan.NII.GZ") == "a/Scan")
  #expect(ImageName.stem(of: "Scan.Nii") == "Scan")
  #expect(ImageName.suffix(of: "x.IMG.gz") == ".img.gz")
  #expect(ImageName.suffix(of: "x.txt") == nil)
  let plain = try Data(contentsOf: URL(filePath: fixture("plain.nii")))
  #expect(try outcome(plain, name: "Scan.NII") == [])
  #expect(try outcome(plain, name: "x.dscalar.nii").first?.contains("is CIFTI") == true)
  try withTemporaryFolder { folder in
    for ending in ["hdr", "img"] {
      try FileManager.default.copyItem(
        atPath: fixture("pair1.\(ending)"), toPath: folder.appending(path: "A.\(ending.uppercased())").path)
    }
    for name in ["A.HDR", "A.IMG"] {
      #expect(try ImageFile.open(folder.appending(path: name).path).scalarVolume().voxels.count == 60)
    }
  }
}

/// A mask of one row with these values, stored as `type`, read as labels.
private func mask(_ values: [Double], datatype: Int16, slope: Float = 1, intercept: Float = 0) throws
  -> (volume: LabelVolume, findings: [String])
{
  var data = try changed(
    "plain.nii",
    [
      (40, bytes(Int16(3))), (42, bytes(Int16(values.count))), (44, bytes(Int16(1))), (46, bytes(Int16(1))),
      (70, bytes(datatype)),
      (72, bytes(Int16(datatype == 2 ? 8 : datatype == 4 ? 16 : datatype == 8 ? 32 : 64))),
      (112, bytes(slope)), (116, bytes(intercept)),
    ]
  ).prefix(352)
  for value in values {
    switch datatype {
    case 2: data += bytes(UInt8(value))
    case 4: data += bytes(Int16(value))
    case 8: data += bytes(Int32(value))
    default: data += bytes(value.bitPattern)
    }
  }
  return try withTemporaryFolder { folder in
    let path = folder.appending(path: "mask.nii").path
    try data.write(to: URL(filePath: path))
    let file = try ImageFile.open(path)
    return (try file.labelVolume(), file.findings.map(\.problem))
  }
}

@Test("labels stored as steps of a scale are the whole numbers next to them; fractions are refused")
func scaledMasks() throws {
  let nearlyOne = try mask([0, 1, 2, 3], datatype: 2, slope: 1.0000001)
  #expect(nearlyOne.volume.voxels == [0, 1, 2, 3])
  #expect(
    nearlyOne.findings == [
      "the scale of the file makes labels that are not whole (1.0000001192092896 for 1)"
    ])
  // As nibabel stores a float mask of 0, 3 and 7 in 16 bits.
  let steps = try mask([-32768, -4681, 32767], datatype: 4, slope: 7 / 65535, intercept: 3.5000534)
  #expect(steps.volume.voxels == [0, 3, 7])
  #expect(steps.findings.count == 1)
  #expect(throws: InputError.self) { try mask([0, 1], datatype: 2, slope: 0.5) }
  #expect(throws: InputError.self) { try mask([0, 1], datatype: 2, slope: 1.3) }
  #expect(throws: InputError.self) { try mask([0, 0.5], datatype: 64) }
  #expect(throws: InputError.self) { try mask([0, -1], datatype: 4) }
}

@Test("values beyond 65535 take free codes and are written as they were")
func largeValues() throws {
  let values: [Double] = [0, 65535, 614_454_277, 7, 2_147_483_647, 614_454_277]
  let (volume, findings) = try mask(values, datatype: 8)
  #expect(findings == [])
  #expect(volume.voxels.map { Double(volume.coding.value(of: $0)) } == values)
  #expect(volume.voxels[1] == 65535 && volume.voxels[3] == 7)
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "written.nii.gz").path
    try volume.write(to: path, source: ImageSource(grid: volume.grid))
    let written = try ImageFile.open(path)
    #expect(written.voxelType == .uint32)
    #expect(try written.labelVolume() == volume)
    #expect(
      try LabelNamesFile.write(
        LabelNames(
          LabelTable().completed(for: [volume.voxels[2]], coding: volume.coding), coding: volume.coding),
        besideMask: path) == folder.appending(path: "written.labels.json").path)
    let names = try #require(try LabelNamesFile.read(besideMask: path))
    #expect(names.entries.map(\.value) == [614_454_277])
    #expect(names.entries.map(\.name) == ["label 614454277"])
    #expect(names.table() == LabelTable())
    #expect(
      names.notes() == ["label 614454277 (614454277): no voxel has this value; the name is ignored"])
  }
  #expect(throws: InputError.self) { try mask([0, 0x1p53 + 2], datatype: 64) }
  // A scale of whole numbers keeps them whole, however large they are.
  for (stored, slope, intercept) in [(25347.0, Float(3), Float(0)), (7604, 10, 1)] {
    let (scaled, _) = try mask([stored, stored], datatype: 4, slope: slope, intercept: intercept)
    #expect(scaled.coding.value(of: scaled.voxels[0]) == 76041)
  }
  #expect(throws: InputError.self) { try mask([7604], datatype: 4, slope: 10, intercept: 1.0001) }
}

@Test("a mask of several frames is refused, an image of several reports which one is used")
func frames() throws {
  let image = try ImageFile.open(fixture("four_axes.nii.gz"))
  #expect(throws: InputError.self) { try image.labelVolume() }
  _ = try image.scalarVolume(frame: 1)
  #expect(image.findings == [])
  _ = try image.scalarVolume()
  #expect(
    image.findings.map(\.description) == [
      "the image holds 3 frames or channels; frame 0 of 3 is used; --frame chooses another"
    ])
}

@Test("a probability that is not a number is named with its voxel")
func nonFiniteProbabilities() throws {
  for value in [Float.nan, .infinity, -.infinity] {
    let volume = ProbabilityVolume(
      grid: VolumeGrid(size: GridSize(2, 1, 1), affine: Affine(spacing: Spacing(1))), classCount: 2,
      values: [0.4, value, 0.6, 0.5])
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "p.nii").path
      try volume.write(to: path, source: ImageSource(grid: volume.grid))
      #expect(
        throws: InputError(
          path, "voxel (1, 0, 0) has no class probabilities", found: "\(value), 0.5",
          expected: "values from 0 to 1 that add up to 1")
      ) { try ImageFile.open(path).probabilityVolume() }
    }
  }
}

/// A mask of one row of 64-bit integers.
private func wideMask(_ values: [Int64], datatype: Int16 = 1024) throws -> Data {
  var data = try changed(
    "plain.nii",
    [
      (40, bytes(Int16(3))), (42, bytes(Int16(values.count))), (44, bytes(Int16(1))), (46, bytes(Int16(1))),
      (70, bytes(datatype)), (72, bytes(Int16(64))),
    ]
  ).prefix(352)
  for value in values { data += bytes(value) }
  return data
}

@Test("64-bit labels are read, written and shown to the last digit")
func wideLabels() throws {
  let values: [Int64] = [0, 9_007_199_254_740_992, 9_007_199_254_740_993, .max, 5]
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "mask.nii").path
    try wideMask(values).write(to: URL(filePath: path))
    let volume = try ImageFile.open(path).labelVolume()
    #expect(volume.voxels.map { Int64(volume.coding.value(of: $0)) } == values)
    let written = folder.appending(path: "written.nii.gz").path
    try volume.write(to: written, source: ImageSource(grid: volume.grid))
    #expect(try ImageFile.open(written).labelVolume() == volume)
    try wideMask([0, -9_007_199_254_740_993]).write(to: URL(filePath: path))
    #expect(
      throws: InputError(
        path, "is not a mask: voxel (1, 0, 0) is not a label", found: "-9007199254740993",
        expected: "a whole number, 0 or more")
    ) { try ImageFile.open(path).labelVolume() }
    // The same bits without a sign: 2^64 - 1 is whole, and more than a label can be.
    try wideMask([0, -1], datatype: 1280).write(to: URL(filePath: path))
    #expect(
      throws: InputError(
        path, "is not a mask: voxel (1, 0, 0) is not a label", found: "18446744073709551615",
        expected: "a whole number from 0 to 9223372036854775807")
    ) { try ImageFile.open(path).labelVolume() }
  }
}

@Test("reading an image tells what it would be as a mask")
func findingsAsMask() throws {
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "mask.nii").path
    for (values, expected, labels) in [
      (
        [0, 255, 255],
        ["as a mask: stored as 255, its only value besides 0; read as label 1 and written as 255"], [0, 255]
      ),
      ([0, 255, 1], [], [0, 1, 255]), ([0, -5, 255], [], nil), ([7, 614_454_277, 7], [], [7, 614_454_277]),
    ] as [([Int64], [String], Set<Int>?)] {
      try wideMask(values).write(to: URL(filePath: path))
      let image = try ImageFile.open(path)
      let survey = MaskSurvey(of: image)
      _ = try image.scalarVolume(surveying: survey)
      #expect(survey.findings.map(\.description) == expected)
      #expect(survey.values == labels)
    }
  }
}

@Test("a copy keeps what is not a finite number and says how many there are")
func copiedNaN() throws {
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "image.nii").path
    var data = try changed(
      "plain.nii",
      [
        (40, bytes(Int16(3))), (42, bytes(Int16(3))), (44, bytes(Int16(1))), (46, bytes(Int16(1))),
        (70, bytes(Int16(16))), (72, bytes(Int16(32))),
      ]
    ).prefix(352)
    for value in [Float.nan, 1, .infinity] { data += bytes(value) }
    try data.write(to: URL(filePath: path))
    let image = try ImageFile.open(path)
    let copy = folder.appending(path: "copy.nii").path
    try PendingFile.commit(image.pendingCopy(for: copy))
    #expect(
      image.findings.map(\.description) == [
        "2 voxels are not finite; they are copied as they are"
      ])
    #expect(try Data(contentsOf: URL(filePath: copy)).suffix(12) == data.suffix(12))
  }
}
