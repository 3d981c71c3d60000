import Tensors
import Work

/// A checked graph: its layers in topological order, with their channels.
package struct ResolvedGraph: Hashable, Sendable {
  /// A layer with its inputs and channels.
  package struct Node: Hashable, Sendable {
    /// The layer as written.
    package let layer: Layer
    /// For each input the index of the node whose output it is; nil for the image.
    package let sources: [Int?]
    /// Channels of each input.
    package let inputChannels: [Int]
    package let outputChannels: Int
    /// The cumulative strides of the output along d, h and w.
    package let cumulativeStrides: [CumulativeStride]

    /// The sources whose values are read.
    var readSources: [Int?] {
      layer.operation.inputGrids == .secondIsOutput ? Array(sources.prefix(1)) : sources
    }

    /// Whether the output has one voxel for the whole image, whatever its extents.
    package var isWholeImage: Bool { cumulativeStrides.allSatisfy { $0 == .wholeImage } }
  }

  /// The graph as written.
  package let graph: NetworkGraph
  /// The layers in topological order, otherwise in the order of the graph.
  package let nodes: [Node]
  /// Index of each head's node, in the order of the heads.
  package let headNodes: [Int]

  /// Classes of the main head, background included.
  package var classCount: Int { classCount(ofHead: 0) }

  /// Classes of a head, background included, for which a sigmoid head has no channel.
  package func classCount(ofHead head: Int) -> Int {
    graph.heads[head].activation.classCount(channels: channelCount(ofHead: head))
  }

  /// Channels of a head's logits.
  package func channelCount(ofHead head: Int) -> Int { nodes[headNodes[head]].outputChannels }

  /// The heads (indices) that have the classes of the main head, which is the first: those that are trained and mixed.
  package var mixedHeads: [Int] {
    headNodes.indices.filter { classCount(ofHead: $0) == classCount }
  }

  /// The labels of each region of a sigmoid head; nil for a softmax head.
  package func labelRegions(ofHead head: Int) -> LabelRegions? {
    let (head, channelCount) = (graph.heads[head], channelCount(ofHead: head))
    guard head.activation == .sigmoid else { return nil }
    let regions = head.regions ?? (1...channelCount).map { [$0] }
    return LabelRegions(regions.map { Set($0.map { UInt8(clamping: $0) }) })
  }

  /// For each node, whether one of the given heads (indices) depends on its values or, where `countsExtents`, on its
  /// extents.
  package func nodesNeeded(byHeads heads: [Int], countsExtents: Bool = false) -> [Bool] {
    var isNeeded = [Bool](repeating: false, count: nodes.count)
    for head in heads { isNeeded[headNodes[head]] = true }
    for index in nodes.indices.reversed() where isNeeded[index] {
      let sources = countsExtents ? nodes[index].sources : nodes[index].readSources
      for case let source? in sources { isNeeded[source] = true }
    }
    return isNeeded
  }

  /// Fuses needed nodes into chains, which are returned in topological order.
  ///
  /// A chain begins as the step that `step` makes of its first node. It continues with the reader of its last node as
  /// long as that node has a single reader, whose other inputs are in earlier chains, is not in `outputs`, and `fuse`
  /// returns true.
  func chains<Step>(
    isNeeded: [Bool], outputs: Set<Int>, step: (_ node: Int) -> Step,
    fuse: (_ step: inout Step, _ node: Int) -> Bool
  ) -> [(nodes: [Int], step: Step)] {
    var readers = [[Int]](repeating: [], count: nodes.count)
    for index in nodes.indices where isNeeded[index] {
      for case let source? in nodes[index].sources { readers[source].append(index) }
    }
    var chains: [(nodes: [Int], step: Step)] = []
    var isInChain = isNeeded.map { !$0 }
    for first in nodes.indices where !isInChain[first] {
      var chain = [first]
      var fused = step(first)
      while let last = chain.last, !outputs.contains(last), readers[last].count == 1,
        nodes[readers[last][0]].sources.allSatisfy({ source in
          source.map { $0 == last || isInChain[$0] } ?? true
        }), fuse(&fused, readers[last][0])
      {
        chain.append(readers[last][0])
      }
      for node in chain { isInChain[node] = true }
      chains.append((chain, fused))
    }
    return chains
  }

  /// The positions of a node's inputs whose cumulative strides and extents must be equal; never empty.
  ///
  /// All of them, but for those that have one voxel for the whole image where the operation takes such ones, and for the
  /// second one where its values are not read.
  func gridInputs(of node: Node) -> [Int] {
    Self.gridInputs(
      node.layer.operation, isWholeImage: node.sources.map { $0.map { nodes[$0].isWholeImage } ?? false })
  }

  fileprivate static func gridInputs(_ operation: any NetworkOperation, isWholeImage: [Bool]) -> [Int] {
    let others = isWholeImage.indices.filter { !isWholeImage[$0] }
    switch operation.inputGrids {
    case .equalOrWholeImage where !others.isEmpty: return others
    case .equal, .equalOrWholeImage: return Array(isWholeImage.indices)
    case .secondIsOutput: return [0]
    }
  }

  /// Spatial extents of every node's output for an image of extents `input`.
  /// - Throws: ``InputError`` that names the first layer whose input is too small, or whose inputs differ in extents.
  package func outputExtents(input: Extent3, subject: String) throws(InputError) -> [Extent3] {
    var extents: [Extent3] = []
    extents.reserveCapacity(nodes.count)
    for node in nodes {
      let inputExtents = node.sources.map { source in source.map { extents[$0] } ?? input }
      let joined = gridInputs(of: node)
      let inputExtent = inputExtents[joined[0]]
      guard joined.allSatisfy({ inputExtents[$0] == inputExtent }) else {
        throw InputError(
          subject, "layer \(node.layer.name): its inputs differ in extents",
          found: zip(node.layer.inputs, inputExtents).map { "\($0) \($1.d)x\($1.h)x\($1.w)" }
            .joined(separator: ", ") + " voxels (z, y, x)",
          expected: "equal extents, as images have whose extents are multiples of the network's total stride")
      }
      let operation = node.layer.operation
      let outputExtent =
        operation.inputGrids == .secondIsOutput
        ? operation.outputExtent(inputExtent, second: inputExtents[1]) : operation.outputExtent(inputExtent)
      guard let outputExtent else {
        throw InputError(
          subject, "layer \(node.layer.name): the image is too small for it",
          found: "\(inputExtent.d)x\(inputExtent.h)x\(inputExtent.w) voxels (z, y, x) entering the layer")
      }
      extents.append(outputExtent)
    }
    return extents
  }
}

