import CKernels
import Work

/// A convolution as a product of packed weights with a column matrix that is never stored as a whole (implicit GEMM):
/// its rows are read from the source, or gathered in panels that fit the first cache level.
///
/// Results are written to the voxels origin, origin + spacing, ... of the destination, so that each phase of a
/// transposed convolution is such a product.
struct ImplicitProduct: Sendable {
  /// Along z, y and x.
  let axes: (z: TapAxis, y: TapAxis, x: TapAxis)
  /// Source voxels from one output to the next.
  let step: Extent3
  /// The destination voxel of the first output.
  let origin: Extent3
  /// Destination voxels from one output to the next.
  let spacing: Extent3
  /// The weights, whose columns are (channel, tap of z, y, x).
  let weights: PackedWeights

  /// Channels of the results of all groups.
  var resultChannels: Int { weights.groups * weights.rows }

  /// Rows of the column matrix per pass: with 48 columns 30 KB.
  static let depthPerPass = 160

  /// The outputs of this product in a destination of extents `extent`.
  func grid(_ extent: Extent3) -> Extent3 {
    func count(_ extent: Int, _ origin: Int, _ spacing: Int) -> Int {
      origin < extent ? (extent - origin + spacing - 1) / spacing : 0
    }
    return Extent3(
      count(extent.d, origin.d, spacing.d), count(extent.h, origin.h, spacing.h),
      count(extent.w, origin.w, spacing.w))
  }

  /// The planes of outputs whose destination planes lie in `planes`.
  func planes(in planes: Range<Int>) -> Range<Int> {
    let first = max(0, planes.lowerBound - origin.d + spacing.d - 1) / spacing.d
    let end = max(0, planes.upperBound - origin.d + spacing.d - 1) / spacing.d
    return first..<max(first, end)
  }

  /// Multiplies all weights of a group by `columns` columns, pass by pass.
  ///
  /// Results are added to what `result` holds where it `accumulates`. Before each panel's product
  /// `prepare(rows, column, panelColumns)` returns the addresses of its rows.
  func multiply(
    level: kernels_level, group: Int = 0, columns: Int, result: UnsafeMutablePointer<Float>,
    resultStride: Int,
    bias: [Float], activation: PiecewiseLinear, accumulates: Bool = false,
    prepare: (_ rows: Range<Int>, _ column: Int, _ columns: Int) -> (
      start: UnsafePointer<Float>, rows: UnsafePointer<Int>
    )
  ) {
    let panelColumns = Int(gemm_panel_columns(level))
    weights.elements.withUnsafeBufferPointer { packed in
      bias.withUnsafeBufferPointer { bias in
        activation.slopes.withUnsafeBufferPointer { slopes in
          let firstRow = group * weights.paddedRows
          var product = gemm_panel()
          product.rows = Int32(weights.rows)
          product.a_block = weights.depth * 8
          product.c_stride = resultStride
          var start = 0
          // At least one pass, so that results without products become their bias.
          repeat {
            let end = min(start + Self.depthPerPass, weights.depth)
            product.depth = Int32(end - start)
            product.a = packed.baseAddress.map { $0 + group * weights.countPerGroup + start * 8 }
            product.accumulates = accumulates || start > 0 ? 1 : 0
            product.bias = start > 0 || bias.isEmpty ? nil : bias.baseAddress.map { $0 + firstRow }
            product.activation =
              end < weights.depth
              ? PiecewiseLinear.identity.kernel(nil) : activation.kernel(slopes.baseAddress, from: firstRow)
            for column in stride(from: 0, to: columns, by: panelColumns) {
              let count = min(panelColumns, columns - column)
              let panel = prepare(start..<end, column, count)
              product.b = panel.start
              product.b_rows = panel.rows
              product.columns = Int32(count)
              product.c = result + column
              gemm_multiply_panel(level, &product)
            }
            start = end
          } while start < weights.depth
        }
      }
    }
  }

  /// Scatters a group's results to their voxels of sample `sample` of the output, all of which the window must hold.
  ///
  /// Column `first` + i of the results is voxel (y, x) of plane `z` of the outputs, x fastest with `pitch` columns per
  /// row; columns beyond the width are padding. With an `activationOfSum`, the output becomes that of its sum with the
  /// results.
  ///
  /// - Parameters:
  ///   - phases: The number of products whose results are stored: this one and those of the next origins along x, as many
  ///     as the spacing, so that rows are written as wholes.
  ///   - phaseStride: Floats from the results of one product to those of the next.
  func scatter(
    level: kernels_level, _ results: UnsafePointer<Float>, resultStride: Int, columns: Int, first: Int,
    pitch: Int, z: Int,
    grid: Extent3, to output: ActivationWindow, sample: Int, group: Int = 0,
    activationOfSum: PiecewiseLinear? = nil, phases: Int = 1, phaseStride: Int = 0
  ) {
    precondition(activationOfSum == nil || spacing.w == 1, "sums at every \(spacing.w)th voxel")
    precondition(phases == 1 || phases == spacing.w && origin.w == 0, "\(phases) of \(spacing.w) phases")
    let extent = output.extent
    let destination = output.start(sample: sample, channel: group * weights.rows)
    var column = 0
    while column < columns {
      let (row, x) = ((first + column) / pitch, (first + column) % pitch)
      let length = min(grid.w - x, columns - column)
      if length > 0 {
        // Where a plane's columns are contiguous, the rows of the next planes follow.
        let y = origin.h + row % grid.h * spacing.h
        let plane = origin.d + (z + row / grid.h) * spacing.d - output.planes.lowerBound
        let start = (plane * extent.h + y) * extent.w + origin.w + x * spacing.w
        for index in 0..<weights.rows {
          let source = results + index * resultStride + column
          let target = destination + index * output.channelStride + start
          if let activation = activationOfSum {
            activation.slopes.withUnsafeBufferPointer { slopes in
              piecewise_linear_apply_to_sum(
                level, activation.kernel(slopes.baseAddress, from: group * weights.paddedRows + index),
                source, target, length)
            }
          } else if spacing.w == 1 {
            target.update(from: source, count: length)
          } else if phases > 1 {
            // The last voxels of a row may be fewer than the phases.
            let voxels = min(length * phases, extent.w - x * phases)
            let (whole, rest) = (voxels / phases, voxels % phases)
            elementwise_interleave(level, source, phaseStride, Int32(phases), target, whole)
            for phase in 0..<rest { target[whole * phases + phase] = source[phase * phaseStride + whole] }
          } else if spacing.w == 2 {
            for x in 0..<length { target[x &* 2] = source[x] }
          } else {
            for x in 0..<length { target[x &* spacing.w] = source[x] }
          }
        }
      }
      column += min(pitch - x, columns - column)
    }
  }
}
