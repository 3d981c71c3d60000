import Work

/// The position of a slice in a file whose frames consist of slices of equal size.
package struct StoredSlice: Hashable, Sendable {
  /// The frame, and the slice of that frame, both from 0.
  package var frame, index: Int
  /// Bytes of one slice.
  package var byteCount: Int
}

/// Delivers the stored voxels of an opened file; each format has one.
package protocol VoxelReader: Sendable {
  /// Gives `body` the stored voxels of consecutive frames, i fastest, in this machine's byte order and in pieces
  /// that hold whole voxels and start at addresses aligned for them.
  ///
  /// - Returns: Findings: problems that were repaired on reading.
  /// - Throws: ``InputError`` when the file ends early or is damaged, ``Cancelled``, and the errors of `body`.
  func readVoxels(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding]

  /// Gives `body` the stored voxels of one slice in pieces as ``readVoxels(frames:work:_:)`` does.
  ///
  /// By default the voxels of its frame before the slice are read too; those after it are read only where the layout of
  /// the file demands it.
  /// - Throws: As ``readVoxels(frames:work:_:)``.
  func readSlice(
    _ slice: StoredSlice, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws
}

extension VoxelReader {
  package func readSlice(
    _ slice: StoredSlice, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let wanted = slice.index * slice.byteCount..<(slice.index + 1) * slice.byteCount
    var position = 0
    do {
      _ = try readVoxels(frames: slice.frame..<slice.frame + 1, work: work) { piece in
        let part = (position..<position + piece.count).clamped(to: wanted)
        if !part.isEmpty {
          try body(
            UnsafeRawBufferPointer(rebasing: piece[part.lowerBound - position..<part.upperBound - position]))
        }
        position += piece.count
        if position >= wanted.upperBound { throw SliceEnd() }
      }
    } catch is SliceEnd {}
  }
}

/// Ends the reading of a frame after the requested slice.
private struct SliceEnd: Error {}
