/// The geometry of a convolution (cross-correlation, as in PyTorch).
package struct ConvolutionGeometry: Hashable, Sendable {
  /// Taps per axis; 1 to 9 along h and w and 1 to 7 along d are tested, odd and even.
  package var kernel: Extent3
  /// Voxels of the input from one output to the next.
  package var stride: Extent3
  /// Zeros before and after each axis.
  package var padding: Extent3
  /// Voxels of the input from one tap to the next.
  package var dilation: Extent3

  /// A convolution; by default stride 1, no padding, no dilation.
  package init(
    kernel: Extent3, stride: Extent3 = Extent3(1), padding: Extent3 = Extent3(0),
    dilation: Extent3 = Extent3(1)
  ) {
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
  }

  /// Extents of the output: ⌊(n + 2 padding - dilation (kernel - 1) - 1) / stride⌋ + 1; nil where the padded input is
  /// smaller than the dilated kernel.
  package func output(_ input: Extent3) -> Extent3? {
    func along(_ n: Int, _ k: Int, _ s: Int, _ p: Int, _ d: Int) -> Int {
      let span = n + 2 * p - d * (k - 1) - 1
      return span < 0 ? 0 : span / s + 1
    }
    let output = Extent3(
      along(input.d, kernel.d, stride.d, padding.d, dilation.d),
      along(input.h, kernel.h, stride.h, padding.h, dilation.h),
      along(input.w, kernel.w, stride.w, padding.w, dilation.w))
    return output.product > 0 ? output : nil
  }
}

/// The geometry of a transposed convolution (the adjoint of a strided convolution), as in PyTorch.
package struct TransposedConvolutionGeometry: Hashable, Sendable {
  /// Taps per axis; 2 to 4 are tested.
  package var kernel: Extent3
  /// Upsampling factor: voxels of the output from one input to the next.
  package var stride: Extent3
  /// Voxels cropped from each side of the output.
  package var padding: Extent3
  /// Voxels added after each axis, below the stride.
  package var outputPadding: Extent3

  package init(
    kernel: Extent3, stride: Extent3 = Extent3(2), padding: Extent3 = Extent3(0),
    outputPadding: Extent3 = Extent3(0)
  ) {
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
  }

  /// Extents of the output: (n - 1) stride - 2 padding + kernel + output padding; nil when that is not positive.
  package func output(_ input: Extent3) -> Extent3? {
    func along(_ n: Int, _ k: Int, _ s: Int, _ p: Int, _ o: Int) -> Int { (n - 1) * s - 2 * p + k + o }
    let output = Extent3(
      along(input.d, kernel.d, stride.d, padding.d, outputPadding.d),
      along(input.h, kernel.h, stride.h, padding.h, outputPadding.h),
      along(input.w, kernel.w, stride.w, padding.w, outputPadding.w))
    return output.d > 0 && output.h > 0 && output.w > 0 ? output : nil
  }
}

/// The geometry of a max-pooling without padding: the first window begins at the first voxel.
package struct PoolingGeometry: Hashable, Sendable {
  /// Extents of the windows.
  package var kernel: Extent3
  /// Voxels of the input from one window to the next.
  package var stride: Extent3
  /// Whether a last window that the input covers only partly counts (`ceil_mode`, as in Caffe) or not (PyTorch's
  /// default).
  package var roundsUp: Bool

  package init(kernel: Extent3, stride: Extent3, roundsUp: Bool = false) {
    self.kernel = kernel
    self.stride = stride
    self.roundsUp = roundsUp
  }

  /// Extents of the output; nil where the input is smaller than one window and partial windows do not count.
  package func output(_ input: Extent3) -> Extent3? {
    func along(_ n: Int, _ k: Int, _ s: Int) -> Int {
      if n < k { return roundsUp && n > 0 ? 1 : 0 }
      let span = n - k
      var count = (roundsUp ? (span + s - 1) / s : span / s) + 1
      // A window must start inside the input.
      if (count - 1) * s >= n { count -= 1 }
      return count
    }
    let output = Extent3(
      along(input.d, kernel.d, stride.d), along(input.h, kernel.h, stride.h),
      along(input.w, kernel.w, stride.w))
    return output.product > 0 ? output : nil
  }
}
