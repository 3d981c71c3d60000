import Volumes
import Work

/// The mean entropy of the class probabilities in the voxels where a given class is the most probable; 0 is certain,
/// and 1 means that all classes are equally probable.
package struct ClassEntropy: Equatable, Sendable, Codable {
  /// The mean near the border; nil where the class has no such voxel.
  package var nearBorder: Double?
  /// The mean of the other voxels; nil where every voxel is near the border.
  package var inside: Double?

  /// Means of both parts of a class.
  package init(nearBorder: Double?, inside: Double?) {
    self.nearBorder = nearBorder
    self.inside = inside
  }

  /// The distance from a voxel of another class, along an axis of the grid, up to which a voxel is near the border.
  package static let borderMillimetres = 3.0

  /// The means of every class but the first, background, that is the most probable one of a voxel, by class.
  ///
  /// The distance is at least one voxel along each axis. The edge of the grid is not a border.
  /// - Parameters:
  ///   - classes: The most probable class of each voxel, i fastest.
  ///   - entropies: The entropy of each voxel as a fraction of the largest possible.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(n · d), where d is the number of voxels up to the distance along all axes.
  package static func means(
    classes: [UInt16], entropies: [Float], on grid: VolumeGrid, work: WorkContext
  ) throws(Cancelled) -> [Int: ClassEntropy] {
    precondition(classes.count == grid.size.voxelCount && entropies.count == classes.count, "another grid")
    let neighbourhood = Neighbourhood(of: grid)
    var sums: [Int: (near: EntropySum, inside: EntropySum)] = [:]
    let planeCount = grid.size.i * grid.size.j
    for k in 0..<grid.size.k {
      try work.checkCancellation()
      classes.withUnsafeBufferPointer { classes in
        for offset in k * planeCount..<(k + 1) * planeCount where classes[offset] != 0 {
          let entropy = Double(entropies[offset])
          if neighbourhood.hasOtherClass(offset, k, classes) {
            sums[Int(classes[offset]), default: (EntropySum(), EntropySum())].near.add(entropy)
          } else {
            sums[Int(classes[offset]), default: (EntropySum(), EntropySum())].inside.add(entropy)
          }
        }
      }
    }
    return sums.mapValues { ClassEntropy(nearBorder: $0.near.mean, inside: $0.inside.mean) }
  }
}

/// A sum of entropies and the number of its terms.
private struct EntropySum {
  private var (sum, count) = (0.0, 0)

  mutating func add(_ entropy: Double) { (sum, count) = (sum + entropy, count + 1) }

  /// nil for no terms.
  var mean: Double? { count == 0 ? nil : sum / Double(count) }
}

/// The voxels along the axes of a grid that are near a voxel.
private struct Neighbourhood {
  private let size: GridSize
  /// The distance in voxels along each axis, and the array elements from a voxel to the next along it.
  private let radius, strides: [Int]

  init(of grid: VolumeGrid) {
    size = grid.size
    strides = [1, grid.size.i, grid.size.i * grid.size.j]
    radius = (0..<3).map { axis in
      // A spacing such as 0.99999 must not lose a step.
      max(1, Int(saturating: (ClassEntropy.borderMillimetres / grid.spacing[axis] + 1e-3).rounded(.down)))
    }
  }

  /// Whether a near voxel is of another class than the voxel at `offset`, which lies in plane `k`.
  func hasOtherClass(_ offset: Int, _ k: Int, _ classes: UnsafeBufferPointer<UInt16>) -> Bool {
    let inPlane = offset - k * strides[2]
    let (j, i) = inPlane.quotientAndRemainder(dividingBy: size.i)
    let own = classes[offset]
    for (axis, position) in [i, j, k].enumerated() {
      let steps = max(-position, -radius[axis])...min(size[axis] - 1 - position, radius[axis])
      if steps.contains(where: { classes[offset + $0 * strides[axis]] != own }) { return true }
    }
    return false
  }
}

/// The argmax over classes of many voxels, whose probabilities are given class by class.
package struct MostProbableClasses {
  /// The most probable class of each voxel so far; of equally probable ones, the one that was added first.
  package private(set) var classes: [UInt16]
  private var greatest: [Float]

  /// Begins without probabilities of `count` voxels.
  /// - Throws: `Cancelled` where memory does not suffice.
  package init(count: Int) throws(Cancelled) {
    classes = try [UInt16](checkedRepeating: 0, count: count)
    greatest = try [Float](checkedRepeating: -.infinity, count: count)
  }

  /// Adds the probabilities of one class in consecutive voxels, from the voxel `first` on.
  package mutating func add(_ probabilities: UnsafeBufferPointer<Float>, class index: Int, from first: Int) {
    for (offset, probability) in probabilities.enumerated() where probability > greatest[first + offset] {
      greatest[first + offset] = probability
      classes[first + offset] = UInt16(truncatingIfNeeded: index)
    }
  }
}
