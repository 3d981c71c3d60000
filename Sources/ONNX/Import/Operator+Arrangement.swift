import Networks
import Tensors
import Work

extension Operator {
  /// Operators that change the arrangement of axes, or nothing.
  static let arrangements: [String: Operator] = [
    "Identity": alias(), "Dropout": alias("ratio", "seed", "is_test"),
    "Cast": Operator("to", "saturate", "round_mode") { _, call throws(InputError) in
      let target = TensorProto.ElementType(rawValue: try call.integer("to", absent: 0))
      if case .classes(let signal) = call[0] { return [.classes(signal)] }
      guard target?.isFloating == true else { throw call.failure("makes integers of a layer's output") }
      return [.signal(try call.signal(0))]
    },
    "Constant": Operator("value", "value_float", "value_floats", "value_int", "value_ints") {
      _, call throws(InputError) in
      if let tensor = try call.tensor("value") { return [.constant(try Constant(tensor, path: call.path))] }
      if let floats = try call.floats("value_floats") {
        return [.constant(Constant(shape: [floats.count], .floats(floats), path: call.path))]
      }
      if let integers = try call.integers("value_ints") {
        return [.constant(Constant(integers, path: call.path))]
      }
      if call.has("value_int") {
        let integer = try call.integer("value_int", absent: 0)
        return [.constant(Constant(shape: [], .integers([integer]), path: call.path))]
      }
      guard call.has("value_float") else { throw call.failure("has no value that is read") }
      let float = try call.float("value_float", absent: 0)
      return [.constant(Constant(shape: [], .floats([float]), path: call.path))]
    },
    "CastLike": Operator("saturate") { _, call throws(InputError) in [.signal(try call.signal(0))] },
    "Shape": Operator("start", "end") { _, call throws(InputError) in
      let shape: [Int]
      switch call[0] {
      case .signal(let signal): shape = signal.shape
      case .constant(let constant): shape = constant.shape
      default: throw call.failure("has no input with a shape")
      }
      return [.constant(Constant(try call.slice(shape), path: call.path))]
    },
    "Size": Operator { _, call throws(InputError) in
      let count = try call.signal(0).shape.reduce(1, *)
      return [.constant(Constant(shape: [], .integers([count]), path: call.path))]
    },
    "Transpose": Operator("perm") { _, call throws(InputError) in
      let isClasses = if case .classes? = call[0] { true } else { false }
      var signal = try isClasses ? call.classes(0) : call.signal(0)
      let rank = signal.axes.count
      let order = try call.integers("perm") ?? Array((0..<rank).reversed())
      guard order.sorted() == Array(0..<rank) else {
        throw call.failure("its perm", found: "\(order)", expected: "each of 0 to \(rank - 1) once")
      }
      signal.axes = order.map { signal.axes[$0] }
      signal.shape = order.map { signal.shape[$0] }
      return [isClasses ? .classes(signal) : .signal(signal)]
    },
    "Reshape": Operator("allowzero", "shape") { graph, call throws(InputError) in
      let target = try call.integers("shape", orInput: 1)
      if case .signal(let signal) = call[0], let grouping = signal.grouping {
        return [.signal(try graph.ungrouped(signal, grouping, target, call))]
      }
      if case .classes(let signal) = call[0] { return [.classes(try call.reshaped(signal, to: target))] }
      let signal = try call.signal(0)
      let shape = try call.shape(target, of: signal.shape)
      if let reshaped = signal.reshaped(to: shape), !signal.isExpanded { return [.signal(reshaped)] }
      guard shape.count >= 3, shape[0] == 1, signal.channels.isMultiple(of: max(shape[1], 1)),
        !signal.isExpanded,
        signal.isArranged(as: DataAxis.channelsFirst(rank: signal.axes.count == 4 ? 4 : 5))
      else {
        throw call.failure(
          "mixes axes", found: "\(signal.shape) as \(shape)",
          expected: "axes of 1 that are added or taken away")
      }
      var grouped = signal
      grouped.grouping = Signal.Grouping(groups: shape[1], shape: signal.shape, axes: signal.axes)
      grouped.shape = shape
      return [.signal(grouped)]
    },
    "Flatten": Operator("axis") { _, call throws(InputError) in
      let signal = try call.signal(0)
      let axis = try call.axis(call.integer("axis", absent: 1), rank: signal.axes.count + 1)
      let shape = [signal.shape[..<axis].reduce(1, *), signal.shape[axis...].reduce(1, *)]
      return [.signal(try call.reshaped(signal, to: shape))]
    },
    "Squeeze": Operator("axes") { _, call throws(InputError) in
      let isClasses = if case .classes? = call[0] { true } else { false }
      let signal = try isClasses ? call.classes(0) : call.signal(0)
      let axes =
        try call.axes(input: 1, rank: signal.axes.count)
        ?? signal.shape.indices.filter { signal.shape[$0] == 1 }
      guard axes.allSatisfy({ signal.shape[$0] == 1 || isClasses && signal.axes[$0] == .channel }) else {
        throw call.failure("takes away axes of more than one element", found: "\(axes) of \(signal.shape)")
      }
      let rest = signal.shape.indices.filter { !axes.contains($0) }
      var squeezed = signal
      (squeezed.shape, squeezed.axes) = (rest.map { signal.shape[$0] }, rest.map { signal.axes[$0] })
      return [isClasses ? .classes(squeezed) : .signal(squeezed)]
    },
    "Unsqueeze": Operator("axes") { _, call throws(InputError) in
      let signal = try call.signal(0)
      let numbers = try call.integers("axes", orInput: 1)
      let rank = signal.axes.count + numbers.count
      var axes: Set<Int> = []
      for number in numbers { axes.insert(try call.axis(number, rank: rank)) }
      guard axes.count == numbers.count, rank <= FileLimit.axes else {
        throw call.failure("its axes", found: "\(numbers)")
      }
      var unsqueezed = signal
      for axis in axes.sorted() {
        unsqueezed.shape.insert(1, at: axis)
        unsqueezed.axes.insert(nil, at: axis)
      }
      return [.signal(unsqueezed)]
    },
    "Expand": Operator { graph, call throws(InputError) in
      let signal = try call.signal(0)
      let target = try call.constant(1).integers()
      let rank = max(target.count, signal.shape.count)
      let own = [Int](repeating: 1, count: rank - signal.shape.count) + signal.shape
      let other = [Int](repeating: 1, count: rank - target.count) + target
      guard zip(own, other).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }), other.allSatisfy({ $0 > 0 })
      else {
        throw call.failure("shapes that do not fit", found: "\(signal.shape) and \(target)")
      }
      var expanded = signal
      expanded.axes = [DataAxis?](repeating: nil, count: rank - signal.axes.count) + signal.axes
      expanded.shape = zip(own, other).map { max($0, $1) }
      expanded.isExpanded = expanded.shape != own
      try call.requireSize(expanded.shape)
      return [.signal(try graph.repeatingChannels(expanded, from: own, call))]
    },
    "Tile": Operator { graph, call throws(InputError) in
      let signal = try call.signal(0)
      let counts = try call.constant(1).integers()
      guard counts.count == signal.shape.count, counts.allSatisfy({ (1...65_536).contains($0) }) else {
        throw call.failure(
          "its repeats", found: "\(counts)", expected: "\(signal.shape.count) numbers above 0")
      }
      var tiled = signal
      try call.requireSize(signal.shape + counts)
      tiled.shape = zip(signal.shape, counts).map { $0 * $1 }
      tiled.isExpanded = tiled.shape != signal.shape
      let result = try graph.repeatingChannels(tiled, from: signal.shape, call)
      guard !result.isExpanded else { throw call.failure("repeats an axis that is not the channels") }
      return [.signal(result)]
    },
  ]

  private static func alias(_ attributes: String...) -> Operator {
    var `operator` = Operator { _, call throws(InputError) in
      guard call.node.operation != "Dropout" || call.node.outputs.dropFirst().allSatisfy(\.isEmpty) else {
        throw call.failure("has an output of its mask", expected: "one output")
      }
      if case .constant(let isTraining)? = call[2], call.node.operation == "Dropout",
        try isTraining.integers() != [0]
      {
        throw call.failure("drops in training", expected: "a graph of inference")
      }
      guard let value = call[0] else { throw call.failure("has no input") }
      return [value]
    }
    `operator`.attributes = Set(attributes)
    return `operator`
  }
}

