import Networks
import Tensors
import Work

/// The import of a graph for an image of known extents: the values that were found, and the layers that compute them.
///
/// Every value is a constant or a ``Signal``. Since the extents are known, whatever a graph computes of them, such as the
/// sizes of a `Resize`, is a constant.
struct GraphImport {
  /// The model's file, for errors.
  let path: String
  let opset: Int
  /// The values by name.
  private(set) var values: [String: ImportedValue] = [:]
  private(set) var layers: [Layer] = []
  private(set) var tensors: [String: Tensor] = [:]
  /// Layers that multiply and shift each channel, which are folded into layers before them at the end.
  private(set) var affines: [String: ChannelAffine] = [:]
  /// The outputs of layers, by name.
  private var outputs: [String: Signal] = [:]
  /// The layers of functions of a layer's output.
  private var layersOfFunctions: [FunctionOfLayer: String] = [:]
  private var names: Set<String> = [NetworkGraph.inputName]
  private var nameCounts: [String: Int] = [:]
  /// Elements of constants that were computed so far.
  private var foldedCount = 0

  private struct FunctionOfLayer: Hashable {
    var layer: String
    var function: PointwiseFunction
  }

  /// The largest number of elements of a computed constant, and of all of them together.
  static let constantLimit = (one: 1 << 23, all: 1 << 26)

  /// The largest number of weights of all layers together, and their number so far.
  private let weightLimit: Int
  private var weightCount = 0

  /// - Parameter storedCount: The elements of the file's constants. Layers may have twice as many weights and a few million,
  ///   so that a small file cannot repeat its weights without end.
  init(path: String, opset: Int, storedCount: Int) {
    self.path = path
    self.opset = opset
    weightLimit = 2 * storedCount + (1 << 24)
  }

  /// Names a value.
  mutating func define(_ name: String, _ value: ImportedValue) { values[name] = value }

  /// Counts the elements of a constant that is computed.
  /// - Throws: ``InputError`` for more than ``constantLimit``.
  mutating func countConstant(_ count: Int, _ call: OperatorCall) throws(InputError) {
    foldedCount = checkedSum(foldedCount, count) ?? .max
    guard count <= Self.constantLimit.one, foldedCount <= Self.constantLimit.all else {
      throw call.failure(
        "computes a constant of \(count) elements", expected: "at most \(Self.constantLimit.one)")
    }
  }

  /// Computes the outputs of a node.
  /// - Throws: ``InputError`` with node, operator, version and reason where no layer computes it.
  mutating func perform(_ node: NodeProto) throws(InputError) {
    var inputs: [ImportedValue?] = []
    for name in node.inputs {
      if name.isEmpty {
        inputs.append(nil)
      } else if let value = values[name] {
        inputs.append(value)
      } else {
        throw OperatorCall(node: node, opset: opset, inputs: [], path: path)
          .failure(
            "its input \(name) is no output of a node before it, no constant and no input of the graph")
      }
    }
    let call = OperatorCall(node: node, opset: opset, inputs: inputs, path: path)
    guard node.domain.isEmpty else {
      throw call.failure("is an operator of \(node.domain)", expected: "one of ONNX's own")
    }
    let isConstant =
      !inputs.isEmpty && inputs.allSatisfy { if case .constant? = $0 { true } else { $0 == nil } }
    guard
      let `operator` = isConstant ? Operator.ofConstants[node.operation] : Operator.ofImages[node.operation]
    else {
      let known = Operator.ofImages[node.operation] != nil || Operator.ofConstants[node.operation] != nil
      throw call.failure(
        known
          ? "cannot be computed of \(isConstant ? "constants" : "the image")"
          : "is an operator without a layer")
    }
    if let unknown = node.attributes.first(where: { !`operator`.attributes.contains($0.name) }) {
      throw call.failure("has the attribute \(unknown.name), which is not known")
    }
    let results = try `operator`.run(&self, call)
    for (name, result) in zip(node.outputs, results) where !name.isEmpty {
      if case .signal(var signal) = result, signal.function != .argument, !call.hasInput(signal.function) {
        signal.functionName = Self.name(call, weight: nil)
        values[name] = .signal(signal)
      } else {
        values[name] = result
      }
    }
    if let missing = node.outputs.dropFirst(results.count).first(where: { !$0.isEmpty }) {
      throw call.failure("its output \(missing) is not computed")
    }
  }
}

