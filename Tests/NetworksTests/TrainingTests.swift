import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Work

@Suite("Training")
struct TrainingTests {
  private let work = WorkContext(threadCount: 2)
  private let extent = Extent3(8, 10, 12)

  private func trainer(_ optimiser: Optimiser = .momentum(), rate: Double = 0.05) throws -> Trainer {
    try Trainer(
      graph: .tiny, options: TrainingOptions(optimiser: optimiser, schedule: .constant(rate: rate)), seed: 7)
  }

  private func batch(_ index: Int) -> TrainingBatch {
    .balls(count: 2, extent: extent, seed: UInt64(100 + index))
  }

  @Test("schedules follow their formulas")
  func schedules() {
    func rates(_ schedule: LearningRateSchedule, _ iterations: [Int]) -> [Double] {
      iterations.map { (schedule.rate(at: $0) * 1e6).rounded() / 1e6 }
    }
    #expect(rates(.constant(rate: 0.1), [0, 99]) == [0.1, 0.1])
    #expect(rates(.steps(rate: 0.1, interval: 50), [0, 49, 50, 100]) == [0.1, 0.1, 0.01, 0.001])
    #expect(rates(.polynomial(rate: 0.01, iterations: 100), [0, 50, 100, 120]) == [0.01, 0.005359, 0, 0])
    #expect(
      rates(.warmUpCosine(rate: 0.2, warmUp: 4, iterations: 104), [0, 3, 4, 54, 104]) == [
        0.05, 0.2, 0.2, 0.1, 0,
      ])
  }

  @Test("auxiliary losses decay, the main one stays")
  func headWeights() {
    let options = TrainingOptions(schedule: .constant(rate: 1), auxiliaryInterval: 10)
    let graph = NetworkGraph.liver()
    #expect(options.headWeights(of: graph, at: 9) == [1, 0.3, 0.4])
    let later = options.headWeights(of: graph, at: 25)
    #expect(later[0] == 1)
    #expect(abs(later[1] - 0.3 * 0.9025) < 1e-12 && abs(later[2] - 0.4 * 0.9025) < 1e-12)
  }

  @Test("the heart release's rate multipliers")
  func multipliers() {
    let multipliers = TrainingOptions.publishedRateMultipliers(for: .heart())
    #expect(multipliers["conv1a.bias"] == 2 && multipliers["score.bias"] == 2)
    #expect(multipliers["aux1d.weight"] == 0.1 && multipliers["aux2e.weight"] == 0.1)
    #expect(multipliers["conv1a.weight"] == nil && multipliers["deconv1.weight"] == nil)
    #expect(multipliers.count == 13)
  }

  @Test(
    "an optimiser's two steps are what its formula says",
    arguments: [
      (Optimiser.momentum(0.9), 1.0, 2.9), (.momentum(0.9, isNesterov: true), 1.9, 3.71 + 0.9),
    ])
  func momentum(optimiser: Optimiser, first: Double, second: Double) throws {
    // With a rate so small that the gradient stays, the steps are rate x gradient x these factors.
    var trainer = try Trainer(
      graph: .tiny,
      options: TrainingOptions(optimiser: optimiser, schedule: .constant(rate: 1e-5), weightDecay: 0), seed: 7
    )
    let start = trainer.parameters["up.bias"].elements
    let gradient = try trainer.graph.lossGradients(
      batch(0), parameters: trainer.parameters, configuration: LossConfiguration(headWeights: [1, 0.3]),
      work: work
    ).gradients["up.bias"]!.elements
    for factor in [first, second] {
      _ = try trainer.step(batch(0), work: work)
      let moved = zip(trainer.parameters["up.bias"].elements, start).map { ($0 - $1) / -1e-5 }
      for (step, derivative) in zip(moved, gradient) {
        #expect(abs(step - Float(factor) * derivative) <= 2e-3 * abs(Float(factor) * derivative))
      }
    }
  }

  @Test("Adam's first step moves every weight by the learning rate")
  func adam() throws {
    var trainer = try trainer(.adam(), rate: 1e-3)
    let start = trainer.parameters["up.bias"].elements
    _ = try trainer.step(batch(0), work: work)
    for (after, before) in zip(trainer.parameters["up.bias"].elements, start) {
      #expect(abs(abs(after - before) - 1e-3) < 1e-6)
    }
  }

  @Test("weight decay shrinks weights, not biases, and clipping bounds the step")
  func decayAndClipping() throws {
    var options = TrainingOptions(
      optimiser: .momentum(0), schedule: .constant(rate: 0.5), weightDecay: 0.1, gradientNormClip: 1e-12)
    var trainer = try Trainer(graph: .tiny, options: options, seed: 7)
    let before = trainer.parameters
    let step = try trainer.step(batch(0), work: work)
    #expect(step.gradientNorm > 1e-3 && step.learningRate == 0.5)
    for (name, tensor) in before.tensors where !name.contains("running") {
      let factor: Float = name.hasSuffix(".weight") && !name.hasPrefix("bn") ? 0.95 : 1
      let moved = trainer.parameters[name].elements
      #expect(zip(moved, tensor.elements).allSatisfy { abs($0 - factor * $1) < 1e-6 }, "\(name)")
    }
    options.weightDecay = 0
    options.rateMultipliers = ["up.bias": 0]
    options.gradientNormClip = nil
    trainer.options = options
    let bias = trainer.parameters["up.bias"]
    _ = try trainer.step(batch(1), work: work)
    #expect(trainer.parameters["up.bias"] == bias)
    #expect(trainer.parameters["side.bias"] != before["side.bias"])
  }

  @Test("running statistics are updated with momentum 0.1 and the unbiased variance")
  func runningStatistics() throws {
    var trainer = try trainer(rate: 0)
    let batch = batch(0)
    let statistics = try trainer.graph.lossGradients(
      batch, parameters: trainer.parameters, configuration: LossConfiguration(headWeights: [1, 0]), work: work
    ).statistics["bn1"]!
    _ = try trainer.step(batch, work: work)
    let mean = trainer.parameters["bn1.running_mean"].elements
    let variance = trainer.parameters["bn1.running_var"].elements
    for channel in 0..<4 {
      #expect(abs(mean[channel] - 0.1 * statistics.mean[channel]) < 1e-6)
      #expect(abs(variance[channel] - (0.9 + 0.1 * statistics.unbiasedVariance[channel])) < 1e-6)
    }
  }

  @Test("a head without weight neither runs nor moves its layers")
  func silentHead() throws {
    var graph = NetworkGraph.tiny
    graph.heads[1].lossWeight = 0
    var trainer = try Trainer(
      graph: graph, options: TrainingOptions(schedule: .constant(rate: 0.1)), seed: 7)
    let side = trainer.parameters["side.weight"]
    let step = try trainer.step(batch(0), work: work)
    #expect(step.headLosses[1] == 0 && step.loss == step.headLosses[0])
    #expect(trainer.parameters["side.weight"] == side)
  }

  @Test("a batch that does not fit is refused, and leaves the trainer as it was")
  func misfit() throws {
    var trainer = try trainer()
    let parameters = trainer.parameters
    let image = Tensor(shape: [1, 1, 2, 2, 2])
    #expect(
      refusal {
        _ = try trainer.step(TrainingBatch(input: image, labels: [0, 1, 2, 0, 0, 0, 0, 0]), work: work)
      }
        == "training labels: a label: found 2, expected 0 to 1, or the ignored label")
    let odd = TrainingBatch(input: Tensor(shape: [1, 1, 3, 2, 2]), labels: [UInt8](repeating: 0, count: 12))
    #expect(
      refusal { _ = try trainer.step(odd, work: work) }.contains("head main gives logits on another grid"))
    let cancellation = Cancellation()
    cancellation.request()
    #expect(throws: Cancelled.self) {
      _ = try trainer.step(batch(0), work: WorkContext(threadCount: 1, cancellation: cancellation))
    }
    #expect(trainer.parameters == parameters && trainer.iteration == 0)
  }

  @Test(
    "a training resumed from its checkpoint is the uninterrupted one bit for bit",
    arguments: [
      Optimiser.momentum(0.9, isNesterov: true), .adam(), .adamW(), .rmsProp(momentum: 0.9),
    ])
  func resume(optimiser: Optimiser) throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "c.safetensors").path
      var straight = try trainer(optimiser, rate: 0.01)
      straight.options.emaDecay = 0.9
      straight.options.loss = try Loss("focal + 0.5*dice", option: "--loss")
      for index in 0..<5 {
        if index == 3 { try Checkpoint.write(straight, metadata: ["labels": "x"], to: path) }
        _ = straight.generator.next()
        _ = try straight.step(batch(index), work: work)
      }
      var (resumed, metadata) = try Checkpoint.read(path: path)
      #expect(resumed.iteration == 3 && metadata == ["labels": "x"])
      for index in 3..<5 {
        _ = resumed.generator.next()
        _ = try resumed.step(batch(index), work: WorkContext(threadCount: 1))
      }
      #expect(resumed.parameters == straight.parameters)
      #expect(resumed.emaParameters == straight.emaParameters && resumed.emaParameters != resumed.parameters)
      #expect(resumed.optimiserState == straight.optimiserState)
      #expect(resumed.generator == straight.generator)
      #expect(resumed.options == straight.options)
      #expect(try ModelFile(path: path).graph == .tiny)
    }
  }

  @Test("a model without training state is not a checkpoint")
  func notACheckpoint() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "m.safetensors").path
      try trainer().model().write(to: path)
      #expect(
        refusal { _ = try Checkpoint.read(path: path) }
          == "\(path): a model, but not a checkpoint: its metadata has no \"checkpoint\"")
    }
  }

  @Test(
    "training overfits one generated case: loss below 0.1 in 100 iterations, and a good mask at inference")
  func overfits() throws {
    var trainer = try trainer(rate: 0.1)
    let batch = TrainingBatch.balls(count: 1, extent: extent, seed: 100)
    let first = try trainer.step(batch, work: work).headLosses[0]
    var last = first
    for _ in 1..<100 { last = try trainer.step(batch, work: work).headLosses[0] }
    #expect(first > 0.3)
    #expect(last < 0.1)
    let network = try Network(graph: .tiny, parameters: trainer.parameters)
    let logits = try network(batch.input, work: work).elements
    let voxels = extent.product
    var wrong = 0
    for (index, label) in batch.labels.enumerated() {
      let voxel = index / voxels * 2 * voxels + index % voxels
      if (logits[voxel + voxels] > logits[voxel] ? 1 : 0) != label { wrong += 1 }
    }
    #expect(Double(wrong) / Double(batch.labels.count) < 0.06)
  }

  @Test("gradients agree with finite differences of the loss, branches included")
  func finiteDifferences() throws {
    let graph = try NetworkGraph.tiny.resolved()
    var parameters = Parameters(initialising: graph, seed: 9)
    let batch = TrainingBatch.balls(count: 2, extent: Extent3(4, 6, 4), seed: 4)
    let configuration = LossConfiguration(headWeights: [1, 0.7], classWeights: [1, 2])
    let gradients = try graph.lossGradients(
      batch, parameters: parameters, configuration: configuration, work: work
    ).gradients
    for (name, index) in [("conv1.weight", 31), ("bn1.weight", 2), ("bn1.bias", 1), ("side.weight", 17)] {
      let value = parameters[name].elements[index]
      func loss(_ shift: Float) throws -> Double {
        parameters[name].elements[index] = value + shift
        return try graph.lossGradients(
          batch, parameters: parameters, configuration: configuration, work: work
        ).loss
      }
      let derivative = Float((try loss(1e-3) - (try loss(-1e-3))) / 2e-3)
      parameters[name].elements[index] = value
      let gradient = try #require(gradients[name]).elements[index]
      #expect(abs(derivative - gradient) <= 0.02 * abs(gradient) + 1e-4, "\(name)[\(index)]")
    }
  }
}
