import Foundation
import Work

extension Operator {
  /// The operators of values that do not depend on the image: what exporters compute of shapes, and of weights.
  static let ofConstants: [String: Operator] = [
    "Identity": same(), "Dropout": same("ratio", "seed"),
    "Shape": ofImages["Shape"]!,
    "Size": Operator { graph, call throws(InputError) in
      let count = try call.constant(0).elementCount
      return [graph.constant(shape: [], .integers([count]))]
    },
    "Cast": Operator("to", "saturate", "round_mode") { graph, call throws(InputError) in
      let constant = try call.constant(0)
      try graph.countConstant(constant.elementCount, call)
      guard let type = TensorProto.ElementType(rawValue: try call.integer("to", absent: 0)) else {
        throw call.failure("casts to a type that is not read")
      }
      if type.isFloating { return [graph.constant(shape: constant.shape, .floats(try constant.floats()))] }
      let integers: [Int]
      if try constant.isFloating() {
        integers = try constant.floats().map { type == .bool ? ($0 == 0 ? 0 : 1) : Int(saturating: $0) }
      } else {
        integers = try constant.integers().map { type == .bool ? ($0 == 0 ? 0 : 1) : $0 }
      }
      return [graph.constant(shape: constant.shape, .integers(integers))]
    },
    "Reshape": Operator("allowzero", "shape") { _, call throws(InputError) in
      var constant = try call.constant(0)
      constant.shape = try call.shape(
        call.integers("shape", orInput: 1), of: constant.shape)
      return [.constant(constant)]
    },
    "Squeeze": Operator("axes") { _, call throws(InputError) in
      var constant = try call.constant(0)
      let shape = constant.shape
      let axes =
        try call.axes(input: 1, rank: shape.count) ?? shape.indices.filter { shape[$0] == 1 }
      guard axes.allSatisfy({ shape[$0] == 1 }) else {
        throw call.failure("takes away axes of more than one element")
      }
      constant.shape = shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
      return [.constant(constant)]
    },
    "Unsqueeze": Operator("axes") { _, call throws(InputError) in
      var constant = try call.constant(0)
      let numbers = try call.integers("axes", orInput: 1)
      let rank = constant.shape.count + numbers.count
      guard rank <= FileLimit.axes else { throw call.failure("makes \(rank) axes") }
      var axes: Set<Int> = []
      for number in numbers { axes.insert(try call.axis(number, rank: rank)) }
      guard axes.count == numbers.count else { throw call.failure("its axes", found: "\(numbers)") }
      for axis in axes.sorted() { constant.shape.insert(1, at: axis) }
      return [.constant(constant)]
    },
    "Transpose": Operator("perm") { graph, call throws(InputError) in
      let constant = try call.constant(0)
      let rank = constant.shape.count
      let order = try call.integers("perm") ?? Array((0..<rank).reversed())
      guard order.sorted() == Array(0..<rank) else { throw call.failure("its perm", found: "\(order)") }
      let strides = constant.shape.strides
      return [
        try graph.gathered(
          constant, shape: order.map { constant.shape[$0] }, strides: order.map { strides[$0] }, call)
      ]
    },
    "Expand": Operator { graph, call throws(InputError) in
      let constant = try call.constant(0)
      let shape = try call.broadcast(constant.shape, call.constant(1).integers())
      return [
        try graph.gathered(constant, shape: shape, strides: constant.shape.broadcastStrides(to: shape), call)
      ]
    },
    "Concat": Operator("axis") { graph, call throws(InputError) in
      var parts: [Constant] = []
      for index in call.inputs.indices { parts.append(try call.constant(index)) }
      let shape = parts[0].shape
      let axis = try call.axis(call.integer("axis", absent: 1), rank: max(shape.count, 1))
      guard
        parts.allSatisfy({ part in
          part.shape.count == shape.count
            && shape.indices.allSatisfy { $0 == axis || part.shape[$0] == shape[$0] }
        }), !shape.isEmpty
      else {
        throw call.failure(
          "shapes that do not fit", found: parts.map { "\($0.shape)" }.joined(separator: ", "))
      }
      var joined = shape
      joined[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
      let outer = shape[..<axis].reduce(1, *)
      try graph.countConstant(joined.reduce(1, *), call)
      return [try graph.concatenated(parts, outer: outer, shape: joined)]
    },
    "Slice": Operator("axes", "starts", "ends") { graph, call throws(InputError) in
      let constant = try call.constant(0)
      let (starts, ends, steps, axes) = try call.slice(rank: constant.shape.count)
      var (shape, strides, first) = (constant.shape, constant.shape.strides, 0)
      for (index, axis) in axes.enumerated() {
        let (count, step) = (shape[axis], steps[index])
        guard step == 1 || step == -1 else {
          throw call.failure("its step", found: "\(step)", expected: "1 or -1")
        }
        let limits = step > 0 ? 0...count : -1...max(count - 1, -1)
        func position(_ number: Int) -> Int {
          let position = number < 0 && number >= -count ? number + count : number
          return min(max(position, limits.lowerBound), limits.upperBound)
        }
        let (start, end) = (position(starts[index]), position(ends[index]))
        first += start * strides[axis]
        shape[axis] = max(0, step > 0 ? end - start : start - end)
        strides[axis] *= step
      }
      return [try graph.gathered(constant, shape: shape, strides: strides, first: first, call)]
    },
    "Gather": Operator("axis") { graph, call throws(InputError) in
      let (constant, indices) = (try call.constant(0), try call.constant(1))
      let axis = try call.axis(call.integer("axis", absent: 0), rank: max(constant.shape.count, 1))
      guard axis < constant.shape.count, constant.shape.count + indices.shape.count - 1 <= FileLimit.axes
      else {
        throw call.failure("gathers of a number")
      }
      let count = constant.shape[axis]
      let numbers = try indices.integers().map { $0 < 0 ? $0 + count : $0 }
      guard numbers.allSatisfy((0..<count).contains) else {
        throw call.failure("its indices", found: "\(numbers.prefix(8))", expected: "0 to \(count - 1)")
      }
      let (outer, inner) = (constant.shape[..<axis], constant.shape[(axis + 1)...])
      let (outerCount, innerCount) = (outer.reduce(1, *), inner.reduce(1, *))
      try graph.countConstant(checkedProduct(outerCount, numbers.count, innerCount) ?? .max, call)
      let positions = (0..<outerCount).flatMap { block in
        numbers.flatMap { number in (0..<innerCount).map { (block * count + number) * innerCount + $0 } }
      }
      return [try graph.picked(constant, positions, shape: outer + indices.shape + inner)]
    },
    "ConstantOfShape": Operator("value") { graph, call throws(InputError) in
      let shape = try call.constant(0).integers()
      guard shape.count <= FileLimit.axes, shape.allSatisfy({ (0...FileLimit.elements).contains($0) }) else {
        throw call.failure("a shape that is none", found: "\(shape)")
      }
      let count = shape.reduce(Int?.some(1)) { product, extent in
        product.flatMap { checkedProduct($0, extent) }
      }
      try graph.countConstant(count ?? .max, call)
      guard let tensor = try call.tensor("value") else {
        return [graph.constant(shape: shape, .floats([Float](repeating: 0, count: count ?? 0)))]
      }
      let value = try Constant(tensor, path: call.path)
      guard value.elementCount == 1 else {
        throw call.failure("its value", found: "\(value.shape)", expected: "[1]")
      }
      return [
        try graph.picked(value, [Int](repeating: 0, count: count ?? 0), shape: shape)
      ]
    },
    "Range": Operator { graph, call throws(InputError) in
      let numbers = try (0..<3).map { index throws(InputError) in
        try call.constant(index).integers().first ?? 0
      }
      let (start, limit, step) = (numbers[0], numbers[1], numbers[2])
      guard step != 0, numbers.allSatisfy((-FileLimit.elements...FileLimit.elements).contains) else {
        throw call.failure("its numbers", found: "\(numbers)")
      }
      let count = max(0, (limit - start + step - step.signum()) / step)
      try graph.countConstant(count, call)
      return [graph.constant(shape: [count], .integers((0..<count).map { start + $0 * step }))]
    },
    "Where": Operator { graph, call throws(InputError) in
      let parts = try (0..<3).map { index throws(InputError) in try call.constant(index) }
      let shape = try call.broadcast(call.broadcast(parts[0].shape, parts[1].shape), parts[2].shape)
      let isFloating = try parts[1].isFloating()
      let strides = parts.map { $0.shape.broadcastStrides(to: shape) }
      let condition = try graph.gathered(parts[0], shape: shape, strides: strides[0], call).constantIntegers()
      if isFloating {
        let one = try graph.gathered(parts[1], shape: shape, strides: strides[1], call).constantFloats()
        let other = try graph.gathered(parts[2], shape: shape, strides: strides[2], call).constantFloats()
        return [
          graph.constant(
            shape: shape, .floats(condition.indices.map { condition[$0] != 0 ? one[$0] : other[$0] }))
        ]
      }
      let one = try graph.gathered(parts[1], shape: shape, strides: strides[1], call).constantIntegers()
      let other = try graph.gathered(parts[2], shape: shape, strides: strides[2], call).constantIntegers()
      return [
        graph.constant(
          shape: shape, .integers(condition.indices.map { condition[$0] != 0 ? one[$0] : other[$0] }))
      ]
    },
    "Add": arithmetic(+, { $0.addingReportingOverflow($1) }),
    "Sub": arithmetic(-, { $0.subtractingReportingOverflow($1) }),
    "Mul": arithmetic(*, { $0.multipliedReportingOverflow(by: $1) }),
    "Div": arithmetic(/, { $0.dividedReportingOverflow(by: $1) }),
    "Max": arithmetic(max, { (max($0, $1), false) }), "Min": arithmetic(min, { (min($0, $1), false) }),
    "Equal": arithmetic(nil, { ($0 == $1 ? 1 : 0, false) }),
    "Less": arithmetic(nil, { ($0 < $1 ? 1 : 0, false) }),
    "Greater": arithmetic(nil, { ($0 > $1 ? 1 : 0, false) }),
    "Mod": arithmetic(nil) { one, other in
      let (rest, overflow) = one.remainderReportingOverflow(dividingBy: other)
      return (rest != 0 && (rest < 0) != (other < 0) ? rest + other : rest, overflow)
    },
    "Floor": function { $0.rounded(.down) }, "Ceil": function { $0.rounded(.up) },
    "Sqrt": function { $0.squareRoot() }, "Neg": function { -$0 }, "Abs": function { abs($0) },
    "Exp": function { exp($0) }, "Reciprocal": function { 1 / $0 },
    "ReduceProd": Operator("axes", "keepdims", "noop_with_empty_axes") { graph, call throws(InputError) in
      let constant = try call.constant(0)
      guard constant.shape.count == 1 else { throw call.failure("of \(constant.shape)", expected: "a list") }
      var product: Int? = 1
      for number in try constant.integers() { product = product.flatMap { checkedProduct($0, number) } }
      guard let product else { throw call.failure("its product is too large") }
      let keeps = try call.integer("keepdims", absent: 1) != 0
      return [graph.constant(shape: keeps ? [1] : [], .integers([product]))]
    },
  ]

  private static func same(_ attributes: String...) -> Operator {
    var `operator` = Operator { _, call throws(InputError) in [.constant(try call.constant(0))] }
    `operator`.attributes = Set(attributes)
    return `operator`
  }

  /// A function of every element, which are real numbers or small integers.
  private static func function(_ function: @escaping @Sendable (Float) -> Float) -> Operator {
    Operator { graph, call throws(InputError) in
      let constant = try call.constant(0)
      try graph.countConstant(constant.elementCount, call)
      let results = try constant.floats().map(function)
      if try constant.isFloating() { return [graph.constant(shape: constant.shape, .floats(results))] }
      return [graph.constant(shape: constant.shape, .integers(results.map { Int(saturating: $0) }))]
    }
  }

  /// A function of two elements, broadcast to each other.
  /// - Parameters:
  ///   - floats: Of real numbers; nil where there is none.
  ///   - integers: Of integers, with whether it overflows.
  private static func arithmetic(
    _ floats: (@Sendable (Float, Float) -> Float)?,
    _ integers: @escaping @Sendable (Int, Int) -> (Int, Bool)
  ) -> Operator {
    Operator("axis", "broadcast", "fmod") { graph, call throws(InputError) in
      try call.require("broadcast", is: 0)
      try call.require("fmod", is: 0)
      guard call.inputs.count == 2 else {
        throw call.failure("has \(call.inputs.count) inputs", expected: "2")
      }
      let (one, other) = (try call.constant(0), try call.constant(1))
      let shape = try call.broadcast(one.shape, other.shape)
      let first = try graph.gathered(one, shape: shape, strides: one.shape.broadcastStrides(to: shape), call)
      let second = try graph.gathered(
        other, shape: shape, strides: other.shape.broadcastStrides(to: shape), call)
      if try one.isFloating() {
        guard let floats else { throw call.failure("of real numbers", expected: "integers") }
        let (first, second) = (try first.constantFloats(), try second.constantFloats())
        return [graph.constant(shape: shape, .floats(zip(first, second).map(floats)))]
      }
      var results: [Int] = []
      for (first, second) in zip(try first.constantIntegers(), try second.constantIntegers()) {
        let (result, overflow) = integers(first, second)
        guard !overflow else { throw call.failure("overflows", found: "\(first), \(second)") }
        results.append(result)
      }
      return [graph.constant(shape: shape, .integers(results))]
    }
  }
}

extension GraphImport {
  fileprivate func constant(shape: [Int], _ elements: Constant.Elements) -> ImportedValue {
    .constant(Constant(shape: shape, elements, path: path))
  }

