import CDicom
import Foundation
import Volumes
import Work

/// Reads frames of an instance into memory, in this machine's byte order.
struct FrameReader: Sendable {
  let path: String
  let syntax: TransferSyntax
  let format: PixelFormat
  let location: PixelLocation

  init?(_ instance: DicomInstance) {
    guard let format = instance.format, let location = instance.pixels else { return nil }
    (path, syntax) = (instance.path, instance.syntax)
    (self.format, self.location) = (format, location)
  }

  /// Refuses pixel formats and compressions that cannot be decoded, by their names, before any frame is read.
  func check() throws(InputError) {
    _ = try format.voxelType(path: path)
    guard case .fragments = location, syntax.pixels == .encapsulated, !syntax.isRunLength else { return }
    guard dicom_can_decode(syntax.uid) else {
      throw InputError(
        path, "is compressed as \(syntax.name), which cannot be read",
        expected: "JPEG, JPEG-LS, JPEG 2000, RLE or no compression")
    }
    guard dicom_library_is_installed() else {
      throw InputError(
        path, "is compressed as \(syntax.name), which cannot be read without GDCM",
        expected: "the package libgdcm3.0, or a file without compression")
    }
  }

  /// The size of the largest compressed frame in bytes; nil where frames need no ``FrameDecoder``.
  var largestEncodedByteCount: Int? {
    guard case .fragments(let frames) = location, syntax.pixels == .encapsulated, !syntax.isRunLength else {
      return nil
    }
    return frames.map { Self.encodedByteCount($0) }.max()
  }

  /// The total size of a frame's fragments in bytes, rounded up to the even number that decoders need.
  private static func encodedByteCount(_ fragments: [PixelLocation.Fragment]) -> Int {
    let count = fragments.reduce(0) { $0 + $1.byteCount }
    return count + count % 2
  }

  /// Reads a frame.
  /// - Parameters:
  ///   - content: The bytes of the file or of its inflated content.
  ///   - pixels: Memory for ``PixelFormat/frameByteCount`` bytes; its content is undefined after a cancellation.
  ///   - decoder: The decoder of this transfer syntax; nil where ``largestEncodedByteCount`` is nil.
  /// - Throws: ``InputError`` where the frame is damaged or the file became shorter.
  func read(
    _ frame: Int, of content: DicomBytes, into pixels: UnsafeMutableRawBufferPointer,
    decoder: FrameDecoder?, cancellation: Cancellation
  ) throws(InputError) {
    precondition(pixels.count == format.frameByteCount, "memory of another size")
    switch location {
    case .native(let position, let isWords):
      try readNative(frame, at: position, isWords: isWords, content, pixels)
    case .fragments(let frames):
      let fragments = frames[frame]
      let byteCount = Self.encodedByteCount(fragments)
      if let decoder {
        let encoded = decoder.bytes(byteCount)
        try read(fragments, of: content, into: encoded)
        try check(CodestreamHeader(UnsafeRawBufferPointer(encoded)), frame)
        guard decoder.decode(byteCount, into: pixels, cancellation: cancellation) != .damaged else {
          throw damaged(frame, counted(byteCount, "damaged byte"))
        }
      } else {
        let encoded = try [UInt8](count: byteCount) { buffer throws(InputError) in
          try read(fragments, of: content, into: buffer)
          return byteCount
        }
        try expand(encoded, frame, pixels)
      }
    }
    trim(pixels)
  }

  private func readNative(
    _ frame: Int, at position: Int, isWords: Bool, _ content: DicomBytes,
    _ pixels: UnsafeMutableRawBufferPointer
  ) throws(InputError) {
    if format.bitsAllocated == 1 { return try readBits(frame, at: position, content, pixels) }
    let start = position + frame * pixels.count
    guard start <= content.count, pixels.count <= content.count - start else {
      throw InputError(path, "became shorter while it was read", found: counted(content.count, "byte"))
    }
    try content.read(at: start, into: pixels)
    guard syntax.hasBigEndianPixels else { return }
    // 8-bit pixels in big-endian words are swapped in pairs.
    let width = format.bitsAllocated > 8 ? format.bitsAllocated / 8 : isWords ? 2 : 1
    let pairs = UnsafeMutableRawBufferPointer(rebasing: pixels[..<(pixels.count / width * width)])
    swapBytes(pairs, width: width)
  }

  /// Unpacks pixels of one bit, the lowest bit of a byte first, to a byte each.
  ///
  /// Frames have no padding between them, so a frame may begin within a byte.
  private func readBits(
    _ frame: Int, at position: Int, _ content: DicomBytes, _ pixels: UnsafeMutableRawBufferPointer
  ) throws(InputError) {
    let firstBit = frame * format.pixelCount
    let (firstByte, lastByte) = (firstBit / 8, (firstBit + format.pixelCount - 1) / 8)
    guard position + lastByte < content.count else {
      throw InputError(path, "became shorter while it was read", found: counted(content.count, "byte"))
    }
    let bytes = try [UInt8](count: lastByte - firstByte + 1) { buffer throws(InputError) in
      try content.read(at: position + firstByte, into: buffer)
      return buffer.count
    }
    bytes.withUnsafeBufferPointer { bytes in
      for pixel in 0..<pixels.count {
        let bit = firstBit - firstByte * 8 + pixel
        pixels[pixel] = bytes[bit >> 3] >> UInt8(bit & 7) & 1
      }
    }
  }

