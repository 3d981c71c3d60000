/// The volume and the position of a label.
package struct LabelStatistics: Hashable, Sendable {
  package let label: UInt16
  package let voxelCount: Int
  package let millilitres: Double
  /// The smallest box that holds it.
  package let bounds: VoxelBounds
  /// Components of it (corners touch).
  package let componentCount: Int
  /// The mean of its voxels' centres.
  package let centroid: WorldPoint
  /// The representative voxel: in the axial slice where its largest component has the most voxels (the first of equal
  /// ones), the voxel of that component nearest to the mean of those.
  package let centre: VoxelIndex

  package init(
    label: UInt16, voxelCount: Int, millilitres: Double, bounds: VoxelBounds, componentCount: Int,
    centroid: WorldPoint, centre: VoxelIndex
  ) {
    self.label = label
    self.voxelCount = voxelCount
    self.millilitres = millilitres
    self.bounds = bounds
    self.componentCount = componentCount
    self.centroid = centroid
    self.centre = centre
  }
}

/// A search for the representative voxel of a component: in its slice with the most voxels, the one nearest to their
/// mean.
///
/// The slices are given first; after ``choose()`` the runs of the chosen one go to ``consider(_:_:spacing:)``, in the
/// order of memory.
struct CentreSearch {
  /// Voxels in one slice, and the sum of their indices.
  struct Slice {
    var count = 0
    var sum = SIMD3<Int>.zero
  }

  private let axis: Int
  private let first: Int
  /// The slices of the component along `axis`.
  private var slices: [Slice]
  /// The slice with the most voxels, the first of equal ones; nil until ``choose()``.
  private(set) var position = 0
  private var middle = SIMD3<Double>.zero
  private var minimumDistance = Double.infinity
  private(set) var nearest = VoxelIndex(0, 0, 0)

  /// A search in a component whose first slice is at `first`.
  init(slices: [Slice], first: Int, axis: Int) {
    self.axis = axis
    self.first = first
    self.slices = slices
  }

  /// The voxel that is nearest where it belongs to the component.
  var preferred: VoxelIndex {
    func below(_ value: Double) -> Int { Int(saturating: (value - 0.5).rounded(.up)) }
    var index = VoxelIndex(Int(saturating: middle.x.rounded()), below(middle.y), below(middle.z))
    index[axis] = position
    return index
  }

  /// Chooses the slice with the most voxels.
  mutating func choose() {
    var best = 0
    for index in slices.indices where slices[index].count > slices[best].count { best = index }
    position = best + first
    let slice = slices[best]
    middle = SIMD3(Double(slice.sum.x), Double(slice.sum.y), Double(slice.sum.z)) / Double(slice.count)
    slices = []
  }

  /// Updates the nearest voxel by those of a run.
  mutating func consider(_ start: VoxelIndex, _ count: Int, spacing: Spacing) {
    let last = start.i + count - 1
    guard axis == 0 ? (start.i...last).contains(position) : start[axis] == position else { return }
    let i = axis == 0 ? position : min(max(Int(saturating: middle.x.rounded()), start.i), last)
    let offset = (SIMD3(Double(i), Double(start.j), Double(start.k)) - middle)
    var distance = 0.0
    for axis in 0..<3 { distance += offset[axis] * offset[axis] * spacing[axis] * spacing[axis] }
    if distance < minimumDistance {
      minimumDistance = distance
      nearest = VoxelIndex(i, start.j, start.k)
    }
  }
}
