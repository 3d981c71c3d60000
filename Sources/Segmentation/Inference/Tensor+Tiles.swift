import Tensors

extension Tensor {
  /// The part of an activation [1, C, D, H, W] inside `box`.
  package func cropped(to box: TileBox) -> Tensor {
    let extent = extent
    return Tensor(uninitializedShape: [1, channels, box.d.count, box.h.count, box.w.count]) { output in
      elements.withUnsafeBufferPointer { input in
        var position = 0
        for channel in 0..<channels {
          for z in box.d {
            for y in box.h {
              let row = ((channel * extent.d + z) * extent.h + y) * extent.w + box.w.lowerBound
              for x in 0..<box.w.count { output[position + x] = input[row + x] }
              position += box.w.count
            }
          }
        }
      }
    }
  }

  /// Adds the part of `tile`, which covers `tileBox` of this activation, that lies in `box`.
  package mutating func add(_ tile: Tensor, at tileBox: TileBox, inside box: TileBox) {
    let extent = extent
    let tileExtent = tile.extent
    precondition(tileExtent == tileBox.extent, "a tile of \(tileExtent) for a box of \(tileBox.extent)")
    for channel in 0..<channels {
      for z in box.d {
        for y in box.h {
          let to = ((channel * extent.d + z) * extent.h + y) * extent.w + box.w.lowerBound
          let from =
            ((channel * tileExtent.d + z - tileBox.d.lowerBound) * tileExtent.h + y - tileBox.h.lowerBound)
            * tileExtent.w + box.w.lowerBound - tileBox.w.lowerBound
          for x in 0..<box.w.count { elements[to + x] += tile.elements[from + x] }
        }
      }
    }
  }

  /// The activation with zeros after each axis up to `extent`.
  package func padded(to extent: Extent3) -> Tensor {
    if extent == self.extent { return self }
    var padded = Tensor(shape: [1, channels, extent.d, extent.h, extent.w])
    let own = self.extent
    let box = TileBox(d: 0..<own.d, h: 0..<own.h, w: 0..<own.w)
    padded.add(self, at: box, inside: box)
    return padded
  }
}
