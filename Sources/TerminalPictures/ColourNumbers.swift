import Screen

/// The distinct colours of a picture, and the number of each pixel's colour in the order in which they first occur.
struct ColourNumbers {
  /// The number of each pixel's colour, from 0.
  let numbers: [UInt16]
  /// The key of each colour, and the first pixel that has it.
  let keys: [UInt32]
  let firstPixels: [Int]

  /// Numbers the colours of a picture; nil where there are more than `maximum`, which is at most 4096.
  /// - Parameter key: A number below 2^24 for a colour; colours with one number count as one.
  /// - Complexity: O(pixels).
  @inline(__always)
  init?(_ picture: PixelBuffer, maximum: Int, key keyOf: (RGB) -> UInt32) {
    precondition(maximum <= 4096, "\(maximum) colours")
    // An open-addressing table: keys with a bit above them, 0 where empty, and the number of each.
    var slotBits: UInt32 = 2
    while 1 << Int(slotBits) < 4 * maximum { slotBits += 1 }
    let slotCount = 1 << Int(slotBits)
    var tableKeys = [UInt32](repeating: 0, count: slotCount)
    var tableNumbers = [UInt16](repeating: 0, count: slotCount)
    var keys: [UInt32] = []
    var firstPixels: [Int] = []
    var fits = true
    let numbers = [UInt16](unsafeUninitializedCapacity: picture.pixels.count) { numbers, count in
      picture.pixels.withUnsafeBufferPointer { pixels in
        tableKeys.withUnsafeMutableBufferPointer { tableKeys in
          tableNumbers.withUnsafeMutableBufferPointer { tableNumbers in
            // SAFETY: a slot is below the table's size, of whose slots at most a quarter is taken, so that the search
            // ends at an empty one; there is a number for each pixel.
            var (lastKey, lastNumber): (UInt32, UInt16) = (0, 0)
            for pixel in pixels.indices {
              let key = keyOf(pixels[pixel]) | 1 << 24
              if key != lastKey {
                var slot = Int((key &* 0x9E37_79B1) >> (32 - slotBits))
                while tableKeys[slot] != key, tableKeys[slot] != 0 { slot = (slot + 1) & (slotCount - 1) }
                if tableKeys[slot] == 0 {
                  if keys.count == maximum {
                    fits = false
                    return
                  }
                  tableKeys[slot] = key
                  tableNumbers[slot] = UInt16(keys.count)
                  keys.append(key & 0xFF_FFFF)
                  firstPixels.append(pixel)
                }
                lastKey = key
                lastNumber = tableNumbers[slot]
              }
              numbers[pixel] = lastNumber
              count = pixel + 1
            }
          }
        }
      }
    }
    guard fits else { return nil }
    (self.numbers, self.keys, self.firstPixels) = (numbers, keys, firstPixels)
  }

  /// For each pixel, what stands in `entries` at the number of its colour; there is an entry for each colour.
  func map<Entry: BitwiseCopyable>(to entries: [Entry]) -> [Entry] {
    precondition(entries.count == keys.count, "\(entries.count) entries for \(keys.count) colours")
    return [Entry](unsafeUninitializedCapacity: numbers.count) { mapped, count in
      numbers.withUnsafeBufferPointer { numbers in
        entries.withUnsafeBufferPointer { entries in
          // SAFETY: there is a number for each pixel, and an entry for each number.
          for pixel in numbers.indices { mapped[pixel] = entries[Int(numbers[pixel])] }
        }
      }
      count = numbers.count
    }
  }
}