extension GraphImport {
  /// A value back in its arrangement before a group normalisation, whose layer is added.
  fileprivate mutating func ungrouped(
    _ signal: Signal, _ grouping: Signal.Grouping, _ target: [Int], _ call: OperatorCall
  ) throws(InputError) -> Signal {
    guard let epsilon = grouping.epsilon, try call.shape(target, of: signal.shape) == grouping.shape else {
      throw call.failure(
        "mixes axes", found: "\(signal.shape) as \(target)",
        expected: "a group normalisation: reshaped, normalised and back to \(grouping.shape)")
    }
    var plain = signal
    (plain.grouping, plain.shape, plain.axes) = (nil, grouping.shape, grouping.axes)
    let operation = GroupNormalisationOperation(groups: grouping.groups, epsilon: epsilon, isAffine: false)
    return plain.with(try emit(operation, from: [plain], call))
  }

  /// An expanded value of which the channels are the one channel of a layer, repeated by a layer.
  fileprivate mutating func repeatingChannels(
    _ expanded: Signal, from own: [Int], _ call: OperatorCall
  ) throws(InputError) -> Signal {
    let changed = own.indices.filter { own[$0] != expanded.shape[$0] }
    guard changed.count == 1, let axis = changed.first, own[axis] == 1 || expanded.axes[axis] == .channel,
      axis == 1, expanded.axes[1] == .channel || expanded.channels == 1
    else { return expanded }
    let copies = expanded.shape[axis] / own[axis]
    var single = expanded
    (single.shape, single.isExpanded) = (own, false)
    guard copies > 1 else { return single }
    let output = try emit(.concatenate, from: [Signal](repeating: single, count: copies), call)
    var result = expanded.with(output)
    (result.channels, result.isExpanded) = (output.channels, false)
    result.axes[axis] = .channel
    return result
  }
}

