import Foundation
import Work

/// Voxels that are stored one after the other in a file, or split across several, from a byte of each content on.
package struct RawVoxelFile: VoxelReader {
  /// The files, each with the same number of whole voxels.
  private let parts: [VoxelBytes]
  private let type: VoxelType
  private let isByteSwapped: Bool
  private let voxelsPerFrame: Int
  private let frameCount: Int
  /// Whether the format has other content after the voxels.
  private let endsWithVoxels: Bool

  /// The voxels of `path` from the byte `offset` of its content on, plain or gzip.
  ///
  /// - Parameters:
  ///   - isByteSwapped: Whether the file's byte order is not this machine's.
  ///   - voxelsPerFrame: Voxels of one frame; offset and voxels of all frames must be countable bytes.
  package init(
    path: String, offset: Int, type: VoxelType, isByteSwapped: Bool, voxelsPerFrame: Int, frameCount: Int
  ) {
    self.init(
      [VoxelBytes(path: path, offset: offset)], type: type, isByteSwapped: isByteSwapped,
      voxelsPerFrame: voxelsPerFrame, frameCount: frameCount)
  }

  /// The voxels of files that have equally many of them.
  init(
    _ parts: [VoxelBytes], type: VoxelType, isByteSwapped: Bool, voxelsPerFrame: Int, frameCount: Int,
    endsWithVoxels: Bool = true
  ) {
    precondition(
      !parts.isEmpty && voxelsPerFrame * frameCount % parts.count == 0,
      "\(frameCount) frames of \(voxelsPerFrame) voxels in \(parts.count) files")
    self.parts = parts
    self.type = type
    self.isByteSwapped = isByteSwapped
    self.voxelsPerFrame = voxelsPerFrame
    self.frameCount = frameCount
    self.endsWithVoxels = endsWithVoxels
  }

  /// First byte of frame 0 in the content of the first file.
  var offset: Int { parts[0].offset }

  /// Bytes of all frames; the counts were checked against overflow by the caller of ``init``.
  var byteCount: Int { voxelsPerFrame * frameCount * type.byteCount }

  private var partByteCount: Int { byteCount / parts.count }

  /// What content may be of compressed bytes whatever its size.
  ///
  /// Empty masks are less, and those of 2 GiB with one small structure; stored in another way they are read.
  private static let largestTrustedExpansion = 100_000
  /// What content may be whatever the compressed bytes are; bzip2 takes ten seconds for it.
  private static let largestUncheckedByteCount = 1 << 31

  /// Checks that the files are large enough for the stated voxels, and not so small that these are only there to take time.
  /// - Throws: ``InputError`` when a file is too small or cannot be opened.
  package func checkSize() throws(InputError) {
    // Only compression of which a few bytes hold a gigabyte.
    var (statedByteCount, storedByteCount) = (0, 0)
    for part in parts {
      // An image may have tens of thousands of files, and each is opened once more for its voxels.
      if try part.holdsRaw(partByteCount) { continue }
      let stream = try part.stream()
      let available = stream.largestContentByteCount
      guard part.offset + partByteCount <= available else {
        throw InputError(
          part.path, "holds fewer voxels than its header states",
          found: stream.compressionName.map {
            "\(stream.storedByteCount) bytes of \($0), which cannot hold more than \(available)"
          } ?? counted(available, "byte"),
          expected:
            "\(part.offset + partByteCount) bytes (\(part.offset) + \(partByteCount) of \(type.rawValue))")
      }
      guard stream.largestExpansion > Self.largestTrustedExpansion else { continue }
      statedByteCount += part.offset + partByteCount
      storedByteCount += stream.storedByteCount
      guard statedByteCount > Self.largestUncheckedByteCount,
        statedByteCount / Self.largestTrustedExpansion > storedByteCount
      else { continue }
      throw InputError(
        part.path, "states more voxels than are read from so few bytes of \(stream.compressionName ?? "")",
        found: "\(statedByteCount) bytes in \(storedByteCount)",
        expected:
          "at most \(Self.largestUncheckedByteCount), or \(Self.largestTrustedExpansion) for each byte; raw or gzip is read"
      )
    }
  }

  package func readVoxels(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding] {
    precondition(
      frames.lowerBound >= 0 && frames.upperBound <= frameCount, "frames \(frames) of \(frameCount)")
    let frameBytes = voxelsPerFrame * type.byteCount
    return try read(frames.lowerBound * frameBytes..<frames.upperBound * frameBytes, work, body)
  }

  package func readSlice(
    _ slice: StoredSlice, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let start = slice.frame * voxelsPerFrame * type.byteCount + slice.index * slice.byteCount
    precondition(start >= 0 && start + slice.byteCount <= byteCount, "\(slice) of \(frameCount) frames")
    _ = try read(start..<start + slice.byteCount, work, body)
  }

  /// Reads a range of the bytes of all frames.
  private func read(
    _ wanted: Range<Int>, _ work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding] {
    var findings: [Finding] = []
    var done = 0
    for (number, part) in parts.enumerated() {
      let own = number * partByteCount..<(number + 1) * partByteCount
      let range = own.clamped(to: wanted)
      guard !range.isEmpty else { continue }
      let stream = try part.stream(work)
      try skip(to: part.offset + range.lowerBound - own.lowerBound, in: stream, part, work)
      let pieceByteCount = stream.pieceByteCount / type.byteCount * type.byteCount
      let delivered = try stream.forEachPiece(
        byteCount: range.count, pieceByteCount: pieceByteCount, work: work
      ) { piece in
        if isByteSwapped { swapBytes(piece, width: type.byteCount) }
        try body(UnsafeRawBufferPointer(piece))
        done += piece.count
        work.report(Double(done) / Double(wanted.count))
      }
      guard delivered == range.count else { throw endedEarly(stream, part) }
      if range.upperBound == own.upperBound { findings += try findingsAfterVoxels(stream, part, work) }
    }
    return findings
  }

  private func skip(
    to position: Int, in stream: any ContentStream, _ part: VoxelBytes, _ work: WorkContext
  ) throws {
    while stream.position < position {
      try work.checkCancellation()
      let step = min(position - stream.position, stream.pieceByteCount)
      guard try stream.skip(step) == step else { throw endedEarly(stream, part) }
    }
  }

  /// Reads on a little, so that the checksum is compared; the limit protects against decompression bombs.
  private func findingsAfterVoxels(
    _ stream: any ContentStream, _ part: VoxelBytes, _ work: WorkContext
  ) throws -> [Finding] {
    guard endsWithVoxels || stream.isCompressed else { return [] }
    let allowance = 1 << 20
    var extra = 0
    while extra < allowance {
      try work.checkCancellation()
      let step = min(stream.pieceByteCount, allowance - extra)
      let passed = try stream.skip(step)
      extra += passed
      if passed < step { break }
    }
    if stream.end == .truncated { throw endedEarly(stream, part) }
    guard endsWithVoxels else { return [] }
    if stream.hasTrailingBytes {
      return [
        Finding("other bytes follow the \(stream.compressionName ?? "") data", repair: "they are not read")
      ]
    }
    guard extra > 0 else { return [] }
    let amount =
      extra == allowance
      ? "\(allowance) bytes or more follow" : counted(extra, "byte follows", "bytes follow")
    return [Finding("\(amount) the last voxel", repair: "\(itIs(extra)) not read")]
  }

  private func endedEarly(_ stream: any ContentStream, _ part: VoxelBytes) -> InputError {
    if stream.end == .truncated, stream.position >= part.offset + partByteCount {
      return InputError(
        part.path, "the \(stream.compressionName ?? "") data are cut off",
        found: "every voxel, but not the end of the data", expected: "the checksum that ends them")
    }
    return InputError(
      part.path,
      stream.end == .truncated
        ? "the \(stream.compressionName ?? "") data are cut off" : "the voxels end early",
      found: counted(stream.position, "byte of content", "bytes of content"),
      expected: "\(part.offset + partByteCount)")
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
