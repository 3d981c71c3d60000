import ArgumentParser
import Foundation
import Networks
import Tensors
import Volumes
import Work

/// `segdeck-bench scores`: the scores of a model for an array, to compare them with those of other frameworks.
struct ScoresCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scores", abstract: "Write the scores of a model's heads for an array.",
    discussion: """
      Arrays are float32, little-endian, without a header: the input [channels, z, y, x], the output [classes, z, y, x] \
      of each head, one after the other.
      """)

  @Argument(help: "Model file.") var model: String
  @Argument(help: "The input.") var input: String
  @Option(help: "Voxels of the input, as XxYxZ.", transform: voxelShape) var shape: GridSize
  @Option(name: .shortAndLong, help: "The output.") var output: String
  @OptionGroup var bench: BenchOptions

  func run() throws {
    let (graph, parameters) = try BenchNetwork.file(model).load()
    let elements = try FileSystem.read(input).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    let tensorShape = [1, graph.inputChannels, shape.k, shape.j, shape.i]
    guard elements.count == tensorShape.reduce(1, *) else {
      throw InputError(
        input, "has another number of values", found: "\(elements.count)",
        expected: "\(tensorShape.reduce(1, *)), \(graph.inputChannels) x \(shape)")
    }
    let heads = Array(graph.heads.indices)
    let network = try Network(graph: graph, parameters: parameters, heads: heads)
    let scores = try network.logits(
      of: Tensor(shape: tensorShape, elements: elements), heads: heads, work: bench.work)
    var data = Data()
    for head in scores { head.elements.withUnsafeBytes { data.append(contentsOf: $0) } }
    try AtomicFile.write(data, to: output)
  }
}
