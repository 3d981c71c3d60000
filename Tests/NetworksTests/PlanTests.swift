import Networks
import Synchronization
import Tensors
import TestSupport
import Testing
import Work

@Suite("Plans of a network's memory and slabs")
struct PlanTests {
  private let work = WorkContext(threadCount: 2)

  private func network(_ graph: NetworkGraph, heads: [Int]? = nil) throws -> Network {
    try Network(
      graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 8), heads: heads)
  }

  private func image(_ extent: Extent3, seed: UInt64 = 3) -> Tensor {
    var generator = SplitMix64(seed: seed)
    return Tensor(
      shape: [1, 1, extent.d, extent.h, extent.w], elements: generator.floats(extent.product))
  }

  /// Networks that slabs are tried on: large kernels, small ones with three poolings, two levels, joins.
  static let graphs: [(name: String, graph: NetworkGraph, extent: Extent3)] = [
    ("liver", .liver(), Extent3(59, 30, 37)),
    ("heart", .heart(widthFactor: 1.0 / 16), Extent3(75, 17, 23)),
    ("tiny", .tiny, Extent3(57, 9, 14)),
    ("residual", .residual, Extent3(57, 9, 14)),
    ("unet", .unet, Extent3(58, 10, 14)),
    ("gated", .gated, Extent3(58, 10, 14)),
    ("cropped", .cropped, Extent3(57, 9, 14)),
  ]

  @Test("slabs of any depth give the logits of the whole image, for any number of threads", arguments: 0..<7)
  func slabs(index: Int) throws {
    let (_, graph, extent) = Self.graphs[index]
    let network = try network(graph)
    let heads = Array(graph.heads.indices)
    let image = image(extent)
    let whole = try network.logits(of: image, heads: heads, work: work)
    for depth in [1, 3, 4, 7] {
      for isAligned in [false, true] {
        var first: [Tensor]?
        for threads in [1, 3] {
          let work = WorkContext(threadCount: threads)
          let plan = try network.plan(
            for: extent, heads: heads, slabDepth: depth, isAligned: isAligned, work: work)
          #expect(plan.slabCount >= (extent.d + depth - 1) / depth && plan.slabCount >= 8)
          let found = try network.logits(of: image, heads: heads, plan: plan, work: work)
          for (one, other) in zip(found, whole) {
            #expect(one.shape == other.shape)
            // Thin slabs get other tiles, or sums instead of transforms.
            #expect(relativeError(one.elements, other.elements) <= 1e-5, "slabs of \(depth)")
          }
          if let first { #expect(found == first, "slabs of \(depth)") } else { first = found }
        }
      }
    }
  }

  /// Layers that work in place before, between and after others, one of them a head that others read.
  private static let inPlace: NetworkGraph = {
    let same = ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1))
    return NetworkGraph(
      inputChannels: 1,
      layers: [
        Layer("relu0", from: NetworkGraph.inputName, .relu),
        Layer("bn0", from: "relu0", .batchNormalisation(epsilon: 1e-3)),
        Layer("conv1", from: "bn0", .convolution(same, outputChannels: 2, hasBias: true)),
        Layer("relu1", from: "conv1", .relu),
        Layer("conv2", from: "relu1", .convolution(same, outputChannels: 2, hasBias: false)),
        Layer("relu2", from: "conv2", .relu),
      ],
      heads: [Head("main", layer: "relu2", lossWeight: 1), Head("aux", layer: "conv1", lossWeight: 1)])
  }()

  @Test(
    "a streamed image gives every plane of all heads once and in order, and the logits of the whole",
    arguments: [NetworkGraph.liver(), inPlace, .residual, .unet, .gated, .cropped])
  func streamed(graph: NetworkGraph) throws {
    let extent = Extent3(68, 28, 36)
    let network = try network(graph)
    let image = image(extent)
    let heads = Array(graph.heads.indices)
    let whole = try network.logits(of: image, heads: heads, work: work)
    let plan = try network.plan(for: extent, heads: heads, mode: .streamed, slabDepth: 8, work: work)
    var fetched: [Range<Int>] = []
    var delivered: [Range<Int>] = []
    var found = whole.map { Tensor(shape: $0.shape, repeating: .nan) }
    let pixels = extent.h * extent.w
    try network.stream(
      plan, work: work,
      fetch: { window, _ in
        fetched.append(window.planes)
        for index in 0..<window.planes.count * pixels {
          window.start(sample: 0, channel: 0)[index] =
            image.elements[window.planes.lowerBound * pixels + index]
        }
      },
      deliver: { windows, _ in
        delivered.append(windows[0].planes)
        for (head, window) in windows.enumerated() {
          #expect(window.planes == windows[0].planes)
          for channel in 0..<window.channels {
            let start = (channel * extent.d + window.planes.lowerBound) * pixels
            for index in 0..<window.planes.count * pixels {
              found[head].elements[start + index] = window.start(sample: 0, channel: channel)[index]
            }
          }
        }
      })
    #expect(fetched.flatMap { Array($0) } == Array(0..<extent.d))
    #expect(fetched.map(\.count) == [8, 8, 8, 8, 8, 8, 8, 8, 4])
    // Planes that steps waited for are computed in more slabs, except after layers that read the whole image.
    let isLocal = graph.layers.allSatisfy { $0.operation.isLocal }
    #expect(!isLocal || delivered.allSatisfy { $0.count <= 8 })
    #expect(delivered.flatMap { Array($0) } == Array(0..<extent.d))
    for (one, other) in zip(found, whole) { #expect(relativeError(one.elements, other.elements) <= 1e-5) }
  }

  @Test("an error of the consumer of planes stops the run, and so does a cancellation")
  func stopped() throws {
    struct Full: Error {}
    let network = try network(.tiny)
    let extent = Extent3(32, 8, 8)
    let plan = try network.plan(for: extent, mode: .streamed, slabDepth: 4, work: work)
    #expect(throws: Full.self) {
      try network.stream(plan, work: work, fetch: { _, _ in }, deliver: { _, _ in throw Full() })
    }
    let cancellation = Cancellation()
    let cancelled = WorkContext(
      threadCount: 2, cancellation: cancellation,
      report: { fraction in if fraction > 0.3 { cancellation.request() } })
    #expect(throws: Cancelled.self) {
      try network.stream(plan, work: cancelled, fetch: { _, _ in }, deliver: { _, _ in })
    }
  }

  @Test("an image that does not fit in memory is computed in slabs that fit")
  func memoryLimit() throws {
    let network = try network(.liver(), heads: [0])
    let extent = Extent3(120, 128, 128)
    let whole = try network.plan(for: extent, mode: .streamed, work: work)
    #expect(whole.slabCount == 1)
    var before = whole.arenaBytes
    for percent in [75, 50] {
      let limit = whole.arenaBytes / 100 * percent
      let plan = try network.plan(for: extent, mode: .streamed, memoryLimit: limit, work: work)
      #expect(plan.slabCount > 1)
      #expect(plan.arenaBytes <= limit && plan.arenaBytes < before)
      before = plan.arenaBytes
    }
    let least = try network.plan(for: extent, mode: .streamed, memoryLimit: 0, work: work)
    #expect(least.arenaBytes > 0 && least.arenaBytes <= before)
    // Slabs of fewer than eight planes take the weights of those of eight.
    let smallest = try stride(from: 8, to: extent.d, by: 2).reduce(least.arenaBytes) { smallest, depth in
      min(smallest, try network.plan(for: extent, mode: .streamed, slabDepth: depth, work: work).arenaBytes)
    }
    #expect(least.arenaBytes <= smallest + smallest / 2)
  }

  @Test("a network that reads far ahead holds the planes between its taps and two windows, up to the end")
  func farAhead() throws {
    let dilations = [1, 8, 4, 8, 1]
    let channels = 2
    let graph = NetworkGraph(
      inputChannels: 1,
      layers: dilations.indices.map { index in
        let geometry = ConvolutionGeometry(
          kernel: Extent3(3), padding: Extent3(dilations[index]), dilation: Extent3(dilations[index]))
        return Layer(
          "conv\(index)", from: index == 0 ? NetworkGraph.inputName : "conv\(index - 1)",
          .convolution(geometry, outputChannels: channels, hasBias: true))
      }, heads: [Head("main", layer: "conv4", lossWeight: 1)])
    let (extent, depth) = (Extent3(100, 40, 40), 4)
    let network = try network(graph)
    let plan = try network.plan(for: extent, mode: .streamed, slabDepth: depth, work: work)
    let held = dilations.reduce(0) { $0 + 2 * $1 } + 2 * (2 * 8 + depth)
    let planeBytes = channels * extent.h * extent.w * MemoryLayout<Float>.size
    #expect(plan.arenaBytes <= held * planeBytes + plan.scratchBytes)
    let image = image(extent)
    let whole = try network.plan(for: extent, slabDepth: extent.d, work: work)
    let slabs = try network.plan(for: extent, slabDepth: depth, work: work)
    let logits = try [whole, slabs].map { try network.logits(of: image, plan: $0, work: work)[0].elements }
    #expect(relativeError(logits[1], logits[0]) <= 1e-5)
  }

  @Test("the liver network on 160x160x72 voxels takes two activations of its first level and scratch memory")
  func liverMemory() throws {
    let plan = try network(.liver(), heads: [0]).plan(for: Extent3(72, 160, 160), work: work)
    let level = 8 * 72 * 160 * 160 * MemoryLayout<Float>.size
    #expect(plan.slabCount == 1)
    #expect(plan.arenaBytes <= 2 * level + plan.scratchBytes)
  }

  @Test("runs at the same time do not disturb each other, and a second size does not spoil the first")
  func sharing() async throws {
    let network = try network(.liver())
    let images = [image(Extent3(24, 20, 28)), image(Extent3(16, 36, 20), seed: 4)]
    let work = self.work
    let alone = try images.map { try network(image: $0, work) }
    try await withThrowingTaskGroup(of: (Int, Tensor).self) { group in
      for index in 0..<8 {
        group.addTask { (index % 2, try network(image: images[index % 2], work)) }
      }
      for try await (index, logits) in group { #expect(logits == alone[index]) }
    }
  }
}

