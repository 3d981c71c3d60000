import Volumes
import Work

/// A picture in sRGB with 8 bits for each of red, green and blue.
package struct Picture: Equatable, Sendable {
  /// The number of pixels from left to right, and from top to bottom.
  package let width, height: Int
  /// Red, green and blue of each pixel, row by row from the top.
  package private(set) var bytes: [UInt8]

  /// A picture of one colour, black unless given; negative extents count as 0.
  package init(width: Int, height: Int, filling colour: RGBColour = RGBColour(0, 0, 0)) {
    self.width = max(0, width)
    self.height = max(0, height)
    bytes = [UInt8](repeating: 0, count: 3 * self.width * self.height)
    if colour != RGBColour(0, 0, 0) { fill(columns: 0..<self.width, rows: 0..<self.height, with: colour) }
  }

  /// The pixel at a column and row; writing outside the picture does nothing, reading there gives black.
  package subscript(x: Int, y: Int) -> RGBColour {
    get {
      guard contains(x, y) else { return RGBColour(0, 0, 0) }
      let offset = 3 * (y * width + x)
      return RGBColour(bytes[offset], bytes[offset + 1], bytes[offset + 2])
    }
    set {
      guard contains(x, y) else { return }
      let offset = 3 * (y * width + x)
      bytes[offset] = newValue.red
      bytes[offset + 1] = newValue.green
      bytes[offset + 2] = newValue.blue
    }
  }

  private func contains(_ x: Int, _ y: Int) -> Bool {
    (0..<width).contains(x) && (0..<height).contains(y)
  }

  /// Fills the part of a rectangle that lies in the picture.
  package mutating func fill(columns: Range<Int>, rows: Range<Int>, with colour: RGBColour) {
    for y in rows.clamped(to: 0..<height) {
      for x in columns.clamped(to: 0..<width) { self[x, y] = colour }
    }
  }

  /// Copies another picture with its upper left pixel to a column and row; pixels outside this picture are left out.
  package mutating func draw(_ other: Picture, x: Int, y: Int) {
    let columns = (x..<x + other.width).clamped(to: 0..<width)
    guard !columns.isEmpty else { return }
    for row in (y..<y + other.height).clamped(to: 0..<height) {
      let source = 3 * ((row - y) * other.width + columns.lowerBound - x)
      let target = 3 * (row * width + columns.lowerBound)
      bytes.replaceSubrange(
        target..<target + 3 * columns.count, with: other.bytes[source..<source + 3 * columns.count])
    }
  }
}

extension RGBColour {
  /// Linear interpolation from this colour (opacity 0) to another (opacity 1).
  func blended(with other: RGBColour, opacity: Double) -> RGBColour {
    func mix(_ one: UInt8, _ two: UInt8) -> UInt8 {
      UInt8(clamping: Int(saturating: (Double(one) + (Double(two) - Double(one)) * opacity).rounded()))
    }
    return RGBColour(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
  }
}
