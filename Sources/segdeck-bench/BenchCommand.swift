import ArgumentParser

/// Times kernels, filters, readers and whole cases; one JSON line per measurement.
@main
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segdeck-bench", abstract: "Time kernels, filters, readers and whole cases as JSON lines.",
    subcommands: [
      NetworkBench.self, TrainingBench.self, LayerBench.self, CRFBench.self, ReadBench.self, ScrollBench.self,
      EditBench.self, CancelBench.self, KnobsBench.self, PictureBench.self, ScoresCommand.self,
    ])
}
