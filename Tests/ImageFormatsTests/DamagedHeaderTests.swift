import Foundation
import ImageFormats
import Testing
import Work

@Test(
  "every damaged MetaImage, NRRD and FreeSurfer file is refused with one line that says what was found",
  arguments: [
    "FreeSurfer/bad_cosines.mgh: voxel size along axis 0 is unusable: found 0.0 mm, expected "
      + "1e-06 to 1000000.0 mm",
    "FreeSurfer/bad_extent.mgh: extent 1 (byte 4) is wrong: found -1, expected 1 or more",
    "FreeSurfer/bad_extent_huge.mgh: voxels cannot be told apart by their positions: found "
      + "0.8999999976158137 x 1.1000000500679024 x 2.5 mm up to 3285649979.2599983 mm away, "
      + "expected at most 100000000.0 voxels from the origin",
    "FreeSurfer/bad_short.mgh: holds fewer voxels than its header states: found 350 bytes, "
      + "expected 404 bytes (284 + 120 of int16)",
    "FreeSurfer/bad_type.mgh: type (byte 20) cannot be read: found 9, expected 0, 1, 3, 4 or "
      + "10",
    "FreeSurfer/bad_version.mgh: version (byte 0) is wrong: found 2, expected 1",
    "MetaImage/bad_end.mha: the header ends early: found 2 lines, expected ElementDataFile as "
      + "its last field",
    "MetaImage/bad_list.mhd: lists fewer files than its size needs: found 2 files, expected 3",
    "MetaImage/bad_matrix.mha: TransformMatrix (line 6) cannot be inverted: found axes in one "
      + "plane, expected three directions",
    "MetaImage/bad_missing.mhd: names a file that does not exist: found \"nowhere.raw\"",
    "MetaImage/bad_number.mha: ElementSpacing (line 8) is wrong: found \"1 1 1.5x\", expected "
      + "3 numbers",
    "MetaImage/bad_object.mha: ObjectType (line 1) is wrong: found \"Tube\", expected Image",
    "MetaImage/bad_parent.mhd: names a file outside of its folder: found \"../plain.nii\", "
      + "expected a path within the folder of the header",
    "MetaImage/bad_pattern.mhd: names files by a pattern that cannot be read: found "
      + "\"slice%02d%s.raw\", expected one number in it, as in slice%03d.raw",
    "MetaImage/bad_root.mhd: names a file outside of its folder: found \"/etc/passwd\", "
      + "expected a path within the folder of the header",
    "MetaImage/bad_short.mha: holds fewer voxels than its header states: found 100 bytes, "
      + "expected 120 bytes (0 + 120 of int16)",
    "MetaImage/bad_size.mha: DimSize (line 9) is wrong: found \"5 4 0\", expected 3 whole "
      + "numbers from 1 on",
    "MetaImage/bad_size_count.mha: DimSize (line 9) is wrong: found \"5 4\", expected 3 whole "
      + "numbers from 1 on",
    "MetaImage/bad_size_huge.mha: DimSize (line 9) states more voxels than any file holds: "
      + "found 2000000000 2000000000 2000000000",
    "MetaImage/bad_type.mha: ElementType (line 10) is wrong: found \"MET_COMPLEX\", expected "
      + "MET_UCHAR, MET_SHORT, MET_FLOAT or another number",
    "MetaImage/bad_zlib.mha: zlib data are damaged after 0 bytes of content: found invalid "
      + "code lengths set",
    "MetaImage/bad_zlib_cut.mha: the zlib data are cut off: found 92 bytes of content, "
      + "expected 120",
    "NRRD/bad_block.nrrd: type (line 3) is wrong: found \"block\", expected short, uchar, "
      + "float or another number",
    "NRRD/bad_bzip2.nrrd: bzip2 data are damaged after 120 bytes of content: found a wrong "
      + "checksum or block",
    "NRRD/bad_bzip2_cut.nrrd: the bzip2 data are cut off: found every voxel, but not the end of the data, "
      + "expected the checksum that ends them",
    "NRRD/bad_dimension.nrrd: sizes (line 5) is wrong: found \"5 4 3\", expected 5 whole "
      + "numbers from 1 on",
    "NRRD/bad_directions.nrrd: space directions (line 8) is wrong: found \"(1,0,0) (0,1,0)\", "
      + "expected 3 vectors",
    "NRRD/bad_encoding.nrrd: encoding (line 6) is wrong: found \"lzw\", expected raw, gzip, "
      + "bzip2, ascii or hex",
    "NRRD/bad_endian.nrrd: endian is missing: expected a field of that name",
    "NRRD/bad_gzip_cut.nrrd: the gzip data are cut off: found 100 bytes of content, expected "
      + "120",
    "NRRD/bad_hex.nrrd: the voxels hold a character that is no hexadecimal digit: found g, "
      + "expected 0 to 9 and a to f",
    "NRRD/bad_line.nrrd: line 12 of the header is not a field: found \"no field\", expected "
      + "FIELD: VALUE",
    "NRRD/bad_list.nhdr: lists another number of files than its sizes need: found 1, expected "
      + "3 files",
    "NRRD/bad_magic.nrrd: does not begin as NRRD: expected NRRD0001 to NRRD0005 as its first "
      + "line",
    "NRRD/bad_middle.nrrd: axis 1 is not spatial and lies between spatial axes: expected "
      + "it before or after them",
    "NRRD/bad_missing.nhdr: names a file that does not exist: found \"nowhere.raw\"",
    "NRRD/bad_not_gzip.nrrd: gzip data are damaged after 0 bytes of content: found incorrect "
      + "header check",
    "NRRD/bad_parent.nhdr: names a file outside of its folder: found \"../plain.nii\", "
      + "expected a path within the folder of the header",
    "NRRD/bad_root.nhdr: names a file outside of its folder: found \"/etc/passwd\", expected "
      + "a path within the folder of the header",
    "NRRD/bad_short.nrrd: holds fewer voxels than its header states: found 100 bytes, "
      + "expected 120 bytes (0 + 120 of int16)",
    "NRRD/bad_singular.nrrd: space directions (line 8) cannot be inverted: found axes in one "
      + "plane, expected three directions",
    "NRRD/bad_size.nrrd: sizes (line 5) is wrong: found \"-5 4 3\", expected 3 whole numbers "
      + "from 1 on",
    "NRRD/bad_size_huge.nrrd: sizes (line 5) states more voxels than any file holds: found "
      + "4000000000 4000000000 4",
    "NRRD/bad_size_overflow.nrrd: sizes (line 5) states more voxels than any file holds: "
      + "found 4000000 4000000 4000000",
    "NRRD/bad_space.nrrd: space (line 7) is wrong: found \"anterior-right-up\", expected "
      + "left-posterior-superior, right-anterior-superior or another space of NRRD",
    "NRRD/bad_text.nrrd: number 28 of the voxels is wrong: found \"7.5\", expected a number "
      + "that fits int16",
    "NRRD/bad_text_range.nrrd: number 1 of the voxels is wrong: found \"300\", expected a "
      + "number that fits uint8",
    "NRRD/bad_text_short.nrrd: the voxels end early: found 57 numbers, expected 60",
    "NRRD/bad_twice.nrrd: line 12 of the header states a field twice: found sizes",
    "NRRD/bad_type.nrrd: type (line 3) is wrong: found \"foo\", expected short, uchar, float "
      + "or another number",
    "NRRD/overlapping.seg.nrrd: its segments overlap: found liver and lesion, "
      + "expected one of them, with --segment NAME or --layer 0 to 1",
  ])
func damagedHeader(line: String) {
  #expect(fixtureRefusal(String(line.prefix { $0 != ":" })) == line)
}
