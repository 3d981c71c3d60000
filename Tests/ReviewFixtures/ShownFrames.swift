import Review
import Screen
import TerminalPictures

/// The frame of a state as its terminal shows it, with pictures as cells.
package func shown(_ state: ReviewState) -> Frame { render(state).withPicturesAsCells(state.capabilities) }

/// The frame of a session as its terminal shows it, with pictures as cells.
package func shown(_ session: SessionState) -> Frame {
  render(session).withPicturesAsCells(session.capabilities)
}

extension Frame {
  fileprivate func withPicturesAsCells(_ capabilities: TerminalCapabilities) -> Frame {
    var encoder = pictureEncoder(for: capabilities)
    var shown = self
    shown.cells = encoder.encode(self).cells
    shown.pictures = []
    return shown
  }
}
