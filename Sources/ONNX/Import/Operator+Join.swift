import Networks
import Tensors
import Work

extension Operator {
  /// Sums, products and concatenations of values, and of a value with a constant.
  static let joins: [String: Operator] = [
    "Add": arithmetic { graph, call, one, other throws(InputError) in try graph.sum(of: [one, other], call) },
    "Sub": arithmetic { graph, call, one, other throws(InputError) in
      try graph.sum(of: [one, graph.scaled(other, by: -1, call)], call)
    },
    "Mul": arithmetic { graph, call, one, other throws(InputError) in
      try graph.product(of: one, other, call)
    },
    "Div": arithmetic { graph, call, one, other throws(InputError) in
      try graph.product(of: one, graph.inverse(of: other, call), call)
    },
    "Sum": Operator { graph, call throws(InputError) in
      var values: [ImportedValue] = []
      for index in call.inputs.indices { values.append(try call.operand(index)) }
      return [.signal(try graph.sum(of: values, call))]
    },
    "Max": Operator { graph, call throws(InputError) in
      // Only with 0, which is a ReLU.
      let index = if case .constant? = call[0] { 1 } else { 0 }
      let input = try call.signal(index)
      guard call.inputs.count == 2, case .constant(let zero) = call[1 - index], zero.elementCount == 1,
        try zero.floats() == [0]
      else { throw call.failure("is no maximum with 0", expected: "a maximum with 0, which is a ReLU") }
      return [.signal(input.with(try graph.emit(.relu, from: [input], call)))]
    },
    "Concat": Operator("axis") { graph, call throws(InputError) in
      var inputs: [Signal] = []
      for index in call.inputs.indices { inputs.append(try call.signal(index)) }
      let first = inputs[0]
      let axis = try call.axis(call.integer("axis", absent: 1), rank: first.axes.count)
      let arrangement = try call.commonAxes(of: inputs)
      guard arrangement[axis] == .channel || inputs.allSatisfy({ $0.channels == 1 && $0.axes[axis] == nil })
      else {
        throw call.failure(
          "is along the axis \(arrangement[axis]?.rawValue ?? "\(axis)")", expected: "the channels")
      }
      guard !inputs.contains(where: \.isExpanded) else { throw call.failure("has an expanded input") }
      guard inputs.allSatisfy({ $0.extent == first.extent }) else {
        throw call.failure(
          "its inputs differ in extents", found: inputs.map { "\($0.shape)" }.joined(separator: ", "))
      }
      if inputs.count == 1 { return [.signal(first)] }
      let output = try graph.emit(.concatenate, from: inputs, call)
      var result = first.with(output)
      result.channels = output.channels
      result.axes = arrangement
      result.axes[axis] = .channel
      result.shape[axis] = output.channels
      return [.signal(result)]
    },
  ]

  private static func arithmetic(
    _ combine:
      @escaping @Sendable (inout GraphImport, OperatorCall, ImportedValue, ImportedValue)
      throws(InputError) -> Signal
  ) -> Operator {
    Operator("axis", "broadcast", "consumed_inputs") { graph, call throws(InputError) in
      try call.require("broadcast", is: 0)
      return [.signal(try combine(&graph, call, call.operand(0), call.operand(1)))]
    }
  }
}

extension GraphImport {
  fileprivate mutating func sum(of values: [ImportedValue], _ call: OperatorCall) throws(InputError) -> Signal
  {
    var signals: [Signal] = []
    var constants: [Constant] = []
    for value in values {
      switch value {
      case .signal(let signal): signals.append(signal)
      case .constant(let constant): constants.append(constant)
      case .classes: throw call.failure("its input is a softmax or arg max")
      }
    }
    guard var sum = signals.first else { throw call.failure("has no input that depends on the image") }
    if signals.count > 1 {
      if Set(signals.map(\.layer)).count == 1,
        signals.allSatisfy({ $0.axes == sum.axes && $0.shape == sum.shape })
      {
        for other in signals.dropFirst() {
          let added = try limited(other, call)
          sum = try limited(sum, call)
          guard sum.layer == added.layer else {
            sum = try joined(.add, [sum, added], call)
            continue
          }
          sum.function = sum.function + added.function
        }
      } else {
        sum = try joined(.add, signals, call)
      }
    }
    for constant in constants {
      if let number = try call.scalar(constant, in: sum) {
        sum.function = sum.function.scaled(1, plus: Double(number))
      } else {
        let numbers = try call.channelNumbers(of: constant, in: sum)
        let ones = [Float](repeating: 1, count: sum.channels)
        sum = try emit(ChannelAffine(scale: ones, shift: numbers), from: sum, weight: constant, call)
      }
    }
    return sum
  }

  fileprivate mutating func product(
    of one: ImportedValue, _ other: ImportedValue, _ call: OperatorCall
  ) throws(InputError) -> Signal {
    switch (one, other) {
    case (.signal(let signal), .constant(let constant)), (.constant(let constant), .signal(let signal)):
      if let number = try call.scalar(constant, in: signal) {
        return signal.applying { $0.scaled(Double(number)) }
      }
      let numbers = try call.channelNumbers(of: constant, in: signal)
      let zeros = [Float](repeating: 0, count: signal.channels)
      return try emit(ChannelAffine(scale: numbers, shift: zeros), from: signal, weight: constant, call)
    case (.signal(let first), .signal(let second)):
      let (first, second) = (try limited(first, call), try limited(second, call))
      if first.layer == second.layer, first.axes == second.axes, first.shape == second.shape {
        return first.applying { $0 * second.function }
      }
      return try joined(.multiply, [first, second], call)
    default: throw call.failure("has no input that depends on the image")
    }
  }

