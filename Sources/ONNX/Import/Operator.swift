import Work

/// How an operator of ONNX becomes layers, or a constant.
struct Operator: Sendable {
  typealias Run = @Sendable (inout GraphImport, OperatorCall) throws(InputError) -> [ImportedValue]

  /// The attributes that are understood; a node with another one is refused.
  var attributes: Set<String>
  /// Adds the layers of a node and gives its outputs.
  let run: Run

  init(_ attributes: String..., run: @escaping Run) {
    self.attributes = Set(attributes)
    self.run = run
  }

  /// An operator of one signal with one output.
  static func ofSignal(
    _ attributes: String...,
    run: @escaping @Sendable (inout GraphImport, OperatorCall, Signal) throws(InputError) -> Signal
  ) -> Operator {
    Operator(attributes: Set(attributes)) { graph, call throws(InputError) in
      [.signal(try run(&graph, call, call.signal(0)))]
    }
  }

  private init(attributes: Set<String>, run: @escaping Run) {
    self.attributes = attributes
    self.run = run
  }

  /// The operators of values that depend on the image.
  static let ofImages: [String: Operator] = [
    convolutions, poolings, normalisations, activations, joins, arrangements, resamplings, reductions,
  ].reduce(into: [:]) { all, group in all.merge(group) { first, _ in first } }
}
