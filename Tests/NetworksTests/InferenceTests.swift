import Networks
import Synchronization
import Tensors
import TestSupport
import Testing
import Work

@Suite("Running a network")
struct InferenceTests {
  private func network(_ graph: NetworkGraph = .tiny) throws -> Network {
    try Network(
      graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 1))
  }

  private let image = TrainingBatch.balls(count: 1, extent: Extent3(8, 12, 10), seed: 2).input

  @Test("operations are counted as the paper's networks need them")
  func operations() throws {
    let extent = Extent3(72, 160, 160)
    let liver = try network(.liver())
    let work = WorkContext(threadCount: 2)
    let main = try liver.plan(for: extent, work: work).operationCount
    let all = try liver.plan(for: extent, heads: [0, 1, 2], work: work).operationCount
    #expect(abs(main / 228.4e9 - 1) < 1e-3)
    #expect(abs(all / 229.8e9 - 1) < 1e-3)
  }

  @Test("the logits of one head do not depend on the other requested heads")
  func subset() throws {
    let network = try network()
    let work = WorkContext(threadCount: 2)
    let all = try network.logits(of: image, heads: [0, 1], work: work)
    #expect(try network.logits(of: image, heads: [1], work: work) == [all[1]])
    #expect(try network.logits(of: image, heads: [1, 0], work: work) == [all[1], all[0]])
    #expect(try network(image, work: work) == all[0])
    #expect(all.map(\.shape) == [[1, 2, 8, 12, 10], [1, 2, 8, 12, 10]])
  }

  @Test("logits do not depend on the number of threads")
  func threads() throws {
    let network = try network()
    let one = try network.logits(of: image, heads: [0, 1], work: WorkContext(threadCount: 1))
    #expect(try network.logits(of: image, heads: [0, 1], work: WorkContext(threadCount: 3)) == one)
  }

  @Test("progress rises to 1")
  func progress() throws {
    let fractions = Mutex<[Double]>([])
    let work = WorkContext(threadCount: 1, report: { fraction in fractions.withLock { $0.append(fraction) } })
    _ = try network()(image, work: work)
    let reported = fractions.withLock { $0 }
    #expect(reported == reported.sorted())
    #expect(reported.last == 1)
    #expect(reported.count >= 4)
  }

  @Test("a cancelled run throws Cancelled")
  func cancelled() throws {
    let network = try network()
    let cancellation = Cancellation()
    let work = WorkContext(
      threadCount: 1, cancellation: cancellation,
      report: { fraction in if fraction > 0.1 { cancellation.request() } })
    #expect(throws: Cancelled.self) { _ = try network(image, work: work) }
  }

  @Test("an image that does not fit is refused with one line")
  func misfit() throws {
    let network = try network()
    #expect(
      refusal { _ = try network(Tensor(shape: [1, 2, 8, 8, 8]), work: WorkContext()) }
        == "image: shape: found [1, 2, 8, 8, 8], expected [n, 1, z, y, x] for this network")
    #expect(
      refusal { _ = try network(Tensor(shape: [1, 1, 1, 8, 8]), work: WorkContext()) }
        == "image: layer pool1: the image is too small for it: found 1x8x8 voxels (z, y, x) entering the layer"
    )
  }
}
