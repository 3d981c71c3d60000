import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Work

@Suite("Losses of heads")
struct LossTests {
  private let work = WorkContext(threadCount: 2)

  @Test(
    "a loss is its text",
    arguments: [
      ("cross-entropy", Loss.crossEntropy),
      ("cross-entropy + dice", Loss([.init(.crossEntropy), .init(.dice)])),
      (
        "focal(gamma=2) + 0.5*tversky(alpha=0.3,beta=0.7)",
        Loss([.init(.focal(gamma: 2)), .init(weight: 0.5, .tversky(alpha: 0.3, beta: 0.7))])
      ),
      (
        "balanced-cross-entropy(beta=0.999) + 3*cosine",
        Loss([.init(.balancedCrossEntropy(beta: 0.999)), .init(weight: 3, .cosine)])
      ),
    ])
  func texts(text: String, loss: Loss) throws {
    #expect(try Loss(text, option: "--loss") == loss)
    #expect(loss.description == text)
    let options = TrainingOptions(schedule: .constant(rate: 1), loss: loss)
    #expect(
      try JSONDecoder().decode(TrainingOptions.self, from: JSONEncoder().encode(options)) == options)
  }

  @Test("numbers that are left out have their defaults, and spaces do not count")
  func defaults() throws {
    #expect(
      try Loss(" 2 * focal+tversky( beta = 0.9 )+balanced-cross-entropy", option: "--loss")
        == Loss([
          .init(weight: 2, .focal(gamma: 2)), .init(.tversky(alpha: 0.3, beta: 0.9)),
          .init(.balancedCrossEntropy(beta: 1)),
        ]))
  }

  @Test(
    "a text that is no loss is refused",
    arguments: [
      (
        "",
        "--loss: unknown: found , expected cross-entropy, balanced-cross-entropy, focal, dice, tversky, cosine"
      ),
      ("a*dice", "--loss: cannot be read: found a*dice, expected terms such as cross-entropy + 0.5*dice"),
      ("1*2*dice", "--loss: cannot be read: found 1*2*dice, expected terms such as cross-entropy + 0.5*dice"),
      ("dice(gamma=1)", "--loss: dice cannot have gamma=1: found dice(gamma=1), expected dice"),
    ])
  func refused(text: String, line: String) {
    #expect(refusal { _ = try Loss(text, option: "--loss") } == line)
  }

  @Test(
    "weights and numbers out of range are refused before a training begins",
    arguments: [
      ("-1*dice", "--loss: cannot train: found -1*dice, expected weights above 0"),
      ("0*dice", "--loss: cannot train: found 0*dice, expected weights above 0"),
      ("focal(gamma=-1)", "--loss: cannot train: found focal(gamma=-1), expected gamma of 0 to 100"),
      (
        "tversky(alpha=-1)",
        "--loss: cannot train: found tversky(alpha=-1,beta=0.7), expected alpha and beta of 0 to 100"
      ),
      (
        "balanced-cross-entropy(beta=2)",
        "--loss: cannot train: found balanced-cross-entropy(beta=2), expected beta of 0 to 1"
      ),
    ])
  func ranges(text: String, line: String) throws {
    let options = TrainingOptions(schedule: .constant(rate: 1), loss: try Loss(text, option: "--loss"))
    #expect(refusal { try options.validated() } == line)
  }

  @Test("the Dice weight of earlier checkpoints is a term beside the cross-entropy")
  func earlierWeight() throws {
    func options(_ field: String) throws -> TrainingOptions {
      let text = """
        {"optimiser": {"momentum": {"_0": 0.9, "isNesterov": false}}, "schedule": {"constant": {"rate": 1}},
        "weightDecay": 0, "auxiliaryInterval": 0, "auxiliaryFactor": 0.95, "rateMultipliers": {},
        "statisticsMomentum": 0.1\(field)}
        """
      return try JSONDecoder().decode(TrainingOptions.self, from: Data(text.utf8))
    }
    #expect(try options("").loss == .crossEntropy)
    #expect(
      try options(#", "overlapWeight": 0.5"#).loss
        == Loss([.init(.crossEntropy), .init(weight: 0.5, .dice)]))
  }

  @Test("a Dice weight adds, replaces or removes the term of soft Dice")
  func diceWeight() throws {
    var loss = try Loss("focal", option: "--loss")
    loss.diceWeight = 2
    #expect(loss.description == "focal(gamma=2) + 2*dice" && loss.diceWeight == 2)
    loss.diceWeight = 1
    #expect(loss.description == "focal(gamma=2) + dice")
    loss.diceWeight = 0
    #expect(loss.description == "focal(gamma=2)" && loss.diceWeight == 0)
  }

  /// The loss of the tiny network's main head, and the gradients.
  private func found(_ text: String, classWeights: [Float]? = nil) throws -> LossGradients {
    let graph = try NetworkGraph.tiny.resolved()
    return try graph.lossGradients(
      .balls(count: 2, extent: Extent3(4, 6, 4), seed: 4),
      parameters: Parameters(initialising: graph, seed: 9),
      configuration: LossConfiguration(
        headWeights: [1, 0.3], loss: try Loss(text, option: "--loss"), classWeights: classWeights),
      work: work)
  }

  @Test("the loss of several terms and its gradient are the weighted sums of theirs")
  func sums() throws {
    let parts = try ["cross-entropy", "focal", "tversky", "cosine"].map { try found($0) }
    let whole = try found("cross-entropy + 0.5*focal + 2*tversky + 3*cosine")
    let weights = [1, 0.5, 2, 3]
    for head in 0..<2 {
      let expected = zip(weights, parts).reduce(0) { $0 + $1.0 * $1.1.headLosses[head] }
      #expect(abs(whole.headLosses[head] - expected) < 1e-9 * expected)
    }
    for (name, gradient) in whole.gradients {
      for (index, value) in gradient.elements.enumerated() {
        let expected = zip(weights, parts).map { Float($0) * $1.gradients[name]!.elements[index] }
        let scale = expected.reduce(1e-4) { max($0, abs($1)) }
        #expect(abs(value - expected.reduce(0, +)) < 2e-4 * scale, "\(name)[\(index)]")
      }
    }
  }

  @Test("a balanced cross-entropy is the cross-entropy weighted by the inverse voxels of the batch's classes")
  func balanced() throws {
    let labels = TrainingBatch.balls(count: 2, extent: Extent3(4, 6, 4), seed: 4).labels
    let ball = labels.count { $0 == 1 }
    let expected = try found(
      "cross-entropy", classWeights: [1 / Float(labels.count - ball), 1 / Float(ball)])
    let balanced = try found("balanced-cross-entropy")
    #expect(abs(balanced.loss - expected.loss) < 1e-6 * expected.loss)
    let plain = try found("balanced-cross-entropy(beta=0)")
    #expect(abs(plain.loss - (try found("cross-entropy")).loss) < 1e-6)
  }

  @Test("classes are balanced by their voxels or by the effective number of them")
  func balance() throws {
    let counts = [1000, 10, 0]
    #expect(ClassBalance(beta: 1).weights(ofVoxels: counts) == [0.505, 50.5, 0])
    #expect(ClassBalance(beta: 0).weights(ofVoxels: counts) == [505, 505, 0])
    let effective = ClassBalance(beta: 0.99).weights(ofVoxels: counts)
    // 99.99568... and 9.56179... voxels.
    #expect(abs(effective[0] - 505 / 99.9956829) < 1e-6 && abs(effective[1] - 505 / 9.5617925) < 1e-5)
    #expect(try ClassBalance("inverse", option: "--class-weights") == ClassBalance(beta: 1))
    #expect(try ClassBalance("effective(beta=0.99)", option: "--class-weights") == ClassBalance(beta: 0.99))
    #expect(try ClassBalance("1,2", option: "--class-weights") == nil)
    #expect(
      refusal { _ = try ClassBalance("effective(beta=2)", option: "--class-weights") }
        == "--class-weights: cannot balance classes: found effective(beta=2), expected beta of 0 to 1")
  }
}
