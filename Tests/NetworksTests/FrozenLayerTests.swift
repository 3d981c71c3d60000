import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Work

@Suite("Frozen layers")
struct FrozenLayerTests {
  private let work = WorkContext(threadCount: 2)
  private let extent = Extent3(4, 6, 4)

  private func batch(_ index: Int) -> TrainingBatch {
    .balls(count: 2, extent: extent, seed: UInt64(200 + index))
  }

  /// A trainer whose running statistics are no longer the initial ones.
  private func trainer(frozen: Set<String>, optimiser: Optimiser = .adamW()) throws -> Trainer {
    var trainer = try Trainer(
      graph: .tiny,
      options: TrainingOptions(optimiser: optimiser, schedule: .constant(rate: 0.01), weightDecay: 0.1),
      seed: 7)
    for index in 0..<3 { _ = try trainer.step(batch(index), work: work) }
    trainer.options.frozenLayers = frozen
    return trainer
  }

  @Test(
    "frozen layers keep every tensor, and the others move",
    arguments: [["conv1", "bn1"], ["bn1"], ["conv2", "up"], ["side", "conv1"]] as [Set<String>])
  func frozen(layers: Set<String>) throws {
    var trainer = try trainer(frozen: layers)
    let before = trainer.parameters
    for index in 3..<5 { _ = try trainer.step(batch(index), work: work) }
    for slot in trainer.graph.parameterSlots {
      let isFrozen = layers.contains(String(slot.name.prefix { $0 != "." }))
      #expect((trainer.parameters[slot.name] == before[slot.name]) == isFrozen, "\(slot.name)")
    }
  }

  @Test("a frozen batch normalisation is the one of inference, fused or not")
  func storedStatistics() throws {
    let trainer = try trainer(frozen: [])
    let batch = batch(9)
    let network = try Network(graph: .tiny, parameters: trainer.parameters)
    let logits = try network(batch.input, work: work)
    let labels = try LabelsWithHistogram(batch.labels, work: work)
    let expected = try softmaxCrossEntropy(logits: logits, labels: labels, work: work).loss
    for fuses in [true, false] {
      let found = try trainer.graph.lossGradients(
        batch, parameters: trainer.parameters,
        configuration: LossConfiguration(headWeights: [1, 0], frozenLayers: ["bn1"]), fuses: fuses, work: work
      )
      #expect(abs(found.loss - expected) < 1e-5, "fuses \(fuses)")
      #expect(found.statistics.isEmpty && found.gradients["bn1.weight"] == nil)
    }
  }

  @Test("gradients through a frozen batch normalisation agree with finite differences of the loss")
  func finiteDifferences() throws {
    let trainer = try trainer(frozen: [])
    var parameters = trainer.parameters
    let configuration = LossConfiguration(headWeights: [1, 0.7], frozenLayers: ["bn1"])
    func found() throws -> LossGradients {
      try trainer.graph.lossGradients(
        batch(8), parameters: parameters, configuration: configuration, work: work)
    }
    let gradients = try found().gradients
    for (name, index) in [("conv1.weight", 31), ("conv1.bias", 1), ("side.weight", 17)] {
      let value = parameters[name].elements[index]
      parameters[name].elements[index] = value + 1e-3
      let above = try found().loss
      parameters[name].elements[index] = value - 1e-3
      let below = try found().loss
      parameters[name].elements[index] = value
      let gradient = try #require(gradients[name]).elements[index]
      #expect(
        abs(Float((above - below) / 2e-3) - gradient) <= 0.02 * abs(gradient) + 1e-4, "\(name)[\(index)]")
    }
  }

  @Test("frozen layers change no gradient of the others where no batch normalisation is among them")
  func othersStay() throws {
    let trainer = try trainer(frozen: [])
    func gradients(_ frozen: Set<String>) throws -> [String: Tensor] {
      try trainer.graph.lossGradients(
        batch(8), parameters: trainer.parameters,
        configuration: LossConfiguration(headWeights: [1, 0.3], frozenLayers: frozen), work: work
      ).gradients
    }
    let all = try gradients([])
    for frozen: Set<String> in [["conv1"], ["conv2"], ["up", "conv1"]] {
      #expect(
        try gradients(frozen)
          == all.filter { !frozen.contains(String($0.key.prefix { $0 != "." })) })
    }
  }

  @Test("a training with frozen layers resumes bit for bit")
  func resume() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "c.safetensors").path
      var straight = try trainer(frozen: ["conv1", "bn1"], optimiser: .rmsProp(momentum: 0.5))
      straight.options.rateMultipliers = ["up.weight": 10, "up.bias": 10]
      try Checkpoint.write(straight, to: path)
      var resumed = try Checkpoint.read(path: path).trainer
      for index in 5..<7 {
        _ = try straight.step(batch(index), work: work)
        _ = try resumed.step(batch(index), work: WorkContext(threadCount: 1))
      }
      #expect(resumed.parameters == straight.parameters)
      #expect(resumed.optimiserState == straight.optimiserState)
      #expect(resumed.options == straight.options)
    }
  }

  @Test(
    "layers are named by patterns",
    arguments: [
      ("conv1", ["conv1"]), ("conv*", ["conv1", "conv2"]), ("*", ["conv1", "bn1", "conv2", "up", "side"]),
      ("*1", ["conv1", "bn1"]), ("*o*1", ["conv1"]), ("s*d*", ["side"]), ("**up**", ["up"]),
    ])
  func patterns(pattern: String, layers: [String]) throws {
    let graph = try NetworkGraph.tiny.resolved()
    #expect(try graph.trainedLayers(matching: pattern, option: "--freeze") == Set(layers))
  }

  @Test("a pattern of no layer with weights is refused", arguments: ["relu1", "conv", "*x", ""])
  func noLayer(pattern: String) throws {
    let graph = try NetworkGraph.tiny.resolved()
    #expect(
      refusal { _ = try graph.trainedLayers(matching: pattern, option: "--freeze") }
        == "--freeze: names no layer with weights: found \(pattern), expected one of conv1, bn1, conv2, up, side"
    )
  }
}
