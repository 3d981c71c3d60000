import Work

/// The extensions between a NIfTI header and its voxels: optional blocks of a size and a code each.
struct NiftiExtensions {
  /// Code of the extension that holds CIFTI's XML.
  private static let ciftiCode = 32
  /// Bytes of an extension's content that are searched at most.
  private static let byteLimit = 1 << 26

  /// Whether one of them says that the file is CIFTI.
  private(set) var holdsCIFTI = false
  /// Sizes that do not add up.
  private(set) var findings: [Finding] = []

  /// Walks through the extensions of a header.
  ///
  /// - Parameters:
  ///   - end: First byte after the extensions: of the voxels, or nil where these lie in another file.
  /// - Throws: ``InputError`` when the file cannot be read.
  init(path: String, headerByteCount: Int, isByteSwapped: Bool, end: Int?) throws(InputError) {
    let stream = try ByteStream(path: path)
    guard try stream.skip(headerByteCount) == headerByteCount,
      let flag = try Self.bytes(4, of: stream), flag[0] != 0
    else { return }
    let limit = min(end ?? .max, Self.byteLimit)
    var number = 1
    while stream.position + 8 <= limit, let bytes = try Self.bytes(8, of: stream) {
      let fields = HeaderBytes(bytes: bytes, isByteSwapped: isByteSwapped)
      let (size, code) = (fields.int32(0), fields.int32(4))
      let rest = size - 8
      guard size >= 16, size % 16 == 0, end.map({ stream.position + rest <= $0 }) ?? true else {
        findings.append(
          Finding(
            "extension \(number) states \(counted(size, "byte"))"
              + (end.map { ", where \($0 - stream.position + 8) lie before the voxels" } ?? ""),
            repair: "it is ignored, voxels are read from where vox_offset says"))
        return
      }
      if code == Self.ciftiCode { holdsCIFTI = true }
      guard try stream.skip(rest) == rest else { return }
      number += 1
    }
  }

  private static func bytes(_ count: Int, of stream: ByteStream) throws(InputError) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var (delivered, failure): (Int, InputError?) = (0, nil)
    bytes.withUnsafeMutableBytes { buffer in
      do throws(InputError) { delivered = try stream.read(into: buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    return delivered == count ? bytes : nil
  }
}

extension NiftiExtensions {
  /// The suffixes of CIFTI files: `NAME.dscalar.nii` and the like.
  private static let ciftiSuffixes = [
    "dconn", "dtseries", "pconn", "ptseries", "dscalar", "dfan", "fiberTEMP", "dfansamp", "dlabel", "pscalar",
    "pdconn", "dpconn", "pconnseries", "pconnscalar", "plabel", "sdseries", "dfibersamp",
  ].map { ".\($0.lowercased()).nii" }

  /// Whether a file is CIFTI, numbers of brain surfaces in NIfTI's clothing, by its name or its header.
  static func isCIFTI(path: String, intentCode: Int) -> Bool {
    let name = path.lowercased()
    return (3000...3099).contains(intentCode)
      || ciftiSuffixes.contains { name.hasSuffix($0) || name.hasSuffix($0 + ".gz") }
  }
}
