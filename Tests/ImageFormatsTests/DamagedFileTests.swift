import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

/// Opens a file and reads every frame.
private func readAll(_ path: String) throws {
  let image = try ImageFile.open(path)
  for frame in 0..<min(image.frameCount, 8) { _ = try image.scalarVolume(frame: frame) }
}

/// The line that refuses a damaged file, without the path.
func fixtureRefusal(_ name: String) -> String {
  do {
    try readAll(fixture(name))
    return "nothing"
  } catch {
    return "\(error)".replacing(fixtures.path + "/", with: "")
  }
}

@Test(
  "every damaged file is refused with one line that says what was found",
  arguments: [
    "bad_dim0_is_0.nii: dim[0] (byte 40) is wrong: found 0, expected 1 to 7",
    "bad_dim0_is_9.nii: dim[0] (byte 40) is wrong: found 9, expected 1 to 7",
    "bad_dim_negative.nii: dim[1] (byte 42) is wrong: found -5, expected 1 or more",
    "bad_dim_zero.nii: dim[2] (byte 44) is wrong: found 0, expected 1 or more",
    "bad_dim_huge.nii: holds fewer voxels than its header states: found 472 bytes, "
      + "expected 70362301923678 bytes (352 + 70362301923326 of int16)",
    "bad_dim_overflow.nii: dim (byte 40) states more voxels than any file holds: "
      + "found 32767x32767x32767x32767x32767x32767x32767",
    "bad_datatype.nii: datatype (byte 70) cannot be read: found 1, "
      + "expected 2, 4, 8, 16, 64, 256, 512, 768, 1024 or 1280",
    "bad_offset_negative.nii: vox_offset (byte 108) is wrong: found -352.0, expected a whole number from 352 on",
    "bad_offset_in_header.nii: vox_offset (byte 108) is wrong: found 100.0, expected a whole number from 352 on",
    "bad_offset_nan.nii: vox_offset (byte 108) is wrong: found nan, expected a whole number from 352 on",
    "bad_offset_huge.nii: holds fewer voxels than its header states: found 472 bytes, "
      + "expected 999999996024 bytes (999999995904 + 120 of int16)",
    "bad_sform_nan.nii: sform (byte 280) is not an affine map: found nan, expected finite numbers",
    "bad_sform_singular.nii: sform (byte 280) cannot be inverted: found axes in one plane, "
      + "expected three directions",
    "bad_quaternion.nii: the qform's quaternion (byte 256) is not a rotation: found length 5.095711786249898, expected 1 or less",
    "bad_pixdim_nan.nii: pixdim[1] (byte 80) is wrong: found nan, expected a finite spacing",
    "bad_magic.nii: magic (byte 344) is wrong: found \"xx1.\", expected \"n+1\" or \"ni1\"",
    "bad_magic_pair.nii: magic says that the voxels lie in another file: found a name that does not end in .hdr, "
      + "expected a pair NAME.hdr and NAME.img",
    "bad_size_field.nii: sizeof_hdr (byte 0) is wrong: found 0, expected 348 or 540",
    "bad_short_header.nii: the NIfTI-1 header ends early: found 200 bytes, expected 348",
    "bad_short_voxels.nii: holds fewer voxels than its header states: found 400 bytes, "
      + "expected 472 bytes (352 + 120 of int16)",
    "bad_empty.nii: is empty: found 0 bytes",
    "bad_lonely.img: has no header file beside it: expected bad_lonely.hdr or bad_lonely.hdr.gz",
    "bad_complex.nii: voxels cannot be read as numbers: found complex64, "
      + "expected an integer type, float32 or float64",
    "bad_rgb.nii: voxels cannot be read as numbers: found rgb24, expected an integer type, float32 or float64",
    "nowhere.nii: cannot be opened: found No such file or directory",
  ])
func damagedFile(line: String) {
  #expect(fixtureRefusal(String(line.prefix { $0 != ":" })) == line)
}

@Test("damaged gzip is refused: cut off, a wrong checksum, more voxels than it can hold")
func damagedGzip() {
  #expect(
    fixtureRefusal("bad_gzip_cut.nii.gz").hasPrefix("bad_gzip_cut.nii.gz: the gzip data are cut off: found "))
  #expect(
    fixtureRefusal("bad_gzip_checksum.nii.gz")
      == "bad_gzip_checksum.nii.gz: gzip data are damaged after 472 bytes of content: found incorrect data check"
  )
  #expect(
    fixtureRefusal("bad_gzip_claims.nii.gz").hasPrefix("bad_gzip_claims.nii.gz: holds fewer voxels than"))
}

@Test("gzip that holds every voxel and lacks only a part of its end is refused with that reason")
func gzipWithoutItsEnd() throws {
  let whole = try Data(contentsOf: URL(filePath: fixture("gzip.nii.gz")))
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "cut.nii.gz").path
    for missing in [1, 4, 8] {
      try whole.dropLast(missing).write(to: URL(filePath: path))
      #expect(
        throws: InputError(
          path, "the gzip data are cut off", found: "every voxel, but not the end of the data",
          expected: "the checksum that ends them")
      ) { try ImageFile.open(path).scalarVolume() }
    }
  }
}

@Test("a folder is refused, and so is a file of another kind")
func noImage() throws {
  #expect(
    fixtureRefusal("").hasPrefix(
      fixtures.path + ": holds images only in its folders: found DICOM/big_endian: "))
  #expect(
    fixtureRefusal("expected.json")
      == "expected.json: is not an image that can be read: found first bytes 7b 22 62 69, expected NIfTI, MetaImage, "
      + "NRRD, FreeSurfer MGH or DICOM")
}

@Test(
  "a file cut anywhere is refused and never traps",
  arguments: ["plain.nii", "nifti2_u1_be.nii", "gzip.nii.gz"])
func cutAnywhere(name: String) throws {
  let whole = try Data(contentsOf: URL(filePath: fixture(name)))
  try withTemporaryFolder { folder in
    let path = folder.appending(path: name).path
    for count in 0..<whole.count {
      try whole.prefix(count).write(to: URL(filePath: path))
      #expect(throws: InputError.self, "cut at byte \(count)") { try readAll(path) }
    }
  }
}

@Test(
  "random bytes in a header are read or refused and never trap",
  arguments: ["nifti1_i2_be.nii", "nifti2_u2_be.nii", "gzip.nii.gz"])
func randomBytes(name: String) throws {
  let whole = try Data(contentsOf: URL(filePath: fixture(name)))
  var generator = SplitMix64(seed: 7)
  var refused = 0
  try withTemporaryFolder { folder in
    let path = folder.appending(path: name).path
    for _ in 0..<400 {
      var changed = whole
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        changed[Int.random(in: 0..<min(whole.count, 560), using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      try changed.write(to: URL(filePath: path))
      do { try readAll(path) } catch is InputError { refused += 1 }
    }
  }
  #expect(refused > 30)
}
