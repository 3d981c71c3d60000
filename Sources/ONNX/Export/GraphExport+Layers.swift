import Networks
import Tensors
import Work

extension GraphExport {
  /// Adds the nodes of one layer.
  /// - Throws: ``InputError`` about `subject` for an operation that is not known here.
  mutating func add(_ node: ResolvedGraph.Node, subject: String) throws(InputError) {
    let (layer, inputs) = (node.layer.name, node.layer.inputs)
    switch node.layer.operation {
    case let operation as ConvolutionOperation: add(operation, layer, inputs)
    case let operation as TransposedConvolutionOperation: add(operation, layer, inputs)
    case let operation as MaxPoolingOperation: add("MaxPool", layer, inputs, windows(operation))
    case let operation as AveragePoolingOperation:
      var attributes = windows(operation)
      attributes["count_include_pad"] = .integer(operation.countsPadding ? 1 : 0)
      add("AveragePool", layer, inputs, attributes)
    case let operation as GlobalPoolingOperation:
      add(operation.statistic == .average ? "GlobalAveragePool" : "GlobalMaxPool", layer, inputs)
    case let operation as BatchNormalisationOperation:
      let tensors = [ParameterSlot.Role.weight, .bias, .runningMean, .runningVariance].map {
        tensor($0, of: layer)
      }
      add("BatchNormalization", layer, inputs + tensors, ["epsilon": .float(operation.epsilon)])
    case let operation as InstanceNormalisationOperation:
      let count = node.inputChannels[0]
      let affine =
        operation.isAffine
        ? [tensor(.weight, of: layer), tensor(.bias, of: layer)] : identityAffine(of: layer, count: count)
      add("InstanceNormalization", layer, inputs + affine, ["epsilon": .float(operation.epsilon)])
    case let operation as GroupNormalisationOperation: add(operation, layer, inputs, node.inputChannels[0])
    case is ReLUOperation: add("Relu", layer, inputs)
    case let operation as LeakyReLUOperation:
      add("LeakyRelu", layer, inputs, ["alpha": .float(operation.slope)])
    case let operation as ParametricReLUOperation:
      let count = operation.sharesSlope ? 1 : node.inputChannels[0]
      add("PRelu", layer, inputs + [tensor(.weight, of: layer, shape: [count, 1, 1, 1])])
    case let operation as ELUOperation: add("Elu", layer, inputs, ["alpha": .float(operation.alpha)])
    case let operation as GELUOperation: add(operation, layer, inputs[0])
    case is SiLUOperation:
      add("Mul", layer, [inputs[0], add("Sigmoid", of: layer, inputs)])
    case is SigmoidOperation: add("Sigmoid", layer, inputs)
    case is TanhOperation: add("Tanh", layer, inputs)
    case is SoftplusOperation: add("Softplus", layer, inputs)
    case let operation as ClipOperation:
      let bounds = [
        constant("lower", of: layer, shape: [], [operation.lower]),
        constant("upper", of: layer, shape: [], [operation.upper]),
      ]
      add("Clip", layer, inputs + bounds)
    case is AddOperation: add(inputs.count == 2 ? "Add" : "Sum", layer, inputs)
    case is MultiplyOperation: add("Mul", layer, inputs)
    case is ConcatenateOperation: add("Concat", layer, inputs, ["axis": .integer(1)])
    case is DropoutOperation: add("Identity", layer, inputs)
    case let operation as SliceChannelsOperation:
      addSlice(
        layer, inputs[0], starts: [operation.first], ends: [operation.first + operation.count], axes: [1])
    case let operation as CropOperation:
      let (before, after) = (operation.geometry.before, operation.geometry.after)
      addSlice(
        layer, inputs[0], starts: before.numbers, ends: after.numbers.map { $0 == 0 ? .max : -$0 },
        axes: [2, 3, 4])
    case let operation as PadOperation: add(operation.geometry, layer, inputs)
    case let operation as ResizeOperation:
      let scales = [1, 1] + operation.geometry.factor.numbers.map { Float($0) }
      add(
        "Resize", layer, [inputs[0], "", constant("scales", of: layer, shape: [5], scales)],
        interpolation(operation.geometry))
    case let operation as ResizeToOperation:
      let ends = [
        add("Shape", of: layer, [inputs[0]], ["start": .integer(0), "end": .integer(2)]),
        add("Shape", of: layer, [inputs[1]], ["start": .integer(2)]),
      ]
      let sizes = add("Concat", of: layer, ends, ["axis": .integer(0)])
      add("Resize", layer, [inputs[0], "", "", sizes], interpolation(operation.resizing))
    case is CentreCropOperation:
      let own = add("Shape", of: layer, [inputs[0]], ["start": .integer(2)])
      let wanted = add("Shape", of: layer, [inputs[1]], ["start": .integer(2)])
      let rest = add("Sub", of: layer, [own, wanted])
      let starts = add("Div", of: layer, [rest, constant("two", of: layer, [2])])
      let ends = add("Add", of: layer, [starts, wanted])
      add("Slice", layer, [inputs[0], starts, ends, constant("axes", of: layer, [2, 3, 4])])
    case let operation:
      throw InputError(subject, "layer \(layer): \(type(of: operation).kind) has no form in ONNX")
    }
  }

