import Work

/// A NIfTI-1, NIfTI-2 or ANALYZE 7.5 header as it is stored, before any check.
struct NiftiHeader {
  /// The location of the voxels, from the magic.
  enum Kind {
    /// "n+1", "n+2": in the same file.
    case single
    /// "ni1", "ni2": in the file with `.img`.
    case pair
    /// No magic: ANALYZE 7.5, in the file with `.img`.
    case analyze
  }

  var kind: Kind
  var isByteSwapped: Bool
  var dimensions: [Int]
  var datatype: Int
  var bitsPerVoxel: Int
  /// The standard's code of the numbers' meaning.
  var intentCode: Int
  /// First byte of the voxels; NIfTI-1 stores it as a float.
  var voxelOffset: Double
  var slope: Double
  var intercept: Double
  /// The fields that define the grid; `axisCount` is not checked yet.
  var geometry: NiftiGeometry

  /// The standard's codes.
  static let datatypes: [Int: VoxelType] = [
    2: .uint8, 4: .int16, 8: .int32, 16: .float32, 32: .complex64, 64: .float64, 128: .rgb24, 256: .int8,
    512: .uint16, 768: .uint32, 1024: .int64, 1280: .uint64, 1536: .float128, 1792: .complex128,
    2048: .complex256, 2304: .rgba32,
  ]

  /// Bytes of the header itself.
  static func byteCount(version: Int) -> Int { version == 2 ? 540 : 348 }

  /// NIfTI version and byte order of a header that begins with `bytes`, by its size field.
  static func layout(_ bytes: [UInt8]) -> (version: Int, isByteSwapped: Bool)? {
    guard bytes.count >= 4 else { return nil }
    for isByteSwapped in [false, true] {
      switch HeaderBytes(bytes: bytes, isByteSwapped: isByteSwapped).int32(0) {
      case 348: return (1, isByteSwapped)
      case 540: return (2, isByteSwapped)
      default: continue
      }
    }
    return nil
  }

  /// Parses a header.
  ///
  /// - Parameters:
  ///   - bytes: The beginning of the file; more than the header does no harm.
  ///   - allowsAnalyze: Whether a missing magic means ANALYZE 7.5, which only `.hdr` files may be.
  /// - Throws: ``InputError`` when the bytes are not a header or end inside it.
  init(_ bytes: [UInt8], path: String, allowsAnalyze: Bool) throws(InputError) {
    guard let (version, isByteSwapped) = NiftiHeader.layout(bytes) else {
      let size =
        bytes.count >= 4
        ? "\(HeaderBytes(bytes: bytes, isByteSwapped: false).int32(0))" : counted(bytes.count, "byte")
      throw InputError(path, "sizeof_hdr (byte 0) is wrong", found: size, expected: "348 or 540")
    }
    let byteCount = NiftiHeader.byteCount(version: version)
    guard bytes.count >= byteCount else {
      throw InputError(
        path, "the NIfTI-\(version) header ends early", found: counted(bytes.count, "byte"),
        expected: "\(byteCount)")
    }
    let fields = HeaderBytes(bytes: bytes, isByteSwapped: isByteSwapped)
    kind = try NiftiHeader.kind(fields, version: version, path: path, allowsAnalyze: allowsAnalyze)
    self.isByteSwapped = isByteSwapped
    geometry = NiftiGeometry(version: version, axisCount: 3, pixdim: [])
    if version == 1 {
      dimensions = (0..<8).map { fields.int16(40 + 2 * $0) }
      datatype = fields.int16(70)
      bitsPerVoxel = fields.int16(72)
      intentCode = kind == .analyze ? 0 : fields.int16(68)
      voxelOffset = fields.float32(108)
      slope = fields.float32(112)
      intercept = fields.float32(116)
      geometry.pixdim = (0..<8).map { fields.float32(76 + 4 * $0) }
      geometry.xyztUnits = fields.uint8(123)
      if kind != .analyze {
        geometry.qformCode = fields.int16(252)
        geometry.sformCode = fields.int16(254)
        geometry.quaternion = (0..<3).map { fields.float32(256 + 4 * $0) }
        geometry.qoffset = (0..<3).map { fields.float32(268 + 4 * $0) }
        geometry.srow = (0..<12).map { fields.float32(280 + 4 * $0) }
      }
    } else {
      dimensions = (0..<8).map { fields.int64(16 + 8 * $0) }
      datatype = fields.int16(12)
      bitsPerVoxel = fields.int16(14)
      intentCode = fields.int32(504)
      voxelOffset = Double(fields.int64(168))
      slope = fields.float64(176)
      intercept = fields.float64(184)
      geometry.pixdim = (0..<8).map { fields.float64(104 + 8 * $0) }
      geometry.xyztUnits = fields.int32(500)
      geometry.qformCode = fields.int32(344)
      geometry.sformCode = fields.int32(348)
      geometry.quaternion = (0..<3).map { fields.float64(352 + 8 * $0) }
      geometry.qoffset = (0..<3).map { fields.float64(376 + 8 * $0) }
      geometry.srow = (0..<12).map { fields.float64(400 + 8 * $0) }
    }
  }

  private static func kind(
    _ fields: HeaderBytes, version: Int, path: String, allowsAnalyze: Bool
  ) throws(InputError) -> Kind {
    let byteOffset = version == 1 ? 344 : 4
    let magic = fields.bytes[byteOffset..<byteOffset + 4]
    switch (String(decoding: magic.prefix(3), as: UTF8.self), version) {
    case ("n+1", 1), ("n+2", 2): return .single
    case ("ni1", 1), ("ni2", 2): return .pair
    default:
      if allowsAnalyze, version == 1 { return .analyze }
      let shown = magic.map { (32..<127).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
      throw InputError(
        path, "magic (byte \(byteOffset)) is wrong", found: "\"\(shown)\"",
        expected: version == 1 ? "\"n+1\" or \"ni1\"" : "\"n+2\" or \"ni2\"")
    }
  }
}

/// Numbers of a header by their byte, in the header's byte order; the caller has checked the length.
struct HeaderBytes {
  let bytes: [UInt8]
  let isByteSwapped: Bool

  private func bits<Bits: FixedWidthInteger>(_ position: Int, _: Bits.Type) -> Bits {
    precondition(
      position >= 0 && position + MemoryLayout<Bits>.size <= bytes.count, "byte \(position) of \(bytes.count)"
    )
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: Bits.self) }
    return isByteSwapped ? value.byteSwapped : value
  }

  func uint8(_ position: Int) -> Int { Int(bytes[position]) }
  func int16(_ position: Int) -> Int { Int(bits(position, Int16.self)) }
  func int32(_ position: Int) -> Int { Int(bits(position, Int32.self)) }
  func int64(_ position: Int) -> Int { Int(bits(position, Int64.self)) }
  func float32(_ position: Int) -> Double { Double(Float(bitPattern: bits(position, UInt32.self))) }
  func float64(_ position: Int) -> Double { Double(bitPattern: bits(position, UInt64.self)) }
}
