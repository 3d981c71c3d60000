import ArgumentParser
import Networks
import Tensors
import Volumes
import Work

/// The options of the benches that run a network.
struct NetworkOptions: ParsableArguments {
  @Argument(help: "liver, heart, a layer graph as JSON, or a model file.") var network: BenchNetwork
  @Option(
    help: "Voxels, as XxYxZ; by default 160x160x72 for the liver, 64x64x64 for others.",
    transform: voxelShape)
  var shape: GridSize?

  /// Voxels of the image.
  var size: GridSize { shape ?? network.usualShape }
}

/// The heads that run.
enum RequestedHeads: String, ExpressibleByArgument, CaseIterable {
  case main, all
}

/// `segdeck-bench network`: inference with softmax.
struct NetworkBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network", abstract: "Time a network's inference on noise, softmax included.")

  @OptionGroup var options: NetworkOptions
  @OptionGroup var repeats: RepeatOption
  @OptionGroup var bench: BenchOptions
  @Option(help: "main or all heads.") var heads = RequestedHeads.main

  func run() throws {
    let work = bench.work
    let (graph, parameters) = try options.network.load()
    let input = Tensor(noiseImage: options.size, channels: graph.inputChannels)
    let requested = heads == .all ? Array(graph.heads.indices) : [0]
    PeakMemory.reset()
    var prepared: (network: Network, plan: InferencePlan)?
    let preparation = try Measurement.seconds {
      let network = try Network(graph: graph, parameters: parameters, heads: requested)
      prepared = (network, try network.plan(for: input.extent, heads: requested, work: work))
    }
    guard let (network, plan) = prepared else { preconditionFailure("a plan was made and is not there") }
    let measurement = try Measurement(repeats: repeats.count) {
      for logits in try network.logits(of: input, heads: requested, plan: plan, work: work) {
        _ = try softmax(logits, work: work)
      }
    }
    var line = JSONLine("network")
    line.add("network", options.network.name)
    line.add("heads", heads.rawValue)
    line.add("shape", "\(options.size)")
    line.add(measurement)
    line.add("prepare_s", preparation)
    line.add(operations: plan.operationCount, measurement)
    bench.print(line)
  }
}

/// `segdeck-bench train`: one step with the deep-supervision loss, batch 1.
struct TrainingBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Time training steps on noise: deep supervision, momentum, batch 1.")

  @OptionGroup var options: NetworkOptions
  @OptionGroup var repeats: RepeatOption
  @OptionGroup var bench: BenchOptions

  func run() throws {
    keepFreedMemory()
    let work = bench.work
    let graph = try options.network.load().graph
    let batch = try TrainingBatch(noise: options.size, for: graph)
    var trainer = try Trainer(noise: graph)
    PeakMemory.reset()
    let measurement = try Measurement(repeats: repeats.count) { _ = try trainer.step(batch, work: work) }
    var line = JSONLine("train")
    line.add("network", options.network.name)
    line.add("shape", "\(options.size)")
    line.add(measurement)
    bench.print(line)
  }
}

extension TrainingBatch {
  /// One image of noise with labels of noise.
  init(noise size: GridSize, for graph: NetworkGraph) throws {
    let classes = UInt64(try graph.resolved().classCount)
    var generator = SplitMix64(seed: 8)
    self.init(
      input: Tensor(noiseImage: size, channels: graph.inputChannels),
      labels: (0..<size.voxelCount).map { _ in UInt8(generator.next() % classes) })
  }
}

extension Trainer {
  /// A training whose steps are so small that any number of them stays finite.
  init(noise graph: NetworkGraph) throws {
    try self.init(graph: graph, options: TrainingOptions(schedule: .constant(rate: 1e-9)), seed: 7)
  }
}
