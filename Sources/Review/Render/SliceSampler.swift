import Volumes

/// Reads the pixels of a pane out of a volume: one slice, and of it only the voxels that are shown.
///
/// Both volumes are walked along strides, so that every orientation costs the same code; samples per pixel are
/// bounded, so that a frame's cost follows the screen and not the volume.
struct SliceSampler {
  /// Where the pane's pixels lie.
  let projection: PaneProjection
  private let columns: [Range<Int>]
  private let rows: [Range<Int>]
  private let start, horizontalStride, verticalStride: Int

  /// Voxels read per pixel along each axis for the image's mean; more would change no grey that can be seen.
  private static let imageSamples = 3

  /// A sampler of the slice that `index` lies in, for volumes of `size` voxels.
  ///
  /// - Parameter box: where in the grid those volumes lie when they hold only a part of it; pixels that show
  ///   nothing of the box are left alone.
  init(_ projection: PaneProjection, size: GridSize, slice index: VoxelIndex, box: VoxelBounds? = nil) {
    self.projection = projection
    let geometry = projection.geometry
    let lower = box?.lower ?? VoxelIndex(0, 0, 0)
    func inside(_ range: Range<Int>, _ axis: Int) -> Range<Int> {
      let shifted = range.lowerBound - lower[axis]..<range.upperBound - lower[axis]
      return range.isEmpty ? 0..<0 : shifted.clamped(to: 0..<size[axis])
    }
    let slice = index[geometry.sliceAxis] - lower[geometry.sliceAxis]
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
  func greys(of image: ScalarVolume, window: IntensityWindow) -> [Int16] {
    var greys = [Int16](repeating: -1, count: projection.width * projection.height)
    let scale = Float(255 / window.width)
    let lower = Float(window.lower)
    let columnSteps = columns.map(SliceSampler.step)
    image.voxels.withUnsafeBufferPointer { voxels in
      // SAFETY: rows and columns lie inside the grid, whose voxel count the buffer has.
      let base = voxels.baseAddress! + start
      for (y, row) in rows.enumerated() where !row.isEmpty {
        let rowStep = SliceSampler.step(row)
        for (x, column) in columns.enumerated() where !column.isEmpty {
          var sum: Float = 0
          var count: Float = 0
          var v = row.lowerBound
          while v < row.upperBound {
            let line = base + v * verticalStride
            var u = column.lowerBound
            while u < column.upperBound {
              sum += line[u * horizontalStride]
              count += 1
              u += columnSteps[x]
            }
            v += rowStep
          }
          let grey = (sum / count - lower) * scale
          greys[y * projection.width + x] = grey > 0 ? Int16(min(grey + 0.5, 255)) : 0
        }
      }
    }
    return greys
  }

  /// The distance between sampled voxels of a pixel that covers `range`.
  private static func step(_ range: Range<Int>) -> Int { max(1, (range.count + imageSamples - 1) / imageSamples) }

  /// Writes a class for each pixel: of the voxels that it covers, the highest rank; 0 where none has one.
  ///
  /// Any voxel counts, so that a structure of one voxel is seen however far away the view is.
  func classify(_ labels: LabelVolume, ranks: LabelRanks, into classes: inout [UInt16]) {
    labels.voxels.withUnsafeBufferPointer { voxels in
      ranks.ranks.withUnsafeBufferPointer { ranks in
        // SAFETY: as above; the table has a rank for each of the 65536 values.
        let base = voxels.baseAddress! + start
        forEachPixel { pixel, row, column in
          var best: UInt16 = 0
          for v in row {
            let line = base + v * verticalStride
            for u in column {
              let rank = ranks[Int(line[u * horizontalStride])]
              if rank > best { best = rank }
            }
          }
          classes[pixel] = best
        }
      }
    }
  }

  /// Writes a class for each pixel: the greatest that `combine` gives for the two ranks of a covered voxel.
  func classify(
    _ one: LabelVolume, _ oneRanks: LabelRanks, _ other: LabelVolume, _ otherRanks: LabelRanks,
    into classes: inout [UInt16], combine: (UInt16, UInt16) -> UInt16
  ) {
    one.voxels.withUnsafeBufferPointer { oneVoxels in
      other.voxels.withUnsafeBufferPointer { otherVoxels in
        // SAFETY: both volumes lie on the grid that the sampler was made for.
        let base = oneVoxels.baseAddress! + start
        let otherBase = otherVoxels.baseAddress! + start
        forEachPixel { pixel, row, column in
          var best: UInt16 = 0
          for v in row {
            for u in column {
              let offset = v * verticalStride + u * horizontalStride
              let first = oneRanks.ranks[Int(base[offset])]
              let second = otherRanks.ranks[Int(otherBase[offset])]
              if first | second != 0 { best = max(best, combine(first, second)) }
            }
          }
          classes[pixel] = best
        }
      }
    }
  }

  private func forEachPixel(_ body: (_ pixel: Int, _ row: Range<Int>, _ column: Range<Int>) -> Void) {
    for (y, row) in rows.enumerated() where !row.isEmpty {
      for (x, column) in columns.enumerated() where !column.isEmpty {
        body(y * projection.width + x, row, column)
      }
    }
  }
}

/// For each label value a rank: 0 is not shown; of two labels in one pixel the higher rank shows.
struct LabelRanks {
  /// 65536 ranks.
  fileprivate var ranks: [UInt16]
  /// The colour of each rank from 1.
  private(set) var colours: [RGBColour] = []

  /// Ranks of the labels that are visible: the smaller a label is, the higher, so that a lesion shows in its organ.
  init(_ version: Version, isVisible: (Label) -> Bool) {
    ranks = [UInt16](repeating: 0, count: 65536)
    let volumes = Dictionary(uniqueKeysWithValues: version.statistics.map { ($0.label, $0.voxelCount) })
    let shown = version.table.labels.filter(isVisible).sorted {
      (volumes[$0.value] ?? 0, $1.value) > (volumes[$1.value] ?? 0, $0.value)
    }
    for (position, label) in shown.enumerated() {
      ranks[Int(label.value)] = UInt16(position + 1)
      colours.append(label.colour)
    }
  }

  /// The given rank for each value of a side, 0 for all others.
  init(_ ranksByValue: [UInt16: UInt16]) {
    ranks = [UInt16](repeating: 0, count: 65536)
    for (value, rank) in ranksByValue { ranks[Int(value)] = rank }
  }
}
