import Screen
import Volumes

/// The program's styles, one for each role, as they are on a dark background; where the terminal has another one,
/// `Frame.makeLegible(on:)` changes those that would be too faint.
enum Theme {
  static let plain = Style()
  static let strong = Style(isBold: true)
  static let quiet = Style(isDim: true)
  /// Lines at the head and foot of the screen.
  static let bar = Style(foreground: .rgb(224, 224, 232), background: .rgb(48, 52, 64))
  static let barStrong = Style(foreground: .rgb(255, 255, 255), background: .rgb(48, 52, 64), isBold: true)
  static let barQuiet = Style(foreground: .rgb(160, 164, 176), background: .rgb(48, 52, 64))
  /// The element with the focus.
  static let active = Style(foreground: .rgb(255, 255, 255), background: .rgb(0, 95, 135), isBold: true)
  static let selected = Style(isReversed: true)
  /// The selected entry of a list without the focus.
  static let highlighted = Style(foreground: .rgb(255, 255, 255), background: .rgb(48, 52, 64), isBold: true)
  /// A line that matches the search.
  static let match = Style(foreground: .rgb(240, 228, 66), isBold: true)
  static let warning = Style(foreground: .rgb(230, 159, 0), isBold: true)
  static let error = Style(foreground: .rgb(255, 95, 95), isBold: true)
  /// A remark beside a knob.
  static let note = Style(foreground: .rgb(120, 190, 200))
  static let progress = Style(foreground: .rgb(86, 180, 233))

  static let crosshair = RGB(240, 228, 66)
  static let letter = RGB(255, 255, 255)
  static let refinedBox = RGB(170, 255, 0)
  static let spyglass = RGB(255, 255, 255)
  static let onlyA = MaskAgreement.colour(MaskAgreement.onlyA).rgb
  static let onlyB = MaskAgreement.colour(MaskAgreement.onlyB).rgb
  static let both = MaskAgreement.colour(0).rgb
  /// Both versions have a label here, but not the same.
  static let conflict = MaskAgreement.colour(MaskAgreement.conflict).rgb
}

extension Message.Kind {
  /// The style of a message of this kind.
  var style: Style {
    switch self {
    case .note: Theme.plain
    case .warning: Theme.warning
    case .error: Theme.error
    }
  }
}

extension RGBColour {
  /// The colour as a colour of the screen.
  var rgb: RGB { RGB(red, green, blue) }
}
