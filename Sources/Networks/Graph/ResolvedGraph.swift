import Tensors
import Work

/// A graph that was found valid: layers in an order in which each follows what feeds it, with channels.
package struct ResolvedGraph: Hashable, Sendable {
  /// A layer with its place in the graph.
  package struct Node: Hashable, Sendable {
    /// The layer as written.
    package let layer: Layer
    /// Index of the node that feeds it; nil for the image.
    package let source: Int?
    /// Channels that enter.
    package let inputChannels: Int
    /// Channels that leave.
    package let outputChannels: Int
  }

  /// The graph as written.
  package let graph: NetworkGraph
  /// The layers, each behind the one that feeds it; otherwise in the order of the graph.
  package let nodes: [Node]
  /// The node of each head, in the heads' order.
  package let headNodes: [Int]

  /// Channels of every head.
  package var classCount: Int { nodes[headNodes[0]].outputChannels }

  /// Which nodes the given heads (indices) need.
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

  /// Joins needed nodes into chains, each behind the one that feeds it.
  ///
  /// A node whose output has a single reader and is none of `outputs` is followed by that reader in one chain where
  /// what `start` made of the chain's first node can take it in.
  func chains<Start>(
    isNeeded: [Bool], outputs: Set<Int>, start: (_ node: Int) -> Start,
    takeIn: (_ start: inout Start, _ node: Int) -> Bool
  ) -> [(nodes: [Int], start: Start)] {
    var readers = [[Int]](repeating: [], count: nodes.count)
    for index in nodes.indices where isNeeded[index] {
      if let source = nodes[index].source { readers[source].append(index) }
    }
    var chains: [(nodes: [Int], start: Start)] = []
    var isTaken = isNeeded.map { !$0 }
    for first in nodes.indices where !isTaken[first] {
      var taken = [first]
      var value = start(first)
      while let last = taken.last, !outputs.contains(last), readers[last].count == 1,
        takeIn(&value, readers[last][0])
      {
        taken.append(readers[last][0])
      }
      for node in taken { isTaken[node] = true }
      chains.append((taken, value))
    }
    return chains
  }

  /// Spatial extents of every node's output for an image of extents `input`.
  /// - Throws: ``InputError`` naming the first layer that the image is too small for.
  package func outputExtents(input: Extent3, subject: String) throws(InputError) -> [Extent3] {
    var extents: [Extent3] = []
    extents.reserveCapacity(nodes.count)
    for node in nodes {
      let entering = node.source.map { extents[$0] } ?? input
      guard let leaving = node.layer.operation.outputExtent(entering) else {
        throw InputError(
          subject, "layer \(node.layer.name): the image is too small for it",
          found: "\(entering.d)x\(entering.h)x\(entering.w) voxels (z, y, x) entering the layer")
      }
      extents.append(leaving)
    }
    return extents
  }
}

extension NetworkGraph {
  /// Checks the graph and orders its layers.
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
    var scales: [[Scale]] = []
    var nodeOfName: [String: Int] = [:]
    var parameterCount = 0
    for index in order {
      let layer = layers[index]
      let source = nodeOfName[layer.input]
      let entering = source.map { nodes[$0].outputChannels } ?? inputChannels
      let node = ResolvedGraph.Node(
        layer: layer, source: source, inputChannels: entering,
        outputChannels: layer.operation.outputChannels(entering))
      parameterCount += node.parameterSlots.reduce(0) { $0 + $1.shape.reduce(1, *) }
      guard parameterCount <= GraphLimit.parameters else {
        throw fail("layer \(layer.name): too many weights", nil, "at most \(GraphLimit.parameters) in all")
      }
      let enteringScales = source.map { scales[$0] } ?? Axis.allCases.map { _ in Scale() }
      let leavingScales = zip(enteringScales, Axis.allCases).compactMap {
        layer.operation.scale($0, along: $1)
      }
      guard leavingScales.count == enteringScales.count else {
        throw fail("layer \(layer.name): strides multiply to more than \(Scale.limit)")
      }
      scales.append(leavingScales)
      nodeOfName[layer.name] = nodes.count
      nodes.append(node)
    }
    return ResolvedGraph(graph: self, nodes: nodes, headNodes: try resolvedHeads(nodes, nodeOfName, fail))
  }

  /// Layer indices, each behind the one that feeds it, otherwise as written.
  private func layerOrder(
    _ indexOfName: [String: Int], _ fail: (String, String?, String?) -> InputError
  ) throws(InputError) -> [Int] {
    enum Mark { case untouched, onPath, placed }
    var marks = [Mark](repeating: .untouched, count: layers.count)
    var order: [Int] = []
    for start in layers.indices {
      // Follow the single inputs up to something placed, then place the path from its far end.
      var path: [Int] = []
      var current = start
      while marks[current] == .untouched {
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
        marks[index] = .placed
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
