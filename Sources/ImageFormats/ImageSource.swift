import Volumes

/// The header fields with which a file stated its grid; only its own format can interpret them.
///
/// A mask of the image copies them where it is written in the same format.
package protocol StatedHeader: Hashable, Sendable {}

/// The grid of an image and, where it was read from a file, the header fields that state it.
package struct ImageSource: Hashable, Sendable {
  /// The grid, in millimetres.
  package var grid: VolumeGrid
  private let header: (any StatedHeader)?

  /// The grid of an image that no file states.
  package init(grid: VolumeGrid) {
    self.grid = grid
    header = nil
  }

  /// The grid of an image, and the fields of its header.
  package init(grid: VolumeGrid, header: some StatedHeader) {
    self.grid = grid
    self.header = header
  }

  /// The fields of the header; nil where they are another format's, and where no file states the grid.
  package func header<Header: StatedHeader>(_: Header.Type) -> Header? { header as? Header }

  package static func == (one: ImageSource, other: ImageSource) -> Bool {
    one.grid == other.grid && one.comparableHeader == other.comparableHeader
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(grid)
    hasher.combine(comparableHeader)
  }

  private var comparableHeader: AnyHashable? { header.map { AnyHashable($0) } }
}
