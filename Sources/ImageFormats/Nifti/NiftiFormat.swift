import Foundation
import Volumes
import Work

/// NIfTI-1 and NIfTI-2, single file or pair, plain or gzip, and ANALYZE 7.5.
enum NiftiFormat: ImageFormat {
  static let name = "NIfTI"
  static let suffixes = [".nii", ".hdr", ".img"].flatMap { [$0, $0 + ".gz"] }
  static let voxelFileSuffixes = [".img", ".img.gz"]

  static func recognises(_ beginning: [UInt8]) -> Bool { NiftiHeader.layout(beginning) != nil }

  static func open(path: String, options: ImageReadingOptions, work: WorkContext) throws -> ImageFile {
    let files = try NiftiFiles(path: path)
    let stream = try ByteStream(path: files.header)
    var bytes = [UInt8](repeating: 0, count: NiftiHeader.byteCount(version: 2))
    let count = try bytes.withUnsafeMutableBytes { buffer in try stream.read(into: buffer) }
    if stream.end == .truncated, count < NiftiHeader.byteCount(version: 1) {
      throw InputError(
        files.header, "the gzip data are cut off",
        found: counted(count, "byte of content", "bytes of content"))
    }
    bytes.removeSubrange(count...)
    let header = try NiftiHeader(
      bytes, path: files.header, allowsAnalyze: FilePath.hasSuffix(".hdr", files.header))
    guard !NiftiExtensions.isCIFTI(path: files.header, intentCode: header.intentCode) else {
      throw cifti(path)
    }
    var check = NiftiHeaderCheck(header: header, path: files.header)
    let size = try check.gridSize()
    let type = try check.voxelType()
    let source = try check.source(size: size)
    let scaling = check.scaling()
    let frameSizes = check.frameSizes
    let data = try files.data(for: header.kind)
    let voxels = RawVoxelFile(
      path: data, offset: try check.offset(), type: type, isByteSwapped: header.isByteSwapped,
      voxelsPerFrame: size.voxelCount, frameCount: frameSizes.reduce(1, *))
    try voxels.checkSize()
    if header.kind != .analyze {
      let extensions = try NiftiExtensions(
        path: files.header, headerByteCount: NiftiHeader.byteCount(version: header.geometry.version),
        isByteSwapped: header.isByteSwapped, end: header.kind == .single ? voxels.offset : nil)
      if extensions.holdsCIFTI { throw cifti(path) }
      check.findings += extensions.findings
    }
    if stream.isCompressed != ImageName.isGzip(files.header) {
      check.findings.append(
        Finding(
          stream.isCompressed
            ? "the file holds gzip, its name says otherwise" : "the file is named .gz and is not gzip",
          repair: "the content decides"))
    }
    let standard = header.kind == .analyze ? "ANALYZE 7.5" : "NIfTI-\(header.geometry.version)"
    let storage = [
      standard + (header.kind == .single ? "" : " pair"), stream.isCompressed ? "gzip" : nil,
      header.isByteSwapped ? "big-endian" : "little-endian",
    ]
    // By the standard the fourth axis is time; of further ones no step is read.
    let hasTime = header.kind != .analyze && (frameSizes.first ?? 1) > 1
    let step =
      hasTime ? FrameStep(header.geometry.pixdim[4], niftiUnits: header.geometry.xyztUnits) : nil
    return ImageFile(
      path: path, storage: storage.compactMap(\.self).joined(separator: ", "), source: source,
      voxelType: type,
      scaling: scaling, frameSizes: frameSizes, frameStep: { step },
      files: Array(Set([files.header, data])).sorted(),
      reader: voxels,
      findings: check.findings)
  }

  private static func cifti(_ path: String) -> InputError {
    InputError(
      path, "is CIFTI: numbers of points on brain surfaces, not of voxels in space", expected: "an image")
  }
}

/// The one or two files of a NIfTI image, whichever of them was named.
private struct NiftiFiles {
  let header: String
  private let named: String

  init(path: String) throws(InputError) {
    named = path
    guard let stem = NiftiFiles.stem(of: path, ending: ".img") else {
      header = path
      return
    }
    guard let found = NiftiFiles.existing(stem, [".hdr", ".hdr.gz"], near: path) else {
      throw InputError(path, "has no header file beside it", expected: "\(stem).hdr or \(stem).hdr.gz")
    }
    header = found
  }

  /// The file with the voxels.
  func data(for kind: NiftiHeader.Kind) throws(InputError) -> String {
    if kind == .single { return header }
    if header != named { return named }
    guard let stem = NiftiFiles.stem(of: header, ending: ".hdr") else {
      throw InputError(
        header, "magic says that the voxels lie in another file", found: "a name that does not end in .hdr",
        expected: "a pair NAME.hdr and NAME.img")
    }
    guard let found = NiftiFiles.existing(stem, [".img", ".img.gz"], near: header) else {
      throw InputError(header, "has no voxel file beside it", expected: "\(stem).img or \(stem).img.gz")
    }
    return found
  }

  private static func stem(of path: String, ending: String) -> String? {
    for suffix in [ending, ending + ".gz"] where FilePath.hasSuffix(suffix, path) {
      return String(path.dropLast(suffix.count))
    }
    return nil
  }

  /// The first of the names that exists, in small or capital letters; the one with the compression of `path` has
  /// priority.
  private static func existing(_ stem: String, _ endings: [String], near path: String) -> String? {
    let isCompressed = ImageName.isGzip(path)
    let ordered = endings.sorted {
      (ImageName.isGzip($0) == isCompressed ? 0 : 1) < (ImageName.isGzip($1) == isCompressed ? 0 : 1)
    }
    if let exact = ordered.map({ stem + $0 }).first(where: { FileSystem.exists($0) }) {
      return exact
    }
    let (folder, name) = (FilePath.folder(of: stem), FilePath.name(of: stem))
    let fileNames = (try? FileSystem.names(in: folder)) ?? []
    let found = ordered.lazy.compactMap { ending in
      fileNames.first { $0.hasPrefix(name) && $0.dropFirst(name.count).lowercased() == ending }
    }.first
    return found.map { FilePath.joined(folder, $0) }
  }
}
