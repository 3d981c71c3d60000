/// The state of a decompression, which is given compressed bytes and asked for content.
protocol Decompression: AnyObject {
  /// The name in messages: "gzip".
  var name: String { get }

  /// The first byte of every member, where content may consist of several members; nil where it has one alone.
  var memberMagic: UInt8? { get }

  /// How many times larger the content may be than its compressed bytes.
  var largestExpansion: Int { get }

  /// Compressed bytes that are not decompressed yet.
  var pendingByteCount: Int { get }

  /// The first compressed byte that is not decompressed yet; nil for none.
  var nextByte: UInt8? { get }

  /// Reads new compressed bytes; allowed only when all others are decompressed.
  func refill(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int

  /// Begins the next member.
  func beginMember()

  /// Decompresses into `output`, which must not be empty.
  /// - Returns: The number of bytes written, and where the member is.
  func inflate(into output: UnsafeMutableRawBufferPointer) -> (count: Int, progress: DecompressionProgress)
}

/// The result of one call.
enum DecompressionProgress {
  /// Output is full or input is used up.
  case advanced
  /// A member ended and its checksum was right.
  case memberEnded
  /// The data are not compressed so, or damaged; the reason.
  case damaged(String)
}
