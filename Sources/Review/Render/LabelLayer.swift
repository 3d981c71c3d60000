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

  /// Whether both are drawn alike because their labels are the same in memory: to compare the voxels of two versions
  /// that are nearly equal takes longer than to draw them.
  static func == (one: Self, other: Self) -> Bool {
    one.labels.isIdentical(to: other.labels) && one.ranks == other.ranks && one.live == other.live
      && one.looks == other.looks
  }

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
