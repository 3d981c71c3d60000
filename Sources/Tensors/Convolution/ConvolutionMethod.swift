/// The methods to compute a convolution and its gradients, in the order in which ``best(for:)`` tries them.
///
/// Groups of channels are convolutions of their own, one after the other; `implicitProduct` computes all at once, and the
/// gradients of all of them.
package enum ConvolutionMethod: CaseIterable, Sendable {
  /// One matrix product by BLAS, for kernels of one voxel.
  case pointwise
  /// Winograd, for 3x3x3 kernels, dilated too, and 4x4x4 kernels of stride 2, between many channels.
  case winograd
  /// Tiled overlap-save FFT, for large kernels.
  case fourier
  /// Implicit GEMM: packed matrix products over panels of the column matrix, for any geometry.
  case implicitProduct
  /// Plain loops in double precision, for comparison in tests; never the best method.
  case reference

  /// The arguments of a convolution that the choice of the method depends on.
  package struct Problem: Hashable, Sendable {
    /// Kernel, stride, padding, dilation and groups.
    package var geometry: ConvolutionGeometry
    /// Channels of the input in each group.
    package var inputChannels: Int
    /// Channels of the output in each group.
    package var outputChannels: Int
    /// Extents of the input; nil where they are unknown and may be large.
    package var inputExtent: Extent3?

    /// The problem of a weight [out, in / groups, z, y, x].
    package init(geometry: ConvolutionGeometry, weightShape: [Int], inputExtent: Extent3? = nil) {
      self.geometry = geometry
      outputChannels = weightShape[0] / geometry.groups
      inputChannels = weightShape[1]
      self.inputExtent = inputExtent
    }

    /// Taps from which FFT is faster than implicit GEMM: measured between 3x3x3, where it is not, and 5x5x3.
    fileprivate static let minimumFFTTaps = 64
    /// Output channels below which BLAS is faster than the packed product, which computes blocks of eight: measured
    /// with 3 and 32.
    fileprivate static let minimumPackedOutputs = 8
    /// Voxels below which transforming the weights costs more than FFT saves.
    fileprivate static let minimumFFTVoxels = 1024
  }

  /// Whether this method can compute `problem`.
  package func supports(_ problem: Problem) -> Bool {
    switch self {
    case .pointwise: PointwiseConvolution.supports(problem.geometry.ofGroup)
    case .winograd: WinogradConvolution.supports(problem.geometry.ofGroup)
    case .fourier: FFTConvolution.supports(problem.geometry.ofGroup)
    case .implicitProduct, .reference: true
    }
  }

  /// Whether this method, where it can compute `problem`, is faster than the methods after it.
  package func isFaster(_ problem: Problem) -> Bool {
    switch self {
    case .pointwise:
      BLAS.isOptimised && problem.outputChannels < Problem.minimumPackedOutputs
        && problem.geometry.groups == 1
    case .winograd:
      WinogradConvolution.isFaster(
        problem.geometry.ofGroup, inputChannels: problem.inputChannels,
        outputChannels: problem.outputChannels, inputExtent: problem.inputExtent)
    case .fourier:
      problem.geometry.kernel.product >= Problem.minimumFFTTaps
        && (problem.inputExtent?.product ?? .max) >= Problem.minimumFFTVoxels
    case .implicitProduct, .reference: true
    }
  }

  /// The best method for `problem`.
  package static func best(for problem: Problem) -> ConvolutionMethod {
    allCases.first { $0.supports(problem) && $0.isFaster(problem) }!
  }
}

extension ConvolutionGeometry {
  /// The geometry of each group.
  var ofGroup: ConvolutionGeometry {
    ConvolutionGeometry(kernel: kernel, stride: stride, padding: padding, dilation: dilation)
  }
}
