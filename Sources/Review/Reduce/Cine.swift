import Volumes

/// A cine: the slices of the active plane are shown one after the other until a key is pressed.
package struct Cine: Equatable, Sendable {
  /// The rate in slices per second.
  package var slicesPerSecond: Double

  /// The rate when a key starts the cine, and the range of rates that can be typed.
  package static let usualRate = 10.0
  static let rates = 1.0...60.0

  package init(slicesPerSecond: Double = Cine.usualRate) { self.slicesPerSecond = slicesPerSecond }
}

extension ReviewState {
  mutating func startCine(slicesPerSecond: Double = Cine.usualRate) {
    guard geometry(view.activePlane).sliceCount > 1 else {
      message = Message("there is one \(view.activePlane.rawValue) slice", .warning)
      return
    }
    cine = Cine(slicesPerSecond: slicesPerSecond)
    message = Message("cine, \(brief(slicesPerSecond, atMost: 1)) slices per second; any key stops it")
  }

  /// Shows the next slice of a cine; the first after the last.
  mutating func advanceCine() {
    guard cine != nil, phase == .reviewing else { return }
    let before = view.crosshair
    scroll(1, view.activePlane)
    if view.crosshair == before { scroll(-.max, view.activePlane) }
  }

  /// Stops the cine at a key or a click.
  /// - Returns: Whether a cine was running; the key then has no other effect.
  mutating func stopCine() -> Bool {
    guard cine != nil else { return false }
    cine = nil
    message = nil
    return true
  }

  /// Changes the window by steps: a tenth of the width, and a twentieth of it for the centre.
  mutating func nudgeWindow(width widthSteps: Int, centre centreSteps: Int) {
    guard intensities.onlyValue == nil else {
      message = Message("the image has one intensity; no window shows more of it", .warning)
      return
    }
    let window = view.window
    var width = window.width
    for _ in 0..<abs(widthSteps) { width *= widthSteps > 0 ? 1.1 : 1 / 1.1 }
    choose(
      IntensityWindow(
        centre: window.centre + Double(centreSteps) * window.width / 20, width: max(width, 1e-6)))
    message = Message("window \(view.window.text)")
  }
}
