import ArgumentParser
import DenseCRF
import Networks
import Tensors
import Volumes
import Work

/// Which network a bench runs.
enum BenchNetwork: String, ExpressibleByArgument, CaseIterable {
  case liver, heart

  /// As the paper has it: the liver network without batch normalisation, which folds away anyway.
  var graph: NetworkGraph {
    switch self {
    case .liver: .liver(hasBatchNormalisation: false)
    case .heart: .heart()
    }
  }
}

/// The options of the benches that run a network.
struct NetworkBenchOptions: ParsableArguments {
  @Argument(help: "liver or heart.") var network: BenchNetwork
  @Option(help: "Voxels, as XxYxZ.") var shape = "160x160x72"
  @Option(help: "Threads.") var threads = WorkContext.coreCount
  @Option(help: "Measurements after the first run.") var `repeat` = 7

  /// An input of noise.
  func input() throws -> Tensor {
    let extents = shape.split(separator: "x").compactMap { Int($0) }
    guard extents.count == 3, extents.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("--shape is three numbers such as 160x160x72, not \(shape)")
    }
    var generator = SplitMix64(seed: 7)
    let count = extents[0] * extents[1] * extents[2]
    return Tensor(
      shape: [1, 1, extents[2], extents[1], extents[0]],
      elements: (0..<count).map { _ in Float(generator.uniform(-1...1)) })
  }

  /// What every line says of the run.
  var facts: [String: Any] {
    ["network": network.rawValue, "shape": shape, "threads": threads, "isa": DenseCRF.instructionSet]
  }
}

/// `segdeck-bench network`: inference with softmax.
struct NetworkBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network", abstract: "Time a network's inference on noise, softmax included.")

  @OptionGroup var options: NetworkBenchOptions
  @Option(help: "main or all heads.") var heads = "main"

  func run() throws {
    let work = WorkContext(threadCount: options.threads)
    let input = try options.input()
    let graph = try options.network.graph.resolved()
    let asked = heads == "all" ? Array(graph.graph.heads.indices) : [0]
    let parameters = Parameters(initialising: graph, seed: 7)
    let clock = ContinuousClock()
    let start = clock.now
    let network = try Network(graph: graph.graph, parameters: parameters, heads: asked, work: work)
    let preparation = (clock.now - start) / .seconds(1)
    var facts = options.facts
    facts["gflop"] = try network.operationCount(for: input.extent, heads: asked) / 1e9
    facts["heads"] = heads
    facts["prepare_s"] = preparation
    try Measurement("network", repeats: options.repeat, facts: facts) {
      for scores in try network.scores(of: input, heads: asked, work: work) {
        _ = try softmax(scores, work: work)
      }
    }.print()
  }
}

/// `segdeck-bench train`: one step with the deep-supervision loss, batch 1.
struct TrainingBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Time training steps on noise: deep supervision, momentum, batch 1.")

  @OptionGroup var options: NetworkBenchOptions

  func run() throws {
    let work = WorkContext(threadCount: options.threads)
    let input = try options.input()
    let graph = options.network.graph
    let classes = UInt64(try graph.resolved().classCount)
    var generator = SplitMix64(seed: 8)
    let labels = (0..<input.elements.count).map { _ in UInt8(generator.next() % classes) }
    var trainer = try Trainer(
      graph: graph, options: TrainingOptions(schedule: .constant(rate: 1e-9)), seed: 7)
    let batch = TrainingBatch(input: input, labels: labels)
    try Measurement("train", repeats: options.repeat, facts: options.facts) {
      _ = try trainer.step(batch, work: work)
    }.print()
  }
}
