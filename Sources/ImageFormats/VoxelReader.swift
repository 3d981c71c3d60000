import Work

/// Delivers the stored voxels of an opened file; each format has one.
package protocol VoxelReader: Sendable {
  /// Gives `body` the stored voxels of consecutive frames, i fastest, in this machine's byte order and in pieces
  /// that hold whole voxels and start at addresses aligned for them.
  ///
  /// - Returns: Findings: problems that were repaired on reading.
  /// - Throws: ``InputError`` when the file ends early or is damaged, ``Cancelled``, and what `body` throws.
  func readVoxels(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding]
}
