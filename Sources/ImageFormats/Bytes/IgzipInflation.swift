import CIgzip

/// igzip's inflate.
final class IgzipInflation: InflationEngine {
  private let stream: OpaquePointer

  /// nil where the library is not installed, and for zlib streams, which it does not tell from gzip.
  init?(_ wrapping: Inflation.Wrapping) {
    guard wrapping != .zlib, let stream = igzip_create(wrapping == .gzip) else { return nil }
    self.stream = stream
  }

  deinit { igzip_destroy(stream) }

  func beginMember() { igzip_begin(stream) }

  func inflate(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> InflationResult
  {
    let step = igzip_inflate(
      stream, input.baseAddress?.assumingMemoryBound(to: UInt8.self), input.count,
      output.baseAddress?.assumingMemoryBound(to: UInt8.self), output.count)
    let progress: DecompressionProgress =
      switch step.status {
      // A step without progress, with input and room for output, would be repeated for ever.
      case IGZIP_ADVANCED where step.consumed > 0 || step.written > 0 || input.isEmpty || output.isEmpty:
        .advanced
      case IGZIP_ENDED: .memberEnded
      case IGZIP_INVALID_CODE: .damaged("invalid code")
      case IGZIP_INVALID_DISTANCE: .damaged("invalid distance too far back")
      case IGZIP_INVALID_HEADER: .damaged("incorrect header check")
      case IGZIP_UNKNOWN_METHOD: .damaged("unknown compression method")
      case IGZIP_WRONG_CHECKSUM: .damaged("incorrect data check")
      default: .damaged("invalid block type")
      }
    return InflationResult(consumed: step.consumed, written: step.written, progress: progress)
  }
}
