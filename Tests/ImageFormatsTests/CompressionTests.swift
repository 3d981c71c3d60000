import Foundation
import ImageFormats
import Testing
import Volumes
import Work

/// Values of which some parts deflate well and others hardly.
private func content(_ count: Int) -> [UInt16] {
  var random = SplitMix64(seed: 3)
  return (0..<count).map { index -> UInt16 in
    let isNoise = index / 5000 % 3 == 0
    return isNoise ? UInt16(truncatingIfNeeded: random.next()) : UInt16(index / 700 % 4)
  }
}

/// Inflates `packed`, with input and output in pieces; nil where it is damaged or cut off.
private func inflated(
  _ packed: [UInt8], _ library: Inflation.Library, inputPiece: Int = 1 << 18, outputPiece: Int = 1 << 16
) -> [UInt8]? {
  let inflation = Inflation(.gzip, library: library)
  var (content, position) = ([UInt8](), 0)
  var piece = [UInt8](repeating: 0, count: outputPiece)
  while true {
    if inflation.pendingByteCount == 0 {
      position += inflation.refill { input in
        let count = min(inputPiece, input.count, packed.count - position)
        input.copyBytes(from: packed[position..<position + count])
        return count
      }
    }
    let (count, progress) = piece.withUnsafeMutableBytes { inflation.inflate(into: $0) }
    content += piece[..<count]
    switch progress {
    case .memberEnded: return content
    case .advanced where count == 0 && position == packed.count && inflation.pendingByteCount == 0: return nil
    case .advanced: continue
    case .damaged: return nil
    }
  }
}

@Suite("Compressed content")
struct CompressionTests {
  /// A mask of 2.2 MB as NIfTI: plain, and as gzip that was written with so many threads.
  private func files(threads: [Int]) throws -> (plain: [UInt8], packed: [[UInt8]]) {
    let grid = VolumeGrid(size: GridSize(110, 100, 100), affine: Affine(spacing: Spacing(1)))
    let mask = LabelVolume(grid: grid, voxels: content(grid.size.voxelCount))
    return try withTemporaryFolder { folder in
      func written(_ name: String, _ threadCount: Int) throws -> [UInt8] {
        let path = folder.appending(path: name).path
        try mask.write(to: path, source: ImageSource(grid: grid), work: WorkContext(threadCount: threadCount))
        return [UInt8](try Data(contentsOf: URL(filePath: path)))
      }
      return (try written("a.nii", 1), try threads.map { try written("a.nii.gz", $0) })
    }
  }

  /// A bzip2 stream of 100 million zeros.
  private static let zeros =
    "QlpoOTFBWSZTWQ4J4t8BX45AAMAAAAggADCATUZCoCWpCoCXMUFZJlNZDgni3wFfjkAAwAAACCAAMIBNRkKgJakKgJcxQVkmU1nEYApVAD7R"
    + "QALAAAABAAAggADDMCapppUiDaipEHi7kinChIcCoiS4="

  @Test(
    "a bzip2 stream that expands a million-fold is read as far as the header needs, in pieces with polls between"
  )
  func expansion() throws {
    let stream = try #require(Data(base64Encoded: Self.zeros))
    func opened(_ sizes: String, times: Int = 1, _ body: (ImageFile) throws -> Void) throws {
      try withTemporaryFolder { folder in
        let path = folder.appending(path: "a.nrrd").path
        let header =
          "NRRD0004\ntype: uint8\ndimension: 3\nsizes: \(sizes)\nspacings: 1 1 1\nencoding: bzip2\n\n"
        let content = (0..<times).reduce(Data(header.utf8)) { content, _ in content + stream }
        try content.write(to: URL(filePath: path))
        try body(try ImageFile.open(path))
      }
    }
    try opened("2 2 2") { image in
      let mask = try image.labelVolume()
      #expect(mask.voxels == [UInt16](repeating: 0, count: 8))
      #expect(image.findings.map(\.description).contains { $0.contains("1048576 bytes or more follow") })
    }
    try opened("1000 1000 100") { image in
      var delivered = 0
      let work = WorkContext(threadCount: 1, cancellation: Cancellation(atPoll: 3))
      #expect(throws: Cancelled.self) {
        try image.readStoredVoxels(frames: 0..<1, work: work) { delivered += $0.count }
      }
      #expect(delivered == 2 << 18)
    }
    // Voxels that are all there may be too many for the time that they would take.
    try opened("2000 1000 1000", times: 20) { #expect($0.grid.size.voxelCount == 2_000_000_000) }
    let error = refusal { try opened("3000 1000 1000", times: 30) { _ in } }
    #expect(
      error.hasSuffix(
        "a.nrrd: states more voxels than are read from so few bytes of bzip2: found 3000000000 bytes in "
          + "\(30 * stream.count), expected at most 2147483648, or 100000 for each byte; raw or gzip is read"),
      "\(error)")
  }

  @Test("gzip has the same bytes from any number of threads, and its content is that of the plain file")
  func threads() throws {
    let (plain, packed) = try files(threads: [1, 2, 5])
    #expect(Set(packed).count == 1)
    #expect(inflated(packed[0], .zlib) == plain)
  }

  @Test(
    "every library inflates the same content, whatever the pieces", arguments: Inflation.Library.allCases,
    [(1 << 18, 1 << 16), (1, 1 << 16), (977, 4099), (1 << 18, 31)])
  func pieces(library: Inflation.Library, sizes: (input: Int, output: Int)) throws {
    let (plain, packed) = try files(threads: [2])
    #expect(inflated(packed[0], library, inputPiece: sizes.input, outputPiece: sizes.output) == plain)
  }

  @Test(
    "bytes after the end of a member stay pending, whatever the pieces",
    arguments: Inflation.Library.allCases,
    [1, 3, 7, 100, 1 << 17])
  func bytesBehind(library: Inflation.Library, pieceByteCount: Int) throws {
    let packed = [UInt8](try Data(contentsOf: URL(filePath: fixture("gzip.nii.gz"))))
    let plain = [UInt8](try Data(contentsOf: URL(filePath: fixture("plain.nii"))))
    for tail in 0..<20 {
      let bytes = packed + (0..<UInt8(tail)).map { 100 + $0 }
      let inflation = Inflation(.gzip, library: library)
      var (content, position, hasEnded) = ([UInt8](), 0, false)
      var piece = [UInt8](repeating: 0, count: 64)
      while !hasEnded {
        if inflation.pendingByteCount == 0 {
          position += inflation.refill { input in
            let count = min(pieceByteCount, bytes.count - position)
            input.copyBytes(from: bytes[position..<position + count])
            return count
          }
        }
        let (count, progress) = piece.withUnsafeMutableBytes { inflation.inflate(into: $0) }
        content += piece[..<count]
        hasEnded = progress == .memberEnded
        try #require(hasEnded || progress == .advanced)
      }
      #expect(content == plain)
      #expect(inflation.pendingByteCount == position - packed.count, "\(tail) bytes after it")
      #expect(inflation.nextByte == (position > packed.count ? 100 : nil))
    }
  }

  @Test("every library refuses the same damaged and truncated data", arguments: Inflation.Library.allCases)
  func damage(library: Inflation.Library) throws {
    let packed = [UInt8](try Data(contentsOf: URL(filePath: fixture("gzip.nii.gz"))))
    let plain = [UInt8](try Data(contentsOf: URL(filePath: fixture("plain.nii"))))
    #expect(inflated(packed, library) == plain)
    for count in 0..<packed.count { #expect(inflated(Array(packed[..<count]), library) == nil, "\(count)") }
    // Times and names in the header (bytes 4 to 9) may be anything.
    for position in packed.indices where !(4...9).contains(position) {
      for bit in 0..<8 {
        var damaged = packed
        damaged[position] ^= 1 << bit
        let content = inflated(damaged, library)
        #expect(content == nil || content == plain, "bit \(bit) of byte \(position)")
      }
    }
  }
}

