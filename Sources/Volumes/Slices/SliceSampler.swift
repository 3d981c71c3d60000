/// Reads the pixels of a pane out of a volume: one slice, and of it only the voxels that are shown.
///
/// Volumes are walked along strides, so that every orientation is the same code.
package struct SliceSampler {
  /// The mapping of the pane's pixels to the slice.
  package let projection: PaneProjection
  private let size: GridSize
  private let lower: VoxelIndex
  private let columns: [Range<Int>]
  private let rows: [Range<Int>]
  private let slice, start: Int
  private let isInside: Bool
  let horizontalStride, verticalStride: Int

  /// A sampler of the slice that `index` lies in, for volumes of `size` voxels.
  ///
  /// - Parameter box: where in the grid those volumes lie when they hold only a part of it; pixels that show
  ///   nothing of the box are left alone.
  package init(_ projection: PaneProjection, size: GridSize, slice index: VoxelIndex, box: VoxelBounds? = nil)
  {
    self.projection = projection
    let geometry = projection.geometry
    let lower = box?.lower ?? VoxelIndex(0, 0, 0)
    (self.size, self.lower) = (size, lower)
    func inside(_ range: Range<Int>, _ axis: Int) -> Range<Int> {
      let shifted = range.lowerBound - lower[axis]..<range.upperBound - lower[axis]
      return range.isEmpty ? 0..<0 : shifted.clamped(to: 0..<size[axis])
    }
    slice = index[geometry.sliceAxis] - lower[geometry.sliceAxis]
    isInside = (0..<size[geometry.sliceAxis]).contains(slice)
    columns = isInside ? projection.columns.map { inside($0, geometry.horizontalAxis) } : []
    rows = isInside ? projection.rows.map { inside($0, geometry.verticalAxis) } : []
    let strides = [1, size.i, size.i * size.j]
    start = isInside ? slice * strides[geometry.sliceAxis] : 0
    horizontalStride = strides[geometry.horizontalAxis]
    verticalStride = strides[geometry.verticalAxis]
  }

  /// The offset of a voxel of the slice in the memory of the volume.
  func offset(_ horizontal: Int, _ vertical: Int) -> Int {
    start + horizontal * horizontalStride + vertical * verticalStride
  }

  /// The parts that voxels have in the pixels along the rows, or along the columns, of the pane.
  func weights(alongRows: Bool) -> PixelWeights {
    let geometry = projection.geometry
    let axis = alongRows ? geometry.horizontalAxis : geometry.verticalAxis
    guard isInside else { return PixelWeights(pixelCount: 0, over: 0) { _ in 0 } }
    return PixelWeights(pixelCount: alongRows ? projection.width : projection.height, over: size[axis]) {
      edge in
      let position = Double(edge)
      let index =
        alongRows
        ? projection.horizontalIndex(atPixel: position) : projection.verticalIndex(atPixel: position)
      return index - Double(lower[axis])
    }
  }

  /// Writes a class for each pixel: of the voxels that it covers, the highest rank; 0 where none has one.
  ///
  /// Any voxel counts, so that a structure of one voxel is visible at any zoom.
  package func classify(_ labels: ChunkedLabels, _ ranks: LabelRanks, into classes: inout [UInt16]) {
    let spans = spans(within: ranks.bounds, clearing: &classes)
    guard let plane = plane(spans) else { return }
    labels.cropped(to: plane.box).withUnsafeBufferPointer { voxels in
      ranks.ranks.withUnsafeBufferPointer { ranks in
        // SAFETY: lines lie inside the plane, and the table has a rank for each of 65536 values.
        let (voxels, ranks) = (voxels.baseAddress!, ranks.baseAddress!)
        write(spans, plane, into: &classes) { line, highest in
          for column in 0..<plane.columns {
            let value = voxels[line + column * plane.horizontalStride]
            if value != 0 { highest[column] = max(highest[column], ranks[Int(value)]) }
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
    one.cropped(to: plane.box).withUnsafeBufferPointer { oneVoxels in
      other.cropped(to: plane.box).withUnsafeBufferPointer { otherVoxels in
        // SAFETY: as above; both volumes lie on the grid that the sampler was made for.
        let (oneVoxels, otherVoxels) = (oneVoxels.baseAddress!, otherVoxels.baseAddress!)
        write(spans, plane, into: &classes) { line, highest in
          // Most voxels have the labels of the one before.
          var last = (first: UInt16(0), second: UInt16(0), combined: UInt16(0))
          for column in 0..<plane.columns {
            let offset = line + column * plane.horizontalStride
            let (first, second) = (oneVoxels[offset], otherVoxels[offset])
            if first | second == 0 { continue }
            if first != last.first || second != last.second {
              last = (first, second, combine(oneTable[Int(first)], otherTable[Int(second)]))
            }
            highest[column] = max(highest[column], last.combined)
          }
        }
      }
    }
  }

  /// Writes the classes of some spans, the highest of the voxels of each pixel.
  ///
  /// Each row of voxels is read once. Pixels that a row of voxels fills alone are copied from the row above them.
  /// - Parameter raise: Raises a row's highest classes to those of the line of voxels from an offset in the plane on.
  private func write(
    _ spans: Spans, _ plane: Plane, into classes: inout [UInt16],
    raise: (Int, UnsafeMutablePointer<UInt16>) -> Void
  ) {
    let highest = UnsafeMutablePointer<UInt16>.allocate(capacity: plane.columns)
    defer { highest.deallocate() }
    let width = projection.width
    guard let firstColumn = spans.columns.first?.pixel else { return }
    let isEnlarged = spans.columns.allSatisfy { $0.voxels.count == 1 }
    let sources = spans.columns.map { $0.voxels.lowerBound - plane.firstColumn }
    classes.withUnsafeMutableBufferPointer { classes in
      // SAFETY: spans lie inside the plane and the picture, and pixels of a row follow each other.
      let classes = classes.baseAddress!
      var last: PixelSpan?
      for row in spans.rows {
        let target = classes + row.pixel * width + firstColumn
        defer { last = row }
        if let last, last.voxels == row.voxels {
          target.update(from: classes + last.pixel * width + firstColumn, count: sources.count)
          continue
        }
        highest.update(repeating: 0, count: plane.columns)
        for v in row.voxels { raise((v - plane.firstRow) * plane.verticalStride, highest) }
        if isEnlarged {
          for column in sources.indices { target[column] = highest[sources[column]] }
        } else {
          for (column, span) in spans.columns.enumerated() {
            var best: UInt16 = 0
            for voxel in 0..<span.voxels.count { best = max(best, highest[sources[column] + voxel]) }
            target[column] = best
          }
        }
      }
    }
  }

  /// The part of the slice that some spans show, and how its voxels lie in memory of their own.
  private struct Plane {
    var box: VoxelBounds
    /// Voxels along a row.
    var columns: Int
    var firstRow, firstColumn, verticalStride, horizontalStride: Int
  }

  /// The plane of some spans; nil where they show nothing.
  private func plane(_ spans: Spans) -> Plane? {
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
      box: box, columns: columns.count, firstRow: rows.lowerBound, firstColumn: columns.lowerBound,
      verticalStride: strides[geometry.verticalAxis], horizontalStride: strides[geometry.horizontalAxis])
  }

  /// A pixel row or column, and the voxels that it shows.
  private struct PixelSpan {
    var pixel: Int
    var voxels: Range<Int>
  }

  private typealias Spans = (rows: [PixelSpan], columns: [PixelSpan])

  /// The pixel rows and columns that show anything of `bounds`; every pixel that shows the volume becomes 0.
  private func spans(
    within bounds: VoxelBounds?, clearing classes: inout [UInt16]
  ) -> Spans {
    // Indices grow or fall evenly from pixel to pixel, so those inside the volume follow each other.
    if let first = columns.firstIndex(where: { !$0.isEmpty }),
      let last = columns.lastIndex(where: { !$0.isEmpty })
    {
      classes.withUnsafeMutableBufferPointer { classes in
        for (y, row) in rows.enumerated() where !row.isEmpty {
          let line = y * projection.width
          classes[line + first...line + last].update(repeating: 0)
        }
      }
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