  fileprivate func scaled(
    _ value: ImportedValue, by factor: Float, _ call: OperatorCall
  ) throws(InputError) -> ImportedValue {
    switch value {
    case .signal(let signal): return .signal(signal.applying { $0.scaled(Double(factor)) })
    case .constant(let constant):
      return .constant(
        Constant(shape: constant.shape, .floats(try constant.floats().map { factor * $0 }), path: path))
    case .classes: return value
    }
  }

  fileprivate func inverse(of value: ImportedValue, _ call: OperatorCall) throws(InputError) -> ImportedValue
  {
    guard case .constant(let constant) = value else {
      throw call.failure("divides by a layer's output", expected: "a constant divisor")
    }
    let numbers = try constant.floats()
    guard !numbers.contains(0) else { throw call.failure("divides by 0") }
    return .constant(Constant(shape: constant.shape, .floats(numbers.map { 1 / $0 }), path: path))
  }

  /// A layer that joins signals voxel by voxel, each broadcast to the others.
  private mutating func joined(
    _ operation: some NetworkOperation, _ inputs: [Signal], _ call: OperatorCall
  ) throws(InputError) -> Signal {
    let axes = try call.commonAxes(of: inputs)
    let output = try emit(operation, from: inputs, call)
    let largest = inputs.map(\.extent).max { $0.product < $1.product } ?? output.extent
    for input in inputs where input.extent != largest && input.extent != Extent3(1) {
      throw call.failure(
        "its inputs differ in extents", found: inputs.map { "\($0.shape)" }.joined(separator: ", "))
    }
    var result = inputs[0].with(output)
    (result.channels, result.extent, result.axes) = (output.channels, output.extent, axes)
    result.isExpanded = false
    result.shape = axes.enumerated().map { position, axis in
      axis.map { result.count(along: $0) }
        ?? inputs.map { $0.shape.dropFirst($0.shape.count - axes.count + position).first ?? 1 }.max() ?? 1
    }
    return result
  }
}

extension OperatorCall {
  /// Input `index` of a sum or product.
  fileprivate func operand(_ index: Int) throws(InputError) -> ImportedValue {
    switch self[index] {
    case .constant(let constant): .constant(constant)
    default: .signal(try signal(index))
    }
  }

  /// What the axes of values are that are broadcast to each other, aligned at their ends.
  fileprivate func commonAxes(of inputs: [Signal]) throws(InputError) -> [DataAxis?] {
    let rank = inputs.map(\.axes.count).max() ?? 0
    // Axes of more than one element decide; those of one are kept where they are not in the way.
    var (long, short) = ([DataAxis?](repeating: nil, count: rank), [DataAxis?](repeating: nil, count: rank))
    for input in inputs {
      for (position, axis) in input.axes.enumerated() {
        let place = rank - input.axes.count + position
        guard let axis else { continue }
        guard input.count(along: axis) > 1 else {
          short[place] = axis
          continue
        }
        guard long[place] == nil || long[place] == axis else {
          throw failure(
            "its inputs differ in the order of axes", found: "\(long[place]!.rawValue), \(axis.rawValue)")
        }
        long[place] = axis
      }
    }
    let named = long.compactMap(\.self)
    guard Set(named).count == named.count else { throw failure("its inputs differ in the order of axes") }
    return zip(long, short).map { long, short in long ?? short.flatMap { named.contains($0) ? nil : $0 } }
  }

  /// Whether the elements of `constant`, broadcast to `signal`, are one for each channel.
  func channelPosition(of constant: Constant, in signal: Signal) -> Bool {
    let offset = signal.axes.count - constant.shape.count
    return constant.elementCount == signal.channels && offset >= 0
      && constant.shape.enumerated().allSatisfy { position, count in
        count == 1 || signal.axes[offset + position] == .channel
      }
  }

  /// The number that a constant is everywhere; nil where it has several.
  /// - Throws: ``InputError`` where broadcasting it would make the signal larger.
  fileprivate func scalar(_ constant: Constant, in signal: Signal) throws(InputError) -> Float? {
    let offset = signal.shape.count - constant.shape.count
    for (position, count) in constant.shape.enumerated() where count != 1 {
      guard offset + position >= 0, signal.shape[offset + position] == count else {
        throw failure(
          "a constant of another shape", found: "\(constant.shape)",
          expected: "one number, or one for each of \(signal.channels) channels")
      }
    }
    guard offset >= 0 else {
      throw failure("a constant of more axes than its input", found: "\(constant.shape)")
    }
    let numbers = try constant.floats()
    guard let first = numbers.first else { throw failure("a constant without elements") }
    return numbers.allSatisfy { $0 == first } ? first : nil
  }

  /// The numbers of a constant for each channel of a signal.
  fileprivate func channelNumbers(of constant: Constant, in signal: Signal) throws(InputError) -> [Float] {
    guard channelPosition(of: constant, in: signal) else {
      throw failure(
        "a constant of another shape", found: "\(constant.shape)",
        expected: "one number, or one for each of \(signal.channels) channels")
    }
    return try constant.floats()
  }
}
