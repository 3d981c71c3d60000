import Foundation
import ImageFormats
import Journal
import Networks
import ONNX
import Volumes
import Work
import Worklist

extension FuzzTarget {
  /// Every target.
  package static let all: [FuzzTarget] = [
    image("nifti", "input.nii", ("", ".nii")),
    image("gzip", "input.nii.gz", ("", ".nii.gz")),
    image("metaimage", "input.mha", ("MetaImage", ".mha")),
    image("metaimage-header", "input.mhd", ("MetaImage", ".mhd"), neighbours: slices),
    image("nrrd", "input.nrrd", ("NRRD", ".nrrd")),
    image("nrrd-header", "input.nhdr", ("NRRD", ".nhdr"), neighbours: slices),
    image("nrrd-segmentation", "input.seg.nrrd", ("NRRD", ".seg.nrrd")),
    image("bzip2", "input.nrrd", content: { bzip2Header + $0 }),
    image("mgh", "input.mgh", ("FreeSurfer", ".mgh")),
    image("dicom", "input.dcm", ("DICOM", ".dcm")),
    image("dicom-segmentation", "input.dcm", ("DICOM/segmentation", ".dcm")),
    image("dicom-jpeg", "input.dcm", content: { dicom(frame: $0, syntax: "1.2.840.10008.1.2.4.70") }),
    image("dicom-jpegls", "input.dcm", content: { dicom(frame: $0, syntax: "1.2.840.10008.1.2.4.80") }),
    image("dicom-jpeg2000", "input.dcm", content: { dicom(frame: $0, syntax: "1.2.840.10008.1.2.4.90") }),
    image("dicom-rle", "input.dcm", content: { dicom(frame: $0, syntax: "1.2.840.10008.1.2.5") }),
    FuzzTarget(name: "npz", fileName: "input.npz", fixtures: ("", ".npz")) { path in
      let grid = VolumeGrid(size: GridSize(5, 4, 3), affine: Affine(spacing: Spacing(1, 1, 1)))
      let file = try ProbabilityFile(path, on: grid)
      try file.read(classes: 0..<min(file.classCount, 8), work: WorkContext(threadCount: 1)) { _, _, _ in }
    },
    labelNames("label-names-json", "input.labels.json"),
    labelNames("label-names-text", "input.label"),
    labelNames("label-names-table", "input.tsv"),
    FuzzTarget(name: "worklist", fileName: "input.csv") { path in
      let worklist = try Worklist(file: path)
      _ = worklist.bytes(forFile: path)
    },
    FuzzTarget(name: "case-record", fileName: "input.json") { path in
      _ = CaseRecord(json: try FileSystem.read(path))
    },
    FuzzTarget(name: "journal", fileName: "input.journal") { path in
      let (file, contents) = try JournalFile.openForReading(path)
      for entry in contents.entries where entry.hasVoxels {
        _ = file.voxels(of: entry).map { RunLengthCoding.decode($0, count: 4096) }
      }
    },
    // The records of a journal have checksums, which few changed bytes pass.
    FuzzTarget(name: "journal-voxels", fileName: "input.bin") { path in
      _ = RunLengthCoding.decode(try FileSystem.read(path), count: 4096)
    },
    FuzzTarget(name: "model", fileName: "input.safetensors") { path in _ = try ModelFile(path: path) },
    FuzzTarget(name: "network", fileName: "input.json") { path in
      let text = String(decoding: try FileSystem.read(path), as: UTF8.self)
      _ = try NetworkGraph(json: text, subject: path).resolved(subject: path)
    },
    FuzzTarget(name: "onnx", fileName: "input.onnx") { path in
      let model = try ModelProto(path: path)
      _ = try model.exportedModel(path: path)
      _ = try ImportedNetwork(model, outputs: model.graph.outputs.prefix(1).map(\.name), path: path)
    },
  ]

