/// A box of voxels, both corners inside it.
package struct VoxelBounds: Hashable, Sendable, Codable {
  /// The lowest and the highest index along each axis.
  package var lower, upper: VoxelIndex

  /// The box from `lower` to `upper`; `lower` must not exceed `upper` along any axis.
  package init(lower: VoxelIndex, upper: VoxelIndex) {
    precondition(
      lower.i <= upper.i && lower.j <= upper.j && lower.k <= upper.k, "bounds \(lower) to \(upper)")
    self.lower = lower
    self.upper = upper
  }

  /// The whole grid.
  package init(_ size: GridSize) {
    self.init(lower: VoxelIndex(0, 0, 0), upper: VoxelIndex(size.i - 1, size.j - 1, size.k - 1))
  }

  /// Voxels along each axis.
  package var size: GridSize {
    GridSize(upper.i - lower.i + 1, upper.j - lower.j + 1, upper.k - lower.k + 1)
  }

  /// The voxel in the middle; the lower one where two are.
  package var centre: VoxelIndex {
    VoxelIndex((lower.i + upper.i) / 2, (lower.j + upper.j) / 2, (lower.k + upper.k) / 2)
  }

  /// The smallest box that holds both.
  package func union(_ other: VoxelBounds) -> VoxelBounds {
    VoxelBounds(
      lower: VoxelIndex(
        min(lower.i, other.lower.i), min(lower.j, other.lower.j), min(lower.k, other.lower.k)),
      upper: VoxelIndex(
        max(upper.i, other.upper.i), max(upper.j, other.upper.j), max(upper.k, other.upper.k)))
  }

  /// Whether all voxels of `other` lie inside.
  package func contains(_ other: VoxelBounds) -> Bool { union(other) == self }

  /// This box in the coordinates of a box that contains it.
  package func relative(to outer: VoxelBounds) -> VoxelBounds {
    var box = self
    for axis in 0..<3 {
      box.lower[axis] -= outer.lower[axis]
      box.upper[axis] -= outer.lower[axis]
    }
    return box
  }
}
