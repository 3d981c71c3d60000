/// Voxels before and after each axis.
package struct Padding: Hashable, Sendable {
  package var before, after: Extent3

  package init(before: Extent3, after: Extent3) {
    self.before = before
    self.after = after
  }

  /// The same number on both sides.
  package init(_ each: Extent3) { self.init(before: each, after: each) }

  /// No padding.
  package static let none = Padding(Extent3(0))
}

/// A rule for padding that gives ⌈n / stride⌉ outputs for n inputs; an odd voxel is on the side that its name says.
package enum SamePadding: Hashable, Sendable, CaseIterable {
  /// An odd voxel comes after the axis: ONNX's `SAME_UPPER`, and TensorFlow's `SAME`.
  case upper
  /// An odd voxel comes before the axis: ONNX's `SAME_LOWER`.
  case lower

  /// The padding of an input: max((⌈n / stride⌉ - 1) stride + dilation (kernel - 1) + 1 - n, 0) along each axis.
  package func padding(kernel: Extent3, stride: Extent3, dilation: Extent3, input: Extent3) -> Padding {
    func along(_ n: Int, _ k: Int, _ s: Int, _ d: Int) -> (before: Int, after: Int) {
      let total = max(((n + s - 1) / s - 1) * s + (k - 1) * d + 1 - n, 0)
      let half = total / 2
      return self == .upper ? (half, total - half) : (total - half, half)
    }
    let d = along(input.d, kernel.d, stride.d, dilation.d)
    let h = along(input.h, kernel.h, stride.h, dilation.h)
    let w = along(input.w, kernel.w, stride.w, dilation.w)
    return Padding(
      before: Extent3(d.before, h.before, w.before), after: Extent3(d.after, h.after, w.after))
  }
}

/// The geometry of a convolution (cross-correlation, as in PyTorch).
package struct ConvolutionGeometry: Hashable, Sendable {
  /// Taps per axis; 1 to 9 along h and w and 1 to 7 along d are tested, odd and even.
  package var kernel: Extent3
  /// Voxels of the input from one output to the next.
  package var stride: Extent3
  /// Zeros before and after each axis.
  package var padding: Padding
  /// Voxels of the input from one tap to the next.
  package var dilation: Extent3
  /// Groups of input and output channels: the outputs of a group are sums over the inputs of the same group.
  package var groups: Int

  /// A convolution; by default stride 1, no padding, no dilation, one group.
  package init(
    kernel: Extent3, stride: Extent3 = Extent3(1), padding: Padding = .none,
    dilation: Extent3 = Extent3(1), groups: Int = 1
  ) {
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
  }

  /// A convolution with the same padding before and after each axis.
  package init(
    kernel: Extent3, stride: Extent3 = Extent3(1), padding: Extent3, dilation: Extent3 = Extent3(1),
    groups: Int = 1
  ) {
    self.init(
      kernel: kernel, stride: stride, padding: Padding(padding), dilation: dilation, groups: groups)
  }

  /// Extents of the output: ⌊(n + padding before and after - dilation (kernel - 1) - 1) / stride⌋ + 1; nil where the
  /// padded input is smaller than the dilated kernel.
  package func output(_ input: Extent3) -> Extent3? {
    func along(_ axis: KeyPath<Extent3, Int>) -> Int {
      let padded = input[keyPath: axis] + padding.before[keyPath: axis] + padding.after[keyPath: axis]
      let span = padded - dilation[keyPath: axis] * (kernel[keyPath: axis] - 1) - 1
      return span < 0 ? 0 : span / stride[keyPath: axis] + 1
    }
    let output = Extent3(along(\.d), along(\.h), along(\.w))
    return output.product > 0 ? output : nil
  }
}

