import Foundation
import Networks
import Segmentation
import Tensors
import Volumes
import Work

/// The report of `segdeck info --plan`: how a model's network runs on images of one size.
struct PlanInfo: Encodable {
  struct Step: Encodable {
    var layers: [String]
    /// The layers whose outputs it reads, or "input".
    var inputs: [String]
    var kernel: String
    /// Channels, then x, y, z.
    var output: [Int]
    var gflop: Double
    var weightMb: Double
    /// Size and offset of the output in the arena, in MB; nil where the caller owns the output's memory.
    var bufferMb: Double?
    var offsetMb: Double?
    /// Planes of the output that are held from one slab to the next, at most.
    var heldPlanes: Int
  }

  /// The patches in which the network runs.
  struct Patches: Encodable {
    var count: Int
    /// Runs of the network: for each patch one for each mirroring.
    var runs: Int
    var tiling: PatchTiling
    /// Planes of the image and sums of logits.
    var sumsMb: Double
  }

  var file: String
  /// x, y, z.
  var shape: [Int]
  /// The same, padded to whole strides of the network, as images are before it runs; a patch where there are patches.
  var paddedShape: [Int]
  /// nil where the network runs on the whole image; steps and memory are those of one patch where it does not.
  var patches: Patches?
  var heads: [String]
  var threads: Int
  var slabs: Int
  /// Planes of the image in a slab.
  var slabPlanes: Int
  var steps: [Step]
  var gflop: Double
  var arenaMb: Double
  /// The maximum scratch memory of a step, which is part of the arena.
  var scratchMb: Double
  var weightMb: Double
  /// Arena and weights; all that a run allocates where there are patches.
  var peakMb: Double

  /// The plan for images of `size` voxels to the logits of the given heads.
  init(_ model: SegmentationModel, size: GridSize, heads: [Int], memoryLimit: Int, work: WorkContext) throws {
    let network = try Network(graph: model.graph, parameters: model.parameters, heads: heads)
    let padded: Extent3
    let plan: InferencePlan
    var sumByteCount = 0
    if let tiling = model.tiling {
      let inPatches = try PatchPlan(
        tiling, size: size, network: network, heads: heads, memoryLimit: memoryLimit, subject: model.path,
        work: work)
      sumByteCount = inPatches.sumByteCount ?? .max
      patches = Patches(
        count: inPatches.patchCount, runs: inPatches.runCount, tiling: tiling,
        sumsMb: Self.megabytes(sumByteCount))
      (padded, plan) = (inPatches.tiling.extent, inPatches.network)
    } else {
      let extent = Extent3(size.k, size.j, size.i)
      padded = network.graph.receptiveField(ofHeads: heads)?.rounded(extent) ?? extent
      plan = try network.plan(
        for: padded, heads: heads, mode: .streamed, memoryLimit: memoryLimit, work: work)
    }
    file = model.path
    shape = [size.i, size.j, size.k]
    paddedShape = [padded.w, padded.h, padded.d]
    self.heads = heads.map { model.graph.heads[$0].name }
    threads = plan.threadCount
    slabs = plan.slabCount
    slabPlanes = plan.slabDepth
    steps = plan.kernels.enumerated().map { index, step in
      let buffer = plan.buffer(ofStep: index)
      return Step(
        layers: step.layers,
        inputs: step.sources.map { $0.flatMap { plan.kernels[$0].layers.last } ?? NetworkGraph.inputName },
        kernel: step.operation.kernelName,
        output: [step.channels, step.extent.w, step.extent.h, step.extent.d],
        gflop: step.operationCount / 1e9, weightMb: Self.megabytes(step.operation.weightBytes),
        bufferMb: buffer.map { Self.megabytes($0.bytes) }, offsetMb: buffer.map { Self.megabytes($0.offset) },
        heldPlanes: plan.heldPlanes(ofStep: index))
    }
    gflop = plan.operationCount / 1e9
    arenaMb = Self.megabytes(plan.arenaBytes)
    scratchMb = Self.megabytes(plan.scratchBytes)
    weightMb = Self.megabytes(plan.weightBytes)
    peakMb = Self.megabytes(plan.peakBytes) + Self.megabytes(sumByteCount)
  }

  private static func megabytes(_ bytes: Int) -> Double { Double(bytes) / 1_000_000 }

  /// The report as text: a heading, a table with a row for each kernel call, the totals.
  ///
  /// Where steps join several inputs, a column names these; where there are slabs, one has the planes that are held
  /// between them.
  var text: String {
    func extents(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "x") }
    let padding =
      paddedShape == shape || patches != nil ? "" : ", padded to \(extents(paddedShape))"
    let (hasJoins, hasSlabs) = (steps.contains { $0.inputs.count > 1 }, slabs > 1)
    var table = TextTable(
      heading: ["layers"] + (hasJoins ? ["joins"] : [])
        + ["kernel", "output", "GFLOP", "weights MB", "buffer MB", "at MB"]
        + (hasSlabs ? ["held planes"] : []))
    table.leftAlignedColumns = hasJoins ? 3 : 2
    for step in steps {
      let size = step.output.dropFirst().map(String.init).joined(separator: "x")
      let joined = step.inputs.count > 1 ? step.inputs.joined(separator: " ") : ""
      table.rows.append(
        [step.layers.joined(separator: " ")] + (hasJoins ? [joined] : [])
          + [
            step.kernel, "\(step.output[0]) x \(size)", decimals(step.gflop, 2), decimals(step.weightMb, 2),
            TextTable.cell(step.bufferMb, 1), TextTable.cell(step.offsetMb, 1),
          ] + (hasSlabs ? ["\(step.heldPlanes)"] : []))
    }
    var way = slabs == 1 ? "all planes at once" : "in \(slabs) slabs of \(slabPlanes) planes"
    var sums = ""
    if let patches {
      way =
        "\(counted(patches.runs, "run")) in \(counted(patches.count, "patch", "patches")) of \(patches.tiling.summary), each \(way)"
      sums = "\nsums         \(decimals(patches.sumsMb, 1)) MB: planes of the image and of the mean logits"
    }
    return """
      \(file.printableLine): \(extents(shape)) voxels\(padding), heads \(heads.map(\.printableLine).joined(separator: ", ")), \(counted(threads, "thread")), \(way)
      \(table.text)
      operations   \(decimals(gflop, 1)) GFLOP, counted as direct sums
      activations  \(decimals(arenaMb, 1)) MB in one arena, of which at most \(decimals(scratchMb, 1)) MB scratch
      weights      \(decimals(weightMb, 1)) MB prepared\(sums)
      peak         \(decimals(peakMb, 1)) MB beside image and logits
      """
  }
}
