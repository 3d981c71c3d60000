import Foundation
import Networks
import Work

/// Finds network graphs by name or path.
enum NetworkLibrary {
  /// The name of the U-Net that is planned for the cases (``UNetPlan``).
  static let planned = "auto"

  /// The layer graph of `--network`, with `classes` logits in every head and `inputChannels` images as its input.
  ///
  /// "liver" and "heart" are the networks of the paper. Any other name is the file NAME.json in the share folder's
  /// `networks`. A path is a layer graph as JSON. The layer of each head gets `classes` output channels, whatever the
  /// file states; a graph of one input channel gets `inputChannels`.
  /// - Throws: ``InputError`` when there is no such network, its graph is invalid, or it has several input channels, but
  ///   not `inputChannels`.
  static func graph(
    _ name: String, classes: Int, inputChannels: Int, hasBatchNormalisation: Bool = true
  ) throws(InputError) -> NetworkGraph {
    if name == "liver" {
      return NetworkGraph.liver(classes: classes, hasBatchNormalisation: hasBatchNormalisation)
        .reading(inputChannels)
    }
    if !hasBatchNormalisation { throw normalisationIsPart(of: name) }
    if name == "heart" { return .heart(classes: classes, inputChannels: inputChannels) }
    let isPath = name.contains("/") || name.hasSuffix(".json")
    let path = isPath ? name : try ShareFolder.find().path + "/networks/\(name).json"
    guard let data = try FileSystem.readIfPresent(path) else {
      let names = (["liver", "heart", planned] + bundledNames).reduce(into: [String]()) {
        if !$0.contains($1) { $0.append($1) }
      }
      let suggestion = NameSuggestion.nearest(to: name, among: names)
      throw InputError(
        "--network \(name)", "no such network" + (suggestion.map { "; did you mean \($0)?" } ?? ""),
        expected: names.joined(separator: ", ")
          + ", or a layer graph as JSON")
    }
    let graph = try NetworkGraph(json: String(decoding: data, as: UTF8.self), subject: path)
    guard graph.inputChannels == 1 || graph.inputChannels == inputChannels else {
      throw InputError(
        path, "its input channels are not the images of a case", found: "\(graph.inputChannels)",
        expected: "\(inputChannels)")
    }
    return graph.withClasses(classes).reading(inputChannels)
  }

  /// The error of `--without-batch-normalisation` with a network that cannot go without.
  static func normalisationIsPart(of name: String) -> InputError {
    InputError(
      "--without-batch-normalisation", "is for the liver network", found: name,
      expected: "--network liver, or a layer graph without batch normalisation")
  }

  /// The names of the graphs in the share folder.
  private static var bundledNames: [String] {
    guard let folder = try? ShareFolder.find().path + "/networks",
      let files = try? FileSystem.names(in: folder)
    else { return [] }
    return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }
}

extension NetworkGraph {
  /// The same graph with `inputChannels` images as its input.
  fileprivate func reading(_ inputChannels: Int) -> NetworkGraph {
    var graph = self
    graph.inputChannels = inputChannels
    return graph
  }

  /// The same graph with a channel for each of `classes` in the layer of every head that has the classes of the main one, but
  /// none for background in sigmoid heads.
  fileprivate func withClasses(_ classes: Int) -> NetworkGraph {
    var graph = self
    for head in ((try? resolved().mixedHeads) ?? Array(heads.indices)).map({ heads[$0] }) {
      let channels = head.activation.channelCount(classes: classes)
      for index in layers.indices where layers[index].name == head.layer {
        graph.layers[index].operation = layers[index].operation.withOutputChannels(channels)
      }
    }
    return graph
  }
}
