import Volumes
import Work

/// The size of a file's frames, and how the numbers of their pixels are stored.
struct PixelFormat: Hashable, Sendable {
  let columns, rows: Int
  /// Bits of a pixel in memory: 1, 8, 16, 32 or 64.
  let bitsAllocated: Int
  /// The number of bits that hold the number, and the position of the highest of them.
  let bitsStored, highBit: Int
  let isSigned: Bool
  let isFloatingPoint: Bool
  let samplesPerPixel: Int
  let photometricInterpretation: String
  /// Whether pixels are the numbers of segments, which a palette gives colours.
  let isPaletteOfSegments: Bool

  /// - Throws: ``InputError`` for an attribute that is missing or has a value that no image has.
  init(_ dataSet: DicomDataSet, _ element: DicomParser.PixelElement, path: String) throws(InputError) {
    func count(_ name: String, _ tag: DicomTag, _ allowed: ClosedRange<Int>, default value: Int? = nil)
      throws(InputError) -> Int
    {
      let numbers = dataSet.numbers(tag)
      let stated = numbers.count == 1 ? Int(exactly: numbers[0]) : nil
      guard let number = stated ?? (dataSet.values[tag] == nil ? value : nil), allowed.contains(number)
      else {
        throw InputError(
          path, "\(name) \(tag) is missing or not usable",
          found: numbers.isEmpty ? "none" : numbers.prefix(4).map { significant($0) }.joined(separator: "\\"),
          expected: allowed.count == 1
            ? "\(allowed.lowerBound)" : "\(allowed.lowerBound) to \(allowed.upperBound)")
      }
      return number
    }
    isFloatingPoint = element.tag != .pixelData
    let width = element.tag == .doublePixelData ? 64 : 32
    columns = try count("Columns", .columns, 1...65535)
    rows = try count("Rows", .rows, 1...65535)
    samplesPerPixel = try count("SamplesPerPixel", .samplesPerPixel, 1...4, default: 1)
    bitsAllocated = isFloatingPoint ? width : try count("BitsAllocated", .bitsAllocated, 1...64)
    bitsStored =
      isFloatingPoint
      ? width : try count("BitsStored", .bitsStored, 1...bitsAllocated, default: bitsAllocated)
    highBit =
      isFloatingPoint
      ? width - 1
      : try count("HighBit", .highBit, bitsStored - 1...bitsAllocated - 1, default: bitsStored - 1)
    isSigned = try count("PixelRepresentation", .pixelRepresentation, 0...1, default: 0) == 1
    photometricInterpretation = dataSet.text(.photometricInterpretation) ?? "MONOCHROME2"
    isPaletteOfSegments =
      dataSet.text(.segmentationType) == "LABELMAP" && photometricInterpretation == "PALETTE COLOR"
  }

  /// The type of voxels that holds the numbers of every format; nil where none does.
  /// - Parameter formats: Formats that can be one image, at least one.
  /// - Throws: As ``voxelType(path:)``.
  static func commonType(of formats: Set<PixelFormat>, path: String) throws(InputError) -> VoxelType? {
    var types: Set<VoxelType> = []
    for format in formats { types.insert(try format.voxelType(path: path)) }
    guard types.count > 1 else { return types.first }
    // Numbers without a sign fit the signed type where they leave its highest bit free.
    guard let signed = formats.first(where: \.isSigned),
      formats.allSatisfy({ $0.isSigned || $0.bitsStored < $0.bitsAllocated })
    else { return nil }
    return try signed.voxelType(path: path)
  }

  /// Pixels of a frame.
  var pixelCount: Int { columns * rows }

  /// Bytes of a decoded frame in memory; a pixel of one bit takes a byte.
  var frameByteCount: Int { pixelCount * max(1, bitsAllocated / 8) }

  /// The type of a voxel.
  /// - Throws: ``InputError`` for colour images, and for a bit depth that no ``VoxelType`` has.
  func voxelType(path: String) throws(InputError) -> VoxelType {
    let isOneNumber = photometricInterpretation.hasPrefix("MONOCHROME") || isPaletteOfSegments
    guard samplesPerPixel == 1, isOneNumber else {
      throw InputError(
        path, "is in colour", found: photometricInterpretation.printableLine,
        expected: "one number for each pixel")
    }
    switch (bitsAllocated, isSigned) {
    case (32, _) where isFloatingPoint: return .float32
    case (64, _) where isFloatingPoint: return .float64
    case (1, _), (8, false): return .uint8
    case (8, true): return .int8
    case (16, false): return .uint16
    case (16, true): return .int16
    case (32, false): return .uint32
    case (32, true): return .int32
    default:
      throw InputError(
        path, "BitsAllocated (0028,0100) cannot be read", found: "\(bitsAllocated)",
        expected: "1, 8, 16 or 32")
    }
  }
}
