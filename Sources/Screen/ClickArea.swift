/// What a click means.
package enum ClickTarget: Hashable, Sendable {
  /// The action of the key in the context that has the focus.
  case key(Key)
  /// The action of the key in the picture, whatever has the focus.
  case pictureKey(Key)
  /// An entry of a list, counted from 0; `opening` is the key that focuses the list, nil where it has the focus.
  case entry(Int, opening: Key?)
  /// A way to complete the line that is being typed, counted from 0.
  case candidate(Int)
  /// The label with this value of the one of two versions that is not shown.
  case labelOfOther(Int)
  /// A heading of a table that is sorted by it, counted from 0.
  case heading(Int)
}

/// A part of the screen that can be clicked.
package struct ClickArea: Hashable, Sendable {
  /// The cells.
  package var area: Rectangle
  /// What a click there means.
  package var target: ClickTarget

  /// A part of the screen.
  package init(_ area: Rectangle, _ target: ClickTarget) {
    self.area = area
    self.target = target
  }
}

extension Frame {
  /// What a click on a cell means, by what was drawn there last; nil for nothing.
  package func clickTarget(at cell: ScreenCell) -> ClickTarget? {
    clickAreas.last { $0.area.contains(cell) }?.target
  }
}
