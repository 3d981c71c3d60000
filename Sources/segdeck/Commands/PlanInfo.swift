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

  var file: String
  /// x, y, z.
  var shape: [Int]
  /// The same, padded to whole strides of the network, as images are before it runs.
  var paddedShape: [Int]
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
  /// Arena and weights.
  var peakMb: Double

  /// The plan that streams images of `size` voxels to the logits of the given heads.
  init(_ model: SegmentationModel, size: GridSize, heads: [Int], memoryLimit: Int, work: WorkContext) throws {
    let network = try Network(graph: model.graph, parameters: model.parameters, heads: heads)
    let extent = Extent3(size.k, size.j, size.i)
    let padded = network.graph.receptiveField(ofHeads: heads)?.rounded(extent) ?? extent
    let plan = try network.plan(
      for: padded, heads: heads, mode: .streamed, memoryLimit: memoryLimit, work: work)
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
    peakMb = Self.megabytes(plan.peakBytes)
  }

  private static func megabytes(_ bytes: Int) -> Double { Double(bytes) / 1_000_000 }

  /// The report as text: a heading, a table with a row for each kernel call, the totals.
  ///
  /// Where steps join several inputs, a column names these; where there are slabs, one has the planes that are held
  /// between them.
  var text: String {
    func extents(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "x") }
    let padding = paddedShape == shape ? "" : ", padded to \(extents(paddedShape))"
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
    let way = slabs == 1 ? "all planes at once" : "in \(slabs) slabs of \(slabPlanes) planes"
    return """
      \(file.printableLine): \(extents(shape)) voxels\(padding), heads \(heads.map(\.printableLine).joined(separator: ", ")), \(counted(threads, "thread")), \(way)
      \(table.text)
      operations   \(decimals(gflop, 1)) GFLOP, counted as direct sums
      activations  \(decimals(arenaMb, 1)) MB in one arena, of which at most \(decimals(scratchMb, 1)) MB scratch
      weights      \(decimals(weightMb, 1)) MB prepared
      peak         \(decimals(peakMb, 1)) MB beside image and logits
      """
  }
}
