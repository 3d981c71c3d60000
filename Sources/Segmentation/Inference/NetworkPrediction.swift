import Volumes
import Work

/// The prediction of a network for an image: the class probabilities of each head on the working grid.
///
/// The working grid has the model's axes and spacing and is far smaller than a clinical image. Results on the image's
/// own grid are interpolated from it on demand.
package struct NetworkPrediction: Sendable {
  /// The image's grid beside the same grid along the model's axes.
  package let axes: ReorientedGrid
  /// The main head first, then the auxiliary heads that were computed.
  package let heads: [ProbabilityVolume]

  /// A prediction; all heads lie on one grid with the axes of `axes.grid`.
  package init(axes: ReorientedGrid, heads: [ProbabilityVolume]) {
    self.axes = axes
    self.heads = heads
  }

  /// (1 - Σ τ_d) main + Σ τ_d auxiliary_d, on the working grid.
  ///
  /// Mixing heads commutes with interpolation, since both are linear.
  /// - Parameter auxiliaryHeadWeights: τ_d, lowest head first; missing ones are 0.
  /// - Throws: ``InputError`` as ``HeadMix``.
  package func mixed(auxiliaryHeadWeights weights: [Double]) throws(InputError) -> ProbabilityVolume {
    let mix = try HeadMix(auxiliaryHeadWeights: weights, headCount: heads.count)
    if mix.isMainHeadOnly { return heads[0] }
    var mixed = heads[0]
    let count = mixed.values.count
    mixed.values.withUnsafeMutableBufferPointer { values in
      guard let values = values.baseAddress else { return }
      mix.apply(to: values, count: count) { head, add in
        heads[head].values.withUnsafeBufferPointer { if let own = $0.baseAddress { add(own) } }
      }
    }
    return mixed
  }

  /// Checks that labels on a grid of `size` fit in memory: along the model's axes, along the image's, and
  /// post-processed.
  /// - Returns: Their bytes.
  /// - Throws: ``InputError`` where they do not fit.
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

  /// Checks that probabilities on a grid of `size` fit in memory twice: interpolated, and restored to the image's axes.
  /// - Throws: ``InputError`` where they do not fit.
  package static func requireMemoryOfProbabilities(classCount: Int, _ size: GridSize) throws(InputError) {
    try AvailableMemory.require(
      checkedProduct(classCount, size.voxelCount, 2 * MemoryLayout<Float>.stride), subject: "probabilities",
      "holding \(classCount) classes on \(size) voxels")
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