  private mutating func add(_ operation: ConvolutionOperation, _ layer: String, _ inputs: [String]) {
    let geometry = operation.geometry
    // With a stride of 1 a rule gives the same padding for every input; onnxruntime takes no rule with dilations.
    let isStated = geometry.stride == Extent3(1)
    let padding = isStated ? operation.geometry(for: Extent3(1)).padding : geometry.padding
    var attributes: [String: AttributeProto.Value] = [
      "dilations": .integers(geometry.dilation.numbers), "group": .integer(geometry.groups),
      "kernel_shape": .integers(geometry.kernel.numbers), "strides": .integers(geometry.stride.numbers),
    ]
    attributes.merge(self.padding(padding, isStated ? nil : operation.samePadding)) { first, _ in first }
    add("Conv", layer, inputs + weights(operation, layer), attributes)
  }

  private mutating func add(_ operation: TransposedConvolutionOperation, _ layer: String, _ inputs: [String])
  {
    let geometry = operation.geometry
    var attributes: [String: AttributeProto.Value] = [
      "dilations": .integers(geometry.dilation.numbers), "group": .integer(geometry.groups),
      "kernel_shape": .integers(geometry.kernel.numbers), "strides": .integers(geometry.stride.numbers),
      "output_padding": .integers(geometry.outputPadding.numbers),
    ]
    attributes.merge(padding(geometry.padding, nil)) { first, _ in first }
    add("ConvTranspose", layer, inputs + weights(operation, layer), attributes)
  }

  private mutating func weights(_ operation: some ConvolutionalOperation, _ layer: String) -> [String] {
    [tensor(.weight, of: layer)] + (operation.hasBias ? [tensor(.bias, of: layer)] : [])
  }

  private func padding(_ padding: Padding, _ rule: SamePadding?) -> [String: AttributeProto.Value] {
    switch rule {
    case .upper: ["auto_pad": .text("SAME_UPPER")]
    case .lower: ["auto_pad": .text("SAME_LOWER")]
    case nil: ["pads": .integers(padding.before.numbers + padding.after.numbers)]
    }
  }

  private func windows(_ operation: some PoolingOperation) -> [String: AttributeProto.Value] {
    let geometry = operation.geometry
    return padding(geometry.padding, operation.samePadding).merging([
      "ceil_mode": .integer(geometry.roundsUp ? 1 : 0), "kernel_shape": .integers(geometry.kernel.numbers),
      "strides": .integers(geometry.stride.numbers),
    ]) { first, _ in first }
  }

  private mutating func identityAffine(of layer: String, count: Int) -> [String] {
    [
      constant("ones", of: layer, shape: [count], [Float](repeating: 1, count: count)),
      constant("zeros", of: layer, shape: [count], [Float](repeating: 0, count: count)),
    ]
  }

