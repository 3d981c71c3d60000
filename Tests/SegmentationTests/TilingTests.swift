import Segmentation
import Tensors
import Testing

@Test("exact tiles keep every voxel once and start at multiples of the stride")
func exactTilesCoverOnce() {
  let extent = Extent3(20, 36, 52)
  let stride = Extent3(4)
  let tiles = Tiling.exact(Extent3(10, 16, 20)).tiles(
    extent: extent, totalStride: stride, halo: Extent3(8))
  var counts = Tensor(shape: [1, 1, 20, 36, 52])
  for tile in tiles {
    let part = tile.input.extent
    counts.add(
      Tensor(shape: [1, 1, part.d, part.h, part.w], repeating: 1), at: tile.input, inside: tile.kept)
    for start in [tile.input.d.lowerBound, tile.input.h.lowerBound, tile.input.w.lowerBound] {
      #expect(start % 4 == 0)
    }
  }
  #expect(counts.elements.allSatisfy { $0 == 1 })
  #expect(tiles.count == 2 * 3 * 3)
}

@Test("overlapping tiles cover every voxel and have the asked size, or the volume's where that is smaller")
func overlappingTilesCover() {
  let extent = Extent3(16, 96, 128)
  let tiles = Tiling.average(Extent3(64)).tiles(extent: extent, totalStride: Extent3(8), halo: Extent3(0))
  var counts = Tensor(shape: [1, 1, 16, 96, 128])
  for tile in tiles {
    #expect(tile.input.extent == Extent3(16, 64, 64))
    counts.add(Tensor(shape: [1, 1, 16, 64, 64], repeating: 1), at: tile.input, inside: tile.kept)
  }
  #expect(counts.elements.allSatisfy { $0 >= 1 })
}

@Test("cropping takes the box, padding adds zeros after it")
func croppingAndPadding() {
  let whole = Tensor(shape: [1, 1, 2, 2, 3], elements: (0..<12).map(Float.init))
  let part = whole.cropped(to: TileBox(d: 1..<2, h: 0..<2, w: 1..<3))
  #expect(part == Tensor(shape: [1, 1, 1, 2, 2], elements: [7, 8, 10, 11]))
  #expect(
    part.padded(to: Extent3(1, 2, 3)) == Tensor(shape: [1, 1, 1, 2, 3], elements: [7, 8, 0, 10, 11, 0]))
}
