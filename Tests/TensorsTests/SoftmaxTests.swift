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

  @Test("where every voxel is ignored, loss and gradient are zero")
  func nothingCounts() throws {
    let logits = Tensor(shape: [1, 2, 1, 1, 2], repeating: 1)
    let work = WorkContext(threadCount: 1)
    let found = try softmaxCrossEntropy(
      logits: logits, labels: LabelsWithHistogram([9, 9], work: work), ignoredLabel: 9, work: work)
    #expect(found.loss == 0)
    #expect(found.gradient == Tensor(shape: logits.shape))
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

  @Test("soft Dice equals the reference, and its gradient is the reference's derivative", arguments: [2, 4])
  func dice(classes: Int) throws {
    var generator = SplitMix64(seed: 12)
    let logits = generator.tensor([2, classes, 2, 3, 5])
    var labels = (0..<60).map { _ in UInt8(generator.next() % UInt64(classes)) }
    for index in stride(from: 0, to: 60, by: 7) { labels[index] = 255 }
    let loss = softmaxDiceReference(logits: ReferenceTensor(logits), labels: labels, ignoredLabel: 255)
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      let counted = try LabelsWithHistogram(labels, work: work)
      let found = try softmaxDice(logits: logits, labels: counted, ignoredLabel: 255, work: work)
      let doubled = try softmaxDice(
        logits: logits, labels: counted, ignoredLabel: 255, gradientFactor: 2, work: work)
      #expect(doubled.loss == found.loss, what)
      #expect(doubled.gradient.elements == found.gradient.elements.map { $0 * 2 }, what)
      #expect(abs(found.loss - loss) < 1e-6, what)
      let error = differenceError(ReferenceTensor(found.gradient), at: ReferenceTensor(logits)) {
        softmaxDiceReference(logits: $0, labels: labels, ignoredLabel: 255)
      }
      #expect(error < 1e-6, what)
    }
  }

  @Test("without a labelled structure soft Dice is zero, and so is its gradient")
  func diceOfNothing() throws {
    let logits = Tensor(shape: [1, 2, 1, 1, 2], repeating: 1)
    let work = WorkContext(threadCount: 1)
    let found = try softmaxDice(
      logits: logits, labels: LabelsWithHistogram([0, 9], work: work), ignoredLabel: 9, work: work)
    #expect(found.loss == 0)
    #expect(found.gradient == Tensor(shape: logits.shape))
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
