import Foundation
import Tensors
import Work

/// A loss between the softmax or sigmoid of logits and labels, a term of ``Loss``.
package enum LossFunction: Hashable, Sendable {
  /// `softmaxCrossEntropy`, with the class weights.
  case crossEntropy
  /// `softmaxCrossEntropy` with the class weights times ``ClassBalance/weights(ofVoxels:)`` of the batch, so that every
  /// class that occurs counts by its effective number; with beta 1 all of them count the same, as the class-balanced
  /// cross-entropy of Xie and Tu (2015).
  case balancedCrossEntropy(beta: Double)
  /// `softmaxFocal`, with the class weights.
  case focal(gamma: Double)
  /// `softmaxDice`.
  case dice
  /// `softmaxTversky`: alpha weights false positives and beta false negatives.
  case tversky(alpha: Double, beta: Double)
  /// `softmaxCosine`.
  case cosine

  /// The functions with their default numbers.
  static let all: [LossFunction] = [
    .crossEntropy, .balancedCrossEntropy(beta: 1), .focal(gamma: 2), .dice, .tversky(alpha: 0.3, beta: 0.7),
    .cosine,
  ]

  /// The function as options name it.
  var setting: NamedSetting {
    switch self {
    case .crossEntropy: NamedSetting("cross-entropy")
    case .balancedCrossEntropy(let beta): NamedSetting("balanced-cross-entropy", [.init("beta", beta)])
    case .focal(let gamma): NamedSetting("focal", [.init("gamma", gamma)])
    case .dice: NamedSetting("dice")
    case .tversky(let alpha, let beta):
      NamedSetting("tversky", [.init("alpha", alpha), .init("beta", beta)])
    case .cosine: NamedSetting("cosine")
    }
  }

  /// The function that a text such as "focal(gamma=2)" names.
  /// - Throws: ``InputError`` about `option`.
  init(_ text: some StringProtocol, option: String) throws(InputError) {
    let setting = try NamedSetting(text, of: Self.all.map(\.setting), option: option)
    self =
      switch setting.name {
      case "cross-entropy": .crossEntropy
      case "balanced-cross-entropy": .balancedCrossEntropy(beta: setting["beta"])
      case "focal": .focal(gamma: setting["gamma"])
      case "dice": .dice
      case "tversky": .tversky(alpha: setting["alpha"], beta: setting["beta"])
      case "cosine": .cosine
      default: preconditionFailure("no loss is named \(setting.name)")
      }
  }

  /// Describes the first number out of range; nil where there is none.
  var problem: String? {
    switch self {
    case .crossEntropy, .dice, .cosine: nil
    case .balancedCrossEntropy(let beta): (0...1).contains(beta) ? nil : "beta of 0 to 1"
    case .focal(let gamma): (0...100).contains(gamma) ? nil : "gamma of 0 to 100"
    case .tversky(let alpha, let beta):
      (0...100).contains(alpha) && (0...100).contains(beta) ? nil : "alpha and beta of 0 to 100"
    }
  }

  /// Whether sigmoid heads can be trained by it.
  var servesRegions: Bool {
    switch self {
    case .crossEntropy, .dice, .tversky: true
    case .balancedCrossEntropy, .focal, .cosine: false
    }
  }

  /// The loss of a sigmoid head and its gradient with respect to the logits; the function must serve regions.
  /// - Throws: `Cancelled`.
  private func ofRegions(
    _ regions: LabelRegions, logits: consuming Tensor, labels: LabelsWithHistogram, ignoredLabel: UInt8?,
    classWeights: [Float]?, gradientFactor: Double, work: WorkContext
  ) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
    let (alpha, beta): (Double, Double)
    switch self {
    case .crossEntropy:
      return try sigmoidCrossEntropy(
        logits: logits, labels: labels, regions: regions, ignoredLabel: ignoredLabel,
        regionWeights: classWeights.map { Array($0.dropFirst()) }, gradientFactor: gradientFactor, work: work)
    case .dice: (alpha, beta) = (0.5, 0.5)
    case .tversky(let ofFalsePositives, let ofFalseNegatives):
      (alpha, beta) = (ofFalsePositives, ofFalseNegatives)
    case .balancedCrossEntropy, .focal, .cosine:
      preconditionFailure("\(setting.name) for a sigmoid head")
    }
    return try sigmoidTversky(
      logits: logits, labels: labels, regions: regions, alpha: alpha, beta: beta, ignoredLabel: ignoredLabel,
      gradientFactor: gradientFactor, work: work)
  }

  /// The loss of a batch and its gradient with respect to the logits.
  /// - Parameter regions: Those of a sigmoid head; nil for a softmax head.
  /// - Throws: `Cancelled`.
  func callAsFunction(
    logits: consuming Tensor, labels: LabelsWithHistogram, regions: LabelRegions?, ignoredLabel: UInt8?,
    classWeights: [Float]?, gradientFactor: Double, work: WorkContext
  ) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
    if let regions {
      return try ofRegions(
        regions, logits: logits, labels: labels, ignoredLabel: ignoredLabel, classWeights: classWeights,
        gradientFactor: gradientFactor, work: work)
    }
    switch self {
    case .crossEntropy:
      return try softmaxCrossEntropy(
        logits: logits, labels: labels, ignoredLabel: ignoredLabel, classWeights: classWeights,
        gradientFactor: gradientFactor, work: work)
    case .balancedCrossEntropy(let beta):
      let voxels = (0..<logits.channels).map { ignoredLabel.map(Int.init) == $0 ? 0 : labels.counts[$0] }
      let balance = ClassBalance(beta: beta).weights(ofVoxels: voxels)
      return try softmaxCrossEntropy(
        logits: logits, labels: labels, ignoredLabel: ignoredLabel,
        classWeights: zip(balance, classWeights ?? balance.map { _ in 1 }).map { Float($0 * Double($1)) },
        gradientFactor: gradientFactor, work: work)
    case .focal(let gamma):
      return try softmaxFocal(
        logits: logits, labels: labels, gamma: gamma, ignoredLabel: ignoredLabel, classWeights: classWeights,
        gradientFactor: gradientFactor, work: work)
    case .dice:
      return try softmaxDice(
        logits: logits, labels: labels, ignoredLabel: ignoredLabel, gradientFactor: gradientFactor, work: work
      )
    case .tversky(let alpha, let beta):
      return try softmaxTversky(
        logits: logits, labels: labels, alpha: alpha, beta: beta, ignoredLabel: ignoredLabel,
        gradientFactor: gradientFactor, work: work)
    case .cosine:
      return try softmaxCosine(
        logits: logits, labels: labels, ignoredLabel: ignoredLabel, gradientFactor: gradientFactor, work: work
      )
    }
  }
}

