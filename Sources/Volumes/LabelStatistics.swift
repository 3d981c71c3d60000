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
    var totals = [SIMD3<Double>](repeating: .zero, count: slots.count)
    let axis = mask.grid.orientation.sliceAxis(of: .axial)
    var slices = slots.map { _ in [SliceSums](repeating: SliceSums(), count: mask.grid.size[axis]) }
    let slotOfLabel = Dictionary(uniqueKeysWithValues: zip(slots, slots.indices))
    let slotOfComponent = components.components.map { slotOfLabel[$0.label]! }
    let isLargest = components.components.enumerated().map { sums[$1.label]!.largest == $0 }
    let size = mask.grid.size
    components.forEachRun { component, offsets in
      let slot = slotOfComponent[component]
      let start = size.index(offset: offsets.lowerBound)
      let count = Double(offsets.count)
      totals[slot] += SIMD3(
        (Double(start.i) + (count - 1) / 2) * count, Double(start.j) * count, Double(start.k) * count)
      if isLargest[component] {
        SliceSums.add(start, offsets.count, along: axis, to: &slices[slot])
      }
    }
    return slots.enumerated().map { slot, label in
      let sum = sums[label]!
      let mean = totals[slot] / Double(sum.voxelCount)
      return LabelStatistics(
        label: label, voxelCount: sum.voxelCount,
        millilitres: Double(sum.voxelCount) * mask.grid.voxelVolume / 1000, bounds: sum.bounds,
        componentCount: sum.componentCount, centroid: mask.grid.affine.world(mean.x, mean.y, mean.z),
        centre: components.nearest(toMiddleOf: slices[slot], axis: axis, component: sum.largest))
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

/// Voxels of a component in one slice, and the sum of their indices.
private struct SliceSums {
  var count = 0
  var sum = SIMD3<Int>.zero

  /// Adds a run along i of `count` voxels to the slices across `axis`.
  static func add(_ start: VoxelIndex, _ count: Int, along axis: Int, to slices: inout [SliceSums]) {
    if axis == 0 {
      for i in start.i..<start.i + count {
        slices[i].count += 1
        slices[i].sum &+= SIMD3(i, start.j, start.k)
      }
    } else {
      slices[start[axis]].count += count
      slices[start[axis]].sum &+= SIMD3(
        count * start.i + count * (count - 1) / 2, count * start.j, count * start.k)
    }
  }
}

extension ConnectedComponents {
  /// The voxel of a component, in its slice with the most voxels, that is nearest to the middle of those.
  fileprivate func nearest(toMiddleOf slices: [SliceSums], axis: Int, component: Int) -> VoxelIndex {
    var position = 0
    for index in slices.indices where slices[index].count > slices[position].count { position = index }
    let slice = slices[position]
    let middle = (0..<3).map { Double(slice.sum[$0]) / Double(slice.count) }
    var best = components[component].bounds.lower
    var bestDistance = Double.infinity
    forEachRun { owner, offsets in
      guard owner == component else { return }
      let start = grid.size.index(offset: offsets.lowerBound)
      let last = start.i + offsets.count - 1
      guard axis == 0 ? (start.i...last).contains(position) : start[axis] == position else { return }
      let i = axis == 0 ? position : min(max(Int(middle[0].rounded()), start.i), last)
      let offset = (0..<3).map { ($0 == 0 ? Double(i) : Double(start[$0])) - middle[$0] }
      let distance = zip(offset, 0..<3).reduce(0) { sum, term in
        sum + term.0 * term.0 * grid.spacing[term.1] * grid.spacing[term.1]
      }
      if distance < bestDistance {
        bestDistance = distance
        best = VoxelIndex(i, start.j, start.k)
      }
    }
    return best
  }
}
