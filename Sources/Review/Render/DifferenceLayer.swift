import Screen
import Volumes

/// The difference of two versions as the panes draw it.
struct DifferenceLayer: Equatable {
  private let a, b: ChunkedLabels
  private let ranksA, ranksB: LabelRanks
  /// A box with newer, refined labels of B; nil for none.
  private let live: RefinedPart?

  /// Whether both are drawn alike because their labels are the same in memory, as for a ``LabelLayer``.
  static func == (one: Self, other: Self) -> Bool {
    one.a.isIdentical(to: other.a) && one.b.isIdentical(to: other.b) && one.ranksA == other.ranksA
      && one.ranksB == other.ranksB && one.live == other.live
  }

  /// The difference of A and B, whose labels are paired.
  init(_ a: Version, _ b: Version, _ pairs: [LabelPair], live: RefinedPart? = nil, _ state: ReviewState) {
    (self.a, self.b, self.live) = (a.labels, b.labels, live)
    // One rank for each structure that is compared and visible.
    var ranksA: [UInt16: UInt16] = [:]
    var ranksB: [UInt16: UInt16] = [:]
    for (pair, rank) in zip(pairs, pairs.comparedStructures(state.openLabels(a, b))) where rank > 0 {
      let isVisible =
        pair.valueA.flatMap { a.table[$0] }.map { state.isVisible($0, of: a) }
        ?? pair.valueB.flatMap { b.table[$0] }.map { state.isVisible($0, of: b) }
      guard isVisible == true else { continue }
      if let value = pair.valueA { ranksA[value] = rank }
      if let value = pair.valueB { ranksB[value] = rank }
    }
    (self.ranksA, self.ranksB) = (LabelRanks(ranksA, of: a), LabelRanks(ranksB, of: b))
  }

  /// The class of each pixel of a pane by `MaskAgreement`; 0 where neither version has a label.
  func classes(_ projection: PaneProjection, size: GridSize, slice: VoxelIndex) -> PixelClasses {
    var classes = PixelClasses(projection)
    SliceSampler(projection, size: size, slice: slice)
      .classify(a, ranksA, b, ranksB, into: &classes.values, combine: MaskAgreement.of)
    if let live {
      let size = live.box.size
      SliceSampler(projection, size: size, slice: slice, box: live.box).classify(
        live.labelsBefore, ranksA.anywhere(in: size), live.labels, ranksB.anywhere(in: size),
        into: &classes.values, combine: MaskAgreement.of)
    }
    return classes
  }
}

extension PixelClasses {
  /// The numbers of a difference's layer: 1 where only A has a label, 2 where only B, 3 where they conflict, 4 along the
  /// borders of what both have.
  func differenceNumbers(thickness: Int) -> [UInt16] {
    var numbers = borders(thickness: thickness)
    numbers.withUnsafeMutableBufferPointer { numbers in
      values.withUnsafeBufferPointer { classes in
        // SAFETY: there is a class for each pixel.
        for pixel in 0..<numbers.count where classes[pixel] != 0 {
          switch classes[pixel] {
          case MaskAgreement.onlyA: numbers[pixel] = 1
          case MaskAgreement.onlyB: numbers[pixel] = 2
          case MaskAgreement.conflict: numbers[pixel] = 3
          default: if numbers[pixel] != 0 { numbers[pixel] = 4 }
          }
        }
      }
    }
    return numbers
  }
}
