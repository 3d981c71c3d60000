/// A key as the terminal sends it.
package enum Key: Hashable, Sendable {
  /// A printable character; control characters are ``Key/control(_:)``.
  case character(Character)
  /// Control and a lower-case letter.
  case control(Character)
  /// Named keys.
  case up, down, left, right, pageUp, pageDown, home, end, enter, escape, tab, backTab, backspace, delete
  /// A function key, F1 is 1.
  case function(Int)
}

/// A mouse event that the terminal reported.
package struct MouseEvent: Hashable, Sendable {
  package enum Action: Hashable, Sendable { case press, drag, release, wheelUp, wheelDown }
  package var action: Action
  /// 1 left, 2 middle, 3 right, 0 for the wheel.
  package var button: Int
  /// The cell under the mouse.
  package var cell: ScreenCell
  /// The point under the mouse: in the middle of the cell, unless the terminal reports pixels.
  package var point: ScreenPoint
  /// Whether Control was held.
  package var isControlHeld: Bool

  package init(
    action: Action, button: Int, cell: ScreenCell, point: ScreenPoint? = nil, isControlHeld: Bool = false
  ) {
    self.action = action
    self.button = button
    self.cell = cell
    self.point = point ?? ScreenPoint(middleOf: cell)
    self.isControlHeld = isControlHeld
  }
}

/// One event of a terminal: input, or a change of the terminal itself.
package enum TerminalEvent: Hashable, Sendable {
  case key(Key)
  /// The mouse moved or a button changed.
  case mouse(MouseEvent)
  /// Text was pasted as a whole.
  case paste(String)
  /// The screen has a new size.
  case resize(rows: Int, columns: Int)
  /// The terminal can show more, or less, than was known.
  case capabilities(TerminalCapabilities)
  /// The terminal has processed a frame, and everything that was sent before it.
  case shown
  /// The process is asked to end, or the terminal is gone.
  case end
}
