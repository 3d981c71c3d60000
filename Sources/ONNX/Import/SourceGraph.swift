import Networks
import Tensors
import Work

/// The part of a file's graph that the chosen outputs need, checked, and its images.
struct SourceGraph {
  /// An input of the graph that is an image.
  struct Image {
    var name: String
    var channels: Int
    /// Extents in space in the order of the axes; nil where one is open.
    var extents: [Int?]
    /// Whether its channels are its last axis.
    var isChannelsLast: Bool
  }

  let images: [Image]
  /// The number of axes of the images: 5, or 4.
  let rank: Int
  let constants: [Constant]
  /// The nodes that the outputs need, in the order of the file.
  let nodes: [NodeProto]
  let outputs: [String]

  /// The images' extents; nil where one is open.
  var fixedExtent: Extent3? {
    let fixed = images[0].extents.compactMap(\.self)
    guard fixed.count == rank - 2 else { return nil }
    return rank == 5 ? Extent3(fixed[0], fixed[1], fixed[2]) : Extent3(1, fixed[0], fixed[1])
  }

  init(_ graph: GraphProto, outputs chosen: [String], path: String) throws(InputError) {
    outputs = try Self.outputs(of: graph, chosen, path: path)
    nodes = try Self.needed(graph.nodes, by: outputs, path: path)
    let read = Set(nodes.flatMap(\.inputs) + outputs)
    var constants: [Constant] = []
    for tensor in graph.initializers where read.contains(tensor.name) {
      constants.append(try Constant(tensor, path: path))
    }
    self.constants = constants
    let constantNames = Set(graph.initializers.map(\.name))
    let inputs = graph.inputs.filter { read.contains($0.name) && !constantNames.contains($0.name) }
    guard !inputs.isEmpty else { throw InputError(path, "has no input that its outputs depend on") }
    var images: [Image] = []
    for input in inputs { images.append(try Self.image(input, nodes: nodes, path: path)) }
    let ranks = Set(images.map { $0.extents.count + 2 })
    guard ranks.count == 1, images.allSatisfy({ $0.extents == images[0].extents }) else {
      throw InputError(
        path, "its inputs differ in extents",
        found: inputs.map { "\($0.name) \($0.shapeText)" }.joined(separator: ", "))
    }
    self.images = images
    rank = images[0].extents.count + 2
  }

  private static func outputs(of graph: GraphProto, _ chosen: [String], path: String) throws(InputError)
    -> [String]
  {
    let names = graph.outputs.map(\.name)
    for name in chosen where !names.contains(name) {
      throw InputError(path, "has no output \(name)", expected: names.joined(separator: ", "))
    }
    guard !names.isEmpty else { throw InputError(path, "has no output") }
    guard Set(chosen).count == chosen.count else { throw InputError(path, "an output is chosen twice") }
    guard !chosen.isEmpty || names.count == 1 else {
      throw InputError(
        path, "has several outputs", found: names.joined(separator: ", "),
        expected: "--head with those that are heads, the main one first")
    }
    return chosen.isEmpty ? names : chosen
  }

  /// The nodes that some outputs need, in order.
  private static func needed(
    _ nodes: [NodeProto], by outputs: [String], path: String
  ) throws(InputError) -> [NodeProto] {
    var defined: Set<String> = []
    for name in nodes.flatMap(\.outputs) where !name.isEmpty {
      guard defined.insert(name).inserted else { throw InputError(path, "two nodes have the output \(name)") }
    }
    var (read, kept) = (Set(outputs), [NodeProto]())
    for node in nodes.reversed() where node.outputs.contains(where: read.contains) {
      read.formUnion(node.inputs)
      kept.append(node)
    }
    return kept.reversed()
  }

