import Networks
import Tensors
import TestSupport
import Testing
import Work

@Test("a network stops in each of its layers, while it is prepared and while it runs")
func networkStops() throws {
  let graph = NetworkGraph.tiny
  let parameters = Parameters(initialising: try graph.resolved(), seed: 3)
  var generator = SplitMix64(seed: 4)
  let image = Tensor(shape: [1, 1, 16, 24, 32], elements: generator.floats(16 * 24 * 32))
  try expectStops(atEachOf: 10) { work in
    let network = try Network(graph: graph, parameters: parameters)
    _ = try network.logits(of: image, heads: [0, 1], work: work)
  }
}

@Test("a training step stops in each of its layers, forwards and backwards, and leaves the weights alone")
func trainingStepStops() throws {
  let trainer = try Trainer(
    graph: .tiny, options: TrainingOptions(schedule: .constant(rate: 0.1)), seed: 5)
  let batch = TrainingBatch.balls(count: 2, extent: Extent3(8, 12, 16), seed: 6)
  try expectStops(atEachOf: 20) { work in
    var stepped = trainer
    do { _ = try stepped.step(batch, work: work) } catch {
      #expect(stepped.parameters == trainer.parameters)
      throw error
    }
  }
}
