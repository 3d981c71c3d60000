import ArgumentParser
import Networks

/// The option for the memory of a network's activations.
struct ActivationMemoryOption: ParsableArguments {
  @Option(
    name: .customLong("memory"),
    help: "Megabytes that the network's activations may take; larger images pass in slabs.")
  var megabytes = Network.memoryLimit >> 20

  func validate() throws {
    if !(1...1 << 20).contains(megabytes) {
      throw ValidationError("--memory is 1 to \(1 << 20) megabytes, not \(megabytes)")
    }
  }

  /// The limit in bytes.
  var bytes: Int { megabytes << 20 }
}
