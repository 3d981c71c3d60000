import Networks
import Tensors
import Volumes
import Work

/// The execution plan of a network that runs on an image in patches.
///
/// Everything that a run allocates is known before it begins. Patches run in the order of their planes, so that only as many planes
/// of sums as a patch has are in memory.
package struct PatchPlan: Sendable {
  /// The patches, with the extents that they have in such an image.
  package let tiling: PatchTiling
  /// Voxels of the image.
  let size: GridSize
  /// The patches along z, y, x.
  let z, y, x: PatchAxis
  /// Patches that run together: slices, where a patch is one; more would not be faster.
  let batch: Int
  /// The heads that are computed.
  let heads: [Int]
  /// Channels of the logits of each of ``heads``.
  let logitChannels: [Int]
  /// Channels of the image.
  let channelCount: Int
  /// The plan of the network for a batch of patches.
  package let network: InferencePlan

  /// The plan for images of `size` voxels.
  ///
  /// - Parameters:
  ///   - heads: Indices into the graph's heads, among those prepared.
  ///   - memoryLimit: Bytes that activations and scratch memory of a run may take.
  /// - Throws: ``InputError`` about `subject` as ``PatchTiling/validated(for:heads:subject:)``; ``Cancelled``.
  package init(
    _ tiling: PatchTiling, size: GridSize, network: Network, heads: [Int], memoryLimit: Int, subject: String,
    work: WorkContext
  ) throws {
    try tiling.validated(for: network.graph, heads: heads, subject: subject)
    let tiling = tiling.fitted(
      to: size, totalStride: network.graph.receptiveField(ofHeads: heads)?.totalStride ?? Extent3(1))
    self.tiling = tiling
    self.size = size
    self.heads = heads
    z = PatchAxis(.d, of: size, in: tiling)
    y = PatchAxis(.h, of: size, in: tiling)
    x = PatchAxis(.w, of: size, in: tiling)
    logitChannels = heads.map { network.graph.channelCount(ofHead: $0) }
    channelCount = network.graph.graph.inputChannels
    var batch = tiling.extent.d == 1 ? Self.evenBatch(z.starts.count, limit: Self.largestBatch) : 1
    var plan = try network.plan(
      for: tiling.extent, batch: batch, heads: heads, memoryLimit: memoryLimit, work: work)
    while batch > 1, plan.arenaBytes > memoryLimit {
      batch = Self.evenBatch(z.starts.count, limit: batch / 2)
      plan = try network.plan(
        for: tiling.extent, batch: batch, heads: heads, memoryLimit: memoryLimit, work: work)
    }
    self.batch = batch
    self.network = plan
  }

  /// Patches of a batch of at most `limit`, so that the last of `count` patches fill theirs as well as possible.
  private static func evenBatch(_ count: Int, limit: Int) -> Int {
    let number = (count + limit - 1) / limit
    return (count + number - 1) / number
  }

  /// Slices that run together at most.
  private static let largestBatch = 8

  /// Channels of the logits of all heads.
  var logitChannelCount: Int { logitChannels.reduce(0, +) }

  package var patchCount: Int { z.starts.count * y.starts.count * x.starts.count }
  /// Runs of the network: for each batch of patches one for each mirroring.
  package var runCount: Int {
    batches.count * y.starts.count * x.starts.count * tiling.mirrorings.count
  }

  /// The patches along z, by number, that run together.
  var batches: [Range<Int>] {
    stride(from: 0, to: z.starts.count, by: batch).map { $0..<min($0 + batch, z.starts.count) }
  }

  /// Planes of the image and of sums that are in memory.
  var planeCount: Int { min(max(z.extent, batch), size.k) }

  /// Bytes of the image's planes and of the sums of logits; nil where an `Int` does not hold them.
  package var sumByteCount: Int? {
    checkedProduct(
      size.i, size.j, planeCount, channelCount + logitChannelCount, MemoryLayout<Float>.stride)
  }

  /// Bytes that a run allocates: planes and sums, a batch of patches and their logits, and the network's arena.
  package var byteCount: Int? {
    checkedSum(
      sumByteCount,
      checkedProduct(
        batch, tiling.extent.product, channelCount + logitChannelCount, MemoryLayout<Float>.stride),
      network.arenaBytes)
  }
}