  private static func image(
    _ name: String, _ fileName: String, _ fixtures: (folder: String, suffix: String)? = nil,
    neighbours: [String: [UInt8]] = [:], content: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }
  ) -> FuzzTarget {
    FuzzTarget(
      name: name, fileName: fileName, neighbours: neighbours, fixtures: fixtures, content: content,
      read: readImage)
  }

  private static func labelNames(_ name: String, _ fileName: String) -> FuzzTarget {
    FuzzTarget(name: name, fileName: fileName) { path in _ = try LabelNamesFile.read(path) }
  }

  /// Reads an image's values, and its labels where it is a mask; of a large image the first 64 MB of stored voxels.
  @Sendable private static func readImage(_ path: String) throws {
    let work = WorkContext(threadCount: 1)
    let image = try ImageFile.open(path)
    let byteCount = image.grid.size.voxelCount * image.frameCount * 8
    guard byteCount <= largestByteCount else {
      var count = 0
      do {
        try image.readStoredVoxels(frames: 0..<1, work: work) { bytes in
          count += bytes.count
          if count > largestByteCount { throw Enough() }
        }
      } catch is Enough {}
      return
    }
    for frame in 0..<min(image.frameCount, 8) { _ = try image.scalarVolume(frame: frame, work: work) }
    do {
      _ = try image.labelVolume(frame: 0, work: work)
      _ = LabelNamesFile.read(of: image, values: nil)
    } catch is InputError {
      // Most images are not masks.
    }
  }

  private static let largestByteCount = 64 << 20

  /// Thrown when enough voxels of a large image were read.
  private struct Enough: Error {}

  /// Files of voxels, by the names that the fixtures' headers have for them.
  private static let slices: [String: [UInt8]] = {
    let voxels = (0..<120).map { UInt8($0) }
    var files = ["raw.raw": voxels, "detached.raw": voxels]
    for name in ["slice1", "slice3", "slice5", "slice03", "slice04", "slice05"] {
      files[name + ".raw"] = Array(voxels[..<40])
    }
    return files
  }()

  /// The header of an image of 60 int16 voxels that are compressed with bzip2.
  private static let bzip2Header = Array(
    """
    NRRD0004
    type: short
    dimension: 3
    sizes: 5 4 3
    encoding: bzip2
    endian: little
    space directions: (1,0,0) (0,1,0) (0,0,1)
    space: left-posterior-superior
    space origin: (0,0,0)


    """.utf8)

  /// A DICOM file with one compressed frame of 15x11 pixels of 16 bits.
  private static func dicom(frame: [UInt8], syntax: String) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
    func number(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 0xff) } }
    func add(_ group: Int, _ element: Int, _ representation: String, _ value: [UInt8]) {
      let padded = value + (value.count % 2 == 0 ? [] : [representation == "UI" ? 0 : 0x20])
      bytes += number(group, 2) + number(element, 2) + Array(representation.utf8) + number(padded.count, 2)
      bytes += padded
    }
    add(0x0002, 0x0010, "UI", Array(syntax.utf8))
    add(0x0008, 0x0016, "UI", Array("1.2.840.10008.5.1.4.1.1.2".utf8))
    add(0x0020, 0x000e, "UI", Array("1.2.3".utf8))
    add(0x0020, 0x0032, "DS", Array("0\\0\\0".utf8))
    add(0x0020, 0x0037, "DS", Array("1\\0\\0\\0\\1\\0".utf8))
    add(0x0028, 0x0002, "US", number(1, 2))
    add(0x0028, 0x0004, "CS", Array("MONOCHROME2".utf8))
    add(0x0028, 0x0010, "US", number(11, 2))
    add(0x0028, 0x0011, "US", number(15, 2))
    add(0x0028, 0x0030, "DS", Array("1\\1".utf8))
    add(0x0028, 0x0100, "US", number(16, 2))
    add(0x0028, 0x0101, "US", number(16, 2))
    add(0x0028, 0x0102, "US", number(15, 2))
    add(0x0028, 0x0103, "US", number(0, 2))
    let item = number(0xfffe, 2) + number(0xe000, 2)
    bytes += number(0x7fe0, 2) + number(0x0010, 2) + Array("OB".utf8) + [0, 0, 0xff, 0xff, 0xff, 0xff]
    bytes += item + number(0, 4)
    bytes += item + number(frame.count, 4) + frame
    bytes += number(0xfffe, 2) + number(0xe0dd, 2) + number(0, 4)
    return bytes
  }
}
