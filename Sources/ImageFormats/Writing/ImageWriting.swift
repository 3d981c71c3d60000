import Volumes
import Work

/// Voxels that can be written as an image file.
package protocol ImageWritable {
  /// Writes temporary files, which a commit renames: first the one for `path`, then those with its voxels where the
  /// format keeps these apart. The suffix of `path` determines the format.
  /// - Throws: ``InputError`` for a suffix of no written format, an image that the format cannot hold, a missing or
  ///   read-only folder, a full disk; ``Cancelled``.
  func pending(for path: String, source: ImageSource, work: WorkContext) throws -> [PendingFile]
}

extension ImageWritable {
  /// Writes the voxels and commits the files.
  /// - Throws: As ``pending(for:source:work:)``.
  package func write(to path: String, source: ImageSource, work: WorkContext = WorkContext()) throws {
    let files = try pending(for: path, source: source, work: work)
    try work.checkCancellation()
    try PendingFile.commit(files)
  }
}

extension LabelVolume: ImageWritable {
  package func pending(
    for path: String, source: ImageSource, work: WorkContext = WorkContext()
  ) throws -> [PendingFile] {
    try pending(for: path, source: source, names: LabelNames(), work: work)
  }

  /// Writes the mask on exactly the grid of its image: where the image had the same format, the fields of its header
  /// that state the grid are copied to the last bit.
  ///
  /// Voxels are the values that the codes stand for, in the smallest type of the format that holds every one. The same
  /// mask always gives the same bytes.
  ///
  /// - Parameters:
  ///   - names: Names and colours by value, for formats that hold them.
  ///   - isCompressed: Whether voxels are compressed where the format leaves that open.
  /// - Throws: As ``ImageWritable/pending(for:source:work:)``.
  package func pending(
    for path: String, source: ImageSource, names: LabelNames, isCompressed: Bool = true,
    work: WorkContext = WorkContext()
  ) throws -> [PendingFile] {
    let format = try ImageOutput.format(of: path)
    let holdsNames = format.holdsLabelNames(path)
    var codes: UInt16 = 0
    if coding == .identity, !holdsNames {
      try forEachWindow(of: voxels, work) { codes = $0.reduce(codes, |) }
    }
    let values = holdsNames || coding != .identity ? values() : []
    let largest = values.max() ?? Int(codes)
    guard let type = VoxelType.smallest(of: format.writtenTypes, holding: largest) else {
      throw InputError(
        path, "cannot hold a label value in \(format.name)", found: "\(largest)", expected: "another format")
    }
    let image = WrittenImage(
      source: source, voxelType: type,
      labels: WrittenLabels(values: values.subtracting([0]).sorted(), names: names.applied(to: values)),
      isCompressed: isCompressed)
    let file = try ImageOutput(path: path, image, grid: grid, work: work)
    let stored = (0...UInt16.max).map { coding.value(of: $0) }
    switch type {
    case .uint8 where coding == .identity: try file.write(voxels) { UInt8(truncatingIfNeeded: $0) }
    case .uint8: try file.write(voxels) { UInt8(truncatingIfNeeded: stored[Int($0)]) }
    case .uint16 where coding == .identity: try file.write(voxels)
    case .uint16, .int16: try file.write(voxels) { UInt16(truncatingIfNeeded: stored[Int($0)]) }
    case .uint32, .int32: try file.write(voxels) { UInt32(truncatingIfNeeded: stored[Int($0)]) }
    default: try file.write(voxels) { UInt64(stored[Int($0)]) }
    }
    return try file.complete()
  }
}

extension ScalarVolume: ImageWritable {
  /// Writes the intensities on the grid of `source`: as int16 when every one is a whole number that fits, else float32.
  ///
  /// - Throws: As ``ImageWritable/pending(for:source:work:)``.
  package func pending(
    for path: String, source: ImageSource, work: WorkContext = WorkContext()
  ) throws -> [PendingFile] {
    var isWhole = true
    try voxels.forEachPiece { piece in
      try work.checkCancellation()
      isWhole =
        isWhole && piece.allSatisfy { $0 >= -32768 && $0 <= 32767 && $0 == $0.rounded(.towardZero) }
    }
    let image = WrittenImage(source: source, voxelType: isWhole ? .int16 : .float32)
    let file = try ImageOutput(path: path, image, grid: grid, work: work)
    try voxels.forEachPiece { piece in
      try work.checkCancellation()
      if isWhole {
        try file.write(piece.map { Int16($0) })
      } else {
        try file.write(bytes: UnsafeRawBufferPointer(piece))
      }
    }
    return try file.complete()
  }
}

extension ProbabilityVolume: ImageWritable {
  /// Writes float32 probabilities as a 4D image whose frames are the classes, background first.
  ///
  /// - Throws: As ``ImageWritable/pending(for:source:work:)``.
  package func pending(
    for path: String, source: ImageSource, work: WorkContext = WorkContext()
  ) throws -> [PendingFile] {
    let image = WrittenImage(source: source, frameSizes: [classCount], voxelType: .float32)
    let file = try ImageOutput(path: path, image, grid: grid, work: work)
    try file.write(values)
    return try file.complete()
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

/// An image that is being written in the format that its suffix determines.
struct ImageOutput {
  private let writer: any ImageWriter
  private let work: WorkContext

  /// Begins an image.
  /// - Parameter grid: The grid of the voxels, which must have the size of the source's.
  init(path: String, _ image: WrittenImage, grid: VolumeGrid, work: WorkContext) throws {
    precondition(
      grid.size == image.source.grid.size, "voxels of \(grid.size) on a grid of \(image.source.grid.size)")
    let format = try Self.format(of: path)
    guard format.writtenTypes.contains(image.voxelType) else {
      throw InputError(
        path, "cannot be written as \(format.name)", found: "voxels of \(image.voxelType.rawValue)",
        expected: alternatives(format.writtenTypes.map(\.rawValue).sorted()))
    }
    writer = try format.writer(for: path, of: image, work: work)
    self.work = work
  }

  /// The format that the suffix of a path determines.
  /// - Throws: ``InputError`` for a name with another suffix.
  static func format(of path: String) throws(InputError) -> any WritableImageFormat.Type {
    try ImageName.requireWritable(path)
    guard let format = ImageFormatList.all.writableFormat(of: path) else {
      preconditionFailure("\(path) has the suffix of no format")
    }
    return format
  }

  func write(bytes: UnsafeRawBufferPointer) throws { try writer.write(bytes) }

  /// Appends numbers as they are.
  func write<Number>(_ numbers: [Number]) throws {
    try numbers.withUnsafeBytes { try writer.write($0) }
  }

  /// Appends numbers after converting each, a window at a time.
  func write<Number, Stored>(_ numbers: [Number], as convert: (Number) -> Stored) throws {
    try forEachWindow(of: numbers, work) { try write($0.map(convert)) }
  }

  func complete() throws -> [PendingFile] { try writer.complete() }
}

extension VoxelType {
  /// The smallest integer type of `types` that holds whole numbers from 0 to `largest`; unsigned before signed.
  static func smallest(of types: Set<VoxelType>, holding largest: Int) -> VoxelType? {
    let limits: [(VoxelType, Int)] = [
      (.uint8, Int(UInt8.max)), (.uint16, Int(UInt16.max)), (.int16, Int(Int16.max)),
      (.uint32, Int(UInt32.max)), (.int32, Int(Int32.max)), (.uint64, .max), (.int64, .max),
    ]
    return limits.first { types.contains($0.0) && largest <= $0.1 }?.0
  }
}