extension OperatorCall {
  /// Input `index`, which is a softmax or arg max.
  fileprivate func classes(_ index: Int) throws(InputError) -> Signal {
    guard case .classes(let signal) = self[index] else { throw failure("has no input of classes") }
    return signal
  }

  /// The part of a shape between the attributes `start` and `end`.
  fileprivate func slice(_ shape: [Int]) throws(InputError) -> [Int] {
    func position(_ name: String, _ absent: Int) throws(InputError) -> Int {
      let position = try integer(name, absent: absent)
      return min(max(position < 0 ? position + shape.count : position, 0), shape.count)
    }
    let (start, end) = (try position("start", 0), try position("end", shape.count))
    return start < end ? Array(shape[start..<end]) : []
  }

  /// The extents that a `Reshape` to `target` gives: 0 keeps the input's, -1 is what is left.
  func shape(_ target: [Int], of input: [Int]) throws(InputError) -> [Int] {
    let keepsZeros = try integer("allowzero", absent: 0) == 0
    guard target.count <= FileLimit.axes else { throw failure("a shape of \(target.count) axes") }
    var shape = target
    for (axis, count) in target.enumerated() where count == 0 && keepsZeros {
      guard input.indices.contains(axis) else {
        throw failure("a shape that keeps an axis which is not there", found: "\(target)")
      }
      shape[axis] = input[axis]
    }
    let unknown = shape.indices.filter { shape[$0] == -1 }
    let known = shape.filter { $0 != -1 }.reduce(Int?.some(1)) { product, count in
      count < 0 ? nil : product.flatMap { checkedProduct($0, count) }
    }
    let total = input.reduce(1, *)
    guard unknown.count <= 1, let known else { throw failure("a shape that is none", found: "\(target)") }
    if let axis = unknown.first {
      guard known > 0, total.isMultiple(of: known) else {
        throw failure("a shape that does not fit", found: "\(input) as \(target)")
      }
      shape[axis] = total / known
    }
    guard !unknown.isEmpty || known == total else {
      throw failure("a shape that does not fit", found: "\(input) as \(target)")
    }
    return shape
  }

  /// A signal whose axes of one element are elsewhere.
  fileprivate func reshaped(_ signal: Signal, to target: [Int]) throws(InputError) -> Signal {
    let shape = try shape(target, of: signal.shape)
    guard !signal.isExpanded, let reshaped = signal.reshaped(to: shape) else {
      throw failure(
        "mixes axes", found: "\(signal.shape) as \(shape)", expected: "axes of 1 that are added or taken away"
      )
    }
    return reshaped
  }
}
