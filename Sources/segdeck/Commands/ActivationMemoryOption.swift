import ArgumentParser
import Networks

/// The option for the memory of a network's activations.
struct ActivationMemoryOption: ParsableArguments {
  @Option(
    name: .customLong("memory"),
    help: ArgumentHelp(
      "Megabytes that the network's activations may take; larger images pass in slabs. (default: \(Network.memoryLimit >> 20))"
    ))
  var megabytes: Int?

  func validate() throws {
    if let megabytes, !(1...1 << 20).contains(megabytes) {
      throw ValidationError("--memory is 1 to \(1 << 20) megabytes, not \(megabytes)")
    }
  }

  /// The limit in bytes; the network's own where none was given.
  var bytes: Int { megabytes.map { $0 << 20 } ?? Network.memoryLimit }
}
