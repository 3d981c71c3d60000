import Tensors
import Work

/// A checked graph: its layers in topological order, with their channels.
package struct ResolvedGraph: Hashable, Sendable {
  /// A layer with its input and channels.
  package struct Node: Hashable, Sendable {
    /// The layer as written.
    package let layer: Layer
    /// Index of the node whose output is its input; nil for the image.
    package let source: Int?
    package let inputChannels: Int
    package let outputChannels: Int
  }

  /// The graph as written.
  package let graph: NetworkGraph
  /// The layers in topological order, otherwise in the order of the graph.
  package let nodes: [Node]
  /// Index of each head's node, in the order of the heads.
  package let headNodes: [Int]

  /// Classes: the channels of every head.
  package var classCount: Int { nodes[headNodes[0]].outputChannels }

  /// For each node, whether one of the given heads (indices) depends on it.
  package func nodesNeeded(byHeads heads: [Int]) -> [Bool] {
    var isNeeded = [Bool](repeating: false, count: nodes.count)
    for head in heads {
      var node: Int? = headNodes[head]
      while let current = node, !isNeeded[current] {
        isNeeded[current] = true
        node = nodes[current].source
      }
    }
    return isNeeded
  }

  /// Fuses needed nodes into chains, which are returned in topological order.
  ///
  /// A chain begins as the step that `step` makes of its first node. It continues with the reader of its last node as
  /// long as that node has a single reader, is not in `outputs`, and `fuse` returns true.
  func chains<Step>(
    isNeeded: [Bool], outputs: Set<Int>, step: (_ node: Int) -> Step,
    fuse: (_ step: inout Step, _ node: Int) -> Bool
  ) -> [(nodes: [Int], step: Step)] {
    var readers = [[Int]](repeating: [], count: nodes.count)
    for index in nodes.indices where isNeeded[index] {
      if let source = nodes[index].source { readers[source].append(index) }
    }
    var chains: [(nodes: [Int], step: Step)] = []
    var isInChain = isNeeded.map { !$0 }
    for first in nodes.indices where !isInChain[first] {
      var chain = [first]
      var fused = step(first)
      while let last = chain.last, !outputs.contains(last), readers[last].count == 1,
        fuse(&fused, readers[last][0])
      {
        chain.append(readers[last][0])
      }
      for node in chain { isInChain[node] = true }
      chains.append((chain, fused))
    }
    return chains
  }

  /// Spatial extents of every node's output for an image of extents `input`.
  /// - Throws: ``InputError`` that names the first layer whose input is too small.
  package func outputExtents(input: Extent3, subject: String) throws(InputError) -> [Extent3] {
    var extents: [Extent3] = []
    extents.reserveCapacity(nodes.count)
    for node in nodes {
      let inputExtent = node.source.map { extents[$0] } ?? input
      guard let outputExtent = node.layer.operation.outputExtent(inputExtent) else {
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
  /// - Throws: ``InputError`` about `subject`: a name used twice, an unknown layer, a cycle, a number out of
  ///   range, heads that disagree about the number of classes.
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
    }
    let order = try layerOrder(indexOfName, fail)
    var nodes: [ResolvedGraph.Node] = []
    var cumulativeStrides: [[CumulativeStride]] = []
    var nodeOfName: [String: Int] = [:]
    var parameterCount = 0
    for index in order {
      let layer = layers[index]
      let source = nodeOfName[layer.input]
      let layerInputs = source.map { nodes[$0].outputChannels } ?? inputChannels
      let node = ResolvedGraph.Node(
        layer: layer, source: source, inputChannels: layerInputs,
        outputChannels: layer.operation.outputChannels(layerInputs))
      parameterCount += node.parameterSlots.reduce(0) { $0 + $1.shape.reduce(1, *) }
      guard parameterCount <= GraphLimit.parameters else {
        throw fail("layer \(layer.name): too many weights", nil, "at most \(GraphLimit.parameters) in all")
      }
      let inputStrides = source.map { cumulativeStrides[$0] } ?? Axis.allCases.map { _ in CumulativeStride() }
      let outputStrides = zip(inputStrides, Axis.allCases).compactMap {
        layer.operation.cumulativeStride($0, along: $1)
      }
      guard outputStrides.count == inputStrides.count else {
        throw fail("layer \(layer.name): strides multiply to more than \(CumulativeStride.maximum)")
      }
      cumulativeStrides.append(outputStrides)
      nodeOfName[layer.name] = nodes.count
      nodes.append(node)
    }
    return ResolvedGraph(graph: self, nodes: nodes, headNodes: try resolvedHeads(nodes, nodeOfName, fail))
  }

  /// Layer indices in topological order, otherwise in the order of the graph.
  private func layerOrder(
    _ indexOfName: [String: Int], _ fail: (String, String?, String?) -> InputError
  ) throws(InputError) -> [Int] {
    enum Mark { case unvisited, onPath, ordered }
    var marks = [Mark](repeating: .unvisited, count: layers.count)
    var order: [Int] = []
    for start in layers.indices {
      // Follow the single inputs up to an ordered layer or the image, then append the path from its far end.
      var path: [Int] = []
      var current = start
      while marks[current] == .unvisited {
        marks[current] = .onPath
        path.append(current)
        let input = layers[current].input
        if input == Self.inputName { break }
        guard let next = indexOfName[input] else {
          throw fail("layer \(layers[current].name): unknown input layer \"\(input)\"", nil, nil)
        }
        guard marks[next] != .onPath else {
          throw fail("layer \(layers[next].name) feeds itself in a cycle", nil, nil)
        }
        current = next
      }
      for index in path.reversed() {
        marks[index] = .ordered
        order.append(index)
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
      let classes = nodes[node].outputChannels
      let mainClasses = nodes[headNodes[0]].outputChannels
      guard classes == mainClasses, classes >= 2 else {
        throw fail(
          "head \(head.name): channels", "\(classes)",
          headNodes.count == 1 ? "at least 2 classes" : "\(mainClasses) as the head \(heads[0].name)")
      }
    }
    return headNodes
  }
}
