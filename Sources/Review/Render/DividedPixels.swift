/// The numbers of two versions' layers where each pixel shows one of them.
struct DividedPixels: Sendable {
  /// The numbers of each version; 0 in the pixels of the other one.
  private(set) var shown, other: [UInt16]
  /// 1 in the pixels of the other version, else 0.
  private(set) var isOther: [UInt16]

  /// Divides the pixels of a pane as a comparison view does.
  init(_ shown: [UInt16], _ other: [UInt16], _ view: ComparisonView, _ pane: ComparedPane) {
    self.shown = shown
    self.other = [UInt16](repeating: 0, count: other.count)
    isOther = self.other
    for y in 0..<pane.height {
      for columns in view.columnsOfOther(inRow: y, of: pane) {
        let pixels = y * pane.width + columns.lowerBound..<y * pane.width + columns.upperBound
        for pixel in pixels {
          self.shown[pixel] = 0
          self.other[pixel] = other[pixel]
          isOther[pixel] = 1
        }
      }
    }
  }
}