extension GraphImport {
  /// Adds a layer.
  /// - Parameters:
  ///   - tensors: Its tensors by role, which must fit; the graph is checked when it is whole.
  ///   - weight: The constant with its weights, after which it is named where that is called "NAME.weight".
  ///   - name: Its name; by default that of its weights or of the node.
  /// - Returns: Its output as [1, channels, z, y, x], or without z where the inputs are so.
  mutating func emit(
    _ operation: some NetworkOperation, from inputs: [Signal],
    tensors parameters: [ParameterSlot.Role: Tensor] = [:],
    weight: Constant? = nil, named name: String? = nil, _ call: OperatorCall
  ) throws(InputError) -> Signal {
    let layer = unused(name ?? Self.name(call, weight: weight))
    var sources: [String] = []
    for input in inputs { sources.append(try source(input, call)) }
    if let problem = operation.problem ?? operation.problem(inputChannels: inputs.map(\.channels)) {
      throw call.failure(problem)
    }
    let extents = inputs.map(\.extent)
    let largest = extents.max { $0.product < $1.product } ?? extents[0]
    let first = operation.inputGrids == .equalOrWholeImage ? largest : extents[0]
    let extent =
      operation.inputGrids == .secondIsOutput
      ? operation.outputExtent(first, second: extents[1]) : operation.outputExtent(first)
    guard let extent else {
      throw call.failure("its input is too small", found: "\(first.d)x\(first.h)x\(first.w) voxels (z, y, x)")
    }
    let channels = operation.outputChannels(inputs.map(\.channels))
    try call.requireSize([channels, extent.d, extent.h, extent.w])
    layers.append(Layer(layer, from: sources, operation))
    for (role, tensor) in parameters {
      weightCount += tensor.elements.count
      tensors["\(layer).\(role.rawValue)"] = tensor
    }
    guard weightCount <= weightLimit else {
      throw call.failure("its layers have more weights than the file", expected: "at most \(weightLimit)")
    }
    let output = Signal(
      layer: layer, channels: channels, extent: extent,
      rank: inputs.map(\.axes.count).max() == 4 ? 4 : 5)
    outputs[layer] = output
    return output
  }

  /// Adds a layer that multiplies and shifts each channel.
  mutating func emit(
    _ affine: ChannelAffine, from input: Signal, weight: Constant? = nil, named name: String? = nil,
    _ call: OperatorCall
  ) throws(InputError) -> Signal {
    let (scale, shift) = (affine.scale, affine.shift)
    let output = try emit(
      .convolution(
        ConvolutionGeometry(kernel: Extent3(1), groups: scale.count), outputChannels: scale.count,
        hasBias: true),
      from: [input],
      tensors: [
        .weight: Tensor(shape: [scale.count, 1, 1, 1, 1], elements: scale),
        .bias: Tensor(shape: [scale.count], elements: shift),
      ], weight: weight, named: name, call)
    affines[output.layer] = affine
    return input.with(output)
  }

  /// The layer whose output a signal is; layers of its function are added where there are none.
  mutating func source(_ signal: Signal, _ call: OperatorCall) throws(InputError) -> String {
    try layer(of: signal.function, signal, call)
  }

  /// The signal whose function is a layer's output.
  mutating func plain(_ signal: Signal, _ call: OperatorCall) throws(InputError) -> Signal {
    var plain = signal
    plain.layer = try source(signal, call)
    plain.function = .argument
    return plain
  }