  /// Reads the fragments of a frame into `buffer`, one after the other, and pads an odd length with 0.
  private func read(
    _ fragments: [PixelLocation.Fragment], of content: DicomBytes, into buffer: UnsafeMutableRawBufferPointer
  ) throws(InputError) {
    var done = 0
    for fragment in fragments {
      guard fragment.position + fragment.byteCount <= content.count else {
        throw InputError(path, "became shorter while it was read", found: counted(content.count, "byte"))
      }
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + fragment.byteCount])
      try content.read(at: fragment.position, into: piece)
      done += fragment.byteCount
    }
    if done < buffer.count { buffer[done] = 0 }
  }

  /// Refuses a frame whose codestream states another size, depth or component count than the data set.
  private func check(_ header: CodestreamHeader?, _ frame: Int) throws(InputError) {
    guard let header else { throw damaged(frame, "no usable header") }
    guard header.columns == format.columns, header.rows == format.rows, header.components == 1 else {
      throw damaged(
        frame, "\(header.columns)x\(header.rows) of \(counted(header.components, "component"))",
        expected: "\(format.columns)x\(format.rows) of 1")
    }
    guard header.bits <= format.bitsAllocated, header.bits > format.bitsAllocated - 8 else {
      throw damaged(
        frame, "\(header.bits) bits", expected: "\(format.bitsAllocated - 7) to \(format.bitsAllocated)")
    }
  }

  /// Copies an encapsulated but uncompressed frame, or decodes RLE.
  private func expand(
    _ encoded: [UInt8], _ frame: Int, _ pixels: UnsafeMutableRawBufferPointer
  ) throws(InputError) {
    guard !syntax.isRunLength else {
      guard RLEFrame.decode(encoded, into: pixels, byteCount: format.bitsAllocated / 8) else {
        throw damaged(frame, "damaged runs")
      }
      return
    }
    guard encoded.count >= pixels.count else {
      throw damaged(frame, counted(encoded.count, "byte"), expected: "\(pixels.count)")
    }
    encoded.withUnsafeBytes {
      pixels.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<pixels.count]))
    }
  }

  private func damaged(_ frame: Int, _ found: String, expected: String? = nil) -> InputError {
    InputError(
      path, "frame \(frame) cannot be decoded (\(syntax.name))", found: found, expected: expected)
  }

  /// Moves the stored bits of each number to the lowest position, removes all others and extends the sign.
  private func trim(_ pixels: UnsafeMutableRawBufferPointer) {
    guard !format.isFloatingPoint, format.bitsAllocated > 1, format.bitsStored < format.bitsAllocated else {
      return
    }
    let left = format.bitsAllocated - 1 - format.highBit
    let right = format.bitsAllocated - format.bitsStored
    func trimAll<Number: FixedWidthInteger>(_: Number.Type) {
      let numbers = pixels.bindMemory(to: Number.self)
      // Both are less than the width, so that no shift needs a check.
      let (left, right) = (Number(left), Number(right))
      for index in 0..<numbers.count { numbers[index] = (numbers[index] &<< left) &>> right }
    }
    switch (format.bitsAllocated, format.isSigned) {
    case (8, false): trimAll(UInt8.self)
    case (8, true): trimAll(Int8.self)
    case (16, false): trimAll(UInt16.self)
    case (16, true): trimAll(Int16.self)
    case (32, false): trimAll(UInt32.self)
    default: trimAll(Int32.self)
    }
  }
}

/// DICOM's RLE (PS3.5 annex G): a segment of PackBits runs for each byte of a pixel.
enum RLEFrame {
  /// Decodes a frame; false where it is damaged.
  /// - Parameter byteCount: Bytes of a pixel; the segment of the most significant byte comes first.
  static func decode(_ encoded: [UInt8], into pixels: UnsafeMutableRawBufferPointer, byteCount: Int) -> Bool {
    var header = LittleEndianReader(Array(encoded.prefix(64)))
    guard encoded.count >= 64, header.number(4) == byteCount else { return false }
    let starts = (0..<byteCount).map { _ in header.number(4) }
    for (plane, start) in starts.enumerated() {
      let end = plane + 1 < byteCount ? starts[plane + 1] : encoded.count
      guard start >= 64, start <= end, end <= encoded.count else { return false }
      guard decodePlane(encoded[start..<end], pixels, first: byteCount - 1 - plane, step: byteCount) else {
        return false
      }
    }
    return true
  }

  private static func decodePlane(
    _ runs: ArraySlice<UInt8>, _ pixels: UnsafeMutableRawBufferPointer, first: Int, step: Int
  ) -> Bool {
    var target = first
    var position = runs.startIndex
    while target < pixels.count, position < runs.endIndex {
      let control = Int(Int8(bitPattern: runs[position]))
      position += 1
      if control == -128 { continue }
      let count = control < 0 ? 1 - control : control + 1
      guard control < 0 ? position < runs.endIndex : count <= runs.endIndex - position else { return false }
      for index in 0..<count where target < pixels.count {
        pixels[target] = runs[control < 0 ? position : position + index]
        target += step
      }
      position += control < 0 ? 1 : count
    }
    return target >= pixels.count
  }
}
