import ArgumentParser
import Networks
import Tensors
import Volumes
import Work

/// `segdeck-bench layer`: one layer of a network, forwards and both gradients.
struct LayerBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layer",
    abstract: "Time a layer of a network by name (conv1b, deconv2, pool1, bn3a, ...), forwards and backwards."
  )

  @Argument(help: "The layer's name.") var layer: String
  @Option(help: "liver, heart, a layer graph as JSON, or a model file.") var network = BenchNetwork.liver
  @Option(
    help: "Voxels of the network's image, as XxYxZ; the layer gets the input that it has in the network.",
    transform: voxelShape)
  var shape: GridSize?
  @Option(help: "How to convolve; by default the best.", transform: convolutionMethod)
  var method: ConvolutionMethod?
  @OptionGroup var repeats: RepeatOption
  @OptionGroup var bench: BenchOptions

  func run() throws {
    keepFreedMemory()
    let (unresolved, parameters) = try network.load()
    let graph = try unresolved.resolved(subject: network.name)
    guard let index = graph.nodes.firstIndex(where: { $0.layer.name == layer }) else {
      let names = graph.nodes.map(\.layer.name).joined(separator: ", ")
      throw ValidationError("\(network.name) has no layer '\(layer)'; it has \(names)")
    }
    let size = shape ?? network.usualShape
    let extents = try graph.outputExtents(input: size.extent, subject: "--shape \(size)")
    let node = graph.nodes[index]
    let subject = LayerSubject(
      node: node, inputExtent: node.sources[0].map { extents[$0] } ?? size.extent,
      outputExtent: extents[index], parameters: parameters, method: method, work: bench.work)
    for part in try subject.parts() {
      PeakMemory.reset()
      let measurement = try Measurement(repeats: repeats.count, part.run)
      var line = JSONLine("layer")
      line.add("network", network.name)
      line.add("layer", layer)
      line.add("part", part.name)
      line.add("shape", "\(size)")
      line.add("input", subject.text(node.inputChannels.reduce(0, +), subject.inputExtent))
      line.add("output", subject.text(node.outputChannels, subject.outputExtent))
      line.add("kernel", part.kernel)
      line.add(measurement)
      if let seconds = part.preparationSeconds { line.add("prepare_s", seconds) }
      line.add(operations: part.operations, measurement)
      bench.print(line)
    }
  }
}

private func convolutionMethod(_ name: String) throws -> ConvolutionMethod {
  guard let method = ConvolutionMethod.allCases.first(where: { "\($0)" == name }) else {
    let names = ConvolutionMethod.allCases.map { "\($0)" }.joined(separator: ", ")
    throw ValidationError("--method is one of \(names), not '\(name)'")
  }
  return method
}
