import Volumes

/// The method to filter with the appearance kernel.
enum AppearanceMethod: Sendable {
  /// Low-rank features on a decimated grid, for one to three images that have them.
  case lowRank(AppearanceKernel)
  /// A permutohedral lattice, for more images, or for intensity ranges too large for the kernel's width.
  case lattice(LatticeKernel)

  /// Whether a grid of features stays within 24 floats per voxel, or within 256 MB.
  static func gridIsSmall(_ axes: [GaussianAxis], rank: Int, size: GridSize) -> Bool {
    let floats = axes.reduce(rank) { $0 * $1.cells }
    return floats <= max(64 << 20, 24 * size.voxelCount)
  }
}
