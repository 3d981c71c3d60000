import Screen
import Volumes

/// A class for each pixel of a pane, 0 for none.
package struct PixelClasses: Equatable {
  package let width, height: Int
  /// The class of each pixel, row by row.
  package var values: [UInt16]

  /// No class anywhere.
  package init(_ projection: PaneProjection) {
    (width, height) = (projection.width, projection.height)
    values = [UInt16](repeating: 0, count: width * height)
  }

  /// The classes of the pixels at a border, 0 for all others.
  ///
  /// A border is made of the pixels of a class from which another class, or none, is at most `thickness` pixels away in
  /// their row or column. The edge of the pane is no border.
  package func borders(thickness: Int) -> [UInt16] {
    var borders = [UInt16](repeating: 0, count: values.count)
    values.withUnsafeBufferPointer { values in
      borders.withUnsafeMutableBufferPointer { borders in
        guard let values = values.baseAddress, let borders = borders.baseAddress else { return }
        // SAFETY: rows and their neighbours lie inside the pane.
        for y in 0..<height {
          let line = BorderLine(own: values + y * width, width: width, thickness: thickness) {
            values + min(max(0, y + $0), height - 1) * width
          }
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
  /// The row of the pane at a distance, upwards where it is negative; the last one where there is none.
  var neighbour: (Int) -> UnsafePointer<UInt16>

  func write(to borders: UnsafeMutablePointer<UInt16>) {
    // Loops without branches, which vector instructions can compute.
    let inner = min(thickness, width)..<max(min(thickness, width), width - thickness)
    for distance in 1...thickness {
      let (above, below) = (neighbour(-distance), neighbour(distance))
      for x in inner {
        let label = own[x]
        borders[x] |=
          (label ^ own[x - distance]) | (label ^ own[x + distance]) | (label ^ above[x]) | (label ^ below[x])
      }
    }
    for x in inner { borders[x] = borders[x] == 0 ? 0 : own[x] }
    for x in 0..<inner.lowerBound { borders[x] = border(x) }
    for x in inner.upperBound..<width { borders[x] = border(x) }
  }

  private func border(_ x: Int) -> UInt16 {
    let label = own[x]
    let isBorder = (1...thickness).contains { distance in
      own[max(0, x - distance)] != label || own[min(width - 1, x + distance)] != label
        || neighbour(-distance)[x] != label || neighbour(distance)[x] != label
    }
    return isBorder ? label : 0
  }
}
