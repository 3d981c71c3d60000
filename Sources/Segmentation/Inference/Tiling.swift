import Tensors

/// A box of a volume: ranges along depth, height and width.
package struct TileBox: Hashable, Sendable {
  /// Voxels along z, y, x.
  package var d, h, w: Range<Int>

  package init(d: Range<Int>, h: Range<Int>, w: Range<Int>) {
    self.d = d
    self.h = h
    self.w = w
  }

  /// Voxels along each axis.
  package var extent: Extent3 { Extent3(d.count, h.count, w.count) }
}

/// One run of the network: its input and the part of its logits that is used.
package struct Tile: Hashable, Sendable {
  /// The box of the volume that the network reads.
  package var input: TileBox
  /// The box of the volume whose logits are used, inside `input`.
  package var kept: TileBox
}

/// The tiling of a volume for a network.
package enum Tiling: Hashable, Sendable {
  /// The whole volume in one run, or in the patches of the model where it has them.
  case whole
  /// Boxes of these voxels, each read with the network's halo around it: the same logits as ``whole``.
  case exact(Extent3)
  /// Overlapping boxes of these voxels, whose class probabilities are averaged (Dou et al. use 64 per axis).
  case average(Extent3)
  /// The same boxes; each votes for its most probable class, and fractions of votes are used as probabilities.
  case vote(Extent3)
}

extension Tiling {
  /// The tiles that cover a volume of `extent`, in memory order.
  ///
  /// - Parameters:
  ///   - extent: Voxels of the volume, multiples of `totalStride`.
  ///   - totalStride: Tiles start at multiples of it, so that strided layers sample the same positions as in the
  ///     volume.
  ///   - halo: Voxels around a box that its logits depend on, multiples of `totalStride`.
  package func tiles(extent: Extent3, totalStride: Extent3, halo: Extent3) -> [Tile] {
    switch self {
    case .whole:
      let all = TileBox(d: 0..<extent.d, h: 0..<extent.h, w: 0..<extent.w)
      return [Tile(input: all, kept: all)]
    case .exact(let size):
      return boxes(
        exactRanges(extent.d, size.d, totalStride.d), exactRanges(extent.h, size.h, totalStride.h),
        exactRanges(extent.w, size.w, totalStride.w)
      ).map { kept in
        Tile(
          input: TileBox(
            d: widened(kept.d, halo.d, extent.d), h: widened(kept.h, halo.h, extent.h),
            w: widened(kept.w, halo.w, extent.w)), kept: kept)
      }
    case .average(let size), .vote(let size):
      return boxes(
        overlappingRanges(extent.d, size.d, totalStride.d),
        overlappingRanges(extent.h, size.h, totalStride.h),
        overlappingRanges(extent.w, size.w, totalStride.w)
      ).map { Tile(input: $0, kept: $0) }
    }
  }

  private func boxes(_ d: [Range<Int>], _ h: [Range<Int>], _ w: [Range<Int>]) -> [TileBox] {
    d.flatMap { z in h.flatMap { y in w.map { x in TileBox(d: z, h: y, w: x) } } }
  }

  /// Ranges without overlap, each of `size` rounded up to the stride but for the last.
  private func exactRanges(_ extent: Int, _ size: Int, _ stride: Int) -> [Range<Int>] {
    let step = max(1, (size + stride - 1) / stride) * stride
    return Swift.stride(from: 0, to: extent, by: step).map { $0..<min($0 + step, extent) }
  }

  private func widened(_ range: Range<Int>, _ halo: Int, _ extent: Int) -> Range<Int> {
    max(0, range.lowerBound - halo)..<min(extent, range.upperBound + halo)
  }

  /// Overlapping ranges of one size at even distances, ⌊extent / size⌋ + 4 per axis as in Dou et al.
  private func overlappingRanges(_ extent: Int, _ size: Int, _ stride: Int) -> [Range<Int>] {
    let length = min(max(1, (size + stride - 1) / stride) * stride, extent)
    guard length < extent else { return [0..<extent] }
    let folds = extent / length + 4
    let step = max(stride, (extent - length + folds - 2) / (folds - 1) / stride * stride)
    var starts = Array(Swift.stride(from: 0, to: extent - length, by: step))
    starts.append(extent - length)
    return starts.map { $0..<$0 + length }
  }
}
