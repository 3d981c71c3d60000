/// What shows frames and sends events: the real terminal, or a scripted one in tests.
package protocol Terminal: AnyObject {
  /// Rows and columns now.
  var size: ScreenSize { get }
  /// What this terminal can show.
  var capabilities: TerminalCapabilities { get }
  /// Shows `frame`, sending only what differs from the last one.
  func draw(_ frame: Frame)
  /// The next event; nil when none came in time or the terminal was woken from another thread.
  func nextEvent(waitingMilliseconds: Int) -> TerminalEvent?
  /// Ends a wait for events under way, or else the next one; any thread may call it.
  var wake: @Sendable () -> Void { get }
}

/// Rows and columns of a screen.
package struct ScreenSize: Hashable, Sendable {
  /// Rows and columns.
  package var rows, columns: Int

  /// A size.
  package init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }
}

/// What a terminal can show.
package struct TerminalCapabilities: Hashable, Sendable {
  /// How many colours.
  package enum ColourDepth: Int, Hashable, Sendable, Comparable, CaseIterable {
    /// No colour, 16 colours, the 256-colour palette, 24-bit colour.
    case mono, sixteen, indexed256, trueColour

    /// Fewer colours first.
    package static func < (one: ColourDepth, other: ColourDepth) -> Bool { one.rawValue < other.rawValue }
  }

  /// How many colours.
  package var colourDepth: ColourDepth
  /// Whether block elements and other characters outside ASCII can be shown.
  package var showsUnicode: Bool
  /// Height of a cell divided by its width, about 2.
  package var cellAspect: Double

  /// Capabilities.
  package init(colourDepth: ColourDepth, showsUnicode: Bool, cellAspect: Double = 2) {
    self.colourDepth = colourDepth
    self.showsUnicode = showsUnicode
    self.cellAspect = cellAspect
  }
}
