import Volumes
import Work

extension ImageFile {
  /// Writes frames of this image to another file.
  ///
  /// Voxels and scaling are copied as they are stored where its format can hold both. Otherwise values are written in
  /// the smallest type that holds every one, with a ``Finding``.
  ///
  /// - Parameters:
  ///   - frame: The only frame to write, or nil for all.
  ///   - names: Names and colours by value, for formats that hold them; such a format holds only masks.
  ///   - isCompressed: Whether voxels are compressed where the format leaves that open.
  ///   - survey: Learns what the frame would be as a mask; nil where several frames are written.
  /// - Throws: As ``ImageWritable/pending(for:source:work:)``, and as ``readStoredVoxels(frames:work:_:)``.
  package func pendingCopy(
    for path: String, frame: Int? = nil, names: LabelNames = LabelNames(), isCompressed: Bool = true,
    surveying survey: MaskSurvey? = nil, work: WorkContext = WorkContext()
  ) throws -> [PendingFile] {
    guard voxelType.isReadable else {
      throw InputError(
        self.path, "voxels cannot be read as numbers", found: voxelType.rawValue,
        expected: "an integer type, float32 or float64")
    }
    if let frame { try requireFrame(frame) }
    let format = try ImageOutput.format(of: path)
    if format.holdsLabelNames(path) {
      note(format.findings(about: names))
      return try labelVolume(frame: frame, work: work).pending(
        for: path, source: source.ofFrame(frame ?? 0), names: names, isCompressed: isCompressed, work: work)
    }
    let frames = frame.map { $0..<$0 + 1 } ?? 0..<frameCount
    let isHeld = format.writtenTypes.contains(voxelType) && (scaling.isIdentity || format.holdsScaling)
    let copy =
      isHeld
      ? StoredCopy(type: voxelType, scaling: scaling)
      : try converted(frames, for: format, work: work.part(0...0.5))
    let image = WrittenImage(
      source: source, frameSizes: frame == nil ? frameSizes : [],
      frameStep: frame == nil ? try frameStep() : nil, voxelType: copy.type, scaling: copy.scaling,
      isCompressed: isCompressed)
    if let step = image.frameStep, !format.holdsFrameStep(of: image) {
      note([Finding("the frames are \(step) apart", repair: "that is lost in \(format.name)")])
    }
    let file = try ImageOutput(path: path, image, grid: grid, work: work)
    var nonFiniteCount = 0
    try readStoredVoxels(frames: frames, work: isHeld ? work : work.part(0.5...1)) { bytes in
      survey?.add(bytes)
      var loop = NonFiniteLoop()
      if voxelType.isFloatingPoint { nonFiniteCount += loop.run(over: bytes, type: voxelType) }
      guard !isHeld else { return try file.write(bytes: bytes) }
      try file.write(values: bytes, of: voxelType, scaling, as: copy.type)
    }
    if nonFiniteCount > 0 {
      note([
        Finding(
          "\(counted(nonFiniteCount, "voxel is", "voxels are")) not finite",
          repair: "\(itIs(nonFiniteCount)) copied as \(itIs(nonFiniteCount))")
      ])
    }
    return try file.complete()
  }

  /// The type of a copy in a format that cannot hold this file's own type or scaling.
  /// - Throws: ``InputError`` for finite values that no type of the format holds; as ``readStoredVoxels(frames:work:_:)``.
  private func converted(
    _ frames: Range<Int>, for format: any WritableImageFormat.Type, work: WorkContext
  ) throws -> StoredCopy {
    var statistics = ValueStatistics(scaling: scaling)
    try readStoredVoxels(frames: frames, work: work) { bytes in statistics.run(over: bytes, type: voxelType) }
    let type = statistics.type(of: format.writtenTypes)
    let problem =
      scaling.isIdentity || format.holdsScaling
      ? "\(format.name) holds no \(voxelType.rawValue)" : "\(format.name) holds no scaling"
    guard type != .float32 || !statistics.exceedsFloat32 else {
      throw InputError(
        path, "holds values that no type of \(format.name) holds",
        found: statistics.range, expected: "values within the range of float32, or another suffix")
    }
    let isRounded = type == .float32 ? !statistics.fitsFloat32 : !statistics.isExact
    note([
      Finding(
        problem,
        repair: "values are written as \(type.rawValue)" + (isRounded ? ", rounded to its precision" : ""))
    ])
    return StoredCopy(type: type, scaling: VoxelScaling())
  }
}

/// How voxels are stored in a copy.
private struct StoredCopy {
  var type: VoxelType
  var scaling: VoxelScaling
}

