import Screen
import Volumes
import Work

extension ReviewState {
  /// The version whose map a pane shows; nil where there is none.
  func mappedVersion(_ pane: PaneVersion?) -> Version? {
    guard view.map != .off, view.overlay.isShown, focus != .refinement else { return nil }
    let version = version(of: pane)
    return knownProbabilities(of: version) == nil ? nil : version
  }

  /// The map that a pane shows; nil where there is none.
  func shownMap(_ pane: PaneVersion?) -> ShownMap? {
    guard let version = mappedVersion(pane), let probabilities = knownProbabilities(of: version) else {
      return nil
    }
    return ShownMap(
      kind: view.map, probabilities: probabilities, label: version.label(selectedLabel)?.value)
  }

  /// The legend of the map's colours.
  func mapLegend() -> [Span] {
    guard let version = mappedVersion(nil) else { return [] }
    let swatches = [0.0, 0.25, 0.5, 0.75, 1].map {
      Span("█", Style(foreground: ColourScale.colour($0).colour, background: Theme.bar.background))
    }
    return ([Span("  \(mapTitle(version)) 0 ", Theme.bar)] + swatches + [Span(" 1", Theme.bar)]).clicked(
      as: "%")
  }
}

/// Colours of numbers from 0 to 1: matplotlib's viridis, whose lightness grows evenly, so that it can be read without
/// seeing all hues.
enum ColourScale {
  private static let stops: [SIMD3<Double>] = [
    SIMD3(68, 1, 84), SIMD3(59, 82, 139), SIMD3(33, 145, 140), SIMD3(94, 201, 98), SIMD3(253, 231, 37),
  ]

  /// The colour of a number, clamped to 0...1.
  static func colour(_ value: Double) -> RGB {
    let position = min(max(value, 0), 1) * Double(stops.count - 1)
    let lower = min(Int(saturating: position), stops.count - 2)
    let mixed = stops[lower] + (position - Double(lower)) * (stops[lower + 1] - stops[lower])
    func channel(_ value: Double) -> UInt8 { UInt8(saturating: value.rounded()) }
    return RGB(channel(mixed.x), channel(mixed.y), channel(mixed.z))
  }
}
