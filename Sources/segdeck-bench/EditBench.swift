import ArgumentParser
import Review
import Screen
import Volumes
import Work

/// `segdeck-bench edit`: the time from Enter after `:paint` to a finished frame, and the memory of an edit.
struct EditBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit",
    abstract: "Time single changed voxels of a mask, from the key to the cells, and their memory.")

  @Option(help: "Voxels of the image, as XxYxZ.", transform: voxelShape) var shape = GridSize(512, 512, 400)
  @Option(help: "Changes.") var edits = 200
  @OptionGroup var bench: BenchOptions

  func validate() throws {
    guard (2...100_000).contains(edits) else {
      throw ValidationError("--edits is 2 to 100000, not \(edits)")
    }
  }

  func run() throws {
    let content = try ScrolledCase.content(shape, work: bench.work)
    let components = try content.masks.map { try LabelComponents($0.labels, work: bench.work) }
    let opened = OpenedCase(
      content: content, intensities: IntensitySummary(content.image), maskComponents: components)
    var state = ReviewState(
      request: OpenCaseRequest(imagePath: content.imagePath), screen: ScreenSize(rows: 60, columns: 200),
      capabilities: TerminalCapabilities(colourDepth: .trueColour, showsUnicode: true))
    _ = state.begin()
    _ = reduce(&state, .jobEnded(JobID(1), .finished(OpeningJob.self, with: opened)))
    var random = SplitMix64(seed: 7)
    var seconds: [Double] = []
    var bytesBefore = 0
    for edit in 0...edits {
      func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
      type("g\(below(shape.i)),\(below(shape.j)),\(below(shape.k))", into: &state)
      _ = reduce(&state, .terminal(.key(.enter)))
      type(":paint \(below(7))", into: &state)
      let start = ContinuousClock.now
      _ = reduce(&state, .terminal(.key(.enter)))
      _ = render(state)
      // The first edit makes the version that the others change.
      if edit == 0 {
        bytesBefore = PeakMemory.presentBytes
      } else {
        seconds.append((ContinuousClock.now - start) / .seconds(1))
      }
    }
    let measurement = Measurement(seconds)
    var line = JSONLine("edit")
    line.add("shape", "\(shape)")
    line.add("edits", edits)
    line.add(measurement)
    line.add("p95_s", measurement.percentile(0.95))
    line.add("max_s", measurement.maximum)
    line.add("bytes_per_edit", (PeakMemory.presentBytes - bytesBefore) / edits)
    line.add("steps", state.history.steps.count)
    bench.print(line)
  }

  private func type(_ text: String, into state: inout ReviewState) {
    for character in text { _ = reduce(&state, .terminal(.key(.character(character)))) }
  }
}
