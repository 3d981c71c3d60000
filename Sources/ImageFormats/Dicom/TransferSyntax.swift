/// How the elements and pixels of a file are encoded.
struct TransferSyntax: Hashable, Sendable {
  /// How the pixels are stored.
  enum Pixels: Hashable {
    /// Uncompressed frames, one after the other.
    case native
    /// Frames in fragments, each compressed.
    case encapsulated
    /// Frames in fragments, uncompressed.
    case encapsulatedNative
  }

  let uid: String
  /// The name in messages: "JPEG 2000 lossless".
  let name: String
  let isExplicit: Bool
  let isBigEndian: Bool
  let isDeflated: Bool
  let pixels: Pixels
  /// Whether the pixels are big-endian, with or without the elements.
  let hasBigEndianPixels: Bool

  /// Whether frames are compressed as RLE.
  var isRunLength: Bool { uid == "1.2.840.10008.1.2.5" }

  private init(
    _ uid: String, _ name: String, isExplicit: Bool = true, isBigEndian: Bool = false,
    isDeflated: Bool = false, pixels: Pixels = .encapsulated, hasBigEndianPixels: Bool = false
  ) {
    self.uid = uid
    self.name = name
    self.isExplicit = isExplicit
    self.isBigEndian = isBigEndian
    self.isDeflated = isDeflated
    self.pixels = pixels
    self.hasBigEndianPixels = hasBigEndianPixels || isBigEndian
  }

  static let implicitLittleEndian = TransferSyntax(
    "1.2.840.10008.1.2", "implicit little-endian", isExplicit: false, pixels: .native)
  static let explicitLittleEndian = TransferSyntax(
    "1.2.840.10008.1.2.1", "little-endian", pixels: .native)

  /// The transfer syntax of a UID; an unknown one is taken to have compressed frames.
  init(uid: String) {
    self = Self.known[uid] ?? TransferSyntax(uid, "transfer syntax \(uid)")
  }

  private static let known: [String: TransferSyntax] = {
    let standard = "1.2.840.10008.1.2"
    let all = [
      implicitLittleEndian, explicitLittleEndian,
      TransferSyntax(standard + ".1.98", "encapsulated little-endian", pixels: .encapsulatedNative),
      TransferSyntax(standard + ".1.99", "deflated", isDeflated: true, pixels: .native),
      TransferSyntax(standard + ".2", "big-endian", isBigEndian: true, pixels: .native),
      TransferSyntax(
        "1.2.840.113619.5.2", "GE implicit little-endian with big-endian pixels", isExplicit: false,
        pixels: .native, hasBigEndianPixels: true),
    ]
    let compressed: [(String, String)] = [
      (".4.50", "JPEG baseline"), (".4.51", "JPEG extended"), (".4.57", "JPEG lossless"),
      (".4.70", "JPEG lossless SV1"), (".4.80", "JPEG-LS lossless"), (".4.81", "JPEG-LS near-lossless"),
      (".4.90", "JPEG 2000 lossless"), (".4.91", "JPEG 2000"), (".4.92", "JPEG 2000 part 2 lossless"),
      (".4.93", "JPEG 2000 part 2"), (".4.94", "JPIP"), (".4.95", "JPIP deflated"),
      (".4.100", "MPEG-2 video"), (".4.101", "MPEG-2 video"), (".4.102", "MPEG-4 video"),
      (".4.103", "MPEG-4 video"), (".4.104", "MPEG-4 video"), (".4.105", "MPEG-4 video"),
      (".4.106", "MPEG-4 video"), (".4.107", "HEVC video"), (".4.108", "HEVC video"),
      (".4.110", "JPEG XL lossless"), (".4.111", "JPEG XL recompression"), (".4.112", "JPEG XL"),
      (".4.201", "HTJ2K lossless"), (".4.202", "HTJ2K lossless RPCL"), (".4.203", "HTJ2K"), (".5", "RLE"),
      (".8.1", "deflated image frames"),
    ]
    let encapsulated = compressed.map { TransferSyntax(standard + $0.0, $0.1) }
    return Dictionary((all + encapsulated).map { ($0.uid, $0) }, uniquingKeysWith: { first, _ in first })
  }()
}
