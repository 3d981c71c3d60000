import Volumes
import Work

/// Voxels that are written as a NIfTI file on the grid of an image.
package protocol NiftiWritable {
  /// The temporary file, until it is committed.
  /// - Throws: ``InputError`` for a name that ends otherwise, a missing or read-only folder, a full disk;
  ///   ``Cancelled``.
  func pending(for path: String, source: ImageSource, work: WorkContext) throws -> PendingFile
}

extension NiftiWritable {
  /// Writes the voxels and commits the file.
  /// - Throws: As ``pending(for:source:work:)``.
  package func write(to path: String, source: ImageSource, work: WorkContext = WorkContext()) throws {
    let file = try pending(for: path, source: source, work: work)
    try work.checkCancellation()
    try PendingFile.commit([file])
  }
}

extension LabelVolume: NiftiWritable {
  /// Writes the mask on the very grid of its image: the header's dimensions, qform, sform, codes and units are the
  /// source's to the last bit.
  ///
  /// Voxels are the values that the codes stand for, in the smallest unsigned type that holds every one. A name ending
  /// in `.nii.gz` gives gzip. The same mask always gives the same bytes. The file is temporary until it is committed,
  /// which replaces a file of its name.
  ///
  /// - Throws: ``InputError`` for a name that ends otherwise, a missing or read-only folder, a full disk;
  ///   ``Cancelled``.
  package func pending(
    for path: String, source: ImageSource, work: WorkContext = WorkContext()
  ) throws -> PendingFile {
    var codes: UInt16 = 0
    if coding == .identity { try forEachWindow(of: voxels, work) { codes = $0.reduce(codes, |) } }
    let largest = coding == .identity ? Int(codes) : values().max() ?? 0
    let type: VoxelType =
      switch largest {
      case ...255: .uint8
      case ...65535: .uint16
      case ...0xffff_ffff: .uint32
      default: .uint64
      }
    var file = try NiftiOutput(path: path, source: source, grid: grid, type: type, work: work)
    let stored = (0...UInt16.max).map { coding.value(of: $0) }
    switch type {
    case .uint8 where coding == .identity: try file.write(voxels) { UInt8(truncatingIfNeeded: $0) }
    case .uint8: try file.write(voxels) { UInt8(truncatingIfNeeded: stored[Int($0)]) }
    case .uint16 where coding == .identity: try file.write(voxels)
    case .uint16: try file.write(voxels) { UInt16(truncatingIfNeeded: stored[Int($0)]) }
    case .uint32: try file.write(voxels) { UInt32(truncatingIfNeeded: stored[Int($0)]) }
    case .uint64: try file.write(voxels) { UInt64(stored[Int($0)]) }
    case .int8, .int16, .int32, .int64, .float32, .float64, .float128, .complex64, .complex128, .complex256,
      .rgb24, .rgba32:
      preconditionFailure("labels are stored as unsigned integers, not as \(type)")
    }
    return try file.complete()
  }
}

extension ScalarVolume: NiftiWritable {
  /// Writes the intensities on the grid of `source`: as int16 when every one is a whole number that fits, else float32.
  ///
  /// - Throws: As ``LabelVolume/pending(for:source:work:)``.
  package func pending(
    for path: String, source: ImageSource, work: WorkContext = WorkContext()
  ) throws -> PendingFile {
    var isWhole = true
    try forEachWindow(of: voxels, work) { window in
      isWhole =
        isWhole && window.allSatisfy { $0 >= -32768 && $0 <= 32767 && $0 == $0.rounded(.towardZero) }
    }
    var file = try NiftiOutput(
      path: path, source: source, grid: grid, type: isWhole ? .int16 : .float32,
      work: work)
    if isWhole {
      try file.write(voxels) { Int16($0) }
    } else {
      try file.write(voxels)
    }
    return try file.complete()
  }
}

