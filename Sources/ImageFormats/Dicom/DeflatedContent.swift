import Work

/// Inflates the data set of a deflated file.
enum DeflatedContent {
  /// The maximum size of the content, all of which is held in memory: more than any slice has, or for a file of many
  /// frames eight times its size, several times what images are compressed to.
  private static func maximumByteCount(of file: DicomBytes) -> Int { max(1 << 27, 8 * file.count) }

  /// The inflated content of a file that begins at the byte `start`.
  /// - Throws: ``InputError`` when the data are damaged or too long.
  static func read(_ file: DicomBytes, from start: Int) throws(InputError) -> [UInt8] {
    let maximumByteCount = maximumByteCount(of: file)
    let inflation = Inflation(.raw)
    var content: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    var position = start
    while true {
      var failure: InputError?
      if inflation.pendingByteCount == 0 {
        let read = inflation.refill { input in
          let count = min(input.count, file.count - position)
          do throws(InputError) {
            try file.read(at: position, into: UnsafeMutableRawBufferPointer(rebasing: input[..<count]))
          } catch {
            failure = error
            return 0
          }
          return count
        }
        if let failure { throw failure }
        position += read
        guard read > 0 else {
          throw InputError(file.path, "the deflated data are cut off", found: counted(file.count, "byte"))
        }
      }
      let (count, progress) = piece.withUnsafeMutableBytes { inflation.inflate(into: $0) }
      if content.count + count > max(content.capacity, 1 << 27) {
        // The array doubles its memory.
        try AvailableMemory.require(2 * content.count, subject: file.path, "its inflated content")
      }
      content += piece[..<count]
      guard content.count <= maximumByteCount else {
        throw InputError(
          file.path, "inflates to too much", found: "more than \(maximumByteCount >> 20) MiB",
          expected: "the pixels of one file")
      }
      switch progress {
      case .advanced: continue
      case .memberEnded: return content
      case .damaged(let reason):
        throw InputError(
          file.path, "the deflated data are damaged after \(counted(content.count, "byte"))", found: reason)
      }
    }
  }
}
