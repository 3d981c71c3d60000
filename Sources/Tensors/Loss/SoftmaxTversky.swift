import Work

/// One minus the mean Tversky index between the softmax of `logits` and `labels`, and its gradient with respect to the
/// logits.
///
/// The index of a class (Salehi and others 2017), taken over the whole batch, is (Σ p t + ½) / (Σ p t + α Σ p (1 - t) + β Σ (1 - p) t + ½) with
/// the probabilities p and the indicator t of the class: α weights false positives and β false negatives. With
/// α = β = ½ it is the soft Dice overlap. Class 0, the background, and classes without voxels are excluded from the
/// mean; loss and gradient are 0 where no class remains.
///
/// - Parameters:
///   - logits: [N, C, D, H, W]; the gradient reuses their memory where no other reference exists.
///   - labels: One per voxel, [N, D, H, W]; below C or `ignoredLabel`.
///   - alpha: The weight of false positives, 0 or more.
///   - beta: The weight of false negatives, 0 or more.
///   - ignoredLabel: A label whose voxels are excluded.
///   - gradientFactor: Multiplies the gradient, not the loss.
/// - Throws: `Cancelled`.
package func softmaxTversky(
  logits: consuming Tensor, labels: LabelsWithHistogram, alpha: Double, beta: Double,
  ignoredLabel: UInt8? = nil, gradientFactor: Double = 1, work: WorkContext
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  precondition(alpha >= 0 && beta >= 0, "a Tversky index of alpha \(alpha) and beta \(beta)")
  return try meanOfClasses(
    logits: logits, labels: labels, ignoredLabel: ignoredLabel, gradientFactor: gradientFactor, work: work
  ) { .tversky($0, alpha: alpha, beta: beta) }
}

extension ClassLoss {
  /// One minus the Tversky index of a class.
  static func tversky(_ sums: ClassSums, alpha: Double, beta: Double) -> ClassLoss {
    let denominator = alpha * sums.all + beta * sums.labelled + (1 - alpha - beta) * sums.own + 0.5
    let index = (sums.own + 0.5) / denominator
    return ClassLoss(
      loss: 1 - index, inside: (index * (1 - beta) - 1) / denominator, outside: index * alpha / denominator)
  }
}

/// One minus the mean soft Dice overlap between the softmax of `logits` and `labels`, and its gradient with respect to
/// the logits.
///
/// The overlap of a class, taken over the whole batch, is (2 Σ p t + 1) / (Σ p + Σ t + 1) with the probabilities p and
/// the indicator t of the class (Milletari et al. 2016, sums instead of squares). It is the Tversky index with
/// α = β = ½; see ``softmaxTversky(logits:labels:alpha:beta:ignoredLabel:gradientFactor:work:)``.
/// - Throws: `Cancelled`.
package func softmaxDice(
  logits: consuming Tensor, labels: LabelsWithHistogram, ignoredLabel: UInt8? = nil,
  gradientFactor: Double = 1, work: WorkContext
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  try softmaxTversky(
    logits: logits, labels: labels, alpha: 0.5, beta: 0.5, ignoredLabel: ignoredLabel,
    gradientFactor: gradientFactor, work: work)
}

/// The loss of ``softmaxTversky(logits:labels:alpha:beta:ignoredLabel:gradientFactor:work:)``, in double precision.
package func softmaxTverskyReference(
  logits: ReferenceTensor, labels: [UInt8], alpha: Double, beta: Double, ignoredLabel: UInt8? = nil
) -> Double {
  meanOfClassesReference(logits: logits, labels: labels, ignoredLabel: ignoredLabel) { p, t in
    let (truePositives, falsePositives, falseNegatives) = zip(p, t).reduce(into: (0.0, 0.0, 0.0)) {
      $0.0 += $1.0 * $1.1
      $0.1 += $1.0 * (1 - $1.1)
      $0.2 += (1 - $1.0) * $1.1
    }
    return 1 - (truePositives + 0.5) / (truePositives + alpha * falsePositives + beta * falseNegatives + 0.5)
  }
}

/// The loss of ``softmaxDice(logits:labels:ignoredLabel:gradientFactor:work:)``, in double precision.
package func softmaxDiceReference(
  logits: ReferenceTensor, labels: [UInt8], ignoredLabel: UInt8? = nil
) -> Double {
  meanOfClassesReference(logits: logits, labels: labels, ignoredLabel: ignoredLabel) { p, t in
    1 - (2 * zip(p, t).reduce(0) { $0 + $1.0 * $1.1 } + 1) / (p.reduce(0, +) + t.reduce(0, +) + 1)
  }
}