extension NetworkGraph {
  /// Checks the graph and sorts its layers topologically.
  /// - Throws: ``InputError`` about `subject`: a name used twice, an unknown layer, a cycle, a number out of range,
  ///   inputs that do not fit together, heads that disagree about the number of classes.
  package func resolved(subject: String = "network graph") throws(InputError) -> ResolvedGraph {
    func fail(_ problem: String, _ found: String? = nil, _ expected: String? = nil) -> InputError {
      InputError(subject, problem, found: found, expected: expected)
    }
    guard (1...GraphLimit.channels).contains(inputChannels) else {
      throw fail("input channels", "\(inputChannels)", "1 to \(GraphLimit.channels)")
    }
    guard (1...GraphLimit.layers).contains(layers.count) else {
      throw fail("layers", "\(layers.count)", "1 to \(GraphLimit.layers)")
    }
    var connectionCount = 0
    var indexOfName: [String: Int] = [:]
    for (index, layer) in layers.enumerated() {
      guard !layer.name.isEmpty, layer.name != Self.inputName else {
        throw fail("layer \(index): its name may not be \"\(layer.name)\"")
      }
      guard indexOfName.updateValue(index, forKey: layer.name) == nil else {
        throw fail("layer \(layer.name): the name is used twice")
      }
      if let problem = layer.operation.problem {
        throw fail("layer \(layer.name): \(problem)")
      }
      connectionCount += layer.inputs.count
      guard connectionCount <= GraphLimit.connections else {
        throw fail(
          "layer \(layer.name): too many inputs", nil, "at most \(GraphLimit.connections) in all layers")
      }
      let counts = layer.operation.inputCounts
      guard counts.contains(layer.inputs.count) else {
        throw fail(
          "layer \(layer.name): inputs", "\(layer.inputs.count)",
          counts.count == 1 ? "\(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)")
      }
    }
    let order = try layerOrder(indexOfName, fail)
    var nodes: [ResolvedGraph.Node] = []
    var nodeOfName: [String: Int] = [:]
    var parameterCount = 0
    for index in order {
      let layer = layers[index]
      let sources = layer.inputs.map { nodeOfName[$0] }
      let layerChannels = sources.map { source in source.map { nodes[$0].outputChannels } ?? inputChannels }
      if let problem = layer.operation.problem(inputChannels: layerChannels) {
        let found = zip(layer.inputs, layerChannels).map { "\($0) \($1)" }.joined(separator: ", ")
        throw fail("layer \(layer.name): \(problem)", found)
      }
      let node = ResolvedGraph.Node(
        layer: layer, sources: sources, inputChannels: layerChannels,
        outputChannels: layer.operation.outputChannels(layerChannels),
        cumulativeStrides: try cumulativeStrides(of: layer, sources.map { $0.map { nodes[$0] } }, fail))
      if let problem = GraphLimit.problem(outputChannels: node.outputChannels) {
        throw fail("layer \(layer.name): \(problem)")
      }
      parameterCount += node.parameterSlots.reduce(0) { $0 + $1.shape.reduce(1, *) }
      guard parameterCount <= GraphLimit.parameters else {
        throw fail("layer \(layer.name): too many weights", nil, "at most \(GraphLimit.parameters) in all")
      }
      nodeOfName[layer.name] = nodes.count
      nodes.append(node)
    }
    return ResolvedGraph(graph: self, nodes: nodes, headNodes: try resolvedHeads(nodes, nodeOfName, fail))
  }

