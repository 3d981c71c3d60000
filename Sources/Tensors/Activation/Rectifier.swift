import CKernels
import Work

/// Replaces every negative element of `tensor` by 0 (ReLU); NaN stays.
/// - Throws: `Cancelled`, leaving `tensor` partly rectified.
package func rectify(_ tensor: inout Tensor, work: WorkContext) throws(Cancelled) {
  let chunks = Chunks(count: tensor.elements.count)
  let level = KernelLevel.current
  try tensor.elements.withDisjointBuffer { elements throws(Cancelled) in
    try work.forEach(count: chunks.number) { index, _ in
      let range = chunks.range(index)
      pointwise_rectify(level, elements.start + range.lowerBound, range.count)
    }
  }
}

/// Turns the gradient with respect to a rectifier's output into the one with respect to its input, in place:
/// 0 where `output` is not positive.
///
/// - Parameters:
///   - gradient: [N, C, D, H, W].
///   - output: What the rectifier returned, of the gradient's shape.
/// - Returns: The changed gradient's ``channelSums(_:work:)``, which cost nothing here.
/// - Throws: `Cancelled`, leaving `gradient` partly changed.
@discardableResult
package func rectifierGradient(
  _ gradient: inout Tensor, output: Tensor, work: WorkContext
) throws(Cancelled) -> Tensor {
  precondition(gradient.shape == output.shape, "gradient \(gradient.shape) for output \(output.shape)")
  let level = KernelLevel.current
  let sums = try gradient.elements.withDisjointBuffer { gradient throws(Cancelled) in
    try channelTotals(of: output, work: work) { _, range, output in
      let start = range.lowerBound
      return SIMD2(
        pointwise_rectify_gradient(level, gradient.start + start, output.start + start, range.count), 0)
    }
  }
  return Tensor(shape: [output.channels], elements: sums.map { Float($0.x) })
}

/// The definition of ``rectify(_:work:)``, in double precision.
package func rectifyReference(_ tensor: ReferenceTensor) -> ReferenceTensor {
  ReferenceTensor(shape: tensor.shape, elements: tensor.elements.map { $0 < 0 ? 0 : $0 })
}

/// The definition of ``rectifierGradient(_:output:work:)``, in double precision.
package func rectifierGradientReference(
  _ gradient: ReferenceTensor, output: ReferenceTensor
) -> ReferenceTensor {
  ReferenceTensor(
    shape: gradient.shape, elements: zip(gradient.elements, output.elements).map { $1 > 0 ? $0 : 0 })
}