extension ProbabilityVolume: NiftiWritable {
  /// Writes float32 probabilities as a 4D image whose frames are the classes, background first.
  ///
  /// - Throws: As ``LabelVolume/pending(for:source:work:)``.
  package func pending(
    for path: String, source: ImageSource, work: WorkContext = WorkContext()
  ) throws -> PendingFile {
    var file = try NiftiOutput(
      path: path, source: source, grid: grid, frameSizes: [classCount], type: .float32, work: work)
    try file.write(values)
    return try file.complete()
  }
}

extension ImageFile {
  /// Writes frames of this image as a single NIfTI file, voxels and scaling as they are stored.
  ///
  /// - Parameter frame: The only frame to write, or nil for all.
  /// - Throws: As ``LabelVolume/pending(for:source:work:)``, and as ``readStoredVoxels(frames:work:_:)``.
  package func pendingCopy(
    for path: String, frame: Int? = nil, work: WorkContext = WorkContext()
  ) throws -> PendingFile {
    guard voxelType.isReadable else {
      throw InputError(
        self.path, "voxels cannot be read as numbers", found: voxelType.rawValue,
        expected: "an integer type, float32 or float64")
    }
    if let frame { try requireFrame(frame) }
    var file = try NiftiOutput(
      path: path, source: source, grid: grid, frameSizes: frame == nil ? frameSizes : [], type: voxelType,
      scaling: scaling, work: work)
    var nonFiniteCount = 0
    try readStoredVoxels(frames: frame.map { $0..<$0 + 1 } ?? 0..<frameCount, work: work) { bytes in
      var loop = NonFiniteLoop()
      if voxelType.isFloatingPoint { nonFiniteCount += loop.run(over: bytes, type: voxelType) }
      try file.write(bytes: bytes)
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
}

/// Counts numbers that are NaN or infinite.
private struct NonFiniteLoop: StoredNumberLoop {
  func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) -> Int {
    numbers.count { !$0.double.isFinite }
  }
}

/// Calls `body` with one window of `numbers` after the other.
/// - Throws: `Cancelled`, and the errors of `body`.
private func forEachWindow<Number>(
  of numbers: [Number], _ work: WorkContext, _ body: (ArraySlice<Number>) throws -> Void
) throws {
  let window = 1 << 20
  for start in stride(from: 0, to: numbers.count, by: window) {
    try work.checkCancellation()
    try body(numbers[start..<min(start + window, numbers.count)])
  }
}

/// A NIfTI file that is being written.
private struct NiftiOutput: ~Copyable {
  private var stream: OutputStream
  private let work: WorkContext

  init(
    path: String, source: ImageSource, grid: VolumeGrid, frameSizes: [Int] = [], type: VoxelType,
    scaling: VoxelScaling = VoxelScaling(), work: WorkContext
  ) throws {
    precondition(grid.size == source.grid.size, "voxels of \(grid.size) on a grid of \(source.grid.size)")
    try ImageName.requireWritable(path)
    let header = NiftiHeaderEncoding(
      geometry: source.niftiFields, size: grid.size, frameSizes: frameSizes, type: type, scaling: scaling)
    // Floats hardly become smaller with more effort: 1 takes a fifth of the time of 6.
    var stream = try OutputStream(path: path, compressionLevel: type.isFloatingPoint ? 1 : 6, work: work)
    try NiftiOutput.write(header.bytes(), to: &stream)
    self.stream = stream
    self.work = work
  }

  mutating func write(bytes: UnsafeRawBufferPointer) throws { try stream.write(bytes) }

  /// Appends numbers as they are; this machine is little-endian, as every one that Swift runs on.
  mutating func write<Number>(_ numbers: [Number]) throws {
    try NiftiOutput.write(numbers, to: &stream)
  }

  private static func write<Number>(_ numbers: [Number], to stream: inout OutputStream) throws {
    try numbers.withUnsafeBytes { try stream.write($0) }
  }

  /// Appends numbers after converting each, a window at a time.
  mutating func write<Number, Stored>(
    _ numbers: [Number], as convert: (Number) -> Stored
  ) throws {
    try forEachWindow(of: numbers, work) { try NiftiOutput.write($0.map(convert), to: &stream) }
  }

  consuming func complete() throws -> PendingFile { try stream.complete() }
}
