/// An operation that makes every voxel of its output of voxels of its input, with weights that are products along the
/// axes: padding, cropping, resizing.
package protocol GridResampling: Hashable, Sendable {
  /// The operation in plans.
  var kernelName: String { get }

  /// The value of outputs that are made of no input.
  var fill: Float { get }

  /// The operation with an output of extents `output`, where that does not follow from the input; otherwise itself.
  func producing(_ output: Extent3) -> any GridResampling

  /// Positions of the output along one axis, 0 for d, 1 for h, 2 for w; nil where the input has too few.
  func outputCount(axis: Int, input: Int) -> Int?

  /// The positions that the output's positions along one axis are made of.
  func taps(axis: Int, input: Int, output: Int) -> AxisTaps
}

extension GridResampling {
  package var fill: Float { 0 }
  package func producing(_ output: Extent3) -> any GridResampling { self }

  /// Extents of the output; nil where the input is too small.
  package func output(_ input: Extent3) -> Extent3? {
    guard let d = outputCount(axis: 0, input: input.d), let h = outputCount(axis: 1, input: input.h),
      let w = outputCount(axis: 2, input: input.w)
    else { return nil }
    return Extent3(d, h, w)
  }

  /// The taps along d, h and w.
  func taps(_ input: Extent3, _ output: Extent3) -> (d: AxisTaps, h: AxisTaps, w: AxisTaps) {
    (
      taps(axis: 0, input: input.d, output: output.d), taps(axis: 1, input: input.h, output: output.h),
      taps(axis: 2, input: input.w, output: output.w)
    )
  }
}