  private mutating func layer(
    of function: PointwiseFunction, _ signal: Signal, _ call: OperatorCall
  ) throws(InputError) -> String {
    if function == .argument { return signal.layer }
    let key = FunctionOfLayer(layer: signal.layer, function: function)
    if let known = layersOfFunctions[key] { return known }
    let name = try newLayer(of: function, signal, call)
    layersOfFunctions[key] = name
    return name
  }

  private mutating func newLayer(
    of function: PointwiseFunction, _ signal: Signal, _ call: OperatorCall
  ) throws(InputError) -> String {
    var base = signal
    base.function = .argument
    let name = signal.functionName
    func activation(_ operation: some ActivationOperation, of layer: String) throws(InputError) -> String {
      base.layer = layer
      return try emit(operation, from: [base], named: name, call).layer
    }
    if function.isNearly(.silu) { return try activation(SiLUOperation(), of: base.layer) }
    if function.isNearly(.gelu) { return try activation(GELUOperation(approximation: .none), of: base.layer) }
    if PointwiseFunction.geluByTanh.contains(where: function.isNearly) {
      return try activation(GELUOperation(approximation: .tanh), of: base.layer)
    }
    switch function {
    case .argument: return signal.layer
    case .call(let function, let inner):
      let source = try layer(of: inner, signal, call)
      switch function {
      case .sigmoid: return try activation(SigmoidOperation(), of: source)
      case .tanh: return try activation(TanhOperation(), of: source)
      case .softplus: return try activation(SoftplusOperation(), of: source)
      case .erf, .exp, .sqrt:
        throw call.failure("reads \(function.rawValue) of a layer, which no layer computes")
      }
    case .sum(let terms, let constant):
      var sources: [Signal] = []
      for (index, term) in terms.enumerated() {
        var part = base
        part.layer = try layer(of: term.function, signal, call)
        let shift = index == 0 ? constant : 0
        if term.factor != 1 || shift != 0 {
          let affine = ChannelAffine(
            scale: [Float](repeating: Float(term.factor), count: signal.channels),
            shift: [Float](repeating: Float(shift), count: signal.channels))
          part = try emit(affine, from: part, named: name, call)
        }
        sources.append(part)
      }
      return sources.count == 1 ? sources[0].layer : try emit(.add, from: sources, named: name, call).layer
    case .product(let factors):
      var product = base
      product.layer = try layer(of: factors[0], signal, call)
      for factor in factors.dropFirst() {
        var next = base
        next.layer = try layer(of: factor, signal, call)
        product.layer = try emit(.multiply, from: [product, next], named: name, call).layer
      }
      return product.layer
    }
  }

  /// A name for a layer: that of its weights' module, or the node's, in which a slash is a dot.
  private static func name(_ call: OperatorCall, weight: Constant?) -> String {
    if let weight, weight.name.hasSuffix(".weight"), weight.name != ".weight" {
      return String(weight.name.dropLast(".weight".count))
    }
    var parts = call.node.name.split(separator: "/")
    if parts.count > 1, parts[parts.count - 1].hasPrefix(call.node.operation) { parts.removeLast() }
    return parts.isEmpty ? call.node.operation : parts.joined(separator: ".")
  }

  /// A name that no layer has: `name`, or with a number.
  private mutating func unused(_ name: String) -> String {
    var unused = name
    while !names.insert(unused).inserted {
      nameCounts[name, default: 1] += 1
      unused = "\(name)_\(nameCounts[name, default: 1])"
    }
    return unused
  }
}

extension Signal {
  /// This arrangement of axes with the output of another layer, of equal channels and extents.
  func with(_ output: Signal) -> Signal {
    var signal = self
    (signal.layer, signal.function) = (output.layer, .argument)
    return signal
  }
}

/// A factor and a summand for each channel.
struct ChannelAffine {
  var scale, shift: [Float]
}
