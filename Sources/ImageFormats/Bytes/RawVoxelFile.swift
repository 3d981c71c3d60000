import Foundation
import Work

/// Voxels that lie one after the other in a file, plain or gzip, from some byte of its content on.
package struct RawVoxelFile: VoxelReader {
  private let path: String
  /// First byte of frame 0 in the (inflated) content.
  let offset: Int
  private let type: VoxelType
  private let isByteSwapped: Bool
  private let voxelsPerFrame: Int
  private let frameCount: Int

  /// The voxels of `path` from the byte `offset` of its content on.
  ///
  /// - Parameters:
  ///   - isByteSwapped: Whether the file's byte order is not this machine's.
  ///   - voxelsPerFrame: Voxels of one frame; offset and voxels of all frames must be countable bytes.
  package init(
    path: String, offset: Int, type: VoxelType, isByteSwapped: Bool, voxelsPerFrame: Int, frameCount: Int
  ) {
    self.path = path
    self.offset = offset
    self.type = type
    self.isByteSwapped = isByteSwapped
    self.voxelsPerFrame = voxelsPerFrame
    self.frameCount = frameCount
  }

  /// Content bytes of all frames; `offset` and the counts were checked against overflow by ``init``'s caller.
  var byteCount: Int { voxelsPerFrame * frameCount * type.byteCount }

  /// Whether the file's size suffices for the stated voxels.
  /// - Throws: ``InputError`` when it cannot.
  package func checkSize() throws(InputError) {
    let stream = try ByteStream(path: path)
    let available = stream.largestContentByteCount
    guard offset + byteCount <= available else {
      throw InputError(
        path, "holds fewer voxels than its header states",
        found: stream.isCompressed
          ? "\(stream.fileByteCount) bytes of gzip, which cannot hold more than \(available)"
          : counted(available, "byte"),
        expected: "\(offset + byteCount) bytes (\(offset) + \(byteCount) of \(type.rawValue))")
    }
  }

  package func readVoxels(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding] {
    precondition(
      frames.lowerBound >= 0 && frames.upperBound <= frameCount, "frames \(frames) of \(frameCount)")
    let stream = try ByteStream(path: path, work: work)
    let frameBytes = voxelsPerFrame * type.byteCount
    try skip(to: offset + frames.lowerBound * frameBytes, in: stream, work)

    let wanted = frames.count * frameBytes
    var done = 0
    let delivered = try stream.forEachPiece(
      byteCount: wanted, pieceByteCount: (1 << 20) / type.byteCount * type.byteCount, work: work
    ) { piece in
      if isByteSwapped { swapBytes(piece, width: type.byteCount) }
      try body(UnsafeRawBufferPointer(piece))
      done += piece.count
      work.report(Double(done) / Double(wanted))
    }
    guard delivered == wanted else { throw endedEarly(stream) }
    return frames.upperBound == frameCount ? try findingsAfterVoxels(stream) : []
  }

  private func skip(to position: Int, in stream: ByteStream, _ work: WorkContext) throws {
    while stream.position < position {
      try work.checkCancellation()
      let step = min(position - stream.position, stream.isCompressed ? 1 << 22 : Int.max)
      guard try stream.skip(step) == step else { throw endedEarly(stream) }
    }
  }

  /// Reads on a little, so that zlib compares the checksum; the limit protects against decompression bombs.
  private func findingsAfterVoxels(_ stream: ByteStream) throws(InputError) -> [Finding] {
    let allowance = 1 << 20
    let extra = try stream.skip(allowance)
    if stream.end == .truncated { throw endedEarly(stream) }
    if stream.hasTrailingBytes {
      return [Finding("other bytes follow the gzip data", repair: "they are not read")]
    }
    guard extra > 0 else { return [] }
    let amount =
      extra == allowance
      ? "\(allowance) bytes or more follow" : counted(extra, "byte follows", "bytes follow")
    return [Finding("\(amount) the last voxel", repair: "\(itIs(extra)) not read")]
  }

  private func endedEarly(_ stream: ByteStream) -> InputError {
    InputError(
      path, stream.end == .truncated ? "the gzip data are cut off" : "the voxels end early",
      found: counted(stream.position, "byte of content", "bytes of content"),
      expected: "\(offset + byteCount)")
  }
}

/// Reverses the bytes of every `width`-byte number.
func swapBytes(_ bytes: UnsafeMutableRawBufferPointer, width: Int) {
  func swapAll<Bits: FixedWidthInteger>(_: Bits.Type) {
    let numbers = bytes.bindMemory(to: Bits.self)
    for index in numbers.indices { numbers[index] = numbers[index].byteSwapped }
  }
  switch width {
  case 2: swapAll(UInt16.self)
  case 4: swapAll(UInt32.self)
  case 8: swapAll(UInt64.self)
  default: precondition(width == 1, "no readable voxel has \(width) bytes")
  }
}
