import Work

/// One minus the mean cosine similarity between the softmax of `logits` and `labels`, and its gradient with respect to
/// the logits.
///
/// The similarity of a class, taken over the whole batch, is Σ p t / (max(|p|, ε) |t|) with the probabilities p and the
/// indicator t of the class as vectors over all voxels and ε = 1e-8, as PyTorch's `cosine_similarity`; Wang et al. (2019)
/// add it to the cross-entropy. Class 0, the background, and classes without voxels are excluded from the mean; loss and
/// gradient are 0 where no class remains.
///
/// - Parameters:
///   - logits: [N, C, D, H, W]; the gradient reuses their memory where no other reference exists.
///   - labels: One per voxel, [N, D, H, W]; below C or `ignoredLabel`.
///   - ignoredLabel: A label whose voxels are excluded.
///   - gradientFactor: Multiplies the gradient, not the loss.
/// - Throws: `Cancelled`.
package func softmaxCosine(
  logits: consuming Tensor, labels: LabelsWithHistogram, ignoredLabel: UInt8? = nil,
  gradientFactor: Double = 1, work: WorkContext
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  try meanOfClasses(
    logits: logits, labels: labels, ignoredLabel: ignoredLabel, gradientFactor: gradientFactor, work: work
  ) { sums in
    let length = sums.squares.squareRoot()
    let inverse = 1 / (max(length, smallestLength) * sums.labelled.squareRoot())
    let similarity = sums.own * inverse
    return ClassLoss(
      loss: 1 - similarity, inside: -inverse, outside: 0,
      slope: length > smallestLength ? similarity / sums.squares : 0)
  }
}

/// PyTorch's `eps`.
private let smallestLength = 1e-8

/// The loss of ``softmaxCosine(logits:labels:ignoredLabel:gradientFactor:work:)``, in double precision.
package func softmaxCosineReference(
  logits: ReferenceTensor, labels: [UInt8], ignoredLabel: UInt8? = nil
) -> Double {
  meanOfClassesReference(logits: logits, labels: labels, ignoredLabel: ignoredLabel) { p, t in
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return 1 - product(p, t) / (max(product(p, p).squareRoot(), smallestLength) * product(t, t).squareRoot())
  }
}
