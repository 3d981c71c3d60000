import CZlib
import Foundation
import Work

/// Run-length coding of labels as differences from another volume, compressed; the journal's format of masks.
///
/// A run is its length (7 bits a byte, lowest first, the eighth bit set where more follow) and the difference of its
/// voxels (16 bits, modulo 65536, little-endian). The runs are compressed with zlib's deflate.
package enum RunLengthCoding {
  private static let chunkSize = 1 << 18

  /// Encodes `voxels` as differences from `base`, or from 0 where it is nil.
  /// - Complexity: O(voxels); 512x512x400 voxels with an organ take about a fifth of a second.
  package static func encode(_ voxels: [UInt16], against base: [UInt16]? = nil) -> Data {
    let encoder = Encoder()
    encoder.add(voxels, against: base)
    return encoder.finish()
  }

  /// Encodes voxels chunk by chunk.
  package final class Encoder {
    private let deflation = Deflation()
    private var bytes: [UInt8] = []
    private var run: (count: Int, difference: UInt16) = (0, 0)

    /// An encoder without voxels.
    package init() { bytes.reserveCapacity(chunkSize + 16) }

    /// Adds the next voxels as differences from the same number of voxels of `base`, or from 0 where it is nil.
    package func add(_ voxels: [UInt16], against base: [UInt16]? = nil) {
      precondition(base == nil || base?.count == voxels.count, "a base of another size")
      voxels.withUnsafeBufferPointer { voxels in
        guard let base else { return scan(voxels.count) { voxels[$0] } }
        // SAFETY: both have the same number of voxels.
        base.withUnsafeBufferPointer { base in scan(voxels.count) { voxels[$0] &- base[$0] } }
      }
    }

    /// The encoded runs of all voxels; the encoder must not be used afterwards.
    package func finish() -> Data {
      put()
      deflation.add(bytes, isLast: true)
      return deflation.output
    }

    private func scan(_ count: Int, _ difference: (Int) -> UInt16) {
      guard count > 0 else { return }
      var (start, last) = (-run.count, run.count > 0 ? run.difference : difference(0))
      for position in 0..<count {
        let value = difference(position)
        if value != last {
          run = (position - start, last)
          put()
          (start, last) = (position, value)
        }
      }
      run = (count - start, last)
    }

    private func put() {
      var rest = run.count
      guard rest > 0 else { return }
      while rest >= 0x80 {
        bytes.append(UInt8(rest & 0x7f) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
      bytes.append(UInt8(run.difference & 0xff))
      bytes.append(UInt8(run.difference >> 8))
      run.count = 0
      if bytes.count >= chunkSize {
        deflation.add(bytes, isLast: false)
        bytes.removeAll(keepingCapacity: true)
      }
    }
  }

  /// Decodes runs; nil when they are damaged or do not give exactly `count` voxels.
  /// - Complexity: O(count + bytes).
  package static func decode(_ data: Data, count: Int, against base: [UInt16]? = nil) -> [UInt16]? {
    guard base == nil || base?.count == count else { return nil }
    var voxels = base ?? [UInt16](repeating: 0, count: count)
    var offset = 0
    // The state of a run whose bytes are not complete.
    var (length, shift, difference, state) = (0, 0, UInt16(0), 0)
    let isWhole = voxels.withUnsafeMutableBufferPointer { voxels in
      inflate(data) { bytes in
        for byte in bytes {
          switch state {
          case 0:
            guard shift < 56 else { return false }
            length |= Int(byte & 0x7f) << shift
            shift += 7
            if byte & 0x80 == 0 { state = 1 }
          case 1:
            difference = UInt16(byte)
            state = 2
          default:
            difference |= UInt16(byte) << 8
            guard length <= count - offset else { return false }
            if difference != 0 {
              for position in offset..<offset + length { voxels[position] &+= difference }
            }
            offset += length
            (length, shift, state) = (0, 0, 0)
          }
        }
        return true
      }
    }
    return isWhole && offset == count && state == 0 && shift == 0 ? voxels : nil
  }

  /// Calls `consume` with the inflated bytes chunk by chunk; false when the data is damaged or `consume` returned
  /// false.
  private static func inflate(_ data: Data, _ consume: (UnsafeBufferPointer<UInt8>) -> Bool) -> Bool {
    // zlib stores the address of its stream, so the stream must not move.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    guard inflateInit_(stream, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      return false
    }
    defer { inflateEnd(stream) }
    var chunk = [UInt8](repeating: 0, count: chunkSize)
    return data.withUnsafeBytes { source in
      var given = 0
      while true {
        if stream.pointee.avail_in == 0, given < source.count {
          let count = min(source.count - given, 1 << 30)
          stream.pointee.next_in = UnsafeMutablePointer(
            mutating: source.baseAddress!.assumingMemoryBound(to: UInt8.self) + given)
          stream.pointee.avail_in = UInt32(count)
          given += count
        }
        let (status, count) = chunk.withUnsafeMutableBufferPointer { buffer in
          stream.pointee.next_out = buffer.baseAddress
          stream.pointee.avail_out = UInt32(buffer.count)
          let status = CZlib.inflate(stream, Z_NO_FLUSH)
          return (status, buffer.count - Int(stream.pointee.avail_out))
        }
        guard status == Z_OK || status == Z_STREAM_END else { return false }
        guard chunk.withUnsafeBufferPointer({ consume(UnsafeBufferPointer(rebasing: $0[..<count])) }) else {
          return false
        }
        if status == Z_STREAM_END { return given == source.count && stream.pointee.avail_in == 0 }
        if count == 0, stream.pointee.avail_in == 0, given == source.count { return false }
      }
    }
  }
}

/// zlib's deflate at its fastest level.
private final class Deflation {
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private var chunk = [UInt8](repeating: 0, count: 1 << 18)
  /// The compressed bytes.
  private(set) var output = Data()

  init() {
    stream.initialize(to: z_stream())
    let status = deflateInit_(
      stream, Z_BEST_SPEED, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib has no memory for a deflate stream")
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  func add(_ bytes: [UInt8], isLast: Bool) {
    bytes.withUnsafeBufferPointer { source in
      stream.pointee.next_in = source.baseAddress.map { UnsafeMutablePointer(mutating: $0) }
      stream.pointee.avail_in = UInt32(source.count)
      repeat {
        chunk.withUnsafeMutableBufferPointer { target in
          stream.pointee.next_out = target.baseAddress
          stream.pointee.avail_out = UInt32(target.count)
          deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
          output.append(contentsOf: target[..<(target.count - Int(stream.pointee.avail_out))])
        }
      } while stream.pointee.avail_out == 0
    }
  }
}
