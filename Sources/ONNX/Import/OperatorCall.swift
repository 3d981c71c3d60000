import Tensors
import Work

/// One node with its operator's version and the values of its inputs.
struct OperatorCall {
  let node: NodeProto
  let opset: Int
  /// The values; nil for one that is left out.
  let inputs: [ImportedValue?]
  /// The model's file.
  let path: String

  /// An error about this node: "model.onnx: node /up/Resize (Resize, opset 17): …".
  func failure(_ problem: String, found: String? = nil, expected: String? = nil) -> InputError {
    InputError(
      "\(path): node \(node.name.isEmpty ? node.outputs.first ?? "" : node.name) (\(node.operation), opset \(opset))",
      problem, found: found, expected: expected)
  }

  /// The value of input `index`; nil where it is left out.
  subscript(index: Int) -> ImportedValue? { inputs.indices.contains(index) ? inputs[index] : nil }

  /// Whether an input has a function already, so that the node adds nothing to it.
  func hasInput(_ function: PointwiseFunction) -> Bool {
    inputs.contains { if case .signal(let signal)? = $0 { signal.function == function } else { false } }
  }

  /// The name of the graph's value that is input `index`.
  func inputName(_ index: Int) -> String { node.inputs.indices.contains(index) ? node.inputs[index] : "" }

  // Inputs

  /// Input `index`, which depends on the image.
  /// - Throws: ``InputError`` where it is a constant, left out, reshaped for a group normalisation, or classes.
  func signal(_ index: Int) throws(InputError) -> Signal {
    switch self[index] {
    case .signal(let signal):
      if signal.grouping != nil {
        throw failure("its input is reshaped as \(signal.shape), which only a group normalisation may be")
      }
      return signal
    case .constant: throw failure("its input \(inputName(index)) is a constant", expected: "a layer's output")
    case .classes:
      throw failure("its input is a softmax or arg max", expected: "these at the end of the network alone")
    case nil: throw failure("input \(index) is left out")
    }
  }

  /// Input `index` as the output of a layer, [N, C, D, H, W] or [N, C, H, W].
  func spatialSignal(_ index: Int) throws(InputError) -> Signal {
    let signal = try signal(index)
    let rank = signal.axes.count
    guard rank == 5 || rank == 4 else {
      throw failure("its input has \(rank) axes", expected: "5 of a 3D network, or 4 of a 2D network")
    }
    guard !signal.isExpanded, signal.isArranged(as: DataAxis.channelsFirst(rank: rank)) else {
      throw failure(
        "axes of its input",
        found: signal.isExpanded
          ? "expanded ones" : signal.axes.map { $0?.rawValue ?? "1" }.joined(separator: ", "),
        expected: "batch, channel and those in space")
    }
    return signal
  }

  /// Input `index`, which does not depend on the image; nil where it is left out.
  func optionalConstant(_ index: Int) throws(InputError) -> Constant? {
    switch self[index] {
    case .constant(let constant): return constant
    case nil: return nil
    case .signal, .classes:
      throw failure("its input \(inputName(index)) depends on the image", expected: "a constant")
    }
  }

  /// Input `index`, which must be there and not depend on the image.
  func constant(_ index: Int) throws(InputError) -> Constant {
    guard let constant = try optionalConstant(index) else { throw failure("input \(index) is left out") }
    return constant
  }

  /// The integers of input `index`; nil where it is left out.
  func optionalIntegers(_ index: Int) throws(InputError) -> [Int]? { try optionalConstant(index)?.integers() }

  /// The numbers of input `index`, one for each of `count` channels.
  func channelNumbers(_ index: Int, _ count: Int) throws(InputError) -> Tensor {
    let constant = try constant(index)
    guard constant.elementCount == count else {
      throw failure(
        "shape of its input \(inputName(index))", found: "\(constant.shape)", expected: "[\(count)]")
    }
    return Tensor(shape: [count], elements: try constant.floats())
  }

  // Attributes

  private func value(_ name: String) -> AttributeProto.Value? {
    node.attributes.last { $0.name == name }?.value
  }

  func has(_ name: String) -> Bool { value(name) != nil }

  private func wrongType(_ name: String) -> InputError { failure("its attribute \(name) has another type") }

  /// The integer of an attribute; `absent` where there is none.
  func integer(_ name: String, absent: Int) throws(InputError) -> Int {
    guard let value = value(name) else { return absent }
    guard case .integer(let integer) = value else { throw wrongType(name) }
    return integer
  }

  /// The number of an attribute; `absent` where there is none.
  func float(_ name: String, absent: Float) throws(InputError) -> Float {
    guard let value = value(name) else { return absent }
    guard case .float(let float) = value else { throw wrongType(name) }
    return float
  }

