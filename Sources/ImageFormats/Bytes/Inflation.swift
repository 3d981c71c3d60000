/// The inflation of a gzip stream of any number of members, of a zlib stream, or of bare deflated bytes.
///
/// igzip of ISA-L does it where its library is installed, else zlib: the content is the same.
package final class Inflation: Decompression {
  /// What lies around the deflated bytes.
  package enum Wrapping: Int32 {
    /// The header and checksum of gzip.
    case gzip = 31
    /// Those of zlib, or of gzip.
    case zlib = 47
    /// Nothing, as in a ZIP archive.
    case raw = -15
  }

  /// The library that inflates.
  package enum Library: String, CaseIterable, Sendable {
    case igzip, zlib
  }

  package let name: String
  package let memberMagic: UInt8?
  /// Deflate never expands more than this.
  package let largestExpansion = 1032
  /// The library of this stream.
  package let library: Library
  private let engine: any InflationEngine
  /// The last bytes of the input before, then the compressed bytes of this one.
  private let input: UnsafeMutableRawBufferPointer
  /// The maximum number of bytes that igzip reads beyond the end of a member, also of earlier input.
  private static let maximumOverreadByteCount = 8
  private var pending: UnsafeRawBufferPointer

  /// Begins a stream; zlib inflates it where `library` is not installed or does not read this wrapping.
  package init(_ wrapping: Wrapping, library: Library = .igzip) {
    name = wrapping == .zlib ? "zlib" : "gzip"
    memberMagic = wrapping == .gzip ? 0x1f : nil
    let igzip = library == .igzip ? IgzipInflation(wrapping) : nil
    self.library = igzip == nil ? .zlib : .igzip
    engine = igzip ?? ZlibInflation(wrapping)
    input = .allocate(byteCount: 1 << 18, alignment: 64)
    // Nothing was read before the first input.
    UnsafeMutableRawBufferPointer(rebasing: input[..<Self.maximumOverreadByteCount])
      .initializeMemory(as: UInt8.self, repeating: 0)
    pending = UnsafeRawBufferPointer(
      rebasing: input[Self.maximumOverreadByteCount..<Self.maximumOverreadByteCount])
  }

  deinit { input.deallocate() }

  package var pendingByteCount: Int { pending.count }

  package var nextByte: UInt8? { pending.first }

  package func refill(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
    let start = Self.maximumOverreadByteCount
    if let end = pending.baseAddress {
      input.copyMemory(from: UnsafeRawBufferPointer(start: end - start, count: start))
    }
    let count = fill(UnsafeMutableRawBufferPointer(rebasing: input[start...]))
    pending = UnsafeRawBufferPointer(rebasing: input[start..<start + max(count, 0)])
    return count
  }

  package func beginMember() { engine.beginMember() }

  package func inflate(
    into output: UnsafeMutableRawBufferPointer
  ) -> (count: Int, progress: DecompressionProgress) {
    let step = engine.inflate(
      pending, into: UnsafeMutableRawBufferPointer(rebasing: output[..<min(output.count, 1 << 30)]))
    pending = UnsafeRawBufferPointer(
      start: pending.baseAddress! + step.consumed, count: pending.count - step.consumed)
    return (step.written, step.progress)
  }
}

/// One library's state of a stream.
protocol InflationEngine: AnyObject {
  func beginMember()

  /// Inflates what it can of `input` into `output`.
  func inflate(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> InflationResult
}

/// What one call of a library did.
struct InflationResult {
  /// Bytes of the input that were used; negative where the library has read too many earlier bytes.
  var consumed: Int
  var written: Int
  var progress: DecompressionProgress
}