  private static func image(
    _ input: ValueInfoProto, nodes: [NodeProto], path: String
  ) throws(InputError) -> Image {
    guard let shape = input.shape, shape.count == 5 || shape.count == 4 else {
      throw InputError(
        path, "input \(input.name): shape", found: input.shapeText,
        expected: "5 axes of a 3D network, or 4 of a 2D network")
    }
    if let type = input.elementType, TensorProto.ElementType(rawValue: type)?.isFloating != true {
      throw InputError(
        path, "input \(input.name): its elements have the type \(type)", expected: "real numbers")
    }
    let extents = shape.map { extent in extent.flatMap { $0 > 0 ? $0 : nil } }
    guard extents[0] == nil || extents[0] == 1 else {
      throw InputError(path, "input \(input.name): batch", found: "\(extents[0]!)", expected: "1, or any")
    }
    let isLast = isChannelsLast(input.name, extents, nodes: nodes)
    let inSpace = isLast ? Array(extents[1..<extents.count - 1]) : Array(extents[2...])
    guard let channels = isLast ? extents[extents.count - 1] : extents[1] else {
      throw InputError(path, "input \(input.name): channels", found: input.shapeText, expected: "a number")
    }
    guard inSpace.compactMap(\.self).allSatisfy({ $0 <= 65_536 }), channels <= 65_536 else {
      throw InputError(
        path, "input \(input.name): shape", found: input.shapeText, expected: "at most 65536 each")
    }
    return Image(name: input.name, channels: channels, extents: inSpace, isChannelsLast: isLast)
  }

  /// Whether every reader of an input moves its last axis to the place of the channels, as programs with the channels
  /// last do, or, of an image with one channel, reshapes it.
  private static func isChannelsLast(_ name: String, _ extents: [Int?], nodes: [NodeProto]) -> Bool {
    var names: Set<String> = [name]
    var readers: [NodeProto] = []
    for node in nodes where node.inputs.contains(where: names.contains) {
      if ["Identity", "Cast"].contains(node.operation) {
        names.formUnion(node.outputs)
      } else {
        readers.append(node)
      }
    }
    let last = extents.count - 1
    let order = [0, last] + (1..<last)
    return !readers.isEmpty
      && readers.allSatisfy { reader in
        if reader.operation == "Reshape" { return extents[last] == 1 && extents[1] != 1 }
        return reader.operation == "Transpose"
          && reader.attributes.contains(AttributeProto(name: "perm", value: .integers(order)))
      }
  }

  /// Defines the images as channels of the network's input.
  /// - Parameter probe: The extents along axes that are open.
  func defineImages(in graph: inout GraphImport, probe: Extent3) throws(InputError) {
    let open = rank == 5 ? [probe.d, probe.h, probe.w] : [probe.h, probe.w]
    let extents = zip(images[0].extents, open).map { $0 ?? $1 }
    let extent =
      rank == 5 ? Extent3(extents[0], extents[1], extents[2]) : Extent3(1, extents[0], extents[1])
    let channels = images.reduce(0) { $0 + $1.channels }
    let start = OperatorCall(
      node: NodeProto("input", name: images[0].name, [], []), opset: graph.opset, inputs: [], path: graph.path
    )
    try start.requireSize([channels] + extents)
    let whole = Signal(layer: NetworkGraph.inputName, channels: channels, extent: extent, rank: rank)
    var first = 0
    for image in images {
      var signal = whole
      if images.count > 1 {
        let call = OperatorCall(
          node: NodeProto("input", name: image.name, [], [image.name]), opset: graph.opset, inputs: [],
          path: graph.path)
        signal = try graph.emit(.sliceChannels(first: first, count: image.channels), from: [whole], call)
      }
      first += image.channels
      if image.isChannelsLast {
        signal.axes = DataAxis.channelsLast(rank: rank)
        signal.shape = [1] + extents + [image.channels]
      }
      graph.define(image.name, .signal(signal))
    }
  }
}

extension ValueInfoProto {
  /// "[1, 1, ?, ?, ?]".
  fileprivate var shapeText: String {
    guard let shape else { return "none" }
    return "[" + shape.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") + "]"
  }
}
