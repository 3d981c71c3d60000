import Screen
import TerminalPictures

/// A frame whose pictures are cells, as a terminal with these capabilities shows it at first.
func shown(_ frame: Frame, _ capabilities: TerminalCapabilities) -> Frame {
  var encoder = pictureEncoder(for: capabilities)
  var shown = frame
  shown.cells = encoder.encode(frame).cells
  shown.pictures = []
  return shown
}
