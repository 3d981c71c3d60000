import Tensors
import Work

/// The named tensors of a network: weights, biases, batch-norm parameters and statistics.
package struct Parameters: Equatable, Sendable {
  /// The tensors by name, as ``ResolvedGraph/parameterSlots`` names them.
  package private(set) var tensors: [String: Tensor]

  /// The tensors of `tensors` that `graph` needs; others are ignored.
  /// - Throws: ``InputError`` about `subject` that names the first tensor that is missing, has another shape, or has a
  ///   value that is not finite or a negative variance.
  package init(_ tensors: [String: Tensor], for graph: ResolvedGraph, subject: String) throws(InputError) {
    var needed: [String: Tensor] = [:]
    for slot in graph.parameterSlots {
      guard let tensor = tensors[slot.name] else {
        throw InputError(subject, "tensor \(slot.name): missing", expected: "shape \(slot.shape)")
      }
      guard tensor.shape == slot.shape else {
        throw InputError(
          subject, "tensor \(slot.name): shape", found: "\(tensor.shape)", expected: "\(slot.shape)")
      }
      guard tensor.elements.allSatisfy(\.isFinite) else {
        throw InputError(subject, "tensor \(slot.name): holds a value that is not a finite number")
      }
      if slot.role == .runningVariance, let negative = tensor.elements.first(where: { $0 < 0 }) {
        throw InputError(
          subject, "tensor \(slot.name): a variance", found: "\(negative)", expected: "a number >= 0")
      }
      needed[slot.name] = tensor
    }
    self.tensors = needed
  }

  /// The tensor called `name`, which must exist; a new value must have the same shape.
  package subscript(name: String) -> Tensor {
    get {
      guard let tensor = tensors[name] else { preconditionFailure("no tensor is named \(name)") }
      return tensor
    }
    set {
      precondition(
        tensors[name]?.shape == newValue.shape,
        "tensor \(name): found shape \(newValue.shape), expected \(tensors[name]?.shape ?? [])")
      tensors[name] = newValue
    }
  }

  /// Changes one tensor's elements in place.
  mutating func update(_ name: String, _ change: (inout [Float]) -> Void) {
    guard tensors[name] != nil else { preconditionFailure("no tensor is named \(name)") }
    change(&tensors[name]!.elements)
  }

  /// Number of values of all tensors.
  package var elementCount: Int { tensors.values.reduce(0) { $0 + $1.elements.count } }
}

/// The distribution of initial weights.
package enum Initialisation: Hashable, Sendable {
  /// Normal with variance gain / fan-in (He et al. 2015): gain 2 before a ReLU, else 1; the fan-in of a transposed
  /// convolution counts the taps per output voxel on average.
  case he
  /// Normal with this standard deviation everywhere (0.01 in the paper).
  case gaussian(standardDeviation: Double)
}

extension Parameters {
  /// Initial parameters: random weights, zero biases, batch normalisation with mean 0 and variance 1.
  ///
  /// Each layer draws from its own fork of the seed, so that its values do not depend on other layers.
  package init(initialising graph: ResolvedGraph, _ initialisation: Initialisation = .he, seed: UInt64) {
    let generator = SplitMix64(seed: seed)
    let feedsReLU = graph.feedsReLU
    var tensors: [String: Tensor] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for slot in node.parameterSlots {
        switch slot.start {
        case .zeros: tensors[slot.name] = Tensor(shape: slot.shape)
        case .ones: tensors[slot.name] = Tensor(shape: slot.shape, repeating: 1)
        case .constant(let value): tensors[slot.name] = Tensor(shape: slot.shape, repeating: value)
        case .linearInterpolation: tensors[slot.name] = .linearInterpolation(shape: slot.shape)
        case .random(let fanIn):
          let standardDeviation =
            switch initialisation {
            case .he: ((feedsReLU[index] ? 2 : 1) / fanIn).squareRoot()
            case .gaussian(let stated): stated
            }
          var stream = generator.forked(index)
          tensors[slot.name] = Tensor(
            shape: slot.shape,
            elements: (0..<slot.shape.reduce(1, *)).map { _ in Float(stream.normal() * standardDeviation) })
        }
      }
    }
    self.tensors = tensors
  }
}

extension Tensor {
  /// Weights [in, out, z, y, x] with triangles between equal channels of each group, and zeros elsewhere.
  fileprivate static func linearInterpolation(shape: [Int]) -> Tensor {
    func triangle(_ length: Int) -> [Double] {
      let half = Double((length + 1) / 2)
      let centre = length.isMultiple(of: 2) ? half - 0.5 : half - 1
      return (0..<length).map { 1 - abs(Double($0) - centre) / half }
    }
    let (z, y, x) = (triangle(shape[2]), triangle(shape[3]), triangle(shape[4]))
    let kernel = z.flatMap { z in y.flatMap { y in x.map { Float(z * y * $0) } } }
    let zeros = [Float](repeating: 0, count: kernel.count)
    return Tensor(
      shape: shape,
      elements: (0..<shape[0]).flatMap { input in
        (0..<shape[1]).flatMap { input % shape[1] == $0 ? kernel : zeros }
      })
  }
}

extension ResolvedGraph {
  /// For each node, whether a reader of its output is a ReLU, directly or after layers that only scale, shift, add or
  /// concatenate.
  fileprivate var feedsReLU: [Bool] {
    var feedsReLU = [Bool](repeating: false, count: nodes.count)
    for (index, node) in nodes.enumerated().reversed() {
      let isFed =
        switch node.layer.operation.initialisationGain {
        case .relu: true
        case .ofReaders: feedsReLU[index]
        case .linear: false
        }
      guard isFed else { continue }
      for case let source? in node.sources { feedsReLU[source] = true }
    }
    return feedsReLU
  }
}
