/// What lies around an input that is padded.
package enum PaddingMode: String, Hashable, Sendable, CaseIterable {
  /// One value.
  case constant
  /// The input mirrored at its first and last voxel, which are not repeated.
  case reflect
  /// The first or last voxel.
  case edge
}

/// Voxels around an input, as ONNX's `Pad` and PyTorch's `pad`.
package struct PaddingGeometry: GridResampling {
  package var mode: PaddingMode
  /// The value in mode `constant`.
  package var value: Float
  /// Voxels before and after each axis.
  package var before, after: Extent3

  package init(_ mode: PaddingMode, value: Float = 0, before: Extent3, after: Extent3) {
    self.mode = mode
    self.value = value
    self.before = before
    self.after = after
  }

  package var kernelName: String { "pad, \(mode)" }
  package var fill: Float { value }

  /// Nil where the input has no voxel to reflect: mirrored voxels lie inside it.
  package func outputCount(axis: Int, input: Int) -> Int? {
    let (before, after) = (before[axis], after[axis])
    return mode == .reflect && max(before, after) >= input ? nil : before + input + after
  }

  package func taps(axis: Int, input: Int, output: Int) -> AxisTaps {
    let before = before[axis]
    return (0..<output).reduce(into: AxisTaps(inputCount: input)) { taps, index in
      let position = index - before
      switch mode {
      case .constant: taps.append(copyOf: (0..<input).contains(position) ? position : nil)
      case .edge: taps.append(copyOf: min(max(position, 0), input - 1))
      case .reflect:
        taps.append(copyOf: position < 0 ? -position : min(position, 2 * (input - 1) - position))
      }
    }
  }
}

/// The inner voxels of an input, as ONNX's `Slice` with steps of 1.
package struct CropGeometry: GridResampling {
  /// Voxels that are dropped before and after each axis.
  package var before, after: Extent3

  package init(before: Extent3, after: Extent3) {
    self.before = before
    self.after = after
  }

  package var kernelName: String { "crop" }

  package func outputCount(axis: Int, input: Int) -> Int? {
    let count = input - before[axis] - after[axis]
    return count > 0 ? count : nil
  }

  package func taps(axis: Int, input: Int, output: Int) -> AxisTaps {
    let before = before[axis]
    return (0..<output).reduce(into: AxisTaps(inputCount: input)) { $0.append(copyOf: before + $1) }
  }
}

/// The voxels around the centre of an input; of an odd number of others the last is dropped after it.
package struct CentreCropGeometry: GridResampling {
  /// Extents of the output; nil for the input's.
  private var extent: Extent3?

  package init() {}

  package var kernelName: String { "centre crop" }

  package func producing(_ output: Extent3) -> any GridResampling {
    var copy = self
    copy.extent = output
    return copy
  }

  package func outputCount(axis: Int, input: Int) -> Int? {
    let count = extent?[axis] ?? input
    return count <= input ? count : nil
  }

  package func taps(axis: Int, input: Int, output: Int) -> AxisTaps {
    let before = (input - output) / 2
    return (0..<output).reduce(into: AxisTaps(inputCount: input)) { $0.append(copyOf: before + $1) }
  }
}
