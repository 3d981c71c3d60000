import Networks
import Tensors
import TestSupport
import Testing
import Work

/// A buffer of a plan, when it is needed, and what its failure is called.
private struct Buffer {
  let name: String
  /// The activation, where it is the memory of one.
  var activation: Int?
  let floats: Range<Int>
  /// Times of every slab: 0 for the image, i + 1 for step i, and one more for the reader of the logits.
  let times: ClosedRange<Int>
}

extension InferencePlan {
  private var endTime: Int { kernels.count + 1 }

  private func readers(ofActivation index: Int) -> [Int] {
    kernels.indices.filter { kernels[$0].sources.contains { ($0.map { $0 + 1 } ?? 0) == index } }
  }

  /// From the time that makes an activation to its last reader's.
  private func times(ofActivation index: Int) -> ClosedRange<Int> {
    let isScore = headSteps.contains { $0 + 1 == index }
    let last = readers(ofActivation: index).map { $0 + 1 }.max() ?? index
    return index...(isScore ? endTime : last)
  }

  /// The step that turns an activation into its own output in the same memory, if there is one: its only reader or, where
  /// all planes run at once, its last one.
  private func overwriter(ofActivation index: Int) -> Int? {
    let readers = readers(ofActivation: index)
    guard let reader = readers.last, readers.count == 1 || slabCount == 1,
      let position = kernels[reader].sources.firstIndex(where: { ($0.map { $0 + 1 } ?? 0) == index }),
      kernels[reader].operation.mayOverwrite(input: position),
      !headSteps.contains(where: { $0 + 1 == index }),
      floats(ofActivation: index) == floats(ofActivation: reader + 1)
    else { return nil }
    return reader
  }

  /// Whether an activation is a part of another's memory as one of the inputs of a concatenation, at its channels.
  private func isPart(_ part: Int, of whole: Int) -> Bool {
    guard whole > 0, kernels[whole - 1].operation is PreparedConcatenate,
      let wholeFloats = floats(ofActivation: whole)
    else { return false }
    let step = kernels[whole - 1]
    let channels = step.sources.map { $0.map { kernels[$0].channels } }
    let imageChannels = step.channels - channels.reduce(0) { $0 + ($1 ?? 0) }
    var first = 0
    for (source, channels) in zip(step.sources, channels) {
      let start = wholeFloats.lowerBound + first * (wholeFloats.count / step.channels)
      first += channels ?? imageChannels / step.sources.filter { $0 == nil }.count
      guard let source, floats(ofActivation: source + 1)?.lowerBound == start else { continue }
      if source + 1 == part || isPart(part, of: source + 1) { return true }
    }
    return false
  }

  /// Every buffer, found from the steps alone: the plan says only where they lie.
  fileprivate var buffers: [Buffer] {
    var buffers: [Buffer] = []
    for index in 0...kernels.count {
      guard let floats = floats(ofActivation: index), let kept = retainedFloats(ofActivation: index) else {
        continue
      }
      let times = times(ofActivation: index)
      if overwriter(ofActivation: index) != nil {
        // The next activation has the memory from the time at which it is made.
        let times = times.lowerBound...times.upperBound - 1
        buffers.append(Buffer(name: "activation \(index)", activation: index, floats: floats, times: times))
      } else {
        buffers.append(Buffer(name: "activation \(index)", activation: index, floats: floats, times: times))
        buffers.append(Buffer(name: "kept planes of activation \(index)", floats: kept, times: 0...endTime))
      }
    }
    buffers += kernels.indices.map {
      Buffer(name: "scratch of step \($0)", floats: scratchFloats(ofStep: $0), times: $0 + 1...$0 + 1)
    }
    return buffers.filter { !$0.floats.isEmpty }
  }

  private func isPart(_ one: Buffer, _ other: Buffer) -> Bool {
    guard let one = one.activation, let other = other.activation else { return false }
    return isPart(one, of: other) || isPart(other, of: one)
  }

  /// Pairs of buffers that overlap while both are needed.
  fileprivate var collisions: [String] {
    let buffers = buffers
    return buffers.indices.flatMap { one in
      buffers[..<one].filter {
        $0.times.overlaps(buffers[one].times) && $0.floats.overlaps(buffers[one].floats)
          && !isPart($0, buffers[one])
      }
      .map { "\($0.name) \($0.floats) and \(buffers[one].name) \(buffers[one].floats)" }
    }
  }

  /// Floats of all buffers that are needed at the same time, at most.
  fileprivate var peakFloats: Int {
    let buffers = buffers
    return (0...endTime).map { time in
      // Without those that are parts of others.
      let needed = buffers.filter { $0.times.contains(time) }
      return needed.filter { one in
        !needed.contains {
          $0.activation != one.activation && isPart(one, $0) && one.floats.count < $0.floats.count
        }
      }.reduce(0) { $0 + $1.floats.count }
    }.max() ?? 0
  }
}

/// A plan of a random network, and what it is a plan of.
private struct RandomPlan {
  let network: Network
  let random: RandomGraph
  let batch: Int
  let plan: InferencePlan
  let work: WorkContext

  /// Calls `body` with plans of thirty networks.
  static func forEach(seed: UInt64, _ body: (RandomPlan) throws -> Void) throws {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<30 {
      let random = RandomGraph(seed: generator.next())
      let parameters = Parameters(initialising: try random.graph.resolved(), seed: 8)
      let network = try Network(graph: random.graph, parameters: parameters)
      let work = WorkContext(threadCount: 1 + generator.index(below: 3))
      let batch = 1 + generator.index(below: 2)
      let depth = 1 + generator.index(below: random.extent.d)
      for mode in [InferencePlan.ExecutionMode.whole, .streamed] {
        let plan = try network.plan(
          for: random.extent, batch: batch, heads: Array(random.graph.heads.indices), mode: mode,
          slabDepth: depth, isAligned: generator.index(below: 2) == 0, work: work)
        try body(RandomPlan(network: network, random: random, batch: batch, plan: plan, work: work))
      }
    }
  }
}

@Suite("Memory plans of random networks")
struct BufferPlanTests {
  @Test(
    "buffers that are needed at the same time never overlap, and all lie in an arena that is large enough",
    arguments: 1...8)
  func buffersAreDisjoint(seed: UInt64) throws {
    try RandomPlan.forEach(seed: seed) { row in
      let arena = 0..<row.plan.arenaBytes / MemoryLayout<Float>.stride
      let graph = Comment(rawValue: row.random.graph.json)
      #expect(row.plan.collisions == [], graph)
      #expect(row.plan.buffers.allSatisfy { arena.contains($0.floats) }, graph)
      #expect(arena.count >= row.plan.peakFloats, graph)
    }
  }

  @Test("a random network gives slab by slab the logits of all planes at once", arguments: 11...14)
  func slabsGiveTheSame(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    try RandomPlan.forEach(seed: seed) { row in
      guard row.plan.mode == .whole else { return }
      let heads = Array(row.random.graph.heads.indices)
      let (channels, extent) = (row.random.graph.inputChannels, row.random.extent)
      let image = Tensor(
        shape: [row.batch, channels, extent.d, extent.h, extent.w],
        elements: generator.floats(row.batch * channels * extent.product))
      let slabs = try row.network.logits(of: image, heads: heads, plan: row.plan, work: row.work)
      let whole = try row.network.logits(of: image, heads: heads, work: row.work)
      for (one, other) in zip(slabs, whole) where one != other {
        let graph = Comment(rawValue: row.random.graph.json)
        #expect(relativeError(one.elements, other.elements) <= 1e-5, graph)
      }
    }
  }
}
