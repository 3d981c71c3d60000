import Foundation
import Networks
import Review
import Tensors
import Volumes
import Work

/// A generated case for scrolling: waves with noise, and labels that fill a third of it.
enum ScrolledCase {
  /// The case, its voxels made slice by slice.
  ///
  /// - Parameters:
  ///   - storesIntegers: Whether its intensities are 16-bit integers, as those of a CT; otherwise floats.
  ///   - labelCount: Labels, six or as many as a large case has boxes for.
  ///   - isPair: Whether there is a second mask, which lies two voxels further along i.
  static func content(
    _ size: GridSize, labelCount: Int = 6, storesIntegers: Bool = false, isPair: Bool = false,
    work: WorkContext
  ) throws -> ReviewCase {
    let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1)))
    var voxels = [Float](repeating: 0, count: size.voxelCount)
    var labels = [UInt16](repeating: 0, count: size.voxelCount)
    try voxels.withUnsafeMutableBufferPointer { voxels in
      try labels.withUnsafeMutableBufferPointer { labels in
        let (voxels, labels) = (DisjointBuffer(voxels), DisjointBuffer(labels))
        try work.forEach(count: size.k) { k, _ in fill(slice: k, of: size, labelCount, voxels, labels) }
      }
    }
    let table = LabelTable().completed(for: (1...UInt16(labelCount)).map(\.self))
    var masks = [
      LoadedMask(
        name: "labels", path: "/labels.nii.gz",
        labels: ChunkedLabels(LabelVolume(grid: grid, voxels: labels)), table: table)
    ]
    if isPair {
      let shifted = [0, 0] + labels.dropLast(2)
      masks.append(
        LoadedMask(
          name: "shifted", path: "/shifted.nii.gz",
          labels: ChunkedLabels(LabelVolume(grid: grid, voxels: shifted)), table: table))
    }
    return ReviewCase(
      name: "bench", imagePath: "/bench.nii.gz",
      image: ScalarVolume(
        grid: grid,
        voxels: storesIntegers ? IntensityVoxels(voxels.map { Int16($0) }) : IntensityVoxels(voxels)),
      masks: masks, exportPath: "/bench_seg.nii.gz")
  }

  private static func fill(
    slice k: Int, of size: GridSize, _ labelCount: Int, _ voxels: DisjointBuffer<Float>,
    _ labels: DisjointBuffer<UInt16>
  ) {
    var random = SplitMix64(seed: 7).forked(k)
    for j in 0..<size.j {
      for i in 0..<size.i {
        let wave = sin(Float(i) / 23) + sin(Float(j) / 17) + sin(Float(k) / 31)
        let offset = size.offset(VoxelIndex(i, j, k))
        voxels[offset] = 100 * wave + Float(random.next() % 41) - 20
        // Neighbouring boxes have different labels; more labels take turns along j and k.
        let (alongJ, alongK) = labelCount <= 6 ? (1, 1) : (4, 12)
        labels[offset] =
          wave > 0.6 ? UInt16(1 + (i / 64 + alongJ * (j / 96) + alongK * (k / 64)) % labelCount) : 0
      }
    }
  }
}

/// A network that runs over and over on a queue like that of the review's jobs, until it is stopped.
final class BackgroundLoad: Sendable {
  private let cancellation = Cancellation()
  private let group = DispatchGroup()

  /// Starts the network; `hasLowPriority` gives its threads the priority of the review's jobs.
  init(threadCount: Int, hasLowPriority: Bool) throws {
    var work = WorkContext(threadCount: threadCount, cancellation: cancellation)
    work.hasLowPriority = hasLowPriority
    let (graph, parameters) = try BenchNetwork.liver.load()
    let network = try Network(graph: graph, parameters: parameters, heads: [0])
    let input = Tensor(noiseImage: BenchNetwork.liver.usualShape)
    let cancellation = self.cancellation
    DispatchQueue.global(qos: .utility).async(group: group) { [work] in
      if hasLowPriority { ThreadPriority.lower() }
      while !cancellation.isRequested { _ = try? network.logits(of: input, heads: [0], work: work) }
    }
  }

  /// Asks it to stop and waits until it has.
  func stop() {
    cancellation.request()
    group.wait()
  }
}
