import ArgumentParser
import Foundation
import ImageFormats
import Review
import Screen
import Segmentation
import Synchronization
import Volumes
import Work

/// `segdeck-bench knobs`: the time from a change of a CRF parameter to the frame that shows the refined region.
///
/// Keys pass through the review's own reducer, jobs and renderer, without a terminal.
struct KnobsBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "knobs",
    abstract: "Time changes of the CRF's knobs, from the key to the frame that shows the refined region.",
    discussion: "A line for each knob, one for all together, one for the image that follows.")

  @Option(help: "An image; by default a generated case.", completion: .file()) var image: String?
  @Option(help: "A mask on the image's grid, to be refined.", completion: .file()) var mask: String?
  @Option(help: "A model file, to be run first and refined; instead of a mask.", completion: .file())
  var model: String?
  @Option(help: "Voxels of the generated case, as XxYxZ.", transform: voxelShape)
  var shape = GridSize(256, 256, 128)
  @Option(help: "Labels of the generated case.") var labels = 6
  @Option(help: "Changes of each knob.") var turns = 20
  @OptionGroup var bench: BenchOptions

  func validate() throws {
    guard (2...10_000).contains(turns) else { throw ValidationError("--turns is 2 to 10000, not \(turns)") }
    guard (1...24).contains(labels) else { throw ValidationError("--labels is 1 to 24, not \(labels)") }
    guard image != nil || mask == nil && model == nil else {
      throw ValidationError("--mask and --model need --image")
    }
    guard image == nil || (mask == nil) != (model == nil) else {
      throw ValidationError("--image needs either --mask or --model")
    }
  }

  func run() throws {
    let content = try content()
    let player = try KnobPlayer(content, model: model, work: bench.work)
    var all: [Double] = []
    for (name, steps) in player.knobs {
      player.select(steps)
      PeakMemory.reset()
      let seconds = try (0...turns).map { try player.change($0) }
      all += seconds.dropFirst()
      report(name, Measurement(seconds), player)
    }
    // The first run is a warm-up that is not part of the median, so the first value is given twice.
    report("all", Measurement(all.prefix(1) + all), player)
    report("whole image", Measurement(try (0..<4).map { _ in try player.wholeImage() }), player)
  }

  private func report(_ knob: String, _ measurement: Measurement, _ player: KnobPlayer) {
    var line = JSONLine("knobs")
    line.add("knob", knob)
    line.add("shape", "\(player.state.grid.size)")
    line.add("region", "\(player.lastRegion)")
    line.add("labels", player.state.refinementBase?.table.labels.count ?? 0)
    line.add(measurement)
    line.add("p95_s", measurement.percentile(0.95))
    line.add("max_s", measurement.maximum)
    bench.print(line)
  }

  private func content() throws -> ReviewCase {
    guard let image else { return try ScrolledCase.content(shape, labelCount: labels, work: bench.work) }
    let volume = try ImageFile.open(image).scalarVolume(work: bench.work)
    let masks = try mask.map { path in
      let labels = try ImageFile.open(path).labelVolume(work: bench.work)
        .fitted(to: volume.grid, subject: path, work: bench.work)
      return [LoadedMask(name: "mask", path: path, labels: ChunkedLabels(labels), table: LabelTable())]
    }
    return ReviewCase(
      name: "bench", imagePath: image, image: volume, masks: masks ?? [], exportPath: "/bench_seg.nii.gz")
  }
}

/// A review whose parameters are changed one after the other; each result is awaited.
private final class KnobPlayer {
  private(set) var state: ReviewState
  private(set) var lastRegion = GridSize(0, 0, 0)
  private let inbox = Inbox()
  private let runner: JobRunner

  /// Opens the CRF panel of the case, on its mask or on the mask of `model`.
  init(_ content: ReviewCase, model: String?, work: WorkContext) throws {
    let services = try BenchServices(content, model: model, threadCount: work.threadCount)
    runner = JobRunner(services: services) { [inbox] in inbox.put($0) }
    state = ReviewState(
      request: OpenCaseRequest(imagePath: content.imagePath), screen: ScreenSize(rows: 60, columns: 200),
      capabilities: TerminalCapabilities(colourDepth: .trueColour, showsUnicode: true))
    perform(state.begin())
    try wait { $0.phase == .reviewing }
    if model != nil {
      press(.character("m"))
      try wait { $0.models != nil }
      press(.enter)
      try wait { !$0.decisions.versions.isEmpty }
      press(.character("G"))
    }
    press(.character("t"))
    try wait { $0.live?.whole != nil && $0.measures != nil }
  }

  /// Each knob's name, and its steps down from the first.
  var knobs: [(String, Int)] {
    let kernels = ["mu1", "theta-alpha", "theta-beta", "mu2", "theta-gamma", "iterations"]
    let heads = state.refinementBase?.auxiliaryHeadCount ?? 0
    let isMask = state.refinementBase?.probabilities == nil
    let names = kernels + (0..<heads).map { "tau\($0 + 1)" } + (isMask ? ["certainty"] : [])
    return names.enumerated().map { ($1, $0) }
  }

  /// Selects the knob that is `steps` rows below the first.
  func select(_ steps: Int) {
    while state.selectedKnob != .appearanceWeight { press(.up) }
    for _ in 0..<steps { press(.down) }
  }

  /// Seconds from a change to the frame that shows the refined region.
  ///
  /// Values go up and down but never back to the one with which the image was last refined, because its result is
  /// cached.
  func change(_ number: Int) throws -> Double {
    let isUp = number < 3 || (number - 3) / 2 % 2 == 1
    let start = ContinuousClock.now
    press(isUp ? .right : .left)
    try wait { $0.live?.latest?.knobs == $0.decisions.knobs }
    _ = render(state)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    if let box = state.live?.region?.part.box { lastRegion = box.size }
    return seconds
  }

  /// Seconds from a change to the frame that shows the refined image.
  func wholeImage() throws -> Double {
    let start = ContinuousClock.now
    press(.right)
    try wait { $0.live?.whole?.knobs == $0.decisions.knobs }
    _ = render(state)
    return (ContinuousClock.now - start) / .seconds(1)
  }

  private func press(_ key: Key) { perform(reduce(&state, .terminal(.key(key)))) }

  private func perform(_ effects: [ReviewEffect]) {
    for effect in effects { runner.perform(effect) }
  }

  /// Handles events until the state fulfils a condition.
  private func wait(_ isReached: (ReviewState) -> Bool) throws {
    while !isReached(state) {
      for event in inbox.removeAll() { perform(reduce(&state, event)) }
      if let message = state.message, message.kind == .error { throw InputError("review", message.text) }
      if case .ended(let failure) = state.phase { throw InputError("review", failure ?? "ended") }
    }
  }
}

/// Events from the threads of jobs.
private final class Inbox: Sendable {
  private let events = Mutex<[ReviewEvent]>([])
  private let arrival = DispatchSemaphore(value: 0)

  func put(_ event: ReviewEvent) {
    events.withLock { $0.append(event) }
    arrival.signal()
  }

  /// Waits for an event and removes all.
  func removeAll() -> [ReviewEvent] {
    arrival.wait()
    return events.withLock { events in
      defer { events = [] }
      return events
    }
  }
}
