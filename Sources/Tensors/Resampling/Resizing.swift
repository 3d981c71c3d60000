/// Where the centre of an output voxel lies in the input: the coordinate transformations of ONNX's `Resize`.
///
/// x is the output's position, s the factor, n and m the extents of input and output.
package enum ResizeCoordinates: String, Hashable, Sendable, CaseIterable {
  /// (x + 0.5) / s - 0.5
  case halfPixel
  /// The same, and 0 where m = 1.
  case pytorchHalfPixel
  /// The same as `halfPixel` around the input's centre, where rounding has made m less than n s.
  case halfPixelSymmetric
  /// x (n - 1) / (m - 1), and 0 where m = 1: the first and last voxels coincide.
  case alignCorners
  /// x / s
  case asymmetric

  /// Whether it depends on the extents, so that a tile's voxels lie elsewhere than those of the whole.
  package var dependsOnExtents: Bool { self == .alignCorners }

  /// The coordinate in an input of `n` voxels of position `x` of an output of `m` voxels.
  func position(_ x: Int, factor: Double, input n: Int, output m: Int) -> Double {
    let halfPixel = (Double(x) + 0.5) / factor - 0.5
    return switch self {
    case .halfPixel: halfPixel
    case .pytorchHalfPixel: m > 1 ? halfPixel : 0
    case .halfPixelSymmetric: Double(n) / 2 * (1 - Double(m) / (Double(n) * factor)) + halfPixel
    case .alignCorners: m > 1 ? Double(x) * Double(n - 1) / Double(m - 1) : 0
    case .asymmetric: Double(x) / factor
    }
  }
}

/// The input voxel that a coordinate between two stands for: the nearest modes of ONNX's `Resize`, by its names.
package enum NearestRounding: String, Hashable, Sendable, CaseIterable {
  case roundPreferFloor, roundPreferCeil, floor, ceil

  func callAsFunction(_ position: Double) -> Int {
    let rounded =
      switch self {
      case .roundPreferFloor: (position - 0.5).rounded(.up)
      case .roundPreferCeil: (position + 0.5).rounded(.down)
      case .floor: position.rounded(.down)
      case .ceil: position.rounded(.up)
      }
    return Int(rounded)
  }
}

/// The values between input voxels.
package enum ResizeInterpolation: Hashable, Sendable {
  case nearest(NearestRounding)
  /// Trilinear; positions outside the input take its border.
  case linear
}

/// An input with another number of voxels, as ONNX's `Resize` and PyTorch's `Upsample`.
package struct ResizeGeometry: GridResampling {
  /// Voxels of the output for each of the input, unless its extents are given.
  package var factor: Extent3
  /// Extents of the output; nil for the factor times the input's.
  private var extent: Extent3?
  package var interpolation: ResizeInterpolation
  package var coordinates: ResizeCoordinates

  package init(factor: Extent3, _ interpolation: ResizeInterpolation, _ coordinates: ResizeCoordinates) {
    self.factor = factor
    self.interpolation = interpolation
    self.coordinates = coordinates
  }

  package var kernelName: String {
    switch interpolation {
    case .nearest: "resize, nearest"
    case .linear: "resize, linear"
    }
  }

  package func producing(_ output: Extent3) -> any GridResampling {
    var copy = self
    copy.extent = output
    return copy
  }

  package func outputCount(axis: Int, input: Int) -> Int? { extent?[axis] ?? input * factor[axis] }

  /// The positions of an unbounded input that `range` of the output is made of.
  package func inputs(of range: ClosedRange<Int>, axis: Int) -> ClosedRange<Int> {
    func position(_ index: Int) -> Double {
      // Of an input of two voxels: extents do not matter where no tile is to see them.
      coordinates.position(index, factor: Double(factor[axis]), input: 2, output: 2 * factor[axis])
    }
    let (lower, upper) = (position(range.lowerBound), position(range.upperBound))
    switch interpolation {
    case .nearest(let rounding): return rounding(lower)...rounding(upper)
    case .linear: return Int(lower.rounded(.down))...Int(upper.rounded(.up))
    }
  }

  package func taps(axis: Int, input: Int, output: Int) -> AxisTaps {
    let factor = Double(output) / Double(input)
    return (0..<output).reduce(into: AxisTaps(inputCount: input)) { taps, index in
      let position = coordinates.position(index, factor: factor, input: input, output: output)
      switch interpolation {
      case .nearest(let rounding): taps.append(copyOf: min(max(rounding(position), 0), input - 1))
      case .linear:
        let inside = min(max(position, 0), Double(input - 1))
        let first = min(Int(inside), max(input - 2, 0))
        let fraction = Float(inside - Double(first))
        taps.append([(first, 1 - fraction), (min(first + 1, input - 1), fraction)])
      }
    }
  }
}
