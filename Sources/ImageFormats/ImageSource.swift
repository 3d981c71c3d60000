import Volumes

/// The header fields with which a file stated its grid; only its own format can interpret them.
///
/// A mask of the image copies them where it is written in the same format.
package protocol StatedHeader: Hashable, Sendable {
  /// The fields for a mask of one frame (time point, channel) of the image, counted from 0; by default those of all
  /// frames.
  func ofFrame(_ frame: Int) -> Self
}

extension StatedHeader {
  package func ofFrame(_ frame: Int) -> Self { self }
}

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

  /// The source of a mask of one frame of the image, counted from 0; as it was read, it is that of frame 0.
  package func ofFrame(_ frame: Int) -> ImageSource {
    func source(_ header: some StatedHeader) -> ImageSource {
      ImageSource(grid: grid, header: header.ofFrame(frame))
    }
    return if let header { source(header) } else { self }
  }

  package static func == (one: ImageSource, other: ImageSource) -> Bool {
    one.grid == other.grid && one.comparableHeader == other.comparableHeader
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(grid)
    hasher.combine(comparableHeader)
  }

  private var comparableHeader: AnyHashable? { header.map { AnyHashable($0) } }
}