  /// The cumulative strides of a layer's output along d, h and w, given its inputs, which are nil for the image.
  private func cumulativeStrides(
    of layer: Layer, _ inputs: [ResolvedGraph.Node?], _ fail: (String, String?, String?) -> InputError
  ) throws(InputError) -> [CumulativeStride] {
    let allStrides = inputs.map { $0?.cumulativeStrides ?? Axis.allCases.map { _ in CumulativeStride() } }
    let joined = ResolvedGraph.gridInputs(
      layer.operation, isWholeImage: inputs.map { $0?.isWholeImage ?? false })
    let inputStrides = allStrides[joined[0]]
    guard joined.allSatisfy({ allStrides[$0] == inputStrides }) else {
      let found = zip(layer.inputs, allStrides).map { name, strides in
        name + " "
          + (strides.contains(.wholeImage) ? "all" : strides.map(\.text).joined(separator: "x"))
      }
      throw fail(
        "layer \(layer.name): its inputs differ in scale",
        found.joined(separator: ", ") + " voxels of the image (z, y, x)", "equal scales")
    }
    if inputStrides.contains(.wholeImage), layer.operation.outputExtent(Extent3(1)) != Extent3(1) {
      throw fail(
        "layer \(layer.name): its input has one voxel for the whole image, which it cannot take",
        nil, nil)
    }
    if layer.operation.inputGrids == .secondIsOutput { return allStrides[1] }
    let outputStrides = zip(inputStrides, Axis.allCases).compactMap {
      layer.operation.cumulativeStride($0, along: $1)
    }
    guard outputStrides.count == inputStrides.count else {
      throw fail("layer \(layer.name): strides multiply to more than \(CumulativeStride.maximum)", nil, nil)
    }
    return outputStrides
  }

