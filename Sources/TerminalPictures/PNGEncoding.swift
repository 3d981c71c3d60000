import CZlib
import Screen

extension PixelBuffer {
  /// The picture as a PNG file of 8 bits, made to be written fast rather than to be small.
  ///
  /// Greys and at most 256 colours take a byte for each pixel before they are deflated, more colours three.
  /// - Parameter hasFewShades: Whether colours have so few shades that numbers of them differ less than their values.
  /// - Complexity: O(pixels).
  func png(hasFewShades: Bool = false) -> [UInt8] {
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    var bytesPerPixel = 1
    let values: [UInt8]
    if !hasFewShades, let greys = greyValues {
      appendHeader(colourType: 0, to: &file)
      values = greys
    } else if let palette = TilePalette(self) {
      appendHeader(colourType: 3, to: &file)
      file.appendChunk("PLTE") { chunk in
        for colour in palette.colours { chunk += [colour.red, colour.green, colour.blue] }
      }
      values = palette.numbers
    } else {
      appendHeader(colourType: 2, to: &file)
      bytesPerPixel = 3
      values = pixels.withUnsafeBytes { Array($0) }
    }
    let rows = filtered(values, rowLength: width * bytesPerPixel, bytesPerPixel: bytesPerPixel)
    file.appendChunk("IDAT") { $0.appendDeflated(rows) }
    file.appendChunk("IEND") { _ in }
    return file
  }

  private func appendHeader(colourType: UInt8, to file: inout [UInt8]) {
    file.appendChunk("IHDR") { chunk in
      chunk.appendBigEndian(UInt32(width))
      chunk.appendBigEndian(UInt32(height))
      chunk += [8, colourType, 0, 0, 0]
    }
  }

  /// Rows as differences from the mean of the pixels to the left and above (filter 3), with the filter's number before
  /// each.
  ///
  /// Of the filters that vector instructions compute fast it leaves the least of an enlarged image with noise.
  private func filtered(_ values: [UInt8], rowLength: Int, bytesPerPixel: Int) -> [UInt8] {
    let total = (rowLength + 1) * height
    let noRow = [UInt8](repeating: 0, count: rowLength)
    return [UInt8](unsafeUninitializedCapacity: total) { output, count in
      values.withUnsafeBufferPointer { values in
        noRow.withUnsafeBufferPointer { noRow in
          guard let values = values.baseAddress, let output = output.baseAddress else { return }
          // SAFETY: there are height * rowLength values, and a byte more for each row of the output.
          for row in 0..<height {
            let (target, current) = (output + row * (rowLength + 1) + 1, values + row * rowLength)
            let above = row == 0 ? noRow.baseAddress! : current - rowLength
            target[-1] = 3
            for x in 0..<bytesPerPixel { target[x] = current[x] &- above[x] >> 1 }
            for x in bytesPerPixel..<rowLength {
              let sum = UInt16(current[x - bytesPerPixel]) &+ UInt16(above[x])
              target[x] = current[x] &- UInt8(truncatingIfNeeded: sum >> 1)
            }
          }
        }
      }
      count = total
    }
  }
}

extension [UInt8] {
  /// Appends a chunk of a PNG file: length, name, content and checksum.
  fileprivate mutating func appendChunk(_ name: String, _ appendContent: (inout [UInt8]) -> Void) {
    let start = count
    appendBigEndian(0)
    self += name.utf8
    appendContent(&self)
    let length = UInt32(count - start - 8)
    for (offset, shift) in ([24, 16, 8, 0] as [UInt32]).enumerated() {
      self[start + offset] = UInt8(truncatingIfNeeded: length >> shift)
    }
    let checksum = self[(start + 4)...].withUnsafeBufferPointer {
      UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count))
    }
    appendBigEndian(checksum)
  }

  /// Appends four bytes, the highest first.
  mutating func appendBigEndian(_ number: UInt32) {
    for shift in [24, 16, 8, 0] as [UInt32] { append(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  /// Appends bytes in base 64, whose last group is padded.
  mutating func appendBase64(_ content: [UInt8]) {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    self += [UInt8](unsafeUninitializedCapacity: (content.count + 2) / 3 * 4) { output, count in
      content.withUnsafeBufferPointer { content in
        letters.withUnsafeBufferPointer { letters in
          // SAFETY: an index of six bits is below 64; four bytes are written for each three or fewer.
          for start in stride(from: 0, to: content.count, by: 3) {
            let second = start + 1 < content.count ? Int(content[start + 1]) : 0
            let third = start + 2 < content.count ? Int(content[start + 2]) : 0
            let group = Int(content[start]) << 16 | second << 8 | third
            output[count] = letters[group >> 18]
            output[count + 1] = letters[group >> 12 & 63]
            output[count + 2] = letters[group >> 6 & 63]
            output[count + 3] = letters[group & 63]
            count += 4
          }
          for missing in 0..<(3 - content.count % 3) % 3 { output[count - 1 - missing] = UInt8(ascii: "=") }
        }
      }
    }
  }
}
