import Foundation
import Work

/// Voxels that a file stores as decimal numbers in text, separated by white space or commas.
struct TextVoxelFile: VoxelReader {
  private let path: String
  /// The byte of the file where the first number may begin.
  private let fileOffset: Int
  private let type: VoxelType
  private let voxelsPerFrame: Int
  private let frameCount: Int

  /// The maximum number of characters of a number.
  private static let maximumNumberCount = 400

  init(path: String, from fileOffset: Int, type: VoxelType, voxelsPerFrame: Int, frameCount: Int) {
    self.path = path
    self.fileOffset = fileOffset
    self.type = type
    self.voxelsPerFrame = voxelsPerFrame
    self.frameCount = frameCount
  }

  private var count: Int { voxelsPerFrame * frameCount }

  /// Checks that the file is long enough for the numbers, with at least one digit each.
  /// - Throws: ``InputError`` when it is too short.
  func checkSize() throws(InputError) {
    let available = try ByteStream(path: path, from: fileOffset, .none).storedByteCount
    guard count <= (available + 1) / 2 else {
      throw InputError(
        path, "holds fewer voxels than its header states", found: "\(available) bytes of text",
        expected: counted(count, "number"))
    }
  }

  func readVoxels(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding] {
    switch type {
    case .uint8: try read(UInt8.self, frames, work, body)
    case .int8: try read(Int8.self, frames, work, body)
    case .uint16: try read(UInt16.self, frames, work, body)
    case .int16: try read(Int16.self, frames, work, body)
    case .uint32: try read(UInt32.self, frames, work, body)
    case .int32: try read(Int32.self, frames, work, body)
    case .uint64: try read(UInt64.self, frames, work, body)
    case .int64: try read(Int64.self, frames, work, body)
    case .float32: try read(Float.self, frames, work, body)
    default: try read(Double.self, frames, work, body)
    }
  }

  private func read<Number: LosslessStringConvertible>(
    _: Number.Type, _ frames: Range<Int>, _ work: WorkContext,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding] {
    let wanted = frames.lowerBound * voxelsPerFrame..<frames.upperBound * voxelsPerFrame
    var words = WordReader(
      try ByteStream(path: path, from: fileOffset, .none), limit: Self.maximumNumberCount)
    var numbers: [Number] = []
    for position in 0..<wanted.upperBound {
      if position & 0xffff == 0 {
        try work.checkCancellation()
        work.report(Double(position) / Double(wanted.upperBound))
      }
      guard let word = try words.next() else {
        throw InputError(
          path, "the voxels end early", found: counted(position, "number"), expected: "\(count)")
      }
      guard position >= wanted.lowerBound else { continue }
      guard let number = Number(word) else {
        throw InputError(
          path, "number \(position + 1) of the voxels is wrong", found: "\"\(word.prefix(40))\"",
          expected: "a number that fits \(type.rawValue)")
      }
      numbers.append(number)
      if numbers.count == 1 << 16 {
        try numbers.withUnsafeBytes(body)
        numbers.removeAll(keepingCapacity: true)
      }
    }
    try numbers.withUnsafeBytes(body)
    guard frames.upperBound == frameCount, try words.next() != nil else { return [] }
    return [Finding("numbers follow the last voxel", repair: "they are not read")]
  }
}

/// The words of a file between white space or commas.
private struct WordReader {
  private let stream: ByteStream
  private let limit: Int
  private var buffer: [UInt8] = []
  private var position = 0

  init(_ stream: ByteStream, limit: Int) {
    self.stream = stream
    self.limit = limit
  }

  /// The next word; nil after the last.
  mutating func next() throws(InputError) -> String? {
    var word: [UInt8] = []
    while true {
      if position == buffer.count {
        buffer = try [UInt8](count: 1 << 16) { bytes throws(InputError) in try stream.read(into: bytes) }
        position = 0
        if buffer.isEmpty { return word.isEmpty ? nil : String(decoding: word, as: UTF8.self) }
      }
      let byte = buffer[position]
      position += 1
      if byte == 32 || byte == UInt8(ascii: ",") || (9...13).contains(byte) {
        if !word.isEmpty { return String(decoding: word, as: UTF8.self) }
      } else {
        word.append(byte)
        guard word.count <= limit else {
          throw InputError(
            stream.path, "the voxels are not numbers", found: "a word of more than \(limit) characters")
        }
      }
    }
  }
}
