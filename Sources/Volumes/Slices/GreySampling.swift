import Work

extension SliceSampler {
  /// The image through a window, 0...255 for each pixel, and 0 outside it.
  ///
  /// A pixel of several voxels shows their mean, to which each contributes the fraction of the pixel that it covers; of
  /// pixels smaller than a voxel, the intensities are interpolated linearly. NaN counts as the black end of the window.
  /// - Complexity: O(voxels shown + pixels).
  package func greys(of image: ScalarVolume, window: IntensityWindow) -> [UInt8] {
    image.voxels.run(GreySampling(sampler: self, window: window))
  }
}

private struct GreySampling: IntensityLoop {
  let sampler: SliceSampler
  let window: IntensityWindow

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) -> [UInt8] {
    let (across, down) = (sampler.weights(alongRows: true), sampler.weights(alongRows: false))
    let (width, height) = (sampler.projection.width, sampler.projection.height)
    var greys = [UInt8](repeating: 0, count: width * height)
    guard !across.pixels.isEmpty, !down.pixels.isEmpty else { return greys }
    let (voxels, pixels) = (across.voxels.count, across.pixels.count)
    var rows = VoxelRows(
      values, first: sampler.offset(across.voxels.lowerBound, down.voxels.lowerBound),
      columns: (count: voxels, stride: sampler.horizontalStride),
      rows: (count: down.voxels.count, stride: sampler.verticalStride), black: Float(window.lower))
    defer { rows.deallocate() }
    let means = UnsafeMutablePointer<Float>.allocate(capacity: voxels + pixels)
    defer { means.deallocate() }
    let line = means + voxels
    greys.withUnsafeMutableBufferPointer { greys in
      // SAFETY: the pixels of the weights lie inside the pane, their voxels inside the slice.
      for row in 0..<down.pixels.count {
        down.writeMean(row, of: { rows.row($0) }, count: voxels, to: means)
        across.writeMeans(of: means, to: line)
        let target = greys.baseAddress! + (down.pixels.lowerBound + row) * width + across.pixels.lowerBound
        window.writeGreys(of: line, count: pixels, to: target)
      }
    }
    return greys
  }
}

extension IntensityWindow {
  /// Writes the nearest of the greys 0...255 for finite intensities.
  fileprivate func writeGreys(
    of values: UnsafePointer<Float>, count: Int, to greys: UnsafeMutablePointer<UInt8>
  ) {
    let (black, scale) = (Float(lower), Float(255 / width))
    for pixel in 0..<count {
      let grey = min(max((values[pixel] - black) * scale, 0), 255)
      // Added to 2^23, a small number is rounded to the lowest bits: a conversion that vector instructions have.
      greys[pixel] = UInt8(truncatingIfNeeded: (grey + 8_388_608).bitPattern)
    }
  }
}

/// The rows of voxels of a slice as floats, converted in blocks, of which the last two are kept.
///
/// Rows that are not consecutive in memory are read in the order of memory.
private struct VoxelRows<Number: StoredIntensity> {
  private let values: StoredValues<Number>
  private let first: Int
  private let columns, rows: (count: Int, stride: Int)
  private let black: Float
  private let floats: UnsafeMutablePointer<Float>
  /// The blocks that are in memory, even numbers first.
  private var blocks = (-1, -1)

  /// Rows of a block.
  private static var blockRows: Int { 32 }

  /// Rows from the offset `first` on; `black` is the value of NaN.
  init(
    _ values: StoredValues<Number>, first: Int, columns: (count: Int, stride: Int),
    rows: (count: Int, stride: Int), black: Float
  ) {
    (self.values, self.first, self.columns, self.rows) = (values, first, columns, rows)
    self.black = black
    floats = .allocate(capacity: 2 * min(Self.blockRows, rows.count) * columns.count)
  }

  func deallocate() { floats.deallocate() }

  /// The values of a row; valid until rows of two other blocks are asked for.
  mutating func row(_ row: Int) -> UnsafePointer<Float> {
    let block = row / Self.blockRows
    let isOdd = block & 1 == 1
    // A second block exists only where the first one has all of its rows.
    let start = floats + (isOdd ? Self.blockRows * columns.count : 0)
    if (isOdd ? blocks.1 : blocks.0) != block {
      read(block, to: start)
      if isOdd { blocks.1 = block } else { blocks.0 = block }
    }
    return UnsafePointer(start + (row - block * Self.blockRows) * columns.count)
  }

  private func read(_ block: Int, to target: UnsafeMutablePointer<Float>) {
    let start = block * Self.blockRows
    let count = min(Self.blockRows, rows.count - start)
    let source = first + start * rows.stride
    if columns.stride == 1 {
      for row in 0..<count {
        let offset = source + row * rows.stride
        values.write(offset..<offset + columns.count, to: target + row * columns.count)
      }
    } else if rows.stride < columns.stride {
      for column in 0..<columns.count {
        let offset = source + column * columns.stride
        for row in 0..<count {
          target[row * columns.count + column] = values[offset + row * rows.stride]
        }
      }
    } else {
      for row in 0..<count {
        let (offset, line) = (source + row * rows.stride, target + row * columns.count)
        for column in 0..<columns.count { line[column] = values[offset + column * columns.stride] }
      }
    }
    guard Number.self == Float.self else { return }
    // Means of finite values are finite, and a voxel of weight 0 changes nothing.
    let limits = UsableRange.intensity
    let (least, greatest) = (Float(limits.lowerBound), Float(limits.upperBound))
    for voxel in 0..<count * columns.count {
      let value = target[voxel]
      target[voxel] = value == value ? min(max(value, least), greatest) : black
    }
  }
}
