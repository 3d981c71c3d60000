import ArgumentParser
import DenseCRF
import Foundation
import Networks
import Segmentation
import Synchronization
import Tensors
import Volumes
import Work

/// `segdeck-bench cancel`: the latency of cancellation of a computation.
struct CancelBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Time from a request to stop until the computation returns.")

  /// The computation that is stopped.
  enum Subject: String, ExpressibleByArgument, CaseIterable {
    case network, train, crf, segment

    var usualShape: GridSize {
      switch self {
      case .network, .train: GridSize(160, 160, 72)
      case .crf: GridSize(192, 192, 96)
      case .segment: GridSize(512, 512, 300)
      }
    }
  }

  @Argument(help: "network, train, crf or segment.") var subject: Subject
  @Option(help: "Voxels, as XxYxZ; by default of a usual image.", transform: voxelShape)
  var shape: GridSize?
  @Option(help: "Requests, each at another random time.") var requests = 20
  @OptionGroup var bench: BenchOptions

  func validate() throws {
    guard (2...10_000).contains(requests) else {
      throw ValidationError("--requests is 2 to 10000, not \(requests)")
    }
  }

  func run() throws {
    let size = shape ?? subject.usualShape
    let body = try computation(size)
    // Twice, because the first run may fill caches that later ones find.
    try body(bench.work)
    let whole = try Measurement.seconds { try body(bench.work) }
    var random = SplitMix64(seed: 7)
    var delays: [(seconds: Double, requestTime: Double)] = []
    PeakMemory.reset()
    while delays.count < requests {
      let requestTime = random.uniform(0...whole)
      if let delay = try delay(of: body, requestedAfter: requestTime) { delays.append((delay, requestTime)) }
    }
    let sorted = delays.sorted { $0.seconds < $1.seconds }
    let slowest = sorted[sorted.count - 1]
    var line = JSONLine("cancel")
    line.add("of", subject.rawValue)
    line.add("shape", "\(size)")
    line.add("requests", requests)
    line.add("whole_s", whole)
    line.add("median_s", sorted[sorted.count / 2].seconds)
    line.add("p95_s", sorted[(sorted.count * 95 + 99) / 100 - 1].seconds)
    line.add("max_s", slowest.seconds)
    line.add("max_at_s", slowest.requestTime)
    bench.print(line)
  }

  /// Seconds from the request to the return; nil when the computation was done before the request.
  private func delay(
    of body: (WorkContext) throws -> Void, requestedAfter seconds: Double
  ) throws -> Double? {
    let request = DelayedRequest(after: seconds)
    do {
      try body(WorkContext(threadCount: bench.threads, cancellation: request.cancellation))
    } catch is Cancelled {
      let end = ContinuousClock.now
      return (end - request.requestTime()) / .seconds(1)
    }
    _ = request.requestTime()
    return nil
  }

  /// The computation, as a function of its context.
  private func computation(_ size: GridSize) throws -> (WorkContext) throws -> Void {
    switch subject {
    case .network:
      let (graph, parameters) = try BenchNetwork.liver.load()
      let input = Tensor(noiseImage: size)
      // Preparing the weights is part of what a user waits for, and must stop as well.
      return { work in
        let network = try Network(graph: graph, parameters: parameters, heads: [0])
        _ = try network.logits(of: input, heads: [0], work: work)
      }
    case .train:
      let graph = try BenchNetwork.liver.load().graph
      let batch = try TrainingBatch(noise: size, for: graph)
      var trainer = try Trainer(noise: graph)
      return { work in _ = try trainer.step(batch, work: work) }
    case .crf:
      let (image, probabilities) = CRFBench.generatedCase(size, classCount: 2)
      return { work in
        let crf = try DenseCRF(
          image: image, size: size, spacing: Spacing(1), intensityRange: 0...255, work: work)
        let unary = try Unary(probabilities: probabilities, classCount: 2, size: size, work: work)
        _ = try crf.refine(unary, settings: .bench, work: work)
      }
    case .segment: return try Self.segmentation(size)
    }
  }

  /// From an image in memory to labels on its own grid, with the liver network at 3 mm.
  private static func segmentation(_ size: GridSize) throws -> (WorkContext) throws -> Void {
    let (graph, parameters) = try BenchNetwork.liver.load()
    let model = SegmentationModel(
      name: "bench", graph: graph, parameters: parameters,
      labels: [Label(value: 1, name: "liver", colour: LabelTable.colour(ofValue: 1))],
      preprocessing: Preprocessing(
        spacingMillimetres: Spacing(3), normalisation: .window(lower: -150, upper: 250)))
    let image = try ScrolledCase.content(size, work: WorkContext()).image
    return { work in
      let segmenter = try Segmenter(model: model, usesAuxiliaryHeads: false, work: work)
      let prediction = try segmenter.prediction(for: [image], work: work)
      _ = try segmenter.labels(of: prediction, work: work)
    }
  }
}

/// Requests a stop from another thread after a delay, and stores the time of the request.
private final class DelayedRequest: Sendable {
  let cancellation = Cancellation()
  private let asked = Mutex<ContinuousClock.Instant?>(nil)
  private let isDone = DispatchSemaphore(value: 0)

  init(after seconds: Double) {
    Thread.detachNewThread { [self] in
      usleep(UInt32(seconds * 1e6))
      asked.withLock { $0 = ContinuousClock.now }
      cancellation.request()
      isDone.signal()
    }
  }

  /// Waits for the request and gives its time; may be called once.
  func requestTime() -> ContinuousClock.Instant {
    isDone.wait()
    guard let requestTime = asked.withLock({ $0 }) else { preconditionFailure("a request without a time") }
    return requestTime
  }
}