  /// Opset 17 has no group normalisation: it is an instance normalisation of groups.
  private mutating func add(
    _ operation: GroupNormalisationOperation, _ layer: String, _ inputs: [String], _ channels: Int
  ) {
    let shape = add("Shape", of: layer, inputs)
    let groups = constant("groups", of: layer, [0, operation.groupCount, -1])
    let grouped = add("Reshape", of: layer, [inputs[0], groups])
    let normalised = add(
      "InstanceNormalization", of: layer,
      [grouped] + identityAffine(of: layer, count: operation.groupCount),
      ["epsilon": .float(operation.epsilon)])
    guard operation.isAffine else { return add("Reshape", layer, [normalised, shape]) }
    let output = add("Reshape", of: layer, [normalised, shape])
    let scaled = add("Mul", of: layer, [output, tensor(.weight, of: layer, shape: [channels, 1, 1, 1])])
    add("Add", layer, [scaled, tensor(.bias, of: layer, shape: [channels, 1, 1, 1])])
  }

  /// Opset 17 has no GELU.
  private mutating func add(_ operation: GELUOperation, _ layer: String, _ input: String) {
    func number(_ part: String, _ value: Double) -> String {
      constant(part, of: layer, shape: [], [Float(value)])
    }
    let argument: String
    if operation.approximation == .none {
      argument = add("Mul", of: layer, [input, number("root", 0.5.squareRoot())])
    } else {
      let square = add("Mul", of: layer, [input, input])
      let cube = add("Mul", of: layer, [square, input])
      let small = add("Mul", of: layer, [cube, number("third", 0.044715)])
      let sum = add("Add", of: layer, [input, small])
      argument = add("Mul", of: layer, [sum, number("root", (2 / Double.pi).squareRoot())])
    }
    let name = operation.approximation == .none ? "Erf" : "Tanh"
    let value = add(name, of: layer, [argument])
    let shifted = add("Add", of: layer, [value, number("one", 1)])
    let product = add("Mul", of: layer, [input, shifted])
    add("Mul", layer, [product, number("half", 0.5)])
  }

  private mutating func addSlice(_ layer: String, _ input: String, starts: [Int], ends: [Int], axes: [Int]) {
    add(
      "Slice", layer,
      [
        input, constant("starts", of: layer, starts), constant("ends", of: layer, ends),
        constant("axes", of: layer, axes),
      ])
  }

  private mutating func add(_ padding: PaddingGeometry, _ layer: String, _ inputs: [String]) {
    let pads = constant("pads", of: layer, [0, 0] + padding.before.numbers + [0, 0] + padding.after.numbers)
    let value = padding.mode == .constant ? [constant("value", of: layer, shape: [], [padding.value])] : []
    add("Pad", layer, inputs + [pads] + value, ["mode": .text(padding.mode.rawValue)])
  }

  private func interpolation(_ geometry: ResizeGeometry) -> [String: AttributeProto.Value] {
    let coordinates =
      switch geometry.coordinates {
      // The same where a factor is whole; opset 17 does not know its name.
      case .halfPixel, .halfPixelSymmetric: "half_pixel"
      case .pytorchHalfPixel: "pytorch_half_pixel"
      case .alignCorners: "align_corners"
      case .asymmetric: "asymmetric"
      }
    var attributes: [String: AttributeProto.Value] = ["coordinate_transformation_mode": .text(coordinates)]
    switch geometry.interpolation {
    case .linear: attributes["mode"] = .text("linear")
    case .nearest(let rounding):
      attributes["mode"] = .text("nearest")
      let name =
        switch rounding {
        case .roundPreferFloor: "round_prefer_floor"
        case .roundPreferCeil: "round_prefer_ceil"
        case .floor: "floor"
        case .ceil: "ceil"
        }
      attributes["nearest_mode"] = .text(name)
    }
    return attributes
  }
}

extension Extent3 {
  /// Along z, y, x.
  fileprivate var numbers: [Int] { [d, h, w] }
}