  /// The elements of a constant at positions that step by `strides` along the axes of `shape`, from `first`.
  fileprivate mutating func gathered(
    _ constant: Constant, shape: [Int], strides: [Int], first: Int = 0, _ call: OperatorCall
  ) throws(InputError) -> ImportedValue {
    let count = shape.reduce(Int?.some(1)) { product, extent in product.flatMap { checkedProduct($0, extent) }
    }
    try countConstant(count ?? .max, call)
    var positions = [first]
    for (extent, stride) in zip(shape, strides) {
      positions = positions.flatMap { position in (0..<extent).map { position + $0 * stride } }
    }
    return try picked(constant, positions, shape: shape)
  }

  fileprivate func picked(
    _ constant: Constant, _ positions: [Int], shape: [Int]
  ) throws(InputError) -> ImportedValue {
    if try constant.isFloating() {
      let floats = try constant.floats()
      return self.constant(shape: shape, .floats(positions.map { floats[$0] }))
    }
    let integers = try constant.integers()
    return self.constant(shape: shape, .integers(positions.map { integers[$0] }))
  }

  fileprivate func concatenated(_ parts: [Constant], outer: Int, shape: [Int]) throws(InputError)
    -> ImportedValue
  {
    func joined<Number>(_ lists: [[Number]]) -> [Number] {
      (0..<outer).flatMap { block in
        lists.flatMap { list in
          let size = list.count / max(outer, 1)
          return list[block * size..<(block + 1) * size]
        }
      }
    }
    var (floats, integers): ([[Float]], [[Int]]) = ([], [])
    guard try parts[0].isFloating() else {
      for part in parts { integers.append(try part.integers()) }
      return constant(shape: shape, .integers(joined(integers)))
    }
    for part in parts { floats.append(try part.floats()) }
    return constant(shape: shape, .floats(joined(floats)))
  }
}

extension ImportedValue {
  fileprivate func constantFloats() throws(InputError) -> [Float] {
    guard case .constant(let constant) = self else { preconditionFailure("no constant") }
    return try constant.floats()
  }

