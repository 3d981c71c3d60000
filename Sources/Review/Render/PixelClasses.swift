import Screen
import Volumes

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
  ///
  /// A border is made of the pixels of a class from which another class, or none, is at most `thickness` pixels away in
  /// their row or column. The edge of the pane is no border.
  func borders(thickness: Int) -> [UInt16] {
    var borders = [UInt16](repeating: 0, count: values.count)
    values.withUnsafeBufferPointer { values in
      borders.withUnsafeMutableBufferPointer { borders in
        guard let values = values.baseAddress, let borders = borders.baseAddress else { return }
        // SAFETY: rows and their neighbours lie inside the pane, and 16 pixels are read only where a row has them.
        for y in 0..<height {
          let line = BorderLine(
            own: values + y * width, width: width, thickness: thickness,
            neighbours: (1...thickness).flatMap { distance in
              [max(0, y - distance), min(height - 1, y + distance)].map { values + $0 * width }
            })
          line.write(to: borders + y * width)
        }
      }
    }
    return borders
  }
}

/// A row of pixels whose borders are found.
private struct BorderLine {
  var own: UnsafePointer<UInt16>
  var width, thickness: Int
  /// The rows above and below, as far as a border reaches.
  var neighbours: [UnsafePointer<UInt16>]

  private typealias Pixels = SIMD16<UInt16>

  func write(to borders: UnsafeMutablePointer<UInt16>) {
    var x = 0
    while x < min(thickness, width) { x = write(x, to: borders) }
    while x + Pixels.scalarCount + thickness <= width {
      let classes = BorderLine.pixels(own + x)
      // Most of a picture has no label.
      if classes != Pixels(repeating: 0) {
        var difference = Pixels(repeating: 0)
        for distance in 1...thickness {
          difference |= classes ^ BorderLine.pixels(own + x - distance)
          difference |= classes ^ BorderLine.pixels(own + x + distance)
        }
        for neighbour in neighbours { difference |= classes ^ BorderLine.pixels(neighbour + x) }
        let border = classes.replacing(with: 0, where: difference .== 0)
        UnsafeMutableRawPointer(borders + x).storeBytes(of: border, as: Pixels.self)
      }
      x += Pixels.scalarCount
    }
    while x < width { x = write(x, to: borders) }
  }

  private static func pixels(_ start: UnsafePointer<UInt16>) -> Pixels {
    UnsafeRawPointer(start).loadUnaligned(as: Pixels.self)
  }

  /// Writes one pixel; the position of the next.
  private func write(_ x: Int, to borders: UnsafeMutablePointer<UInt16>) -> Int {
    let isBorder =
      (1...thickness).contains { own[max(0, x - $0)] != own[x] || own[min(width - 1, x + $0)] != own[x] }
      || neighbours.contains { $0[x] != own[x] }
    if isBorder { borders[x] = own[x] }
    return x + 1
  }
}
