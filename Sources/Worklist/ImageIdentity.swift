import Work

/// What identifies the image of a case that is in no list: its absolute path and the choice of its series.
struct ImageIdentity: Hashable, Sendable {
  var path: String
  /// The choice of one of several series in the file or folder; nil for none.
  var series: String?

  /// - Parameter folder: The folder that a relative path is in.
  init(_ path: String, series: String?, in folder: String = "") {
    self.path = FilePath.absolute(path.hasPrefix("/") ? path : FilePath.joined(folder, path))
    self.series = series
  }
}

extension WorklistCase {
  /// What identifies the image that is shown.
  var imageIdentity: ImageIdentity { ImageIdentity(images.first ?? "", series: series) }

  /// A name for an image that is added to cases: `name` or, where other images have it, with as many of its folders as
  /// tell them apart, "tue/scan".
  ///
  /// A further series of one file gets a number.
  /// - Parameter isTaken: Whether a name belongs to another image.
  package static func name(
    _ name: String, ofImage path: String, isFurtherSeries: Bool, isTaken: (String) -> Bool
  ) -> String {
    let folders = FilePath.folder(of: FilePath.absolute(path)).split(separator: "/")
    let longer = (1...max(1, folders.count)).map { (folders.suffix($0) + [name[...]]).joined(separator: "/") }
    let candidates = isFurtherSeries ? [name] : [name] + longer
    return candidates.first { !isTaken($0) } ?? freeName(name, isTaken: isTaken)
  }
}
