import CTerminal
import Screen

extension TerminalEvent {
  /// The event of the C interface; nil for no event, for a wake, and for unknown events.
  init?(_ event: terminal_event) {
    switch terminal_event_kind(UInt32(event.kind)) {
    case TERMINAL_EVENT_CHARACTER:
      guard let key = Key(scalarValue: event.code) else { return nil }
      self = .key(key)
    case TERMINAL_EVENT_NAMED:
      guard let key = Key(named: terminal_key(UInt32(event.code))) else { return nil }
      self = .key(key)
    case TERMINAL_EVENT_FUNCTION:
      self = .key(.function(Int(event.code)))
    case TERMINAL_EVENT_MOUSE:
      guard let action = MouseEvent.Action(terminal_mouse_action(UInt32(event.action))) else { return nil }
      self = .mouse(
        MouseEvent(
          action: action, button: Int(event.button),
          cell: ScreenCell(row: Int(event.row), column: Int(event.column)),
          point: ScreenPoint(row: event.point_row, column: event.point_column),
          isControlHeld: event.control != 0)
      )
    case TERMINAL_EVENT_PASTE: self = .paste(String(scalarsOf: event))
    case TERMINAL_EVENT_RESIZE:
      self = .resize(rows: Int(event.row), columns: Int(event.column))
    case TERMINAL_EVENT_END: self = .end
    default:
      return nil
    }
  }
}

extension String {
  /// The text of an event.
  init(scalarsOf event: terminal_event) {
    let values = UnsafeBufferPointer(start: event.text, count: Int(event.code))
    self.init(String.UnicodeScalarView(values.compactMap(Unicode.Scalar.init)))
  }
}

extension Key {
  /// The key of a character; a control character is Control and its letter.
  fileprivate init?(scalarValue: Int32) {
    guard let scalar = Unicode.Scalar(UInt32(bitPattern: scalarValue)) else { return nil }
    if (1...26).contains(scalarValue), let letter = Unicode.Scalar(UInt32(scalarValue) + 0x60) {
      self = .control(Character(letter))
    } else if scalarValue >= 32, !(127...159).contains(scalarValue) {
      self = .character(Character(scalar))
    } else {
      return nil
    }
  }

  fileprivate init?(named name: terminal_key) {
    switch name {
    case TERMINAL_KEY_UP: self = .up
    case TERMINAL_KEY_DOWN: self = .down
    case TERMINAL_KEY_LEFT: self = .left
    case TERMINAL_KEY_RIGHT: self = .right
    case TERMINAL_KEY_PAGE_UP: self = .pageUp
    case TERMINAL_KEY_PAGE_DOWN: self = .pageDown
    case TERMINAL_KEY_HOME: self = .home
    case TERMINAL_KEY_END: self = .end
    case TERMINAL_KEY_ENTER: self = .enter
    case TERMINAL_KEY_ESCAPE: self = .escape
    case TERMINAL_KEY_TAB: self = .tab
    case TERMINAL_KEY_BACK_TAB: self = .backTab
    case TERMINAL_KEY_BACKSPACE: self = .backspace
    case TERMINAL_KEY_DELETE: self = .delete
    default: return nil
    }
  }
}

extension MouseEvent.Action {
  fileprivate init?(_ action: terminal_mouse_action) {
    switch action {
    case TERMINAL_MOUSE_PRESS: self = .press
    case TERMINAL_MOUSE_DRAG: self = .drag
    case TERMINAL_MOUSE_RELEASE: self = .release
    case TERMINAL_MOUSE_WHEEL_UP: self = .wheelUp
    case TERMINAL_MOUSE_WHEEL_DOWN: self = .wheelDown
    default: return nil
    }
  }
}
