import Networks
import Tensors
import Volumes
import Work

/// A segmentation model ready to run on images: its network prepared once, shared by all images.
package struct Segmenter: Sendable {
  /// The model.
  package let model: SegmentationModel
  private let network: Network
  private let headCount: Int

  /// Prepares a model.
  ///
  /// - Parameter usesAuxiliaryHeads: Whether predictions carry the auxiliary heads, which the τ_d of a refinement
  ///   mix in; they cost little, but the main head alone costs least.
  /// - Throws: ``InputError`` when the graph makes no sense; ``Cancelled``.
  package init(model: SegmentationModel, usesAuxiliaryHeads: Bool, work: WorkContext) throws {
    self.model = model
    headCount = usesAuxiliaryHeads ? model.graph.heads.count : 1
    network = try Network(
      graph: model.graph, parameters: model.parameters, heads: Array(0..<headCount), work: work)
  }

  /// Runs the network on an image.
  /// - Throws: ``InputError`` when the image is too small for the network, or `tiling` needs scores on the image's
  ///   grid and the network has none; ``Cancelled``.
  package func prediction(
    for image: ScalarVolume, tiling: Tiling = .whole, work: WorkContext
  ) throws -> NetworkPrediction {
    let axes = ReorientedGrid(image.grid, orientation: try model.preprocessing.parsedOrientation)
    let prepared = try model.preprocessing.prepared(image, work: work.part(0...0.1))
    let heads = try probabilities(of: prepared, tiling: tiling, work: work.part(0.1...1))
    return NetworkPrediction(axes: axes, heads: heads)
  }

  /// Labels of a prediction on the image's own grid, components and holes dealt with.
  package func labels(
    of prediction: NetworkPrediction, auxiliaryHeadWeights: [Double] = [], work: WorkContext
  ) throws -> LabelVolume {
    let labels = try prediction.labels(
      auxiliaryHeadWeights: auxiliaryHeadWeights, labelValues: model.labelValues, work: work.part(0...0.5))
    return try labels.postProcessed(model.postProcessing, work: work.part(0.5...1))
  }

  /// Class probabilities of each head on the grid of `prepared`, which has been preprocessed.
  package func probabilities(
    of prepared: ScalarVolume, tiling: Tiling = .whole, work: WorkContext
  ) throws -> [ProbabilityVolume] {
    let size = prepared.grid.size
    let input = Tensor(shape: [1, 1, size.k, size.j, size.i], elements: prepared.voxels)
    let probabilities = try tiledProbabilities(of: input, tiling: tiling, work: work)
    return probabilities.map { head in
      let box = TileBox(d: 0..<size.k, h: 0..<size.j, w: 0..<size.i)
      let own = head.extent == input.extent ? head : head.cropped(to: box)
      return ProbabilityVolume(grid: prepared.grid, classCount: own.channels, values: own.elements)
    }
  }

  /// Softmax of every head over a whole input [1, 1, D, H, W], padded with zeros to whole strides.
  private func tiledProbabilities(of input: Tensor, tiling: Tiling, work: WorkContext) throws -> [Tensor] {
    guard let reach = network.graph.reach(ofHeads: Array(0..<headCount)) else {
      throw InputError(model.name, "its scores do not lie on the image's grid, so it cannot make a mask")
    }
    let padded = input.padded(to: reach.rounded(input.extent))
    let tiles = tiling.tiles(extent: padded.extent, totalStride: reach.totalStride, context: reach.context)
    if case .whole = tiling { return try tileProbabilities(of: padded, work: work) }
    let extent = padded.extent
    let classCount = network.graph.classCount
    var sums = [Tensor](
      repeating: Tensor(shape: [1, classCount, extent.d, extent.h, extent.w]), count: headCount)
    var counts = Tensor(shape: [1, 1, extent.d, extent.h, extent.w])
    for (index, tile) in tiles.enumerated() {
      let share = 1 / Double(tiles.count)
      let part = work.part(Double(index) * share...min(1, Double(index + 1) * share))
      let probabilities = try tileProbabilities(of: padded.cropped(to: tile.input), work: part)
      for (head, values) in probabilities.enumerated() {
        sums[head].add(tiling.contribution(of: values), at: tile.input, inside: tile.kept)
      }
      let inside = tile.input.extent
      let ones = Tensor(shape: [1, 1, inside.d, inside.h, inside.w], repeating: 1)
      counts.add(ones, at: tile.input, inside: tile.kept)
    }
    let voxelCount = extent.product
    for head in sums.indices {
      for offset in sums[head].elements.indices {
        sums[head].elements[offset] /= counts.elements[offset % voxelCount]
      }
    }
    return sums
  }

  private func tileProbabilities(of input: Tensor, work: WorkContext) throws -> [Tensor] {
    try network.scores(of: input, heads: Array(0..<headCount), work: work).map { scores in
      try softmax(scores, work: work.silent)
    }
  }
}

extension Tiling {
  /// What one tile adds to the sum: its probabilities, or 1 for the most probable class where tiles vote.
  fileprivate func contribution(of probabilities: Tensor) -> Tensor {
    guard case .vote = self else { return probabilities }
    let voxelCount = probabilities.extent.product
    var votes = Tensor(shape: probabilities.shape)
    for voxel in 0..<voxelCount {
      var best = 0
      for index in 1..<max(1, probabilities.channels)
      where probabilities.elements[index * voxelCount + voxel]
        > probabilities.elements[best * voxelCount + voxel]
      {
        best = index
      }
      votes.elements[best * voxelCount + voxel] = 1
    }
    return votes
  }
}
