/// The image size and bit depth that a compressed frame states in its own header.
struct CodestreamHeader: Equatable {
  var columns, rows, bits, components: Int

  /// Reads the header of JPEG, JPEG-LS or JPEG 2000; nil where there is none.
  init?(_ bytes: UnsafeRawBufferPointer) {
    func number(_ start: Int, _ count: Int) -> Int? {
      guard start >= 0, start + count <= bytes.count else { return nil }
      return bytes[start..<start + count].reduce(0) { $0 << 8 | Int($1) }
    }
    guard let magic = number(0, 4) else { return nil }
    if magic == 0xff4f_ff51 {
      self.init(jpeg2000: number)
    } else if magic == 0x0000_000c {
      // Some programs write a JP2 file instead of the bare codestream.
      guard let start = Self.codestream(inBoxes: number) else { return nil }
      self.init(jpeg2000: { number(start + $0, $1) })
    } else if magic >> 16 == 0xffd8 {
      self.init(jpeg: number)
    } else {
      return nil
    }
  }

  /// The byte at which the codestream begins in a JP2 file; nil where no box contains one.
  private static func codestream(inBoxes number: (Int, Int) -> Int?) -> Int? {
    var position = 0
    while let length = number(position, 4), let type = number(position + 4, 4) {
      if type == 0x6a70_3263 { return position + 8 }
      guard length >= 8 else { return nil }
      position += length
    }
    return nil
  }

  private init?(jpeg2000 number: (Int, Int) -> Int?) {
    guard let right = number(8, 4), let bottom = number(12, 4), let left = number(16, 4),
      let top = number(20, 4), let count = number(40, 2), count > 0, right > left, bottom > top,
      let tileWidth = number(24, 4), let tileHeight = number(28, 4), tileWidth > 0, tileHeight > 0
    else { return nil }
    // The decoder allocates its tables of tiles before it decodes any, so their number is limited.
    let tiles = ((right - left) / tileWidth + 2) * ((bottom - top) / tileHeight + 2)
    guard tiles <= 1 << 16 else { return nil }
    for component in 0..<count {
      guard let stepX = number(43 + 3 * component, 1), let stepY = number(44 + 3 * component, 1), stepX == 1,
        stepY == 1
      else { return nil }
    }
    guard let depth = number(42, 1) else { return nil }
    (columns, rows, bits, components) = (right - left, bottom - top, depth & 0x7f + 1, count)
  }

  private init?(jpeg number: (Int, Int) -> Int?) {
    var position = 2
    while let marker = number(position, 2), marker >> 8 == 0xff {
      // Fill bytes may precede a marker.
      if marker == 0xffff {
        position += 1
        continue
      }
      guard let length = number(position + 2, 2), length >= 2 else { return nil }
      let isFrame = (0xffc0...0xffcf).contains(marker) && ![0xffc4, 0xffc8, 0xffcc].contains(marker)
      if isFrame || marker == 0xfff7 {
        guard let bits = number(position + 4, 1), let rows = number(position + 5, 2),
          let columns = number(position + 7, 2), let components = number(position + 9, 1)
        else { return nil }
        (self.columns, self.rows, self.bits, self.components) = (columns, rows, bits, components)
        return
      }
      position += 2 + length
    }
    return nil
  }
}
