import Dispatch
import Foundation
import Synchronization
import Work

extension ContentStream {
  /// Gives `body` the next `byteCount` bytes of content in pieces of `pieceByteCount` bytes, the last of which may be
  /// shorter.
  ///
  /// With two threads or more, other pieces are read and inflated while `body` has one.
  ///
  /// - Returns: The bytes delivered; fewer than `byteCount` when the content ends before. A partial piece is dropped.
  /// - Throws: ``InputError`` as ``read(into:)``, ``Cancelled``, and the errors of `body`.
  func forEachPiece(
    byteCount: Int, pieceByteCount: Int, work: WorkContext,
    _ body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) throws -> Int {
    let isShort = byteCount <= pieceByteCount
    let source: any PieceSource =
      isShort || work.threadCount == 1
      ? PieceBuffer(self, byteCount: byteCount, pieceByteCount: pieceByteCount)
      : ReadAhead(self, byteCount: byteCount, pieceByteCount: pieceByteCount, work)
    defer { source.stop() }
    var done = 0
    while done < byteCount {
      try work.checkCancellation()
      guard let piece = try source.next(work) else { break }
      try body(piece)
      done += piece.count
    }
    return done
  }
}

/// Whole pieces of a stream, one after the other.
private protocol PieceSource {
  /// The next piece, whose memory is the caller's until the next call; nil when the content ends within it.
  func next(_ work: WorkContext) throws -> UnsafeMutableRawBufferPointer?

  /// Ends the reading; no piece is asked for any more.
  func stop()
}

/// Reads each piece when it is asked for.
private final class PieceBuffer: PieceSource {
  private let stream: any ContentStream
  private let buffer: UnsafeMutableRawBufferPointer
  private var rest: Int

  init(_ stream: any ContentStream, byteCount: Int, pieceByteCount: Int) {
    self.stream = stream
    rest = byteCount
    buffer = .allocate(byteCount: max(1, min(byteCount, pieceByteCount)), alignment: 64)
  }

  deinit { buffer.deallocate() }

  func next(_ work: WorkContext) throws -> UnsafeMutableRawBufferPointer? {
    let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, rest)])
    rest -= piece.count
    return try stream.read(into: piece) == piece.count ? piece : nil
  }

  func stop() {}
}

/// Reads pieces on a thread of its own, up to three of them before they are asked for.
///
/// SAFETY: the stream belongs to the thread until the last piece is delivered or reading is stopped. A buffer belongs to
/// the thread from a signal of `free` until one of `filled`, and else to the caller of ``next(_:)``.
private final class ReadAhead: PieceSource, @unchecked Sendable {
  private let stream: any ContentStream
  private let buffers: [UnsafeMutableRawBufferPointer]
  private let pieceStarts: StrideTo<Int>
  private let byteCount: Int
  /// Whether each buffer's piece is whole.
  private let outcomes: Mutex<[Result<Bool, InputError>]>
  private let filled = DispatchSemaphore(value: 0)
  private let free = DispatchSemaphore(value: 0)
  private let isStopped = Atomic<Bool>(false)
  /// The number of delivered pieces; only the caller uses it.
  private var deliveredCount = 0

  init(_ stream: any ContentStream, byteCount: Int, pieceByteCount: Int, _ work: WorkContext) {
    let count = 3
    (self.stream, self.byteCount) = (stream, byteCount)
    pieceStarts = stride(from: 0, to: byteCount, by: pieceByteCount)
    buffers = (0..<count).map { _ in .allocate(byteCount: pieceByteCount, alignment: 64) }
    outcomes = Mutex([Result<Bool, InputError>](repeating: .success(false), count: count))
    for _ in 0..<count { free.signal() }
    let hasLowPriority = work.hasLowPriority
    Thread.detachNewThread { [self] in
      if hasLowPriority { ThreadPriority.lower() }
      readPieces()
    }
  }

  deinit { for buffer in buffers { buffer.deallocate() } }

  private func readPieces() {
    for (number, start) in pieceStarts.enumerated() {
      free.wait()
      guard !isStopped.load(ordering: .relaxed) else { return }
      let piece = piece(number, from: start)
      let outcome = Result { () throws(InputError) in try stream.read(into: piece) == piece.count }
      outcomes.withLock { $0[number % buffers.count] = outcome }
      filled.signal()
      guard case .success(true) = outcome else { return }
    }
  }

  private func piece(_ number: Int, from start: Int) -> UnsafeMutableRawBufferPointer {
    let buffer = buffers[number % buffers.count]
    return UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, byteCount - start)])
  }

  func next(_ work: WorkContext) throws -> UnsafeMutableRawBufferPointer? {
    if deliveredCount > 0 { free.signal() }
    while filled.wait(timeout: .now() + .milliseconds(20)) == .timedOut { try work.checkCancellation() }
    let number = deliveredCount
    deliveredCount += 1
    let isWhole = try outcomes.withLock { $0[number % buffers.count] }.get()
    return isWhole ? piece(number, from: number * buffers[0].count) : nil
  }

  func stop() {
    isStopped.store(true, ordering: .relaxed)
    free.signal()
  }
}
