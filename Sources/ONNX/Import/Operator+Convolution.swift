import Networks
import Tensors
import Work

extension Operator {
  /// Convolutions, and products with matrices, which are pointwise ones.
  static let convolutions: [String: Operator] = [
    "Conv": Operator("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides") {
      graph, call throws(InputError) in
      let input = try call.spatialSignal(0)
      let rank = input.axes.count
      let weight = try call.constant(1)
      let kernel = try call.kernel(weight, rank: rank)
      let groups = try call.integer("group", absent: 1)
      let padding = try call.padding(rank: rank)
      let geometry = ConvolutionGeometry(
        kernel: kernel, stride: try call.extent("strides", rank: rank, absent: 1), padding: padding.numbers,
        dilation: try call.extent("dilations", rank: rank, absent: 1), groups: groups)
      try call.requireShape(weight, [weight.shape[0], input.channels / max(groups, 1)], rank: rank)
      return [
        .signal(
          try graph.emit(
            .convolution(
              geometry, samePadding: padding.rule, outputChannels: weight.shape[0],
              hasBias: call[2] != nil),
            from: [input], tensors: call.weights(weight, kernel, outputs: weight.shape[0]), weight: weight,
            call))
      ]
    },
    "ConvTranspose": Operator(
      "auto_pad", "dilations", "group", "kernel_shape", "output_padding", "output_shape", "pads", "strides"
    ) { graph, call throws(InputError) in
      let input = try call.spatialSignal(0)
      let rank = input.axes.count
      let weight = try call.constant(1)
      let kernel = try call.kernel(weight, rank: rank)
      let groups = try call.integer("group", absent: 1)
      var geometry = TransposedConvolutionGeometry(
        kernel: kernel, stride: try call.extent("strides", rank: rank, absent: 1), padding: .none,
        outputPadding: try call.extent("output_padding", rank: rank, absent: 0),
        dilation: try call.extent("dilations", rank: rank, absent: 1), groups: groups)
      let outputs = checkedProduct(weight.shape[1], groups) ?? 0
      // Extents are computed of numbers that are in range.
      let operation = TransposedConvolutionOperation(geometry, outputChannels: outputs, hasBias: false)
      if let problem = operation.problem { throw call.failure(problem) }
      geometry.padding = try call.transposedPadding(geometry, input: input.extent, rank: rank)
      try call.requireShape(weight, [input.channels, weight.shape[1]], rank: rank)
      return [
        .signal(
          try graph.emit(
            .transposedConvolution(geometry, outputChannels: outputs, hasBias: call[2] != nil), from: [input],
            tensors: call.weights(weight, kernel, outputs: outputs), weight: weight, call))
      ]
    },
    "Gemm": Operator("alpha", "beta", "transA", "transB", "broadcast") { graph, call throws(InputError) in
      try call.require("transA", is: 0)
      let input = try call.signal(0)
      guard input.axes.count == 2 else {
        throw call.failure("its input has \(input.axes.count) axes", expected: "2: batch and channel")
      }
      let isTransposed = try call.integer("transB", absent: 0) != 0
      let (alpha, beta) = (try call.float("alpha", absent: 1), try call.float("beta", absent: 1))
      return [
        .signal(
          try graph.product(
            of: input, with: call.constant(1), isTransposed: isTransposed, alpha,
            bias: call.optionalConstant(2),
            beta, call))
      ]
    },
    "MatMul": Operator { graph, call throws(InputError) in
      [
        .signal(
          try graph.product(
            of: call.signal(0), with: call.constant(1), isTransposed: false, 1, bias: nil, 1, call))
      ]
    },
  ]
}

extension GraphImport {
  /// The product of a value whose last axis is its channels with a matrix: a pointwise convolution.
  /// - Parameter isTransposed: Whether the matrix is [outputs, inputs], as PyTorch's, not [inputs, outputs].
  fileprivate mutating func product(
    of input: Signal, with matrix: Constant, isTransposed: Bool, _ alpha: Float, bias: Constant?,
    _ beta: Float,
    _ call: OperatorCall
  ) throws(InputError) -> Signal {
    guard !input.isExpanded, let last = input.axes.last,
      last == .channel || last == nil && input.channels == 1
    else {
      throw call.failure("multiplies an axis that is not the channels")
    }
    guard matrix.shape.count == 2, matrix.shape[isTransposed ? 1 : 0] == input.channels else {
      throw call.failure(
        "shape of its matrix", found: "\(matrix.shape)", expected: "one of \(input.channels) input channels")
    }
    let outputs = matrix.shape[isTransposed ? 0 : 1]
    let stored = try matrix.floats()
    var weights = [Float](repeating: 0, count: stored.count)
    for output in 0..<outputs {
      for channel in 0..<input.channels {
        let index = isTransposed ? output * input.channels + channel : channel * outputs + output
        weights[output * input.channels + channel] = alpha * stored[index]
      }
    }
    var parameters: [ParameterSlot.Role: Tensor] = [
      .weight: Tensor(shape: [outputs, input.channels, 1, 1, 1], elements: weights)
    ]
    if let bias {
      let numbers = try bias.floats()
      guard numbers.count == outputs || numbers.count == 1 else {
        throw call.failure("shape of its bias", found: "\(bias.shape)", expected: "[\(outputs)]")
      }
      parameters[.bias] = Tensor(
        shape: [outputs], elements: (0..<outputs).map { beta * numbers[numbers.count == 1 ? 0 : $0] })
    }
    let output = try emit(
      .convolution(ConvolutionGeometry(kernel: Extent3(1)), outputChannels: outputs, hasBias: bias != nil),
      from: [input], tensors: parameters, weight: matrix, call)
    var result = input.with(output)
    result.channels = outputs
    result.shape[result.shape.count - 1] = outputs
    result.axes[result.axes.count - 1] = .channel
    return result
  }
}

