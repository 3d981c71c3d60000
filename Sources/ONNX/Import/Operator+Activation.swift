import Networks
import Tensors
import Work

extension Operator {
  /// Functions of every element.
  static let activations: [String: Operator] = [
    "Relu": .ofSignal { graph, call, input throws(InputError) in
      input.with(try graph.emit(.relu, from: [input], call))
    },
    "LeakyRelu": .ofSignal("alpha") { graph, call, input throws(InputError) in
      let slope = try call.float("alpha", absent: 0.01)
      return input.with(try graph.emit(LeakyReLUOperation(slope: slope), from: [input], call))
    },
    "PRelu": .ofSignal { graph, call, input throws(InputError) in
      let slope = try call.constant(1)
      let isShared = slope.elementCount == 1
      guard isShared || call.channelPosition(of: slope, in: input) else {
        throw call.failure(
          "shape of its slope", found: "\(slope.shape)", expected: "one for each channel, or one")
      }
      let operation = ParametricReLUOperation(sharesSlope: isShared)
      let tensor = Tensor(shape: [isShared ? 1 : input.channels], elements: try slope.floats())
      return input.with(
        try graph.emit(operation, from: [input], tensors: [.weight: tensor], weight: slope, call))
    },
    "Elu": .ofSignal("alpha") { graph, call, input throws(InputError) in
      let alpha = try call.float("alpha", absent: 1)
      return input.with(try graph.emit(ELUOperation(alpha: alpha), from: [input], call))
    },
    "Selu": .ofSignal("alpha", "gamma") { graph, call, input throws(InputError) in
      let alpha = try call.float("alpha", absent: 1.67326319217681884765625)
      let gamma = try call.float("gamma", absent: 1.05070102214813232421875)
      let output = try graph.emit(ELUOperation(alpha: alpha), from: [input], call)
      return input.with(output).applying { $0.scaled(Double(gamma)) }
    },
    "Celu": .ofSignal("alpha") { graph, call, input throws(InputError) in
      let alpha = Double(try call.float("alpha", absent: 1))
      guard alpha != 0 else { throw call.failure("its alpha is 0") }
      let scaled = input.applying { $0.scaled(1 / alpha) }
      return input.with(try graph.emit(ELUOperation(alpha: 1), from: [scaled], call)).applying {
        $0.scaled(alpha)
      }
    },
    "Gelu": .ofSignal("approximate") { graph, call, input throws(InputError) in
      let name = try call.text("approximate", absent: "none")
      guard let approximation = GELUOperation.Approximation(rawValue: name) else {
        throw call.failure("its approximate", found: name, expected: "none or tanh")
      }
      return input.with(try graph.emit(GELUOperation(approximation: approximation), from: [input], call))
    },
    "Swish": .ofSignal("alpha") { graph, call, input throws(InputError) in
      let alpha = Double(try call.float("alpha", absent: 1))
      return input.applying { $0 * .call(.sigmoid, $0.scaled(alpha)) }
    },
    "Mish": .ofSignal { _, _, input throws(InputError) in
      input.applying { $0 * .call(.tanh, .call(.softplus, $0)) }
    },
    "HardSigmoid": .ofSignal("alpha", "beta") { graph, call, input throws(InputError) in
      try graph.hardSigmoid(
        of: input, alpha: call.float("alpha", absent: 0.2), beta: call.float("beta", absent: 0.5), call)
    },
    "HardSwish": .ofSignal { graph, call, input throws(InputError) in
      let plain = try graph.plain(input, call)
      let gate = try graph.hardSigmoid(of: plain, alpha: 1 / 6, beta: 0.5, call)
      return input.with(try graph.emit(.multiply, from: [plain, gate], call))
    },
    "Clip": .ofSignal("min", "max") { graph, call, input throws(InputError) in
      let (lower, upper) = (try call.bound("min", input: 1), try call.bound("max", input: 2))
      switch (lower, upper) {
      case (nil, nil): return input
      case (0?, nil): return input.with(try graph.emit(.relu, from: [input], call))
      case (let lower?, let upper?):
        return input.with(try graph.emit(ClipOperation(lower: lower, upper: upper), from: [input], call))
      default: throw call.failure("has one bound", expected: "two, or a lower one of 0")
      }
    },
    "Erf": function(.erf), "Exp": function(.exp), "Sigmoid": function(.sigmoid),
    "Softplus": function(.softplus),
    "Sqrt": function(.sqrt), "Tanh": function(.tanh),
    "Neg": .ofSignal { _, _, input throws(InputError) in input.applying { $0.scaled(-1) } },
    "Pow": .ofSignal { graph, call, input throws(InputError) in
      let exponent = try call.constant(1)
      guard exponent.elementCount == 1, let power = try exponent.floats().first, power == 2 || power == 3
      else {
        throw call.failure("its exponent", found: "\(exponent.shape)", expected: "2 or 3")
      }
      let base = try graph.limited(input, call)
      return base.applying { power == 2 ? $0 * $0 : $0 * $0 * $0 }
    },
    "Softmax": classes("axis"), "LogSoftmax": classes("axis"),
    "ArgMax": classes("axis", "keepdims", "select_last_index"),
  ]

