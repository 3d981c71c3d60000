import CKernels
import Work

/// ReLU in place: replaces every negative element of `tensor` by 0; NaN stays.
/// - Throws: `Cancelled`, leaving `tensor` partly changed.
package func relu(_ tensor: inout Tensor, work: WorkContext) throws(Cancelled) {
  let chunks = Chunks(count: tensor.elements.count)
  let level = KernelLevel.current
  try tensor.elements.withDisjointBuffer { elements throws(Cancelled) in
    try work.forEach(count: chunks.number) { index, _ in
      let range = chunks.range(index)
      pointwise_relu(level, elements.start + range.lowerBound, range.count)
    }
  }
}

/// Replaces the gradient with respect to a ReLU's output by that with respect to its input: 0 where `output` is not
/// positive.
///
/// - Parameters:
///   - gradient: [N, C, D, H, W].
///   - output: The output of the ReLU, of the gradient's shape.
/// - Returns: The new gradient's ``channelSums(_:work:)``, from the same pass.
/// - Throws: `Cancelled`, leaving `gradient` partly changed.
@discardableResult
package func reluGradient(
  _ gradient: inout Tensor, output: Tensor, work: WorkContext
) throws(Cancelled) -> Tensor {
  precondition(gradient.shape == output.shape, "gradient \(gradient.shape) for output \(output.shape)")
  let level = KernelLevel.current
  let sums = try gradient.elements.withDisjointBuffer { gradient throws(Cancelled) in
    try channelTotals(of: output, work: work) { _, range, output in
      let start = range.lowerBound
      return SIMD2(
        pointwise_relu_gradient(level, gradient.start + start, output.start + start, range.count), 0)
    }
  }
  return Tensor(shape: [output.channels], elements: sums.map { Float($0.x) })
}

/// The definition of ``relu(_:work:)``, in double precision.
package func reluReference(_ tensor: ReferenceTensor) -> ReferenceTensor {
  ReferenceTensor(shape: tensor.shape, elements: tensor.elements.map { $0 < 0 ? 0 : $0 })
}

/// The definition of ``reluGradient(_:output:work:)``, in double precision.
package func reluGradientReference(
  _ gradient: ReferenceTensor, output: ReferenceTensor
) -> ReferenceTensor {
  ReferenceTensor(
    shape: gradient.shape, elements: zip(gradient.elements, output.elements).map { $1 > 0 ? $0 : 0 })
}
