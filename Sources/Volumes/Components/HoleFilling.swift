import Work

extension LabelVolume {
  /// This mask with the holes of one label filled.
  ///
  /// A hole is a set of voxels without the label that are connected by faces and do not touch the border of the
  /// volume. Only its background voxels take the label: another label inside a hole stays what it is.
  ///
  /// - Parameters:
  ///   - sliceAxis: nil for holes in space; 0, 1 or 2 for holes in each slice across that axis, where a set need
  ///     only be closed within its slice.
  /// - Throws: `Cancelled`.
  package func filledHoles(
    of label: UInt16, sliceAxis: Int? = nil, work: WorkContext
  ) throws(Cancelled) -> LabelVolume {
    var filled = self
    guard let bounds = try labelBounds(label, work: work) else { return filled }
    var classes = [UInt16](repeating: 1, count: 65536)
    classes[Int(label)] = 0
    // What touches the label's box from inside is connected to everything beyond it, or to the volume's border.
    guard let sliceAxis else {
      try filled.fillHoles(within: bounds, label, classes, openAxes: [0, 1, 2], work: work)
      return filled
    }
    let openAxes = (0..<3).filter { $0 != sliceAxis }
    for position in bounds.lower[sliceAxis]...bounds.upper[sliceAxis] {
      var slice = bounds
      slice.lower[sliceAxis] = position
      slice.upper[sliceAxis] = position
      try filled.fillHoles(within: slice, label, classes, openAxes: openAxes, work: work.withoutProgress)
    }
    return filled
  }

  /// Fills the sets within a box that touch none of its sides across `openAxes`.
  private mutating func fillHoles(
    within bounds: VoxelBounds, _ label: UInt16, _ classes: [UInt16], openAxes: [Int], work: WorkContext
  ) throws(Cancelled) {
    let (outside, isHole) = try sets(within: bounds, classes, openAxes: openAxes, work: work)
    guard isHole.contains(true) else { return }
    voxels.withUnsafeMutableBufferPointer { voxels in
      outside.forEachRun { component, offsets in
        guard isHole[component] else { return }
        for offset in offsets where voxels[offset] == 0 { voxels[offset] = label }
      }
    }
  }

  /// The number of holes of one label in space, as ``filledHoles(of:sliceAxis:work:)`` defines them; sets that hold
  /// nothing but other labels are none.
  /// - Parameter bounds: The smallest box that holds the label.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of the box).
  package func holeCount(
    of label: UInt16, within bounds: VoxelBounds, work: WorkContext
  ) throws(Cancelled) -> Int {
    var classes = [UInt16](repeating: 1, count: 65536)
    classes[Int(label)] = 0
    let (outside, isHole) = try sets(within: bounds, classes, openAxes: [0, 1, 2], work: work)
    var isOpen = [Bool](repeating: false, count: isHole.count)
    voxels.withUnsafeBufferPointer { voxels in
      outside.forEachRun { component, offsets in
        if isHole[component], !isOpen[component] {
          isOpen[component] = offsets.contains { voxels[$0] == 0 }
        }
      }
    }
    return isOpen.count(where: \.self)
  }

  /// The sets of a class within a box, and for each of them whether it touches none of the box's sides across
  /// `openAxes`.
  private func sets(
    within bounds: VoxelBounds, _ classes: [UInt16], openAxes: [Int], work: WorkContext
  ) throws(Cancelled) -> (sets: ConnectedComponents, isHole: [Bool]) {
    let outside = try ConnectedComponents(
      self, bounds: bounds, classOfValue: classes, neighbourhood: .faces, work: work)
    let isHole = outside.components.map { component in
      openAxes.allSatisfy {
        component.bounds.lower[$0] > bounds.lower[$0] && component.bounds.upper[$0] < bounds.upper[$0]
      }
    }
    return (outside, isHole)
  }

  /// The smallest box that holds a label; nil where there is none.
  private func labelBounds(_ label: UInt16, work: WorkContext) throws(Cancelled) -> VoxelBounds? {
    let size = grid.size
    var bounds: VoxelBounds?
    try voxels.withUnsafeBufferPointer { voxels throws(Cancelled) in
      for k in 0..<size.k {
        try work.checkCancellation()
        for j in 0..<size.j {
          let start = (k * size.j + j) * size.i
          let row = voxels[start..<start + size.i]
          guard let first = row.firstIndex(of: label), let last = row.lastIndex(of: label) else { continue }
          let line = VoxelBounds(
            lower: VoxelIndex(first - start, j, k), upper: VoxelIndex(last - start, j, k))
          bounds = bounds?.union(line) ?? line
        }
      }
    }
    return bounds
  }
}
