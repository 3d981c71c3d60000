import Screen
import Volumes
import Work

/// A map of probabilities as panes draw it.
struct ShownMap: Equatable, Sendable {
  /// What is shown; not ``ProbabilityMap/off``.
  var kind: ProbabilityMap
  var probabilities: VersionProbabilities
  /// The label whose probability is shown; nil for any label.
  var label: UInt16?

  /// The value at a continuous voxel index.
  private var value: (SIMD3<Double>) -> Double {
    switch kind {
    case .off: return { _ in 0 }
    case .entropy: return { probabilities.entropy(at: $0) }
    case .probability:
      if let label {
        guard let position = probabilities.position(of: label) else { return { _ in 0 } }
        return { probabilities.probability(of: position, at: $0) }
      }
      guard let background = probabilities.position(of: 0) else { return { _ in 1 } }
      return { 1 - probabilities.probability(of: background, at: $0) }
    }
  }

  /// Draws the map over the pixels of a pane that show the image.
  func draw(over picture: inout PixelBuffer, _ projection: PaneProjection, slice: VoxelIndex) {
    let (columns, rows) = (shown(projection.columns), shown(projection.rows))
    guard !columns.isEmpty, !rows.isEmpty else { return }
    let spacing = spacing(projection)
    let valueColumns = stride(from: columns.lowerBound, to: columns.upperBound + spacing, by: spacing).map {
      projection.horizontalIndex(atPixel: Double($0) + 0.5)
    }
    let colours = MapColours.shared
    let width = projection.width
    let value = value
    let geometry = projection.geometry
    var index = SIMD3(Double(slice.i), Double(slice.j), Double(slice.k))
    func line(_ y: Int) -> [Double] {
      index[geometry.verticalAxis] = projection.verticalIndex(atPixel: Double(y) + 0.5)
      return valueColumns.map {
        index[geometry.horizontalAxis] = $0
        return value(index)
      }
    }
    var (upper, lower) = ([Double](), line(rows.lowerBound))
    picture.pixels.withUnsafeMutableBufferPointer { pixels in
      for y in rows {
        let part = (y - rows.lowerBound) % spacing
        if part == 0 {
          upper = lower
          if spacing == 1 {
            if y > rows.lowerBound { upper = line(y) }
          } else {
            lower = line(y + spacing)
          }
        }
        let down = Double(part) / Double(spacing)
        let values =
          part == 0 ? upper : zip(upper, lower).map { $0 + ($1 - $0) * down }
        for x in columns {
          let (position, rest) = (x - columns.lowerBound).quotientAndRemainder(dividingBy: spacing)
          let left = values[position]
          let value =
            rest == 0 ? left : left + (values[position + 1] - left) * Double(rest) / Double(spacing)
          // A value near 0 is not drawn, so that the image stays visible.
          guard value >= 0.02 else { continue }
          colours.blend(value, over: &pixels[y * width + x])
        }
      }
    }
  }

  /// Pixels between the positions whose values are computed, at most a voxel of the network apart; between them values
  /// are interpolated.
  private func spacing(_ projection: PaneProjection) -> Int {
    let geometry = projection.geometry
    let across = projection.millimetresPerColumn / geometry.horizontalSpacing
    let down = projection.millimetresPerRow / geometry.verticalSpacing
    let voxels = max(
      across * probabilities.voxels(alongAxis: geometry.horizontalAxis),
      down * probabilities.voxels(alongAxis: geometry.verticalAxis))
    return min(max(1, Int(saturating: 1 / max(voxels, 0.01))), 8)
  }

  /// The pixels that show the image, which follow each other.
  private func shown(_ voxels: [Range<Int>]) -> Range<Int> {
    guard let first = voxels.firstIndex(where: { !$0.isEmpty }) else { return 0..<0 }
    return first..<(voxels.lastIndex { !$0.isEmpty } ?? first) + 1
  }
}

/// The colours of a map's values, blended with greys.
private struct MapColours {
  static let shared = MapColours()

  /// The opacity of a map over the image.
  private static let opacity = 0.65

  /// The parts of a map's colour in a pixel, for 256 values from 0 to 1, and of the image, for 256 intensities of a channel,
  /// each times 65536.
  private let map: [SIMD3<Int32>]
  private let image: [Int32]

  private init() {
    func part(_ channel: UInt8, _ opacity: Double) -> Int32 {
      Int32(truncatingIfNeeded: Int(saturating: (Double(channel) * opacity * 65536).rounded()))
    }
    map = (0...255).map {
      let colour = ColourScale.colour(Double($0) / 255)
      return SIMD3(
        part(colour.red, Self.opacity), part(colour.green, Self.opacity), part(colour.blue, Self.opacity))
    }
    image = (0...255).map { part(UInt8($0), 1 - Self.opacity) }
  }

  func blend(_ value: Double, over pixel: inout RGB) {
    let colour = map[Int(saturating: min(max(value, 0), 1) * 255 + 0.5)]
    func mixed(_ channel: UInt8, _ part: Int32) -> UInt8 {
      UInt8(truncatingIfNeeded: (image[Int(channel)] + part + 32768) >> 16)
    }
    pixel = RGB(
      mixed(pixel.red, colour.x), mixed(pixel.green, colour.y), mixed(pixel.blue, colour.z))
  }
}
