import Work

extension ResolvedGraph {
  /// The names of the layers that `pattern` names and that have tensors which are trained; "*" stands for any characters.
  /// - Throws: ``InputError`` about `option` where there are none.
  package func trainedLayers(matching pattern: String, option: String) throws(InputError) -> Set<String> {
    let names = nodes.filter { !$0.trainedTensors.isEmpty }.map(\.layer.name)
    let found = names.filter { matches(Array($0.utf8)[...], Array(pattern.utf8)[...]) }
    guard !found.isEmpty else {
      let few = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
      throw InputError(option, "names no layer with weights", found: pattern, expected: "one of \(few)")
    }
    return Set(found)
  }

  /// The names of the trained tensors of the layers called `layers`.
  package func trainedTensors(of layers: Set<String>) -> [String] {
    nodes.filter { layers.contains($0.layer.name) }.flatMap(\.trainedTensors)
  }
}

extension ResolvedGraph.Node {
  /// The names of the tensors that the optimiser changes.
  fileprivate var trainedTensors: [String] { parameterSlots.filter(\.role.isTrained).map(\.name) }
}

/// Whether `pattern` describes the whole of `name`; "*" stands for any bytes.
private func matches(_ name: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
  var (name, pattern) = (name, pattern)
  /// What is left of both after the last "*", which may take one byte more.
  var retry: (name: ArraySlice<UInt8>, pattern: ArraySlice<UInt8>)?
  while true {
    if pattern.first == UInt8(ascii: "*") {
      pattern.removeFirst()
      retry = (name, pattern)
    } else if let byte = name.first, pattern.first == byte {
      name.removeFirst()
      pattern.removeFirst()
    } else if name.isEmpty, pattern.isEmpty {
      return true
    } else if let last = retry, !last.name.isEmpty {
      retry?.name.removeFirst()
      (name, pattern) = (last.name.dropFirst(), last.pattern)
    } else {
      return false
    }
  }
}
