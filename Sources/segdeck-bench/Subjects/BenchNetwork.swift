import ArgumentParser
import Networks
import Tensors
import Volumes
import Work

/// A network to measure: one of the paper's, or that of a file.
enum BenchNetwork: ExpressibleByArgument {
  case liver, heart
  /// A layer graph as JSON, or a model file.
  case file(String)

  init(argument: String) {
    switch argument {
    case "liver": self = .liver
    case "heart": self = .heart
    default: self = .file(argument)
    }
  }

  /// As it is written on the command line.
  var name: String {
    switch self {
    case .liver: "liver"
    case .heart: "heart"
    case .file(let path): path
    }
  }

  var defaultValueDescription: String { name }

  /// The graph and its weights: those of the model file, else the same random ones every time.
  ///
  /// The liver network is as the paper has it, without batch normalisation, which folds away anyway.
  /// - Throws: ``InputError`` when the file holds no network.
  func load() throws(InputError) -> (graph: NetworkGraph, parameters: Parameters) {
    let graph: NetworkGraph
    switch self {
    case .liver: graph = .liver(hasBatchNormalisation: false)
    case .heart: graph = .heart()
    case .file(let path) where ModelFile.isName(path):
      let model = try ModelFile(path: path)
      return (model.graph, model.parameters)
    case .file(let path):
      graph = try NetworkGraph(json: String(decoding: FileSystem.read(path), as: UTF8.self), subject: path)
    }
    return (graph, Parameters(initialising: try graph.resolved(subject: name), seed: 7))
  }

  /// Voxels of the images that the comparison with other programs takes.
  var usualShape: GridSize {
    switch self {
    case .liver: GridSize(160, 160, 72)
    case .heart, .file: GridSize(64, 64, 64)
    }
  }
}