/// Content as blocked gzip whose blocks are stored without compression.
private func blocked(_ content: [UInt8], blockByteCount: Int) -> [UInt8] {
  func bytes(_ number: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(number >> (8 * $0) & 255) } }
  let table = (UInt32(0)..<256).map { start -> UInt32 in
    var value = start
    for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    return value
  }
  var packed: [UInt8] = []
  for start in Array(stride(from: 0, to: content.count, by: blockByteCount)) + [content.count] {
    let block = content[start..<min(start + blockByteCount, content.count)]
    var checksum: UInt32 = ~0
    for byte in block { checksum = table[Int(UInt8(truncatingIfNeeded: checksum) ^ byte)] ^ checksum >> 8 }
    packed += [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255] + bytes(6, 2) + [0x42, 0x43] + bytes(2, 2)
    packed += bytes(block.count + 5 + 25, 2) + [1] + bytes(block.count, 2) + bytes(~block.count, 2)
    packed += block
    packed += bytes(Int(~checksum), 4)
    packed += bytes(block.count, 4)
  }
  return packed
}

@Suite("Blocked gzip")
struct BlockedGzipTests {
  /// Reads the mask in `packed` with so many threads; the error line where that fails.
  private func read(_ packed: [UInt8], threads: Int) throws -> Result<LabelVolume, InputError> {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "a.nii.gz").path
      try Data(packed).write(to: URL(filePath: path))
      return Result { () throws(InputError) in
        do {
          return try ImageFile.open(path).labelVolume(work: WorkContext(threadCount: threads))
        } catch let error as InputError {
          throw InputError("a.nii.gz", error.problem, found: error.found, expected: error.expected)
        } catch {
          preconditionFailure("\(error)")
        }
      }
    }
  }

  private func mask() throws -> (mask: LabelVolume, plain: [UInt8]) {
    let grid = VolumeGrid(size: GridSize(120, 110, 120), affine: Affine(spacing: Spacing(1)))
    let mask = LabelVolume(grid: grid, voxels: content(grid.size.voxelCount))
    return try withTemporaryFolder { folder in
      let path = folder.appending(path: "a.nii").path
      try mask.write(to: path, source: ImageSource(grid: grid))
      return (mask, [UInt8](try Data(contentsOf: URL(filePath: path))))
    }
  }

  @Test("any number of threads reads the same voxels", arguments: [1, 2, 5], [60000, 1 << 12])
  func threads(count: Int, blockByteCount: Int) throws {
    let (mask, plain) = try mask()
    #expect(try read(blocked(plain, blockByteCount: blockByteCount), threads: count) == .success(mask))
  }

  @Test("damaged and truncated blocks are refused with the same line by any number of threads")
  func damaged() throws {
    let plain = [UInt8](try Data(contentsOf: URL(filePath: fixture("plain.nii"))))
    let packed = blocked(plain, blockByteCount: 100)
    for position in 0..<packed.count {
      var flipped = packed
      flipped[position] ^= 4
      #expect(try read(flipped, threads: 3) == read(flipped, threads: 1), "byte \(position)")
      let cut = Array(packed[..<position])
      #expect(try read(cut, threads: 3) == read(cut, threads: 1), "\(position) bytes")
    }
  }
}
