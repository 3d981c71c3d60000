import Screen
import Volumes

/// The lines and corners above the image and the labels of a pane.
struct MarkLayer {
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

  private let width, height: Int
  private var numbers: [UInt16] = []

  /// A layer without marks.
  init(_ projection: PaneProjection) { (width, height) = (projection.width, projection.height) }

  /// Marks a pixel; a pixel outside the pane is ignored.
  mutating func set(_ mark: Mark, _ x: Int, _ y: Int) {
    guard x >= 0, x < width, y >= 0, y < height else { return }
    if numbers.isEmpty { numbers = [UInt16](repeating: 0, count: width * height) }
    numbers[y * width + x] = mark.rawValue
  }

  /// The layer; nil without marks.
  var layer: PixelLayer? {
    numbers.isEmpty ? nil : PixelLayer(numbers: numbers, entries: Mark.allCases.map(\.entry))
  }
}