extension Network {
  fileprivate func callAsFunction(image: Tensor, _ work: WorkContext) throws -> Tensor {
    try self(image, work: work)
  }
}

@Suite("Packing of memory intervals")
struct PackingTests {
  @Test("alternating activations use the memory of two, for any number of them")
  func alternation() {
    var chain: [MemoryInterval] = []
    for time in 0..<10 { chain.append(MemoryInterval(count: 160, times: time...(time + 1))) }
    #expect(packed(chain).total == 320)
    #expect(packed([]).total == 0)
    #expect(packed([MemoryInterval(count: 3, times: 0...4)]).total == 16)
  }

  @Test(
    "intervals of overlapping times have disjoint memory, and the arena is at most 1.3 times the peak")
  func noOverlap() {
    var generator = SplitMix64(seed: 12)
    for _ in 0..<50 {
      var intervals: [MemoryInterval] = []
      for _ in 0..<30 {
        let (count, first) = (generator.index(below: 1000), generator.index(below: 20))
        let last = first + generator.index(below: 6)
        intervals.append(MemoryInterval(count: count, times: first...last))
      }
      let (offsets, total) = packed(intervals)
      let ends = intervals.indices.map { offsets[$0] + intervals[$0].count }
      for one in intervals.indices where intervals[one].count > 0 {
        #expect(offsets[one].isMultiple(of: 16) && ends[one] <= total)
        for other in 0..<one where intervals[one].times.overlaps(intervals[other].times) {
          #expect(
            ends[one] <= offsets[other] || ends[other] <= offsets[one] || intervals[other].count == 0)
        }
      }
      var peak = 0
      for time in 0...26 {
        var floats = 0
        for interval in intervals where interval.times.contains(time) {
          floats += (interval.count + 15) / 16 * 16
        }
        peak = max(peak, floats)
      }
      #expect(total >= peak && Double(total) <= 1.3 * Double(peak))
    }
  }
}
