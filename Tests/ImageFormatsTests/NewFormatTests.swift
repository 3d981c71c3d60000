import Foundation
import ImageFormats
import Testing
import Volumes
import Work

/// A format of these tests: "TINY", the extents as three bytes, then a byte for each voxel of 1 mm.
private enum TinyFormat: ImageFormat {
  static let name = "Tiny"
  static let suffixes = [".tiny"]

  static func recognises(_ beginning: [UInt8]) -> Bool { beginning.starts(with: Array("TINY".utf8)) }

  static func grid(_ size: GridSize) -> VolumeGrid {
    VolumeGrid(size: size, affine: Affine(spacing: Spacing(1, 1, 1), origin: WorldPoint(0, 0, 0)))
  }

  static func open(path: String, options: ImageReadingOptions, work: WorkContext) throws -> ImageFile {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    guard recognises(bytes), bytes.count >= 7 else {
      throw InputError(path, "is not a tiny image", expected: "TINY and three extents")
    }
    let size = GridSize(Int(bytes[4]), Int(bytes[5]), Int(bytes[6]))
    let voxels = RawVoxelFile(
      path: path, offset: 7, type: .uint8, isByteSwapped: false, voxelsPerFrame: size.voxelCount,
      frameCount: 1)
    try voxels.checkSize()
    return ImageFile(
      path: path, storage: "tiny", source: ImageSource(grid: grid(size)), voxelType: .uint8,
      scaling: VoxelScaling(), frameSizes: [], files: [path], reader: voxels, findings: [])
  }
}

private let formats = ImageFormatList(ImageFormatList.all.formats + [TinyFormat.self])

@Suite("A format beside NIfTI is one type and one entry of the list")
struct NewFormatTests {
  @Test("its files are read under any name, and NIfTI files as before")
  func read() throws {
    try withTemporaryFolder { folder in
      for name in ["a.tiny", "a.nii.gz", "a"] {
        let path = folder.appending(path: name).path
        try Data(Array("TINY".utf8) + [2, 1, 3] + [5, 6, 7, 8, 9, 10]).write(to: URL(filePath: path))
        let image = try ImageFile.open(path, as: formats)
        #expect(image.storage == "tiny" && image.grid == TinyFormat.grid(GridSize(2, 1, 3)))
        #expect(try image.labelVolume().voxels == [5, 6, 7, 8, 9, 10])
      }
    }
    #expect(try ImageFile.open(fixture("plain.nii"), as: formats).storage == "NIfTI-1, little-endian")
  }

  @Test("a mask of its images is written on the same grid")
  func write() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "a.tiny").path
      try Data(Array("TINY".utf8) + [1, 1, 2, 0, 1]).write(to: URL(filePath: path))
      let image = try ImageFile.open(path, as: formats)
      let mask = try image.labelVolume()
      let written = folder.appending(path: "mask.nii").path
      try mask.write(to: written, source: image.source)
      #expect(try ImageFile.open(written, as: formats).labelVolume() == mask)
    }
  }

  @Test(
    "a damaged file is refused by the format of its name, and one of no format with the names of all",
    arguments: [
      ("a.tiny", "a.tiny: is not a tiny image: expected TINY and three extents"),
      ("a.TINY", "a.TINY: is not a tiny image: expected TINY and three extents"),
      (
        "a.txt",
        "a.txt: is not an image that can be read: found first bytes 6e 6f 6e 65, expected NIfTI, MetaImage, NRRD, "
          + "FreeSurfer MGH, DICOM or Tiny"
      ),
    ])
  func refused(name: String, line: String) throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: name).path
      try Data("none".utf8).write(to: URL(filePath: path))
      let error = #expect(throws: InputError.self) { _ = try ImageFile.open(path, as: formats) }
      #expect(error?.description.replacing(path, with: name) == line)
    }
  }
}
