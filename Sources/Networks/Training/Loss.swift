import Tensors
import Work

/// The loss of one head: a weighted sum of loss functions, "cross-entropy + 0.5*dice".
package struct Loss: Hashable, Sendable {
  /// A loss function and its weight in the sum.
  package struct Term: Hashable, Sendable {
    package var weight: Double
    package var function: LossFunction

    package init(weight: Double = 1, _ function: LossFunction) {
      self.weight = weight
      self.function = function
    }
  }

  /// One or more terms.
  package var terms: [Term]

  package init(_ terms: [Term]) {
    precondition(!terms.isEmpty, "a loss without terms")
    self.terms = terms
  }

  /// The cross-entropy alone, the loss of the paper.
  package static let crossEntropy = Loss([Term(.crossEntropy)])

  /// The weight of the first term of soft Dice; 0 where there is none.
  ///
  /// A new weight replaces all terms of soft Dice, 0 removes them; a loss of soft Dice alone stays where it is 0.
  package var diceWeight: Double {
    get { terms.first { $0.function == .dice }?.weight ?? 0 }
    set {
      let others = terms.filter { $0.function != .dice }
      if newValue != 0 {
        terms = others + [Term(weight: newValue, .dice)]
      } else if !others.isEmpty {
        terms = others
      }
    }
  }

  /// The loss that a text such as "cross-entropy + 0.5*tversky(alpha=0.3,beta=0.7)" names.
  /// - Throws: ``InputError`` about `option`.
  package init(_ text: String, option: String) throws(InputError) {
    let form = "terms such as cross-entropy + 0.5*dice"
    var terms: [Term] = []
    for part in text.split(separator: "+", omittingEmptySubsequences: false) {
      let factors = part.split(separator: "*", omittingEmptySubsequences: false)
      let number = factors[0].filter { $0 != " " }
      guard factors.count <= 2, let weight = factors.count == 2 ? Double(number) : 1 else {
        throw InputError(option, "cannot be read", found: text, expected: form)
      }
      terms.append(Term(weight: weight, try LossFunction(factors[factors.count - 1], option: option)))
    }
    self.terms = terms
  }

  /// Checks that every head of a network can be trained by it.
  /// - Throws: ``InputError`` about `subject` where a term does not serve a sigmoid head.
  package func validated(for graph: NetworkGraph, subject: String) throws(InputError) {
    guard let head = graph.heads.first(where: { $0.activation == .sigmoid && $0.lossWeight > 0 }),
      let term = terms.first(where: { !$0.function.servesRegions })
    else { return }
    let serving = LossFunction.all.filter(\.servesRegions).map(\.setting.name)
    throw InputError(
      subject, "cannot train the sigmoid head \(head.name)", found: term.function.setting.name,
      expected: serving.joined(separator: ", "))
  }

  /// The loss of a batch and its gradient with respect to the logits.
  /// - Parameters:
  ///   - logits: [N, C, D, H, W]; the gradient reuses their memory where no other reference exists.
  ///   - labels: One per voxel, [N, D, H, W]; below C or `ignoredLabel`.
  ///   - regions: Those of a sigmoid head; nil for a softmax head.
  ///   - ignoredLabel: A label whose voxels are excluded.
  ///   - classWeights: One per class for the functions that use them; 1 for each where nil.
  ///   - gradientFactor: Multiplies the gradient, not the loss.
  /// - Throws: `Cancelled`.
  func callAsFunction(
    logits: consuming Tensor, labels: LabelsWithHistogram, regions: LabelRegions?, ignoredLabel: UInt8?,
    classWeights: [Float]?, gradientFactor: Double, work: WorkContext
  ) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
    var sum: (loss: Double, gradient: Tensor)?
    var logits: Tensor? = logits
    for (index, term) in terms.enumerated().reversed() {
      // The last one takes the only reference, so that its gradient reuses the memory.
      guard let input = index == 0 ? logits.take() : logits else { preconditionFailure("no logits") }
      var own = try term.function(
        logits: consume input, labels: labels, regions: regions, ignoredLabel: ignoredLabel,
        classWeights: classWeights, gradientFactor: gradientFactor * term.weight, work: work)
      own.loss *= term.weight
      if let sum {
        own.loss += sum.loss
        try add(sum.gradient, to: &own.gradient, work: work)
      }
      sum = own
    }
    guard let sum else { preconditionFailure("a loss without terms") }
    return sum
  }
}

extension Loss: CustomStringConvertible {
  /// The text that ``init(_:option:)`` reads.
  package var description: String {
    terms.map { ($0.weight == 1 ? "" : "\(shortest($0.weight))*") + $0.function.setting.description }
      .joined(separator: " + ")
  }
}

extension Loss: Codable {
  /// Reads the text of ``description``.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    do { try self.init(text, option: "loss") } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(error)")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
