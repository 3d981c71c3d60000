import Screen
import Volumes

/// The lines and corners above the image and the labels of a pane.
struct MarkLayer: Equatable {
  /// What a pixel is a part of.
  enum Mark: UInt16, CaseIterable {
    case crosshair = 1
    case activeCrosshair, refinedBox, spyglass

    /// Its look; the crosshair is faint, so that the image shows through.
    fileprivate var entry: PixelLayer.Entry {
      switch self {
      case .crosshair: PixelLayer.Entry(Theme.crosshair, opacity: 0.25)
      case .activeCrosshair: PixelLayer.Entry(Theme.crosshair, opacity: 0.4)
      case .refinedBox: PixelLayer.Entry(Theme.refinedBox)
      case .spyglass: PixelLayer.Entry(Theme.spyglass)
      }
    }
  }

  /// A rectangle of pixels in the pane.
  private struct Part: Equatable {
    var mark: Mark
    var columns, rows: Range<Int>
  }

  private let width, height: Int
  /// The marks, of which later ones cover earlier ones.
  private var parts: [Part] = []

  /// A layer without marks.
  init(_ projection: PaneProjection) { (width, height) = (projection.width, projection.height) }

  /// Marks a rectangle of pixels; what lies outside the pane is ignored.
  mutating func set(_ mark: Mark, columns: Range<Int>, rows: Range<Int>) {
    let part = Part(
      mark: mark, columns: columns.clamped(to: 0..<width), rows: rows.clamped(to: 0..<height))
    if !part.columns.isEmpty, !part.rows.isEmpty { parts.append(part) }
  }

  /// Whether nothing is marked.
  var isEmpty: Bool { parts.isEmpty }

  /// The mark of each pixel, row by row; 0 for none.
  var numbers: [UInt16] {
    var numbers = [UInt16](repeating: 0, count: width * height)
    for part in parts {
      for row in part.rows {
        for pixel in row * width + part.columns.lowerBound..<row * width + part.columns.upperBound {
          numbers[pixel] = part.mark.rawValue
        }
      }
    }
    return numbers
  }

  /// The looks of the marks.
  static let entries = Mark.allCases.map(\.entry)
}
