/// The ways to compute a convolution and its gradients, the first that serves being taken.
package enum ConvolutionMethod: CaseIterable, Sendable {
  /// One matrix product, by BLAS, where the kernel is one voxel.
  case pointwise
  /// Packed matrix products over panels of the column matrix: everything.
  case implicitProduct
  /// Plain loops in double precision; nothing falls through to them, tests compare with them.
  case reference

  /// What a convolution is called with, as far as the choice depends on it.
  package struct Problem: Hashable, Sendable {
    /// The spatial rule.
    package var geometry: ConvolutionGeometry
    /// Channels of the input.
    package var inputs: Int
    /// Channels of the output.
    package var outputs: Int

    /// The problem of a weight [out, in, z, y, x].
    package init(geometry: ConvolutionGeometry, weightShape: [Int]) {
      self.geometry = geometry
      outputs = weightShape[0]
      inputs = weightShape[1]
    }
  }

  /// Whether this method can compute `problem` and pays there.
  package func serves(_ problem: Problem) -> Bool {
    switch self {
    case .pointwise: PointwiseConvolution.serves(problem.geometry) && BLAS.isOptimised
    case .implicitProduct: true
    case .reference: true
    }
  }

  /// The best method for `problem`.
  package static func best(for problem: Problem) -> ConvolutionMethod {
    allCases.first { $0.serves(problem) }!
  }
}
