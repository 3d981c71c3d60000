import Work

/// Reads voxels with interleaved components, so that every component is a frame.
///
/// The components of a voxel become the fastest axis of the frames: component c of the stored frame f is the frame
/// c + f · componentCount.
struct InterleavedVoxels: VoxelReader {
  /// Reads the numbers of a stored frame: all components of a voxel, then those of the next one.
  let stored: any VoxelReader
  let componentCount: Int
  /// The file, for messages.
  let path: String
  let type: VoxelType
  /// Voxels of one frame.
  let voxelsPerFrame: Int

  /// Bytes of frames that are collected in one pass through the file.
  private static let collectedByteCount = 1 << 27

  /// - Complexity: A stored frame is read once for every 128 MB of its wanted components.
  func readVoxels(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding] {
    let frameBytes = voxelsPerFrame * type.byteCount
    let passComponents = max(1, Self.collectedByteCount / max(1, frameBytes))
    var findings: [Finding] = []
    var next = frames.lowerBound
    while next < frames.upperBound {
      let (storedFrame, component) = next.quotientAndRemainder(dividingBy: componentCount)
      let end = min(frames.upperBound, next + passComponents, (storedFrame + 1) * componentCount)
      let components = component..<component + end - next
      let startFraction = Double(next - frames.lowerBound) / Double(frames.count)
      let endFraction = Double(end - frames.lowerBound) / Double(frames.count)
      try AvailableMemory.require(frameBytes * components.count, subject: path, "a frame of its content")
      let bytes = UnsafeMutableRawBufferPointer.allocate(
        byteCount: frameBytes * components.count, alignment: 64)
      defer { bytes.deallocate() }
      for finding in try collect(
        components, ofStored: storedFrame, into: bytes, work.part(startFraction...endFraction))
      where !findings.contains(finding) {
        findings.append(finding)
      }
      try body(UnsafeRawBufferPointer(bytes))
      next = end
    }
    return findings
  }

  private func collect(
    _ components: Range<Int>, ofStored frame: Int, into bytes: UnsafeMutableRawBufferPointer,
    _ work: WorkContext
  ) throws -> [Finding] {
    var position = 0
    return try stored.readVoxels(frames: frame..<frame + 1, work: work) { piece in
      scatter(piece, components, from: &position, into: bytes)
    }
  }

  func readSlice(
    _ slice: StoredSlice, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let (storedFrame, component) = slice.frame.quotientAndRemainder(dividingBy: componentCount)
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: slice.byteCount, alignment: 64)
    defer { bytes.deallocate() }
    let all = StoredSlice(
      frame: storedFrame, index: slice.index, byteCount: slice.byteCount * componentCount)
    var position = 0
    try stored.readSlice(all, work: work) { piece in
      scatter(piece, component..<component + 1, from: &position, into: bytes)
    }
    try body(UnsafeRawBufferPointer(bytes))
  }

  /// Distributes a piece to the frames of its components; `position` is the index of its first number in what is stored,
  /// and becomes that of the next piece.
  private func scatter(
    _ piece: UnsafeRawBufferPointer, _ components: Range<Int>, from position: inout Int,
    into bytes: UnsafeMutableRawBufferPointer
  ) {
    switch type.byteCount {
    case 1: scatter(piece.bindMemory(to: UInt8.self), components, position, bytes)
    case 2: scatter(piece.bindMemory(to: UInt16.self), components, position, bytes)
    case 4: scatter(piece.bindMemory(to: UInt32.self), components, position, bytes)
    default: scatter(piece.bindMemory(to: UInt64.self), components, position, bytes)
    }
    position += piece.count / type.byteCount
  }

  /// Distributes numbers to the frames of their components; `position` is the index of the first in the stored frame.
  private func scatter<Bits>(
    _ numbers: UnsafeBufferPointer<Bits>, _ components: Range<Int>, _ position: Int,
    _ bytes: UnsafeMutableRawBufferPointer
  ) {
    let target = bytes.bindMemory(to: Bits.self)
    var (voxel, component) = position.quotientAndRemainder(dividingBy: componentCount)
    for number in numbers {
      if components.contains(component) {
        target[(component - components.lowerBound) * voxelsPerFrame + voxel] = number
      }
      component += 1
      if component == componentCount { (voxel, component) = (voxel + 1, 0) }
    }
  }
}