  /// Layer indices in topological order, otherwise in the order of the graph.
  private func layerOrder(
    _ indexOfName: [String: Int], _ fail: (String, String?, String?) -> InputError
  ) throws(InputError) -> [Int] {
    enum Mark { case unvisited, onPath, ordered }
    var marks = [Mark](repeating: .unvisited, count: layers.count)
    var order: [Int] = []
    for start in layers.indices where marks[start] == .unvisited {
      // Depth-first along inputs; a layer is ordered after the last of its inputs.
      marks[start] = .onPath
      var path = [(layer: start, visitedInputs: 0)]
      while let (current, visited) = path.last {
        guard visited < layers[current].inputs.count else {
          marks[current] = .ordered
          order.append(current)
          path.removeLast()
          continue
        }
        path[path.count - 1].visitedInputs += 1
        let input = layers[current].inputs[visited]
        if input == Self.inputName { continue }
        guard let next = indexOfName[input] else {
          throw fail("layer \(layers[current].name): unknown input layer \"\(input)\"", nil, nil)
        }
        guard marks[next] != .onPath else {
          throw fail("layer \(layers[next].name) feeds itself in a cycle", nil, nil)
        }
        if marks[next] == .unvisited {
          marks[next] = .onPath
          path.append((next, 0))
        }
      }
    }
    return order
  }

  private func resolvedHeads(
    _ nodes: [ResolvedGraph.Node], _ nodeOfName: [String: Int],
    _ fail: (String, String?, String?) -> InputError
  ) throws(InputError) -> [Int] {
    guard !heads.isEmpty else { throw fail("there is no head", nil, "a main head") }
    guard Set(heads.map(\.name)).count == heads.count else {
      throw fail("two heads have the same name", nil, nil)
    }
    var headNodes: [Int] = []
    for head in heads {
      guard let node = nodeOfName[head.layer] else {
        throw fail("head \(head.name): unknown layer \"\(head.layer)\"", nil, nil)
      }
      guard head.lossWeight.isFinite, head.lossWeight >= 0 else {
        throw fail("head \(head.name): loss weight", "\(head.lossWeight)", "a number >= 0")
      }
      headNodes.append(node)
      let channels = nodes[node].outputChannels
      let backgroundChannels = head.activation == .softmax ? 1 : 0
      guard channels > backgroundChannels else {
        throw fail("head \(head.name): channels", "\(channels)", "at least 2 classes")
      }
      let labelCount = channels - backgroundChannels
      let mainLabelCount =
        nodes[headNodes[0]].outputChannels - (heads[0].activation == .softmax ? 1 : 0)
      guard labelCount == mainLabelCount || head.lossWeight == 0 else {
        throw fail(
          "head \(head.name): channels", "\(channels)",
          "\(mainLabelCount + backgroundChannels) as the head \(heads[0].name), or a loss weight of 0")
      }
      if let problem = head.problemOfRegions(labelCount: labelCount) {
        throw fail("head \(head.name): \(problem)", nil, nil)
      }
    }
    return headNodes
  }
}

extension Head {
  /// Describes what is wrong with the regions of a head of `labelCount` labels; nil where nothing is.
  fileprivate func problemOfRegions(labelCount: Int) -> String? {
    guard let regions else { return nil }
    if activation == .softmax { return "only a sigmoid head has regions" }
    if regions.count != labelCount { return "\(regions.count) regions for \(labelCount) channels" }
    for region in regions {
      if region.isEmpty { return "a region without classes" }
      if let unknown = region.first(where: { !(1...labelCount).contains($0) }) {
        return "a region of class \(unknown), which is none of 1 to \(labelCount)"
      }
    }
    return nil
  }
}
