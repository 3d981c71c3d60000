/// The inflation of a gzip stream of any number of members, or of bare deflated bytes.
///
/// igzip of ISA-L does it where its library is installed, else zlib: the content is the same.
package final class Inflation {
  /// The result of one call.
  package enum Progress: Equatable {
    /// Output is full or input is used up.
    case advanced
    /// A member ended and its checksum was right.
    case memberEnded
    /// The data are not deflated; the reason in zlib's words.
    case damaged(String)
  }

  /// What lies around the deflated bytes.
  package enum Wrapping: Int32 {
    /// The header and checksum of gzip.
    case gzip = 31
    /// Nothing, as in a ZIP archive.
    case raw = -15
  }

  /// The library that inflates.
  package enum Library: String, CaseIterable, Sendable {
    case igzip, zlib
  }

  /// The library of this stream.
  package let library: Library
  private let engine: any InflationEngine
  private let input: UnsafeMutableRawBufferPointer
  private var pending: UnsafeRawBufferPointer

  /// A stream before its first byte; `library` is used where it is installed, igzip unless given.
  package init(_ wrapping: Wrapping = .gzip, library: Library = .igzip) {
    let igzip = library == .igzip ? IgzipInflation(wrapping) : nil
    self.library = igzip == nil ? .zlib : .igzip
    engine = igzip ?? ZlibInflation(wrapping)
    input = .allocate(byteCount: 1 << 18, alignment: 64)
    pending = UnsafeRawBufferPointer(rebasing: input[..<0])
  }

  deinit { input.deallocate() }

  /// Compressed bytes that are not inflated yet.
  package var pendingByteCount: Int { pending.count }

  /// The first compressed byte that is not inflated yet; nil for none.
  var nextByte: UInt8? { pending.first }

  /// Reads new compressed bytes; allowed only when all others are inflated.
  package func refill(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
    let count = fill(input)
    pending = UnsafeRawBufferPointer(rebasing: input[..<max(count, 0)])
    return count
  }

  /// Begins another member.
  package func beginMember() { engine.beginMember() }

  /// Inflates into `output`, which must not be empty.
  /// - Returns: The number of bytes written, and where the stream is.
  package func inflate(into output: UnsafeMutableRawBufferPointer) -> (count: Int, progress: Progress) {
    let step = engine.inflate(
      pending, into: UnsafeMutableRawBufferPointer(rebasing: output[..<min(output.count, 1 << 30)]))
    pending = UnsafeRawBufferPointer(rebasing: pending[step.consumed...])
    return (step.written, step.progress)
  }
}

/// One library's state of a stream.
protocol InflationEngine: AnyObject {
  func beginMember()

  /// Inflates what it can of `input` into `output`.
  func inflate(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> InflationStep
}

/// What one call of a library did.
struct InflationStep {
  var consumed: Int
  var written: Int
  var progress: Inflation.Progress
}
