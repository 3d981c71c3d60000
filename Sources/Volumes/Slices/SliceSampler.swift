/// Reads the pixels of a pane out of a volume: one slice, and of it only the voxels that are shown.
///
/// Both volumes are walked along strides, so that every orientation costs the same code; samples per pixel are
/// bounded, so that a frame's cost follows the screen and not the volume.
package struct SliceSampler {
  /// The mapping of the pane's pixels to the slice.
  package let projection: PaneProjection
  private let columns: [Range<Int>]
  private let rows: [Range<Int>]
  private let slice, start, horizontalStride, verticalStride: Int

  /// Voxels read per pixel along each axis for the image's mean; more would change no grey that can be seen.
  private static let imageSamples = 3

  /// A sampler of the slice that `index` lies in, for volumes of `size` voxels.
  ///
  /// - Parameter box: where in the grid those volumes lie when they hold only a part of it; pixels that show
  ///   nothing of the box are left alone.
  package init(_ projection: PaneProjection, size: GridSize, slice index: VoxelIndex, box: VoxelBounds? = nil)
  {
    self.projection = projection
    let geometry = projection.geometry
    let lower = box?.lower ?? VoxelIndex(0, 0, 0)
    func inside(_ range: Range<Int>, _ axis: Int) -> Range<Int> {
      let shifted = range.lowerBound - lower[axis]..<range.upperBound - lower[axis]
      return range.isEmpty ? 0..<0 : shifted.clamped(to: 0..<size[axis])
    }
    slice = index[geometry.sliceAxis] - lower[geometry.sliceAxis]
    let isInside = (0..<size[geometry.sliceAxis]).contains(slice)
    columns = isInside ? projection.columns.map { inside($0, geometry.horizontalAxis) } : []
    rows = isInside ? projection.rows.map { inside($0, geometry.verticalAxis) } : []
    let strides = [1, size.i, size.i * size.j]
    start = isInside ? slice * strides[geometry.sliceAxis] : 0
    horizontalStride = strides[geometry.horizontalAxis]
    verticalStride = strides[geometry.verticalAxis]
  }

  /// The image through a window, 0...255 for each pixel, and nil outside it.
  ///
  /// A pixel that covers several voxels shows the mean of at most nine, spread over it; NaN counts as black.
  package func greys(of image: ScalarVolume, window: IntensityWindow) -> [Int16] {
    image.voxels.run(GreySampling(sampler: self, window: window))
  }

  fileprivate func greys<Number: StoredIntensity>(
    of values: StoredValues<Number>, window: IntensityWindow
  ) -> [Int16] {
    var greys = [Int16](repeating: -1, count: projection.width * projection.height)
    let scale = Float(255 / window.width)
    let lower = Float(window.lower)
    let columnSteps = columns.map(SliceSampler.step)
    // SAFETY: rows and columns lie inside the grid, whose voxel count the volume has.
    for (y, row) in rows.enumerated() where !row.isEmpty {
      let rowStep = SliceSampler.step(row)
      for (x, column) in columns.enumerated() where !column.isEmpty {
        var sum: Float = 0
        var count: Float = 0
        var v = row.lowerBound
        while v < row.upperBound {
          let line = start + v * verticalStride
          var u = column.lowerBound
          while u < column.upperBound {
            sum += values[line + u * horizontalStride]
            count += 1
            u += columnSteps[x]
          }
          v += rowStep
        }
        let grey = (sum / count - lower) * scale
        greys[y * projection.width + x] = grey > 0 ? Int16(min(grey + 0.5, 255)) : 0
      }
    }
    return greys
  }

  /// The distance between sampled voxels of a pixel that covers `range`.
  private static func step(_ range: Range<Int>) -> Int {
    max(1, (range.count + imageSamples - 1) / imageSamples)
  }

  /// Writes a class for each pixel: of the voxels that it covers, the highest rank; 0 where none has one.
  ///
  /// Any voxel counts, so that a structure of one voxel is visible at any zoom.
  package func classify(_ labels: ChunkedLabels, _ ranks: LabelRanks, into classes: inout [UInt16]) {
    let spans = spans(within: ranks.bounds, clearing: &classes)
    guard let plane = plane(spans) else { return }
    let voxels = labels.cropped(to: plane.box)
    voxels.withUnsafeBufferPointer { voxels in
      ranks.ranks.withUnsafeBufferPointer { ranks in
        classes.withUnsafeMutableBufferPointer { classes in
          // SAFETY: spans lie inside the plane and the picture, and the table has a rank for each of 65536 values.
          for row in spans.rows {
            for v in row.voxels {
              let line = voxels.baseAddress! + (v - plane.firstRow) * plane.verticalStride
              for column in spans.columns {
                var best = classes[row.pixel * projection.width + column.pixel]
                for u in column.voxels {
                  let value = line[(u - plane.firstColumn) * plane.horizontalStride]
                  if value != 0 { best = max(best, ranks[Int(value)]) }
                }
                classes[row.pixel * projection.width + column.pixel] = best
              }
            }
          }
        }
      }
    }
  }

  /// Writes a class for each pixel: the greatest that `combine` gives for the two ranks of a covered voxel.
  package func classify(
    _ one: ChunkedLabels, _ oneRanks: LabelRanks, _ other: ChunkedLabels, _ otherRanks: LabelRanks,
    into classes: inout [UInt16], combine: (UInt16, UInt16) -> UInt16
  ) {
    let bounds = oneRanks.bounds.map { bounds in otherRanks.bounds.map(bounds.union) ?? bounds }
    let spans = spans(within: bounds ?? otherRanks.bounds, clearing: &classes)
    guard let plane = plane(spans) else { return }
    let (oneTable, otherTable) = (oneRanks.ranks, otherRanks.ranks)
    let (oneVoxels, otherVoxels) = (one.cropped(to: plane.box), other.cropped(to: plane.box))
    oneVoxels.withUnsafeBufferPointer { oneVoxels in
      otherVoxels.withUnsafeBufferPointer { otherVoxels in
        // SAFETY: as above; both volumes lie on the grid that the sampler was made for.
        for row in spans.rows {
          for v in row.voxels {
            for column in spans.columns {
              var best = classes[row.pixel * projection.width + column.pixel]
              for u in column.voxels {
                let offset =
                  (v - plane.firstRow) * plane.verticalStride
                  + (u - plane.firstColumn) * plane.horizontalStride
                let (first, second) = (oneVoxels[offset], otherVoxels[offset])
                if first | second != 0 {
                  best = max(best, combine(oneTable[Int(first)], otherTable[Int(second)]))
                }
              }
              classes[row.pixel * projection.width + column.pixel] = best
            }
          }
        }
      }
    }
  }

  /// The part of the slice that some spans show, and how its voxels lie in memory of their own.
  private struct Plane {
    var box: VoxelBounds
    var firstRow, firstColumn, verticalStride, horizontalStride: Int
  }

  /// The plane of some spans; nil where they show nothing.
  private func plane(_ spans: (rows: [PixelSpan], columns: [PixelSpan])) -> Plane? {
    func range(_ spans: [PixelSpan]) -> ClosedRange<Int>? {
      guard let first = spans.map(\.voxels.lowerBound).min(),
        let end = spans.map(\.voxels.upperBound).max()
      else { return nil }
      return first...end - 1
    }
    guard let rows = range(spans.rows), let columns = range(spans.columns) else { return nil }
    let geometry = projection.geometry
    var (lower, upper) = (VoxelIndex(slice, slice, slice), VoxelIndex(slice, slice, slice))
    (lower[geometry.verticalAxis], upper[geometry.verticalAxis]) = (rows.lowerBound, rows.upperBound)
    (lower[geometry.horizontalAxis], upper[geometry.horizontalAxis]) = (
      columns.lowerBound, columns.upperBound
    )
    let box = VoxelBounds(lower: lower, upper: upper)
    let strides = [1, box.size.i, box.size.i * box.size.j]
    return Plane(
      box: box, firstRow: rows.lowerBound, firstColumn: columns.lowerBound,
      verticalStride: strides[geometry.verticalAxis], horizontalStride: strides[geometry.horizontalAxis])
  }

  /// A pixel row or column, and the voxels that it shows.
  private struct PixelSpan {
    var pixel: Int
    var voxels: Range<Int>
  }

  /// The pixel rows and columns that show anything of `bounds`; every pixel that shows the volume becomes 0.
  private func spans(
    within bounds: VoxelBounds?, clearing classes: inout [UInt16]
  ) -> (rows: [PixelSpan], columns: [PixelSpan]) {
    let shownColumns = columns.indices.filter { !columns[$0].isEmpty }
    for (y, row) in rows.enumerated() where !row.isEmpty {
      for x in shownColumns { classes[y * projection.width + x] = 0 }
    }
    let geometry = projection.geometry
    guard let bounds, (bounds.lower[geometry.sliceAxis]...bounds.upper[geometry.sliceAxis]).contains(slice)
    else {
      return ([], [])
    }
    func clipped(_ ranges: [Range<Int>], _ axis: Int) -> [PixelSpan] {
      let limits = bounds.lower[axis]..<bounds.upper[axis] + 1
      return ranges.enumerated().compactMap { pixel, range in
        let part = range.clamped(to: limits)
        return part.isEmpty ? nil : PixelSpan(pixel: pixel, voxels: part)
      }
    }
    return (clipped(rows, geometry.verticalAxis), clipped(columns, geometry.horizontalAxis))
  }
}

private struct GreySampling: IntensityLoop {
  let sampler: SliceSampler
  let window: IntensityWindow

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) -> [Int16] {
    sampler.greys(of: values, window: window)
  }
}
