import ArgumentParser
import Networks

/// The option for the memory of a network's activations.
struct ActivationMemoryOption: ParsableArguments {
  @Option(
    name: .customLong("memory"),
    help: ArgumentHelp(
      "Megabytes that the network's activations may take; larger images pass in slabs. (default: \(Network.memoryLimit >> 20))"
    ), transform: OptionParsing.wholeNumber)
  var megabytes: Int?

  func validate() throws {
    if let megabytes {
      try OptionParsing.require(megabytes, in: 1...1 << 20, option: "--memory", unit: " megabytes")
    }
  }

  /// The limit in bytes; the network's own where none was given.
  var bytes: Int { megabytes.map { $0 << 20 } ?? Network.memoryLimit }
}
