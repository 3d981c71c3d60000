import Screen
import Volumes

/// The labels of one version as panes draw them.
struct LabelLayer: Equatable {
  /// The labels, and their ranks: in a pixel of several labels, the highest rank is drawn.
  let labels: ChunkedLabels
  let ranks: LabelRanks
  /// A box with newer, refined labels; nil for none.
  let live: RefinedPart?
  /// The colour and the letter of each rank from 1.
  let looks: [LabelLook]

  /// The visible labels of a version.
  init(_ version: Version, live: RefinedPart? = nil, isVisible: (Label) -> Bool) {
    labels = version.labels
    let visible = LabelRanks.visible(of: version, where: isVisible)
    ranks = visible.ranks
    self.live = live
    looks = visible.looks
  }

  /// The rank that each pixel of a pane shows; 0 for none.
  func classes(_ projection: PaneProjection, size: GridSize, slice: VoxelIndex) -> PixelClasses {
    var classes = PixelClasses(projection)
    SliceSampler(projection, size: size, slice: slice).classify(labels, ranks, into: &classes.values)
    if let live {
      SliceSampler(projection, size: live.box.size, slice: slice, box: live.box)
        .classify(live.labels, ranks.anywhere(in: live.box.size), into: &classes.values)
    }
    return classes
  }
}

extension LabelLayer {
  /// The looks of the ranks from 1.
  func entries(opacity: Double) -> [PixelLayer.Entry] {
    looks.map { PixelLayer.Entry($0.colour, opacity: opacity, letter: $0.letter, hatch: $0.hatch) }
  }
}

/// A class for each pixel of a pane, 0 for none.
struct PixelClasses: Equatable {
  let width, height: Int
  /// The class of each pixel, row by row.
  var values: [UInt16]

  /// No class anywhere.
  init(_ projection: PaneProjection) {
    (width, height) = (projection.width, projection.height)
    values = [UInt16](repeating: 0, count: width * height)
  }

  /// The classes of the pixels at a border, 0 for all others.
  var borders: [UInt16] {
    var borders = [UInt16](repeating: 0, count: values.count)
    for y in 0..<height {
      for pixel in y * width..<(y + 1) * width where values[pixel] != 0 {
        if isBorder(pixel - y * width, y) { borders[pixel] = values[pixel] }
      }
    }
    return borders
  }

  /// Whether one of a pixel's four neighbours in the pane is of another class.
  func isBorder(_ x: Int, _ y: Int) -> Bool {
    let pixel = y * width + x
    let own = values[pixel]
    return (x > 0 && values[pixel - 1] != own) || (x + 1 < width && values[pixel + 1] != own)
      || (y > 0 && values[pixel - width] != own) || (y + 1 < height && values[pixel + width] != own)
  }
}