  /// The text of an attribute; `absent` where there is none.
  func text(_ name: String, absent: String) throws(InputError) -> String {
    guard let value = value(name) else { return absent }
    guard case .text(let text) = value else { throw wrongType(name) }
    return text
  }

  /// The integers of an attribute; nil where there is none.
  func integers(_ name: String) throws(InputError) -> [Int]? {
    guard let value = value(name) else { return nil }
    guard case .integers(let integers) = value else { throw wrongType(name) }
    return integers
  }

  /// The integers of an attribute or, in later versions, of input `index`; nil where there are none.
  func optionalIntegers(_ name: String, orInput index: Int) throws(InputError) -> [Int]? {
    if let integers = try integers(name) { return integers }
    return try optionalIntegers(index)
  }

  /// The integers of an attribute or, in later versions, of input `index`.
  func integers(_ name: String, orInput index: Int) throws(InputError) -> [Int] {
    if let integers = try integers(name) { return integers }
    return try constant(index).integers()
  }

  /// The numbers of an attribute; nil where there is none.
  func floats(_ name: String) throws(InputError) -> [Float]? {
    guard let value = value(name) else { return nil }
    guard case .floats(let floats) = value else { throw wrongType(name) }
    return floats
  }

  /// The tensor of an attribute; nil where there is none.
  func tensor(_ name: String) throws(InputError) -> TensorProto? {
    guard let value = value(name) else { return nil }
    guard case .tensor(let tensor) = value else { throw wrongType(name) }
    return tensor
  }

  /// Refuses a value of an attribute that changes what is computed.
  func require(_ name: String, is expected: Int) throws(InputError) {
    let found = try integer(name, absent: expected)
    guard found == expected else {
      throw failure("its attribute \(name)", found: "\(found)", expected: "\(expected)")
    }
  }

  /// Numbers along the axes in space of a value of `rank` axes as z, y, x; `absent` for all where there is no attribute.
  /// - Parameter depth: The number along z of a value that has none.
  func extent(_ name: String, rank: Int, absent: Int, depth: Int? = nil) throws(InputError) -> Extent3 {
    let depth = depth ?? absent
    guard let numbers = try integers(name), !numbers.isEmpty else {
      return rank == 5 ? Extent3(absent) : Extent3(depth, absent, absent)
    }
    return try extent(numbers, name, rank: rank, depth: depth)
  }

  /// Numbers along the axes in space as z, y, x.
  func extent(_ numbers: [Int], _ name: String, rank: Int, depth: Int) throws(InputError) -> Extent3 {
    guard numbers.count == rank - 2, numbers.allSatisfy({ (0...65_536).contains($0) }) else {
      throw failure(name, found: "\(numbers)", expected: "\(rank - 2) numbers that are not negative")
    }
    return rank == 5
      ? Extent3(numbers[0], numbers[1], numbers[2]) : Extent3(depth, numbers[0], numbers[1])
  }

  /// The elements of the largest value, so that products of extents do not overflow.
  private static let largestValue = 1 << 56

  /// Refuses a value of more elements than any image has.
  func requireSize(_ shape: [Int]) throws(InputError) {
    let count = shape.reduce(Int?.some(1)) { product, extent in product.flatMap { checkedProduct($0, extent) }
    }
    guard let count, count <= Self.largestValue else {
      throw failure("its output is too large", found: "\(shape)")
    }
  }

  /// Starts, ends, steps and axes of a `Slice`, equally many.
  func slice(rank: Int) throws(InputError) -> (starts: [Int], ends: [Int], steps: [Int], axes: [Int]) {
    let starts = try integers("starts", orInput: 1)
    let ends = try integers("ends", orInput: 2)
    let steps = try optionalIntegers(4) ?? starts.map { _ in 1 }
    let axes = try axes(input: 3, rank: rank) ?? Array(starts.indices)
    guard starts.count == axes.count, ends.count == axes.count, steps.count == axes.count,
      axes.allSatisfy((0..<rank).contains)
    else { throw failure("its starts, ends, axes and steps differ in number") }
    return (starts, ends, steps, axes)
  }

  /// An axis of a value of `rank` axes, counted from its end where it is negative.
  func axis(_ axis: Int, rank: Int) throws(InputError) -> Int {
    guard (-rank..<rank).contains(axis) else {
      throw failure("its axis", found: "\(axis)", expected: "\(-rank) to \(rank - 1)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Axes that are an attribute or, in later versions, input `index`; nil where there are none.
  func axes(input index: Int, rank: Int) throws(InputError) -> [Int]? {
    guard let numbers = try optionalIntegers("axes", orInput: index) else { return nil }
    var axes: [Int] = []
    for number in numbers { axes.append(try axis(number, rank: rank)) }
    guard Set(axes).count == axes.count else {
      throw failure("its axes", found: "\(numbers)", expected: "each once")
    }
    return axes
  }
}
