import Foundation
import Tensors
import TestSupport
import Testing
import Work

@Suite struct SoftmaxTests {
  @Test("softmax and cross-entropy equal the references", arguments: [1, 2, 3, 7])
  func everything(classes: Int) throws {
    var generator = SplitMix64(seed: 10)
    var logits = generator.tensor([2, classes, 3, 5, 21])
    for index in logits.elements.indices { logits.elements[index] *= 30 }
    var labels = (0..<630).map { _ in UInt8(generator.next() % UInt64(classes)) }
    for index in stride(from: 0, to: 630, by: 9) { labels[index] = 255 }
    let weights = (0..<classes).map { Float($0) * 0.5 + 0.25 }
    let probabilities = softmaxReference(ReferenceTensor(logits))
    let plainLabels = labels.map { $0 == 255 ? 0 : $0 }
    let plain = softmaxCrossEntropyReference(logits: ReferenceTensor(logits), labels: plainLabels)
    let weighted = softmaxCrossEntropyReference(
      logits: ReferenceTensor(logits), labels: labels, ignoredLabel: 255,
      classWeights: weights.map(Double.init))
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      expectClose(try softmax(logits, work: work), probabilities, what)
      let found = try softmaxCrossEntropy(
        logits: logits, labels: LabelsWithHistogram(plainLabels, work: work), work: work)
      #expect(abs(found.loss - plain.loss) < 1e-5 * max(1, plain.loss), what)
      expectClose(found.gradient, plain.gradient, what)
      let other = try softmaxCrossEntropy(
        logits: logits, labels: LabelsWithHistogram(labels, work: work), ignoredLabel: 255,
        classWeights: weights,
        gradientFactor: 0.5, work: work)
      #expect(abs(other.loss - weighted.loss) < 1e-5 * max(1, weighted.loss), what)
      expectClose(
        other.gradient,
        ReferenceTensor(shape: logits.shape, elements: weighted.gradient.elements.map { $0 / 2 }), what)
    }
  }

  @Test("logits far apart and equal give the probabilities they should")
  func extremes() throws {
    let logits = Tensor(shape: [1, 2, 1, 1, 3], elements: [1000, -1000, 5, -1000, 1000, 5])
    try atEveryLevel { threads, what in
      let found = try softmax(logits, work: WorkContext(threadCount: threads))
      #expect(found.elements == [1, 0, 0.5, 0, 1, 0.5], what)
    }
  }

  @Test("logits that the caller still references are not changed")
  func keptScores() throws {
    var generator = SplitMix64(seed: 13)
    let logits = generator.tensor([1, 2, 3, 4, 5])
    let work = WorkContext(threadCount: 2)
    let labels = try LabelsWithHistogram([UInt8](repeating: 1, count: 60), work: work)
    let copy = logits.elements.map { $0 }
    _ = try softmaxCrossEntropy(logits: logits, labels: labels, work: work)
    #expect(logits.elements == copy)
  }

  @Test("labels are counted one by one, whether neighbours agree or not", arguments: [1, 7, 8, 33, 40_000])
  func counts(count: Int) throws {
    var generator = SplitMix64(seed: 14)
    // Long runs of one label, and voxels that differ from their neighbours.
    let labels = (0..<count).map { $0 % 50 < 30 ? UInt8($0 / 50 % 256) : UInt8(generator.next() % 256) }
    var expected = [Int](repeating: 0, count: 256)
    for label in labels { expected[Int(label)] += 1 }
    for threads in [1, 3] {
      #expect(try LabelsWithHistogram(labels, work: WorkContext(threadCount: threads)).counts == expected)
    }
  }

  /// Expects loss and gradient of 60 voxels, some of them ignored, to be those of `reference`.
  private func expectDerivative(
    classes: Int, _ loss: (Tensor, LabelsWithHistogram, Double, WorkContext) throws -> (Double, Tensor),
    of reference: (ReferenceTensor, [UInt8]) -> Double
  ) throws {
    var generator = SplitMix64(seed: 12)
    let logits = generator.tensor([2, classes, 2, 3, 5])
    var labels = (0..<60).map { _ in UInt8(generator.next() % UInt64(classes)) }
    for index in stride(from: 0, to: 60, by: 7) { labels[index] = 255 }
    let expected = reference(ReferenceTensor(logits), labels)
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      let counted = try LabelsWithHistogram(labels, work: work)
      let found = try loss(logits, counted, 1, work)
      let doubled = try loss(logits, counted, 2, work)
      #expect(abs(doubled.0 - found.0) < 1e-6, what)
      expectClose(
        doubled.1,
        ReferenceTensor(shape: logits.shape, elements: found.1.elements.map { Double($0) * 2 }), what)
      #expect(abs(found.0 - expected) < 1e-6, what)
      let error = differenceError(ReferenceTensor(found.1), at: ReferenceTensor(logits)) {
        reference($0, labels)
      }
      #expect(error < 3e-6, what)
    }
  }

  @Test("soft Dice equals the reference, and its gradient is the reference's derivative", arguments: [2, 4])
  func dice(classes: Int) throws {
    try expectDerivative(classes: classes) {
      try softmaxDice(logits: $0, labels: $1, ignoredLabel: 255, gradientFactor: $2, work: $3)
    } of: {
      softmaxDiceReference(logits: $0, labels: $1, ignoredLabel: 255)
    }
  }

  @Test(
    "the Tversky index equals the reference, and its gradient is the reference's derivative",
    arguments: [(2, 0.3, 0.7), (4, 1, 0), (3, 0.5, 2)])
  func tversky(classes: Int, alpha: Double, beta: Double) throws {
    try expectDerivative(classes: classes) {
      try softmaxTversky(
        logits: $0, labels: $1, alpha: alpha, beta: beta, ignoredLabel: 255, gradientFactor: $2, work: $3)
    } of: {
      softmaxTverskyReference(logits: $0, labels: $1, alpha: alpha, beta: beta, ignoredLabel: 255)
    }
  }

  @Test(
    "the cosine loss equals the reference, and its gradient is the reference's derivative", arguments: [2, 4])
  func cosine(classes: Int) throws {
    try expectDerivative(classes: classes) {
      try softmaxCosine(logits: $0, labels: $1, ignoredLabel: 255, gradientFactor: $2, work: $3)
    } of: {
      softmaxCosineReference(logits: $0, labels: $1, ignoredLabel: 255)
    }
  }

  @Test(
    "the focal loss equals the reference, and its gradient is the reference's derivative",
    arguments: [(2, 2.0), (4, 0.5), (3, 1), (3, 5)])
  func focal(classes: Int, gamma: Double) throws {
    let weights = (0..<classes).map { Float($0) * 0.5 + 0.25 }
    try expectDerivative(classes: classes) {
      try softmaxFocal(
        logits: $0, labels: $1, gamma: gamma, ignoredLabel: 255, classWeights: weights, gradientFactor: $2,
        work: $3)
    } of: {
      softmaxFocalReference(
        logits: $0, labels: $1, gamma: gamma, ignoredLabel: 255, classWeights: weights.map(Double.init))
    }
  }

  @Test("a focal loss of gamma 0 is the cross-entropy", arguments: [1, 2, 5])
  func focalOfZero(classes: Int) throws {
    var generator = SplitMix64(seed: 15)
    var logits = generator.tensor([1, classes, 3, 5, 21])
    for index in logits.elements.indices { logits.elements[index] *= 30 }
    let labels = (0..<315).map { _ in UInt8(generator.next() % UInt64(classes)) }
    let expected = softmaxCrossEntropyReference(logits: ReferenceTensor(logits), labels: labels)
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      let found = try softmaxFocal(
        logits: logits, labels: LabelsWithHistogram(labels, work: work), gamma: 0, work: work)
      #expect(abs(found.loss - expected.loss) < 1e-5 * max(1, expected.loss), what)
      expectClose(found.gradient, expected.gradient, what)
    }
  }

  /// Each loss of a class's sums, and those of single voxels.
  private static let losses:
    [(
      name: String,
      loss: @Sendable (Tensor, LabelsWithHistogram, WorkContext) throws -> (loss: Double, gradient: Tensor)
    )] = [
      ("Dice", { try softmaxDice(logits: $0, labels: $1, ignoredLabel: 9, work: $2) }),
      (
        "Tversky",
        { try softmaxTversky(logits: $0, labels: $1, alpha: 0.3, beta: 0.7, ignoredLabel: 9, work: $2) }
      ),
      ("cosine", { try softmaxCosine(logits: $0, labels: $1, ignoredLabel: 9, work: $2) }),
      ("focal", { try softmaxFocal(logits: $0, labels: $1, gamma: 2, ignoredLabel: 9, work: $2) }),
      ("cross-entropy", { try softmaxCrossEntropy(logits: $0, labels: $1, ignoredLabel: 9, work: $2) }),
    ]

  @Test("where no voxel counts, every loss is zero, and so is its gradient")
  func lossOfNothing() throws {
    let logits = Tensor(shape: [1, 2, 1, 1, 2], repeating: 1)
    let work = WorkContext(threadCount: 1)
    for (name, loss) in Self.losses {
      let found = try loss(logits, LabelsWithHistogram([9, 9], work: work), work)
      #expect(found.loss == 0, "\(name)")
      #expect(found.gradient == Tensor(shape: logits.shape), "\(name)")
    }
  }

  @Test("without a labelled structure the losses of structures are zero, and so are their gradients")
  func structuresOfNothing() throws {
    let logits = Tensor(shape: [1, 2, 1, 1, 2], repeating: 1)
    let work = WorkContext(threadCount: 1)
    for (name, loss) in Self.losses.prefix(3) {
      let found = try loss(logits, LabelsWithHistogram([0, 9], work: work), work)
      #expect(found.loss == 0, "\(name)")
      #expect(found.gradient == Tensor(shape: logits.shape), "\(name)")
    }
  }

  @Test("logits of any size give finite losses and gradients")
  func lossesOfExtremes() throws {
    let logits = Tensor(shape: [1, 2, 1, 1, 3], elements: [1000, -1000, 5, -1000, 1000, 5])
    let work = WorkContext(threadCount: 1)
    for labels: [UInt8] in [[0, 1, 1], [1, 0, 0]] {
      for (name, loss) in Self.losses {
        let found = try loss(logits, LabelsWithHistogram(labels, work: work), work)
        #expect(found.loss.isFinite && found.gradient.elements.allSatisfy(\.isFinite), "\(name)")
      }
    }
  }

  @Test("the reference's gradient is the derivative of the reference")
  func finiteDifferences() {
    var generator = SplitMix64(seed: 11)
    let logits = ReferenceTensor(generator.tensor([2, 3, 1, 2, 3]))
    let labels: [UInt8] = [0, 1, 2, 2, 255, 0, 1, 1, 1, 255, 2, 0]
    func loss(_ logits: ReferenceTensor) -> (loss: Double, gradient: ReferenceTensor) {
      softmaxCrossEntropyReference(
        logits: logits, labels: labels, ignoredLabel: 255, classWeights: [1, 2, 0.5])
    }
    #expect(differenceError(loss(logits).gradient, at: logits) { loss($0).loss } < 1e-7)
  }
}
