import CDicom
import Foundation
import Work

/// Decodes compressed frames, one after the other, in a separate process, which may crash and can be killed.
final class FrameDecoder: @unchecked Sendable {
  // SAFETY: each worker of a parallel loop has decoders of its own, so a decoder is used by one thread at a time.

  /// The result of decoding a frame.
  enum Outcome {
    case decoded
    /// The bytes are damaged, or the decoder crashed on them or ran for too long.
    case damaged
    case stopped
  }

  /// Bytes of memory that its process may take for each byte of a frame, besides 256 MB.
  static let memoryPerFrameByte = 16

  private let decoder: OpaquePointer
  private let byteCount: Int

  /// Starts the process, which ends with this object.
  /// - Parameter byteCount: The most bytes that a compressed frame has.
  /// - Throws: ``InputError`` where the system cannot provide the process or its memory.
  init(_ reader: FrameReader, byteCount: Int) throws(InputError) {
    let format = dicom_frame_format(
      columns: UInt32(reader.format.columns), rows: UInt32(reader.format.rows),
      bits_allocated: UInt16(reader.format.bitsAllocated),
      bits_stored: UInt16(reader.format.bitsStored), is_signed: reader.format.isSigned)
    guard let decoder = dicom_decoder_start(reader.syntax.uid, format, byteCount) else {
      throw InputError(
        reader.path, "cannot be decoded: no process can be started for it",
        found: "frames of \(counted(byteCount, "byte"))")
    }
    (self.decoder, self.byteCount) = (decoder, byteCount)
  }

  deinit { dicom_decoder_stop(decoder) }

  /// Memory for the compressed bytes of the next frame.
  func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
    precondition(count <= byteCount, "\(count) bytes for a decoder of \(byteCount)")
    return UnsafeMutableRawBufferPointer(start: dicom_decoder_bytes(decoder), count: count)
  }

  /// Decodes a frame from the first `count` bytes of the memory that ``bytes(_:)`` returned.
  func decode(
    _ count: Int, into pixels: UnsafeMutableRawBufferPointer, cancellation: Cancellation
  ) -> Outcome {
    dicom_decoder_begin(decoder, count)
    while true {
      switch dicom_decoder_wait(decoder, 20) {
      case dicom_running: if cancellation.isRequested { return .stopped }
      case dicom_decoded:
        pixels.copyMemory(
          from: UnsafeRawBufferPointer(start: dicom_decoder_pixels(decoder), count: pixels.count))
        return .decoded
      default: return .damaged
      }
    }
  }
}

/// The decoders for one read of voxels: each worker has one for each transfer syntax.
///
/// The reading thread starts their processes, which end with that thread at the latest.
struct FrameDecoders: Sendable {
  private let decoders: [[String: FrameDecoder]]

  /// - Parameters:
  ///   - readers: The readers of the instances that are read; uncompressed and RLE ones need no decoder.
  ///   - workerCount: The number of workers.
  /// - Throws: As ``FrameDecoder/init(_:byteCount:)``; ``InputError`` where there is not enough memory for them.
  init(for readers: [FrameReader], workerCount: Int) throws(InputError) {
    var largest: [String: (reader: FrameReader, byteCount: Int)] = [:]
    for reader in readers {
      guard let byteCount = reader.largestEncodedByteCount else { continue }
      let known = largest[reader.syntax.uid]?.byteCount ?? 0
      largest[reader.syntax.uid] = (reader, max(known, byteCount))
    }
    // A damaged frame of a huge size must not fill the machine's memory in the decoders' processes.
    for (reader, _) in largest.values {
      try AvailableMemory.require(
        checkedProduct(workerCount, FrameDecoder.memoryPerFrameByte, reader.format.frameByteCount),
        subject: reader.path, "the decoding of its frames")
    }
    var decoders: [[String: FrameDecoder]] = []
    for _ in 0..<workerCount {
      var own: [String: FrameDecoder] = [:]
      for (syntax, entry) in largest {
        own[syntax] = try FrameDecoder(entry.reader, byteCount: entry.byteCount)
      }
      decoders.append(own)
    }
    self.decoders = decoders
  }

  /// The decoder of a worker for a transfer syntax; nil for one that needs none.
  subscript(worker: Int, syntax: TransferSyntax) -> FrameDecoder? { decoders[worker][syntax.uid] }
}
