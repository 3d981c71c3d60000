import DenseCRF
import Volumes
import Work

/// The source of class probabilities on an image's own grid, which are computed box by box.
///
/// A prediction on a coarse grid and the file of probabilities that `segment` writes from it give the same floats, so
/// that masks refined on the screen and by commands are equal.
package enum UnarySource: Sendable {
  /// A network's heads, interpolated on demand and mixed by the settings' τ_d.
  case prediction(NetworkPrediction)
  /// Probabilities on the image's own grid.
  case probabilities(ProbabilityVolume)
  /// A mask: its label has probability `confidence` in each voxel, the other classes have equal probabilities.
  case mask(LabelVolume, confidence: Double)

  /// A voxel is negligible where all foreground classes are less probable than this and than background; it can only
  /// become foreground next to a voxel that is not.
  static let relevantProbability: Float = 0.2
  /// Slices per interpolated slab.
  private static let slabSlices = 8

  /// The bounds, on the image's own grid, of the voxels that are not negligible; nil where all are.
  /// - Complexity: O(voxels · classes).
  func foregroundBounds(
    labelValues: [UInt16], auxiliaryHeadWeights: [Double], work: WorkContext
  ) throws -> VoxelBounds? {
    switch self {
    case .mask(let mask, _):
      // A table, because a set would hash every voxel of the image.
      var isKnown = [Bool](repeating: false, count: 65536)
      for value in labelValues.dropFirst() { isKnown[Int(value)] = true }
      return try Self.bounds(of: mask.grid.size, work: work) { [isKnown] in isKnown[Int(mask.voxels[$0])] }
    case .probabilities(let volume):
      let count = volume.grid.size.voxelCount
      return try Self.bounds(of: volume.grid.size, work: work) { voxel in
        Self.isRelevant(volume.values, voxel, stride: count, classCount: volume.classCount)
      }
    case .prediction(let prediction):
      let mixed = try prediction.mixed(auxiliaryHeadWeights: auxiliaryHeadWeights)
      let grid = prediction.axes.grid
      let plane = grid.size.i * grid.size.j
      var found: VoxelBounds?
      try Self.forEachSlab(of: 0..<grid.size.k, mixed, grid, work: work) { slices, slab throws(Cancelled) in
        let slabSize = GridSize(grid.size.i, grid.size.j, slices.count)
        let slabBounds = try Self.bounds(of: slabSize, work: work.withoutProgress) { voxel in
          Self.isRelevant(slab, voxel, stride: slices.count * plane, classCount: mixed.classCount)
        }
        guard var box = slabBounds else { return }
        box.lower.k += slices.lowerBound
        box.upper.k += slices.lowerBound
        found = found?.union(box) ?? box
      }
      return found.map { prediction.axes.original($0) }
    }
  }

  private static func isRelevant(_ values: [Float], _ voxel: Int, stride: Int, classCount: Int) -> Bool {
    let threshold = min(relevantProbability, values[voxel])
    for index in 1..<classCount where values[index * stride + voxel] >= threshold { return true }
    return false
  }

  /// The probabilities inside `box` of the image's own grid, class slowest.
  func probabilities(
    in box: VoxelBounds, labelValues: [UInt16], auxiliaryHeadWeights: [Double], work: WorkContext
  ) throws -> [Float] {
    let count = box.size.voxelCount
    let classCount = labelValues.count
    switch self {
    case .mask(let mask, let confidence):
      var classOfValue = [Int](repeating: 0, count: 65536)
      for (index, value) in labelValues.enumerated() { classOfValue[Int(value)] = index }
      var values = try [Float](
        checkedRepeating: Float((1 - confidence) / Double(max(1, classCount - 1))), count: classCount * count)
      for (offset, label) in mask.voxels.cropped(to: box, size: mask.grid.size).enumerated() {
        values[classOfValue[Int(label)] * count + offset] = Float(confidence)
      }
      return values
    case .probabilities(let volume):
      let whole = volume.grid.size.voxelCount
      return (0..<volume.classCount).flatMap { index in
        volume.values[index * whole..<(index + 1) * whole].cropped(to: box, size: volume.grid.size)
      }
    case .prediction(let prediction):
      return try Self.interpolated(
        try prediction.mixed(auxiliaryHeadWeights: auxiliaryHeadWeights), prediction.axes, box, work: work)
    }
  }

  /// The CRF's unary inside `box`, equal to that of ``probabilities(in:labelValues:auxiliaryHeadWeights:work:)``.
  func unary(
    in box: VoxelBounds, labelValues: [UInt16], auxiliaryHeadWeights: [Double], work: WorkContext
  ) throws -> Unary {
    let classCount = labelValues.count
    switch self {
    case .mask:
      return try maskUnary(Array(0..<classCount), in: box, labelValues: labelValues, work: work)
    case .probabilities(let volume):
      return try Unary(
        probabilities: volume.values, classCount: classCount, of: volume.grid.size, in: box,
        work: work.withoutProgress
      )
    case .prediction:
      let values = try probabilities(
        in: box, labelValues: labelValues, auxiliaryHeadWeights: auxiliaryHeadWeights, work: work)
      return try Unary(
        probabilities: values, classCount: classCount, size: box.size, work: work.withoutProgress)
    }
  }

  /// The classes of a mask that occur in a box, with background and at least one other, and their unary there.
  ///
  /// The logits are those of all classes: what does not occur has no influence on them.
  func presentClasses(
    in box: VoxelBounds, labelValues: [UInt16], work: WorkContext
  ) throws -> (classes: [Int], unary: Unary) {
    guard case .mask(let mask, _) = self else { preconditionFailure("classes of a mask") }
    let classOfValue = Self.classOfValue(labelValues)
    var occurs = [Bool](repeating: false, count: labelValues.count)
    occurs[0] = true
    for value in mask.voxels.cropped(to: box, size: mask.grid.size) {
      occurs[Int(classOfValue[Int(value)])] = true
    }
    var classes = occurs.indices.filter { occurs[$0] }
    if classes.count == 1 { classes.append(1) }
    return (classes, try maskUnary(classes, in: box, labelValues: labelValues, work: work))
  }

  /// The unary of some classes of a mask, of which all that occur in the box are.
  private func maskUnary(
    _ classes: [Int], in box: VoxelBounds, labelValues: [UInt16], work: WorkContext
  ) throws -> Unary {
    guard case .mask(let mask, let confidence) = self else { preconditionFailure("classes of a mask") }
    // All voxels of one label have the same probabilities: one kind per class.
    let count = classes.count
    var values = [Float](
      repeating: Float((1 - confidence) / Double(max(1, labelValues.count - 1))), count: count * count)
    for index in 0..<count { values[index * count + index] = Float(confidence) }
    let kinds = try Unary(
      probabilities: values, classCount: count, size: GridSize(count, 1, 1), work: work.withoutProgress)
    let kindOfValue = Self.classOfValue(classes.map { labelValues[$0] })
    return try Unary(
      kinds: kinds, values: mask.voxels, kindOfValue: kindOfValue, of: mask.grid.size, in: box,
      work: work.withoutProgress)
  }

  /// The class of each of the 65536 label values, in a table, because a dictionary would hash every voxel.
  private static func classOfValue(_ labelValues: [UInt16]) -> [UInt16] {
    var classOfValue = [UInt16](repeating: 0, count: 65536)
    for (index, value) in labelValues.enumerated() { classOfValue[Int(value)] = UInt16(index) }
    return classOfValue
  }

  /// The most probable class of each voxel inside `box`; the lowest class where probabilities are equal.
  func classes(
    in box: VoxelBounds, labelValues: [UInt16], auxiliaryHeadWeights: [Double], work: WorkContext
  ) throws -> [UInt16] {
    if case .mask(let mask, _) = self {
      let classOfValue = Self.classOfValue(labelValues)
      return try mask.voxels.mapped(in: box, size: mask.grid.size, work: work) { row, target in
        for i in 0..<row.count { target[i] = classOfValue[Int(row[i])] }
      }
    }
    let values = try probabilities(
      in: box, labelValues: labelValues, auxiliaryHeadWeights: auxiliaryHeadWeights, work: work)
    let (count, classCount, plane) = (box.size.voxelCount, labelValues.count, box.size.i * box.size.j)
    return try [UInt16](count: count) { classes throws(Cancelled) in
      try values.withUnsafeBufferPointer { values throws(Cancelled) in
        let values = SharedBuffer(values)
        try work.withoutProgress.forEach(count: box.size.k) { k, _ in
          for voxel in k * plane..<(k + 1) * plane {
            var (best, highest) = (0, values[voxel])
            for index in 1..<classCount where values[index * count + voxel] > highest {
              (best, highest) = (index, values[index * count + voxel])
            }
            classes.start[voxel] = UInt16(best)
          }
        }
      }
    }
  }

  /// Interpolates whole slices with the weights of the whole grid and crops them, so that a box has the same floats as
  /// the whole volume.
  private static func interpolated(
    _ mixed: ProbabilityVolume, _ axes: ReorientedGrid, _ box: VoxelBounds, work: WorkContext
  ) throws -> [Float] {
    let inner = axes.reoriented(box)
    let size = inner.size
    let grid = axes.grid
    let plane = grid.size.i * grid.size.j
    var values = try [Float](checkedRepeating: 0, count: mixed.classCount * size.voxelCount)
    try forEachSlab(of: inner.lower.k..<inner.upper.k + 1, mixed, grid, work: work) { slices, slab in
      for index in 0..<mixed.classCount {
        for k in slices {
          for j in 0..<size.j {
            let from =
              (index * slices.count + k - slices.lowerBound) * plane + (inner.lower.j + j) * grid.size.i
              + inner.lower.i
            let to = ((index * size.k + k - inner.lower.k) * size.j + j) * size.i
            for i in 0..<size.i { values[to + i] = slab[from + i] }
          }
        }
      }
    }
    if axes.reorientation.isIdentity { return values }
    let voxelCount = size.voxelCount
    try AvailableMemory.requireAllocation(values.count * MemoryLayout<Float>.stride)
    var own: [Float] = []
    own.reserveCapacity(values.count)
    for index in 0..<mixed.classCount {
      let part = Array(values[index * voxelCount..<(index + 1) * voxelCount])
      own += try axes.reorientation.inverse.reordered(part, size: size, work: work.withoutProgress)
    }
    return own
  }

  private static func forEachSlab(
    of slices: Range<Int>, _ mixed: ProbabilityVolume, _ grid: VolumeGrid, work: WorkContext,
    _ body: (Range<Int>, [Float]) throws(Cancelled) -> Void
  ) throws(Cancelled) {
    let interpolation = ProbabilityInterpolation(from: mixed.grid, to: grid)
    var slab = try [Float](
      checkedRepeating: 0, count: mixed.classCount * slabSlices * grid.size.i * grid.size.j)
    for start in stride(from: slices.lowerBound, to: slices.upperBound, by: slabSlices) {
      let part = start..<min(start + slabSlices, slices.upperBound)
      try interpolation.fill(
        &slab, slices: part, classes: 0..<mixed.classCount, of: mixed, work: work.withoutProgress)
      try body(part, slab)
      work.report(Double(part.upperBound - slices.lowerBound) / Double(slices.count))
    }
  }

  /// The bounds of the voxels for which `isInside` holds.
  private static func bounds(
    of size: GridSize, work: WorkContext, where isInside: @Sendable (Int) -> Bool
  ) throws(Cancelled) -> VoxelBounds? {
    var planes = [VoxelBounds?](repeating: nil, count: size.k)
    try planes.withUnsafeMutableBufferPointer { planes throws(Cancelled) in
      let planes = DisjointBuffer(planes)
      try work.forEach(count: size.k) { k, _ in
        for j in 0..<size.j {
          let row = (k * size.j + j) * size.i
          guard let first = (0..<size.i).first(where: { isInside(row + $0) }) else { continue }
          let last = (first..<size.i).last { isInside(row + $0) } ?? first
          let found = VoxelBounds(lower: VoxelIndex(first, j, k), upper: VoxelIndex(last, j, k))
          planes[k] = planes[k]?.union(found) ?? found
        }
      }
    }
    return planes.reduce(nil) { all, plane in plane.map { all?.union($0) ?? $0 } ?? all }
  }
}

extension ReorientedGrid {
  /// A box of the original grid, on the reoriented grid.
  func reoriented(_ box: VoxelBounds) -> VoxelBounds {
    VoxelBounds(spanning: reoriented(box.lower), reoriented(box.upper))
  }

  /// A box of the reoriented grid, on the original grid.
  func original(_ box: VoxelBounds) -> VoxelBounds {
    VoxelBounds(spanning: original(box.lower), original(box.upper))
  }
}

extension VoxelBounds {
  /// The box with these two opposite corners.
  init(spanning one: VoxelIndex, _ other: VoxelIndex) {
    self.init(
      lower: VoxelIndex(min(one.i, other.i), min(one.j, other.j), min(one.k, other.k)),
      upper: VoxelIndex(max(one.i, other.i), max(one.j, other.j), max(one.k, other.k)))
  }
}
