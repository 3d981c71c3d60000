import Networks
import Tensors
import Volumes
import Work

/// A segmentation model with its prepared network, to run on many images.
package struct Segmenter: Sendable {
  package let model: SegmentationModel
  /// The limit of the network's activations in bytes; larger images are computed slab by slab.
  package var memoryLimit = Network.memoryLimit
  /// The patches in which the network runs, by default the model's; nil runs it on the whole image.
  package var patches: PatchTiling?
  private let network: Network
  /// The heads that are computed: the main one and, for the τ_d, those that have its classes.
  private let heads: [Int]
  private let activations: [HeadActivation]
  private var headCount: Int { heads.count }

  /// Prepares a model.
  ///
  /// - Parameter usesAuxiliaryHeads: Whether predictions carry the auxiliary heads, which the τ_d of a refinement
  ///   mix in; they cost little more than the main head alone.
  /// - Throws: ``InputError`` when the graph is invalid, or the preprocessing has not a channel for each of its;
  ///   ``Cancelled``.
  package init(model: SegmentationModel, usesAuxiliaryHeads: Bool, work: WorkContext) throws {
    try model.requireChannels(subject: model.name)
    self.model = model
    patches = model.tiling
    let heads = usesAuxiliaryHeads ? try model.graph.resolved(subject: model.name).mixedHeads : [0]
    self.heads = heads
    activations = heads.map { model.graph.heads[$0].activation }
    network = try Network(graph: model.graph, parameters: model.parameters, heads: heads)
  }

  /// Runs the network on the images of a case, one for each channel of the model.
  ///
  /// - Parameter grid: The grid of the probabilities. On a large image's own grid they take much memory, which
  ///   ``labels(of:auxiliaryHeadWeights:work:)-([ScalarVolume],_,_)`` does not need.
  /// - Throws: ``InputError`` when there is not one image for each channel on one grid, they are too small for the
  ///   network, or its logits do not lie on the image's grid; ``Cancelled``.
  package func prediction(
    for images: [ScalarVolume], grid: WorkingGrid = .model, tiling: Tiling = .whole, work: WorkContext
  ) throws -> NetworkPrediction {
    let images = try model.preprocessing.onOneGrid(images)
    let axes = ReorientedGrid(images[0].grid, orientation: try model.preprocessing.parsedOrientation)
    let heads: [ProbabilityVolume]
    if grid == .image, tiling == .whole {
      heads = try probabilities(
        of: WorkingImage(images, preprocessing: model.preprocessing, work: work.withoutProgress),
        work: work.part(0.1...1))
    } else {
      let prepared = try model.preprocessing.prepared(images, grid: grid, work: work.part(0...0.1))
      heads = try probabilities(of: prepared, tiling: tiling, work: work.part(0.1...1))
    }
    return NetworkPrediction(axes: axes, heads: heads)
  }

  /// The post-processed labels of a case by a network that runs on the image's own grid.
  ///
  /// Labels are written slab by slab as logits are delivered; probabilities are not stored.
  package func labels(
    of images: [ScalarVolume], auxiliaryHeadWeights: [Double] = [], work: WorkContext
  ) throws -> PostProcessedMask {
    let mix = try HeadMix(auxiliaryHeadWeights: auxiliaryHeadWeights, headCount: headCount)
    let images = try model.preprocessing.onOneGrid(images)
    let input = try WorkingImage(images, preprocessing: model.preprocessing, work: work.withoutProgress)
    let axes = ReorientedGrid(images[0].grid, orientation: try model.preprocessing.parsedOrientation)
    let size = input.grid.size
    let byteCount = try NetworkPrediction.requireMemoryOfLabels(size)
    let ownByteCount = size.voxelCount * MemoryLayout<UInt16>.stride
    var labels = LabelVolume(
      grid: input.grid, voxels: try [UInt16](checkedRepeating: 0, count: size.voxelCount),
      coding: model.coding)
    try labels.voxels.withUnsafeMutableBufferPointer { voxels in
      let voxels = DisjointBuffer(voxels)
      try stream(input, then: byteCount - ownByteCount, work: work.part(0...0.85)) { heads, work in
        try LogitPlanes(heads: heads, activations: activations, size: size).writeLabels(
          model.labelValues, mix: mix, to: voxels, work: work)
      }
    }
    labels = try axes.restored(labels, work: work.withoutProgress)
    return try labels.postProcessed(model.postProcessing, work: work.part(0.85...1))
  }

  /// The post-processed labels of a prediction on the image's own grid.
  package func labels(
    of prediction: NetworkPrediction, auxiliaryHeadWeights: [Double] = [], work: WorkContext
  ) throws -> PostProcessedMask {
    var labels = try prediction.labels(
      auxiliaryHeadWeights: auxiliaryHeadWeights, labelValues: model.labelValues, work: work.part(0...0.5))
    labels.coding = model.coding
    return try labels.postProcessed(model.postProcessing, work: work.part(0.5...1))
  }

  /// The class probabilities of each head on the grid of `prepared`, the preprocessed images of a case.
  package func probabilities(
    of prepared: [ScalarVolume], tiling: Tiling = .whole, work: WorkContext
  ) throws -> [ProbabilityVolume] {
    if case .whole = tiling { return try probabilities(of: WorkingImage(prepared), work: work) }
    let grid = prepared[0].grid
    let size = grid.size
    let input = Tensor(
      shape: [1, prepared.count, size.k, size.j, size.i],
      elements: try prepared.channelFloats(work: work.withoutProgress))
    let box = TileBox(d: 0..<size.k, h: 0..<size.j, w: 0..<size.i)
    return try tiledProbabilities(of: input, tiling: tiling, work: work).map { head in
      let own = head.extent == input.extent ? head : head.cropped(to: box)
      return ProbabilityVolume(grid: grid, classCount: own.channels, values: own.elements)
    }
  }

  /// The class probabilities of each head, written as logits are delivered.
  private func probabilities(of input: WorkingImage, work: WorkContext) throws -> [ProbabilityVolume] {
    let size = input.grid.size
    let count = network.graph.classCount * size.voxelCount
    // The probabilities of every head, and their mix with its labels on the image's grid.
    let byteCount = checkedProduct(
      size.voxelCount, network.graph.classCount, headCount + 1, MemoryLayout<Float>.stride)
    try AvailableMemory.require(byteCount, subject: model.name, "its class probabilities on \(size) voxels")
    let mixByteCount = count * MemoryLayout<Float>.stride
    let values = try filledArrays(headCount, count: count) { volumes in
      try stream(input, then: mixByteCount, work: work) { heads, work in
        try LogitPlanes(heads: heads, activations: activations, size: size).writeProbabilities(
          to: volumes, work: work)
      }
    }
    return values.map {
      ProbabilityVolume(grid: input.grid, classCount: network.graph.classCount, values: $0)
    }
  }

  /// Runs the network on an image in patches, or slab by slab where there are none.
  ///
  /// - Parameter later: Bytes that are allocated afterwards, while the network caches its arena.
  private func stream(
    _ input: WorkingImage, then later: Int, work: WorkContext,
    deliver: ([ActivationWindow], WorkContext) throws -> Void
  ) throws {
    let receptiveField = try receptiveField()
    if let patches {
      return try run(in: patches, input, then: later, work: work, deliver: deliver)
    }
    let size = input.grid.size
    let extent = receptiveField.rounded(Extent3(size.k, size.j, size.i))
    let plan = try network.plan(
      for: extent, heads: heads, mode: .streamed, memoryLimit: memoryLimit, work: work)
    try AvailableMemory.require(
      checkedSum(plan.arenaBytes, later), subject: model.name, "running the network on \(size) voxels")
    try network.stream(
      plan, work: work, fetch: { window, work in try input.write(to: window, work: work) }, deliver: deliver)
  }

  /// Runs the network on an image in patches; see ``stream(_:then:work:deliver:)``.
  private func run(
    in patches: PatchTiling, _ input: WorkingImage, then later: Int, work: WorkContext,
    deliver: ([ActivationWindow], WorkContext) throws -> Void
  ) throws {
    let size = input.grid.size
    let plan = try PatchPlan(
      patches, size: size, network: network, heads: heads, memoryLimit: memoryLimit,
      subject: model.name, work: work.withoutProgress)
    try AvailableMemory.require(
      checkedSum(plan.byteCount, later), subject: model.name,
      "running the network in patches on \(size) voxels")
    try PatchRun(plan: plan, network: network).run(
      work: work, fetch: { window, work in try input.write(to: window, work: work) }, deliver: deliver)
  }

  private func receptiveField() throws(InputError) -> ReceptiveField {
    guard let receptiveField = network.graph.receptiveField(ofHeads: heads) else {
      throw InputError(model.name, "its logits do not lie on the image's grid, so it cannot make a mask")
    }
    return receptiveField
  }

  /// Softmax of every head over a whole input [1, C, D, H, W], padded with zeros to whole strides.
  private func tiledProbabilities(of input: Tensor, tiling: Tiling, work: WorkContext) throws -> [Tensor] {
    let receptiveField = try receptiveField()
    if case .exact = tiling, receptiveField.halo == nil {
      throw InputError(
        model.name, "its logits depend on the whole image, so that no tiling gives those of the whole",
        expected: "the whole image, or tiles that are averaged or vote")
    }
    let padded = input.padded(to: receptiveField.rounded(input.extent))
    let tiles = tiling.tiles(
      extent: padded.extent, totalStride: receptiveField.totalStride, halo: receptiveField.halo ?? Extent3(0))
    let extent = padded.extent
    let classCount = network.graph.classCount
    let largest = tiles.map(\.input.extent).max { $0.product < $1.product } ?? extent
    // One plan for each extent of tiles.
    var plans: [Extent3: InferencePlan] = [:]
    func plan(_ extent: Extent3) throws -> InferencePlan {
      if let known = plans[extent] { return known }
      let plan = try network.plan(
        for: extent, heads: heads, memoryLimit: memoryLimit, work: work.withoutProgress)
      plans[extent] = plan
      return plan
    }
    // The sums of every head and the counts; for one tile its images, and logits, probabilities and contributions.
    let byteCount = checkedSum(
      checkedProduct(extent.product, classCount * headCount + 1, MemoryLayout<Float>.stride),
      checkedProduct(
        largest.product, 3 * classCount * headCount + 1 + input.channels, MemoryLayout<Float>.stride),
      try plan(largest).arenaBytes)
    try AvailableMemory.require(
      byteCount, subject: model.name,
      "running the network on tiles of up to \(largest.w)x\(largest.h)x\(largest.d) voxels")
    var sums = [Tensor](
      repeating: Tensor(shape: [1, classCount, extent.d, extent.h, extent.w]), count: headCount)
    var counts = Tensor(shape: [1, 1, extent.d, extent.h, extent.w])
    for (index, tile) in tiles.enumerated() {
      let fraction = 1 / Double(tiles.count)
      let part = work.part(Double(index) * fraction...min(1, Double(index + 1) * fraction))
      let probabilities = try tileProbabilities(
        of: padded.cropped(to: tile.input), plan: plan(tile.input.extent), work: part)
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

  private func tileProbabilities(
    of input: Tensor, plan: InferencePlan, work: WorkContext
  ) throws -> [Tensor] {
    let logits = try network.logits(of: input, heads: heads, plan: plan, work: work)
    return try zip(logits, activations).map { logits, activation in
      try softmax(logits.classLogits(of: activation), work: work.withoutProgress)
    }
  }
}

extension Tiling {
  /// The contribution of one tile to the sums: its probabilities, or 1 for the most probable class where tiles vote.
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

/// `number` arrays of `count` floats that `fill` writes completely; it also receives the buffers `lent`, before
/// them.
private func filledArrays(
  _ number: Int, count: Int, after lent: [DisjointBuffer<Float>] = [],
  _ fill: ([DisjointBuffer<Float>]) throws -> Void
) throws -> [[Float]] {
  guard number > 0 else {
    try fill(lent)
    return []
  }
  try AvailableMemory.requireAllocation(count * MemoryLayout<Float>.stride)
  var others: [[Float]] = []
  let first = try [Float](unsafeUninitializedCapacity: count) { buffer, initialised in
    others = try filledArrays(number - 1, count: count, after: lent + [DisjointBuffer(buffer)], fill)
    initialised = count
  }
  return [first] + others
}