  fileprivate func constantIntegers() throws(InputError) -> [Int] {
    guard case .constant(let constant) = self else { preconditionFailure("no constant") }
    return try constant.integers()
  }
}

extension OperatorCall {
  /// The shape to which two shapes are broadcast.
  fileprivate func broadcast(_ one: [Int], _ other: [Int]) throws(InputError) -> [Int] {
    let rank = max(one.count, other.count)
    let first = [Int](repeating: 1, count: rank - one.count) + one
    let second = [Int](repeating: 1, count: rank - other.count) + other
    guard rank <= FileLimit.axes,
      zip(first, second).allSatisfy({ ($0 == $1 || $0 == 1 || $1 == 1) && $0 >= 0 && $1 >= 0 })
    else { throw failure("shapes that do not fit", found: "\(one) and \(other)") }
    return zip(first, second).map { $0 == 1 ? $1 : $0 }
  }
}

extension [Int] {
  /// Elements from one to the next along each axis of an array of this shape.
  fileprivate var strides: [Int] {
    indices.map { self[($0 + 1)...].reduce(1, *) }
  }

  /// The strides of an array of this shape that is broadcast to another: 0 along repeated axes.
  fileprivate func broadcastStrides(to shape: [Int]) -> [Int] {
    let own = strides
    return shape.indices.map { axis in
      let place = axis - (shape.count - count)
      return place < 0 || self[place] == 1 ? 0 : own[place]
    }
  }
}
