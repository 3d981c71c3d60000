import Volumes
import Work

/// What a network said about an image: probabilities of each head on the working grid.
///
/// The working grid is the model's (its axes, its spacing), far smaller than a clinical image; everything on the
/// image's own grid is interpolated from it when it is asked for.
package struct NetworkPrediction: Sendable {
  /// The image's grid beside the same grid along the model's axes.
  package let axes: ReorientedGrid
  /// Main head first, then the auxiliary ones that were run.
  package let heads: [ProbabilityVolume]

  /// A prediction; all heads lie on one grid with the axes of `axes.grid`.
  package init(axes: ReorientedGrid, heads: [ProbabilityVolume]) {
    self.axes = axes
    self.heads = heads
  }

  /// (1 - Σ τ_d) main + Σ τ_d auxiliary_d, on the working grid.
  ///
  /// Mixing before interpolation gives the same as after it, since both are linear.
  /// - Parameter auxiliaryHeadWeights: τ_d, lowest head first; missing ones are 0.
  /// - Throws: ``InputError`` when there are more weights than heads, one is negative or their sum exceeds 1.
  package func mixed(auxiliaryHeadWeights weights: [Double]) throws(InputError) -> ProbabilityVolume {
    try Self.check(weights, headCount: heads.count)
    let used = weights.enumerated().filter { $0.element != 0 }
    let sum = weights.reduce(0, +)
    if used.isEmpty { return heads[0] }
    var mixed = heads[0]
    let main = Float(1 - sum)
    for index in mixed.values.indices { mixed.values[index] *= main }
    for (offset, weight) in used {
      let share = Float(weight)
      for index in mixed.values.indices { mixed.values[index] += share * heads[offset + 1].values[index] }
    }
    return mixed
  }

  /// Refuses weights of auxiliary heads with which `headCount` heads cannot be mixed.
  static func check(_ weights: [Double], headCount: Int) throws(InputError) {
    let used = weights.enumerated().filter { $0.element != 0 }
    guard used.allSatisfy({ $0.offset + 1 < headCount }) else {
      throw InputError(
        "tau", "more auxiliary heads than the network has", found: "\(weights.count)",
        expected: "\(headCount - 1)")
    }
    let sum = weights.reduce(0, +)
    guard used.allSatisfy({ $0.element > 0 }), sum <= 1 else {
      throw InputError(
        "tau", "weights of the auxiliary heads", found: "\(weights)", expected: "0 or more, sum at most 1")
    }
  }

  /// Refuses a grid whose labels, in the model's axes, in the image's and after post-processing, do not fit in memory.
  /// - Returns: Their bytes.
  @discardableResult
  static func requireMemoryOfLabels(_ size: GridSize) throws(InputError) -> Int {
    try LabelVolume.requireMemory(on: size, volumes: 3, subject: "mask")
  }

  /// The most probable label of each voxel on the image's own grid, before post-processing.
  package func labels(
    auxiliaryHeadWeights: [Double], labelValues: [UInt16], work: WorkContext
  ) throws -> LabelVolume {
    try Self.requireMemoryOfLabels(axes.grid.size)
    let probabilities = try mixed(auxiliaryHeadWeights: auxiliaryHeadWeights)
    let interpolation = ProbabilityInterpolation(from: probabilities.grid, to: axes.grid)
    let labels = try interpolation.argMax(of: probabilities, labelValues: labelValues, work: work)
    return try axes.restored(labels, work: work)
  }

  /// Refuses a grid whose probabilities, as they are interpolated and as they are restored to the image's axes, do not fit
  /// in memory.
  package static func requireMemoryOfProbabilities(classCount: Int, _ size: GridSize) throws(InputError) {
    try AvailableMemory.require(
      checkedProduct(classCount, size.voxelCount, 2 * MemoryLayout<Float>.stride), subject: "probabilities",
      "\(classCount) classes on \(size) voxels")
  }

  /// The mixed probabilities on the image's own grid: `classCount` floats per voxel.
  package func probabilities(auxiliaryHeadWeights: [Double], work: WorkContext) throws -> ProbabilityVolume {
    let probabilities = try mixed(auxiliaryHeadWeights: auxiliaryHeadWeights)
    let interpolation = ProbabilityInterpolation(from: probabilities.grid, to: axes.grid)
    try Self.requireMemoryOfProbabilities(classCount: probabilities.classCount, axes.grid.size)
    var values = try [Float](checkedRepeating: 0, count: probabilities.classCount * axes.grid.size.voxelCount)
    try interpolation.fill(
      &values, slices: 0..<axes.grid.size.k, classes: 0..<probabilities.classCount, of: probabilities,
      work: work)
    let whole = ProbabilityVolume(grid: axes.grid, classCount: probabilities.classCount, values: values)
    return try axes.restored(whole, work: work)
  }
}