/// Class weights that balance classes of different size by the effective number of their voxels,
/// (1 - beta^n) / (1 - beta) for n voxels (Cui and others 2019).
package struct ClassBalance: Hashable, Sendable {
  /// 0 to 1: with 0 every class that occurs has the effective number 1, with 1 its number of voxels.
  package var beta: Double

  package init(beta: Double) { self.beta = beta }

  /// The weight of each class: the inverse of its effective number, times the voxels of all classes over the number of
  /// classes that occur; 0 for a class without voxels.
  ///
  /// With beta 1 the sum of weight · voxels is the same for each class that occurs, and over all of them the number of
  /// voxels.
  package func weights(ofVoxels counts: [Int]) -> [Double] {
    let total = Double(counts.reduce(0, +))
    let present = Double(counts.count { $0 > 0 })
    return counts.map { count in
      guard count > 0 else { return 0 }
      let effective = beta < 1 ? (1 - pow(beta, Double(count))) / (1 - beta) : Double(count)
      return total / (present * effective)
    }
  }
}

extension ClassBalance {
  /// The balance that a text names: "inverse" to the number of voxels, or "effective(beta=0.9999)"; nil for another text.
  /// - Throws: ``InputError`` about `option` where the numbers are unusable.
  package init?(_ text: String, option: String) throws(InputError) {
    let choices = [NamedSetting("inverse"), NamedSetting("effective", [.init("beta", 0.9999)])]
    guard choices.contains(where: { text.hasPrefix($0.name) }) else { return nil }
    let setting = try NamedSetting(text, of: choices, option: option)
    beta = setting.name == "inverse" ? 1 : setting["beta"]
    guard (0...1).contains(beta) else {
      throw InputError(option, "cannot balance classes", found: text, expected: "beta of 0 to 1")
    }
  }
}
