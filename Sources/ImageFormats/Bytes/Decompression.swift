/// A decompressor: ``refill(_:)`` gives it compressed bytes, ``inflate(into:)`` takes content from it.
package protocol Decompression: AnyObject {
  /// The name in messages: "gzip".
  var name: String { get }

  /// The first byte of every member, where a stream may have several members; nil where it has only one.
  var memberMagic: UInt8? { get }

  /// The maximum ratio of the sizes of content and compressed bytes.
  var largestExpansion: Int { get }

  /// Compressed bytes that are not decompressed yet.
  var pendingByteCount: Int { get }

  /// The first compressed byte that is not decompressed yet; nil for none.
  var nextByte: UInt8? { get }

  /// Calls `fill` to read compressed bytes, and returns their number; all earlier bytes must be decompressed.
  func refill(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int

  /// Begins the next member.
  func beginMember()

  /// Decompresses into `output`, which must not be empty.
  /// - Returns: The number of bytes written, and where the member is.
  func inflate(into output: UnsafeMutableRawBufferPointer) -> (count: Int, progress: DecompressionProgress)
}

/// The state after a call of ``Decompression/inflate(into:)``.
package enum DecompressionProgress: Equatable {
  /// Output is full or input is used up.
  case advanced
  /// A member ended and its checksum was right.
  case memberEnded
  /// The data are damaged, or compressed in another way; the reason.
  case damaged(String)
}
