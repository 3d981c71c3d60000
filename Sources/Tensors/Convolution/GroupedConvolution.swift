import Work

/// A convolution whose groups of channels are computed one after the other, each by an operation of its own: for few
/// groups of many channels.
struct GroupedConvolution: SingleInputOperation {
  private let groups: [any SingleInputOperation]

  /// The operations of the groups, at least one, which differ in their weights alone.
  init(_ groups: [any SingleInputOperation]) {
    precondition(!groups.isEmpty, "a convolution without groups")
    self.groups = groups
  }

  /// The groups with `bias`, [out], and `activation` of the results, or of their sum with what the output's memory holds
  /// where it `addsToOutput`.
  init(
    _ groups: [PreparedConvolution], bias: Tensor?, activation: PiecewiseLinear, addsToOutput: Bool = false
  ) {
    let biases = bias?.parts(groups.count)
    self.init(
      groups.indices.map {
        groups[$0].operation(
          bias: biases?[$0], activation: activation.part($0, of: groups.count),
          addsToOutput: addsToOutput)
      })
  }

  private var first: any SingleInputOperation { groups[0] }

  var kernelName: String { "\(groups.count) groups, each \(first.kernelName)" }
  var worksInPlace: Bool { false }
  var weightBytes: Int { groups.reduce(0) { $0 + $1.weightBytes } }
  var windowStep: Int { first.windowStep }
  func outputChannels(_ channels: Int) -> Int {
    groups.count * first.outputChannels(channels / groups.count)
  }
  func outputExtent(_ input: Extent3) -> Extent3? { first.outputExtent(input) }

  func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    first.inputPlanes(for: planes, inputDepth: inputDepth)
  }

  func operationCount(input: Extent3, channels: Int) -> Double {
    Double(groups.count) * first.operationCount(input: input, channels: channels / groups.count)
  }

  func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    first.scratchCount(
      planes: planes, input: input, channels: channels / groups.count, batch: batch, threadCount: threadCount)
  }

  func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let (inputs, outputs) = (input.channels / groups.count, output.channels / groups.count)
    for (index, group) in groups.enumerated() {
      let progress = Double(index) / Double(groups.count)...Double(index + 1) / Double(groups.count)
      try group.run(
        input.channels(index * inputs..<(index + 1) * inputs),
        into: output.channels(index * outputs..<(index + 1) * outputs), scratch: scratch,
        work: work.part(progress))
    }
  }
}

extension Tensor {
  /// Parts of equal shapes along the first dimension, which `count` divides.
  func parts(_ count: Int) -> [Tensor] {
    let length = elements.count / count
    let shape = [shape[0] / count] + self.shape.dropFirst()
    return (0..<count).map {
      Tensor(shape: shape, elements: Array(elements[($0 * length)..<(($0 + 1) * length)]))
    }
  }
}