/// Finds the type that the values of an image need.
private struct ValueStatistics: StoredNumberLoop {
  let scaling: VoxelScaling
  private var smallest = Double.infinity
  private var largest = -Double.infinity
  private var isWhole = true
  private(set) var fitsFloat32 = true
  /// Whether a finite value is beyond the largest float32.
  private(set) var exceedsFloat32 = false
  /// Whether every stored number is one of float64.
  private(set) var isExact = true

  init(scaling: VoxelScaling) { self.scaling = scaling }

  mutating func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) {
    for number in numbers {
      let value = scaling.slope * number.double + scaling.intercept
      smallest = min(smallest, value)
      largest = max(largest, value)
      isWhole = isWhole && value == value.rounded(.towardZero) && abs(value) < 0x1p53
      fitsFloat32 = fitsFloat32 && (Double(Float(value)) == value || value.isNaN)
      exceedsFloat32 = exceedsFloat32 || value.isFinite && Float(value).isInfinite
    }
    // Wider integers than 52 bits are not all numbers of float64.
    if Number.self == UInt64.self || Number.self == Int64.self {
      isExact = isExact && numbers.allSatisfy { $0.isExact }
      fitsFloat32 = fitsFloat32 && isExact
    }
  }

  /// "-1e+300 to 2.5".
  var range: String { "\(significant(smallest)) to \(significant(largest))" }

  /// The smallest integer type that holds every value; else a floating-point type that does, or the one with the most
  /// digits.
  func type(of types: Set<VoxelType>) -> VoxelType {
    let integers: [(type: VoxelType, range: ClosedRange<Double>)] = [
      (.uint8, 0...255), (.int8, -128...127), (.int16, -32768...32767), (.uint16, 0...65535),
      (.int32, -0x1p31...0x1p31 - 1), (.uint32, 0...0x1p32 - 1), (.int64, -0x1p53...0x1p53),
    ]
    if isWhole,
      let integer = integers.first(where: {
        types.contains($0.type) && $0.range.contains(smallest) && $0.range.contains(largest)
      })
    {
      return integer.type
    }
    return types.contains(.float64) && !fitsFloat32 ? .float64 : .float32
  }
}

/// Converts stored numbers to the numbers of a copy, which is compiled once for each pair of their types.
private struct ConversionLoop<Copied: CopiedNumber>: StoredNumberLoop {
  let scaling: VoxelScaling

  func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) -> [Copied] {
    [Copied](unsafeUninitializedCapacity: numbers.count) { copies, count in
      for index in numbers.indices {
        copies.initializeElement(
          at: index, to: Copied.copied(scaling.slope * numbers[index].double + scaling.intercept))
      }
      count = numbers.count
    }
  }
}

/// A number of a copy, with its conversion as a few instructions.
private protocol CopiedNumber {
  /// The number that stands for `value`: rounded towards zero and clamped to the range of an integer type, where NaN
  /// becomes 0.
  static func copied(_ value: Double) -> Self
}

extension CopiedNumber where Self: FixedWidthInteger {
  static func copied(_ value: Double) -> Self { Self(saturating: value) }
}

extension UInt8: CopiedNumber {}
extension Int8: CopiedNumber {}
extension UInt16: CopiedNumber {}
extension Int16: CopiedNumber {}
extension UInt32: CopiedNumber {}
extension Int32: CopiedNumber {}
extension Int64: CopiedNumber {}

extension Float: CopiedNumber {
  static func copied(_ value: Double) -> Float { Float(value) }
}

extension Double: CopiedNumber {
  static func copied(_ value: Double) -> Double { value }
}

extension ImageOutput {
  /// Appends stored numbers of `storedType` as values of a type that can hold every one.
  fileprivate func write(
    values bytes: UnsafeRawBufferPointer, of storedType: VoxelType, _ scaling: VoxelScaling,
    as type: VoxelType
  ) throws {
    func write<Copied: CopiedNumber>(as _: Copied.Type) throws {
      var loop = ConversionLoop<Copied>(scaling: scaling)
      try self.write(loop.run(over: bytes, type: storedType))
    }
    switch type {
    case .uint8: try write(as: UInt8.self)
    case .int8: try write(as: Int8.self)
    case .uint16: try write(as: UInt16.self)
    case .int16: try write(as: Int16.self)
    case .uint32: try write(as: UInt32.self)
    case .int32: try write(as: Int32.self)
    case .int64: try write(as: Int64.self)
    case .float32: try write(as: Float.self)
    // No other type results from ``ValueStatistics/type(of:)``.
    default: try write(as: Double.self)
    }
  }
}

/// Counts numbers that are NaN or infinite.
private struct NonFiniteLoop: StoredNumberLoop {
  func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) -> Int {
    numbers.count { !$0.double.isFinite }
  }
}