extension OperatorCall {
  /// The extents of a kernel, from its weights, which the attribute must agree with.
  fileprivate func kernel(_ weight: Constant, rank: Int) throws(InputError) -> Extent3 {
    guard weight.shape.count == rank, weight.shape.allSatisfy({ $0 > 0 }) else {
      throw failure("shape of its weights", found: "\(weight.shape)", expected: "\(rank) axes")
    }
    let extents = Array(weight.shape[2...])
    guard try integers("kernel_shape") ?? extents == extents else {
      throw failure("its kernel_shape is not that of its weights", found: "\(weight.shape)")
    }
    return try extent(extents, "kernel", rank: rank, depth: 1)
  }

  /// Refuses weights whose first two extents are not `expected`.
  fileprivate func requireShape(_ weight: Constant, _ expected: [Int], rank: Int) throws(InputError) {
    guard Array(weight.shape[..<2]) == expected else {
      throw failure("shape of its weights", found: "\(weight.shape)", expected: "\(expected) and the kernel")
    }
  }

  /// The weights, with a z of 1 where they have none, and the bias.
  fileprivate func weights(
    _ weight: Constant, _ kernel: Extent3, outputs: Int
  ) throws(InputError) -> [ParameterSlot.Role: Tensor] {
    let shape = [weight.shape[0], weight.shape[1], kernel.d, kernel.h, kernel.w]
    var tensors: [ParameterSlot.Role: Tensor] = [
      .weight: Tensor(shape: shape, elements: try weight.floats())
    ]
    if self[2] != nil { tensors[.bias] = try channelNumbers(2, outputs) }
    return tensors
  }

  /// The padding that `pads` or `auto_pad` state.
  func padding(rank: Int) throws(InputError) -> (numbers: Padding, rule: SamePadding?) {
    let rule = try text("auto_pad", absent: "NOTSET")
    switch rule {
    case "SAME_UPPER": return (.none, .upper)
    case "SAME_LOWER": return (.none, .lower)
    case "VALID": return (.none, nil)
    case "NOTSET", "":
      guard let pads = try integers("pads"), !pads.isEmpty else { return (.none, nil) }
      return (try padding(pads, "pads", rank: rank), nil)
    default:
      throw failure("its auto_pad", found: rule, expected: "NOTSET, SAME_UPPER, SAME_LOWER or VALID")
    }
  }

  /// Numbers before all axes in space and then after them.
  func padding(_ pads: [Int], _ name: String, rank: Int) throws(InputError) -> Padding {
    guard pads.count == 2 * (rank - 2) else {
      throw failure("its \(name)", found: "\(pads)", expected: "\(2 * (rank - 2)) numbers")
    }
    return Padding(
      before: try extent(Array(pads[..<(rank - 2)]), name, rank: rank, depth: 0),
      after: try extent(Array(pads[(rank - 2)...]), name, rank: rank, depth: 0))
  }

  /// The padding of a transposed convolution, which `output_shape` and `auto_pad` state by the output's extents.
  fileprivate func transposedPadding(
    _ geometry: TransposedConvolutionGeometry, input: Extent3, rank: Int
  ) throws(InputError) -> Padding {
    let rule = try padding(rank: rank)
    var target: Extent3?
    if let shape = try integers("output_shape"), !shape.isEmpty {
      target = try extent(Array(shape.suffix(rank - 2)), "output_shape", rank: rank, depth: input.d)
    } else if rule.rule != nil {
      let stride = geometry.stride
      target = Extent3(input.d * stride.d, input.h * stride.h, input.w * stride.w)
    }
    guard let target else { return rule.numbers }
    guard let whole = geometry.output(input) else { throw failure("its input is too small") }
    let total = (0..<3).map { whole[$0] - target[$0] }
    guard total.allSatisfy({ $0 >= 0 }) else {
      throw failure(
        "its output is smaller than the one that it states", found: "\(whole.d)x\(whole.h)x\(whole.w)",
        expected: "\(target.d)x\(target.h)x\(target.w) voxels (z, y, x)")
    }
    let half = total.map { $0 / 2 }
    let rest = (0..<3).map { total[$0] - half[$0] }
    let (first, second) = rule.rule == .upper ? (half, rest) : (rest, half)
    return Padding(
      before: Extent3(first[0], first[1], first[2]), after: Extent3(second[0], second[1], second[2]))
  }
}
