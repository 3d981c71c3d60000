import Work

/// Where a label lies and how much of it there is.
package struct LabelStatistics: Hashable, Sendable {
  /// Its value.
  package let label: UInt16
  /// Its voxels.
  package let voxelCount: Int
  /// Its volume.
  package let millilitres: Double
  /// The smallest box that holds it.
  package let bounds: VoxelBounds
  /// Components of it (corners touch).
  package let componentCount: Int
  /// The mean of its voxels' centres.
  package let centroid: WorldPoint
  /// Where to look at it: in the axial slice where its largest component has the most voxels (of equals the
  /// first), the voxel of that component nearest to the middle of those.
  package let centre: VoxelIndex

  /// Statistics.
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

  /// Statistics of every label of a mask but 0, ascending; empty for an empty mask.
  /// - Throws: `Cancelled`.
  package static func all(of mask: LabelVolume, work: WorkContext) throws(Cancelled) -> [LabelStatistics] {
    let components = try ConnectedComponents(mask, neighbourhood: .corners, work: work)
    var sums: [UInt16: LabelSums] = [:]
    for (index, component) in components.components.enumerated() {
      var sum = sums[component.label] ?? LabelSums(bounds: component.bounds)
      sum.add(component, index: index)
      sums[component.label] = sum
    }
    let slots = sums.keys.sorted()
    let axis = mask.grid.orientation.sliceAxis(of: .axial)
    var totals = [SIMD3<Double>](repeating: .zero, count: slots.count)
    let slotOfLabel = Dictionary(uniqueKeysWithValues: zip(slots, slots.indices))
    let slotOfComponent = components.components.map { slotOfLabel[$0.label]! }
    var centres = slots.map { label in
      let largest = sums[label]!.largest
      return CentreSearch(component: largest, bounds: components.components[largest].bounds, axis: axis)
    }
    let size = mask.grid.size
    try work.checkCancellation()
    components.forEachRun { component, offsets in
      let slot = slotOfComponent[component]
      let start = size.index(offset: offsets.lowerBound)
      let count = Double(offsets.count)
      totals[slot] += SIMD3(
        (Double(start.i) + (count - 1) / 2) * count, Double(start.j) * count, Double(start.k) * count)
      if centres[slot].component == component { centres[slot].add(start, offsets.count) }
    }
    try work.checkCancellation()
    for slot in centres.indices { centres[slot].choose() }
    let spacing = mask.grid.spacing
    components.forEachRun { component, offsets in
      let slot = slotOfComponent[component]
      guard centres[slot].component == component else { return }
      centres[slot].consider(size.index(offset: offsets.lowerBound), offsets.count, spacing: spacing)
    }
    try work.checkCancellation()
    return slots.enumerated().map { slot, label in
      let sum = sums[label]!
      let mean = totals[slot] / Double(sum.voxelCount)
      return LabelStatistics(
        label: label, voxelCount: sum.voxelCount,
        millilitres: Double(sum.voxelCount) * mask.grid.voxelVolume / 1000, bounds: sum.bounds,
        componentCount: sum.componentCount, centroid: mask.grid.affine.world(mean.x, mean.y, mean.z),
        centre: centres[slot].nearest)
    }
  }
}

/// What the components of one label add up to.
private struct LabelSums {
  var bounds: VoxelBounds
  var voxelCount = 0
  var componentCount = 0
  var largest = 0
  private var largestCount = 0

  init(bounds: VoxelBounds) { self.bounds = bounds }

  mutating func add(_ component: Component, index: Int) {
    bounds = bounds.union(component.bounds)
    voxelCount += component.voxelCount
    componentCount += 1
    if component.voxelCount > largestCount {
      largestCount = component.voxelCount
      largest = index
    }
  }
}

/// Looks for the voxel of a component, in its slice with the most voxels, that is nearest to the middle of those.
///
/// Runs are given twice: first all of them to ``add(_:_:)``, then, behind ``choose()``, to ``consider(_:_:spacing:)``.
private struct CentreSearch {
  /// Voxels in one slice, and the sum of their indices.
  private struct Slice {
    var count = 0
    var sum = SIMD3<Int>.zero
  }

  let component: Int
  private let axis: Int
  private let first: Int
  /// Of the component's own slices along `axis`.
  private var slices: [Slice]
  private var position = 0
  private var middle = SIMD3<Double>.zero
  private var leastDistance = Double.infinity
  /// The voxel.
  private(set) var nearest: VoxelIndex

  init(component: Int, bounds: VoxelBounds, axis: Int) {
    self.component = component
    self.axis = axis
    first = bounds.lower[axis]
    slices = [Slice](repeating: Slice(), count: bounds.size[axis])
    nearest = bounds.lower
  }

  /// Adds a run along i of `count` voxels.
  mutating func add(_ start: VoxelIndex, _ count: Int) {
    if axis == 0 {
      for i in start.i..<start.i + count {
        slices[i - first].count += 1
        slices[i - first].sum &+= SIMD3(i, start.j, start.k)
      }
    } else {
      slices[start[axis] - first].count += count
      slices[start[axis] - first].sum &+= SIMD3(
        count * start.i + count * (count - 1) / 2, count * start.j, count * start.k)
    }
  }

  /// Decides on the slice.
  mutating func choose() {
    var best = 0
    for index in slices.indices where slices[index].count > slices[best].count { best = index }
    position = best + first
    let slice = slices[best]
    middle = SIMD3(Double(slice.sum.x), Double(slice.sum.y), Double(slice.sum.z)) / Double(slice.count)
    slices = []
  }

  /// Takes the nearest voxel of a run where it is nearer than those before.
  mutating func consider(_ start: VoxelIndex, _ count: Int, spacing: Spacing) {
    let last = start.i + count - 1
    guard axis == 0 ? (start.i...last).contains(position) : start[axis] == position else { return }
    let i = axis == 0 ? position : min(max(Int(saturating: middle.x.rounded()), start.i), last)
    let offset = (SIMD3(Double(i), Double(start.j), Double(start.k)) - middle)
    var distance = 0.0
    for axis in 0..<3 { distance += offset[axis] * offset[axis] * spacing[axis] * spacing[axis] }
    if distance < leastDistance {
      leastDistance = distance
      nearest = VoxelIndex(i, start.j, start.k)
    }
  }
}