/// The geometry of a transposed convolution (the adjoint of a strided convolution), as in PyTorch.
package struct TransposedConvolutionGeometry: Hashable, Sendable {
  /// Taps per axis; 1 to 16 are tested.
  package var kernel: Extent3
  /// Upsampling factor: voxels of the output from one input to the next.
  package var stride: Extent3
  /// Voxels cropped from each side of the output.
  package var padding: Padding
  /// Voxels added after each axis, below the stride.
  package var outputPadding: Extent3
  /// Voxels of the output from one tap to the next.
  package var dilation: Extent3
  /// Groups of input and output channels: the outputs of a group are sums over the inputs of the same group.
  package var groups: Int

  /// A transposed convolution; by default stride 2, no padding, no dilation, one group.
  package init(
    kernel: Extent3, stride: Extent3 = Extent3(2), padding: Padding = .none,
    outputPadding: Extent3 = Extent3(0), dilation: Extent3 = Extent3(1), groups: Int = 1
  ) {
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.groups = groups
  }

  /// A transposed convolution with the same padding before and after each axis.
  package init(
    kernel: Extent3, stride: Extent3 = Extent3(2), padding: Extent3, outputPadding: Extent3 = Extent3(0),
    dilation: Extent3 = Extent3(1), groups: Int = 1
  ) {
    self.init(
      kernel: kernel, stride: stride, padding: Padding(padding), outputPadding: outputPadding,
      dilation: dilation, groups: groups)
  }

  /// Extents of the output: (n - 1) stride + dilation (kernel - 1) + 1 + output padding - padding before and after; nil
  /// when that is not positive.
  package func output(_ input: Extent3) -> Extent3? {
    func along(_ axis: KeyPath<Extent3, Int>) -> Int {
      let whole =
        (input[keyPath: axis] - 1) * stride[keyPath: axis]
        + dilation[keyPath: axis] * (kernel[keyPath: axis] - 1) + 1
      return whole + outputPadding[keyPath: axis] - padding.before[keyPath: axis]
        - padding.after[keyPath: axis]
    }
    let output = Extent3(along(\.d), along(\.h), along(\.w))
    return output.d > 0 && output.h > 0 && output.w > 0 ? output : nil
  }
}

/// The geometry of a pooling.
package struct PoolingGeometry: Hashable, Sendable {
  /// Extents of the windows.
  package var kernel: Extent3
  /// Voxels of the input from one window to the next.
  package var stride: Extent3
  /// Voxels of windows before and after each axis, which are not of the input; fewer than the kernel has.
  package var padding: Padding
  /// Whether a last window that the padded input covers only partly counts (`ceil_mode`, as in Caffe) or not (PyTorch's
  /// default).
  package var roundsUp: Bool

  package init(kernel: Extent3, stride: Extent3, padding: Padding = .none, roundsUp: Bool = false) {
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.roundsUp = roundsUp
  }

  /// Extents of the output; nil where the padded input is smaller than one window and partial windows do not count.
  package func output(_ input: Extent3) -> Extent3? {
    func along(_ axis: KeyPath<Extent3, Int>) -> Int {
      let (n, k, s) = (input[keyPath: axis], kernel[keyPath: axis], stride[keyPath: axis])
      let before = padding.before[keyPath: axis]
      let padded = n + before + padding.after[keyPath: axis]
      if padded < k { return roundsUp && n > 0 ? 1 : 0 }
      let span = padded - k
      var count = (roundsUp ? (span + s - 1) / s : span / s) + 1
      // A window must start inside the input, or in the padding before it.
      if (count - 1) * s >= n + before { count -= 1 }
      return count
    }
    let output = Extent3(along(\.d), along(\.h), along(\.w))
    return output.product > 0 ? output : nil
  }

  /// The voxels of window `index` along `axis`, of an input of `length` voxels.
  func voxels(ofWindow index: Int, along axis: KeyPath<Extent3, Int>, length: Int) -> Range<Int> {
    let first = index * stride[keyPath: axis] - padding.before[keyPath: axis]
    return max(first, 0)..<min(first + kernel[keyPath: axis], length)
  }
}
