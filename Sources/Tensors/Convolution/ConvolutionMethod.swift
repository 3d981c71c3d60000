/// The ways to compute a convolution and its gradients, the first that pays being taken.
package enum ConvolutionMethod: CaseIterable, Sendable {
  /// One matrix product, by BLAS, where the kernel is one voxel.
  case pointwise
  /// Minimal filtering (Winograd), for small kernels between many channels.
  case winograd
  /// Tiled overlap-save FFT, for large kernels.
  case fourier
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
    /// Extents of the input, nil where it is not known yet and may be large.
    package var inputExtent: Extent3?

    /// The problem of a weight [out, in, z, y, x].
    package init(geometry: ConvolutionGeometry, weightShape: [Int], inputExtent: Extent3? = nil) {
      self.geometry = geometry
      outputs = weightShape[0]
      inputs = weightShape[1]
      self.inputExtent = inputExtent
    }

    /// Taps from which a transform's cost, which does not depend on their number, is the smaller one: measured
    /// between 3x3x3, where it is not, and 5x5x3.
    fileprivate static let manyTaps = 64
    /// Outputs below which BLAS beats the packed product, which computes whole blocks of them: measured with 3 and 32.
    fileprivate static let fewOutputs = 8
    /// Voxels below which transforming the weights costs more than it saves.
    fileprivate static let manyVoxels = 1024
  }

  /// Whether this method can compute `problem` at all.
  package func serves(_ problem: Problem) -> Bool {
    switch self {
    case .pointwise: PointwiseConvolution.serves(problem.geometry)
    case .winograd: WinogradConvolution.serves(problem.geometry)
    case .fourier: FFTConvolution.serves(problem.geometry)
    case .implicitProduct, .reference: true
    }
  }

  /// Whether this method, where it serves, is faster than those behind it.
  package func pays(_ problem: Problem) -> Bool {
    switch self {
    case .pointwise: BLAS.isOptimised && problem.outputs < Problem.fewOutputs
    case .winograd: WinogradConvolution.pays(inputs: problem.inputs, outputs: problem.outputs)
    case .fourier:
      problem.geometry.kernel.product >= Problem.manyTaps
        && (problem.inputExtent?.product ?? .max) >= Problem.manyVoxels
    case .implicitProduct, .reference: true
    }
  }

  /// The best method for `problem`.
  package static func best(for problem: Problem) -> ConvolutionMethod {
    allCases.first { $0.serves(problem) && $0.pays(problem) }!
  }
}