  /// A function that is composed with others before it is a layer.
  private static func function(_ name: PointwiseFunction.Name) -> Operator {
    .ofSignal { graph, call, input throws(InputError) in
      try graph.limited(input, call).applying { .call(name, $0) }
    }
  }

  /// The softmax or arg max at the end of a network.
  private static func classes(_ attributes: String...) -> Operator {
    var `operator` = Operator { _, call throws(InputError) in
      let input: Signal
      if case .classes(let signal) = call[0] { input = signal } else { input = try call.signal(0) }
      let rank = input.axes.count
      let isArgMax = call.node.operation == "ArgMax"
      let axis = try call.axis(
        call.integer("axis", absent: isArgMax ? 0 : call.opset < 13 ? 1 : -1), rank: rank)
      // Up to version 12 a softmax is over all axes from the one that it names.
      let isFlattened = !isArgMax && call.opset < 13
      guard input.axes[axis] == .channel, !isFlattened || input.shape[(axis + 1)...].allSatisfy({ $0 == 1 })
      else {
        throw call.failure(
          "is over the axis \(axis)\(isFlattened ? " and those after it" : "")", expected: "the channels")
      }
      return [.classes(input)]
    }
    `operator`.attributes = Set(attributes)
    return `operator`
  }
}

extension GraphImport {
  /// The functions that a composition may have; a larger one becomes a layer before it grows.
  private static let largestFunction = 64

  /// The signal, as a layer's output where its function is large.
  mutating func limited(_ signal: Signal, _ call: OperatorCall) throws(InputError) -> Signal {
    signal.function.size <= Self.largestFunction / 4 ? signal : try plain(signal, call)
  }

  /// clip(alpha x + beta, 0...1).
  fileprivate mutating func hardSigmoid(
    of input: Signal, alpha: Float, beta: Float, _ call: OperatorCall
  ) throws(InputError) -> Signal {
    let line = input.applying { $0.scaled(Double(alpha), plus: Double(beta)) }
    return input.with(try emit(ClipOperation(lower: 0, upper: 1), from: [line], call))
  }
}

extension Signal {
  /// The signal with another function.
  func applying(_ change: (PointwiseFunction) -> PointwiseFunction) -> Signal {
    var signal = self
    signal.function = change(function)
    return signal
  }
}

extension OperatorCall {
  /// A bound of Clip, which is an attribute before opset 11 and an input since; nil where there is none.
  fileprivate func bound(_ name: String, input index: Int) throws(InputError) -> Float? {
    if has(name) { return try float(name, absent: 0) }
    return try optionalConstant(index)?.floats().first
  }
}
