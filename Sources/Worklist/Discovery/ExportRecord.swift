import Foundation
import Work

/// What the record beside a mask says that the program wrote.
struct ExportRecord: Equatable {
  /// The file name of the image that the mask was made from; nil where the record does not say.
  private(set) var imageName: String?
  /// The name of the folder of this image; nil where the record does not say.
  private var imageFolderName: String?
  /// The choice of the image's series, where its file holds several.
  private(set) var series: String?
  /// Whether the mask was exported from a review.
  let isFromReview: Bool

  private static let maximumByteCount = 1 << 20

  /// The record's path, for the path of its mask without the suffix.
  static func path(besideMask stem: String) -> String { stem + ".json" }

  /// The record `NAME.json` beside the mask with this path without its suffix; nil where there is none of the program.
  ///
  /// The file is not registered in `ReadFiles`: a reader may export the mask again, which replaces both.
  init?(besideMask stem: String) {
    let file = Self.path(besideMask: stem)
    let content = try? ReadFiles.withoutRegistering { () throws(InputError) in
      try FileSystem.read(file, limit: Self.maximumByteCount)
    }
    guard let data = content,
      let value = String(textOf: data).flatMap({ JSONValue($0) }),
      case .string(let tool)? = value[key: "tool"], tool.hasPrefix("segdeck")
    else { return nil }
    if case .string(let path)? = value[key: "input"]?[key: "path"] {
      imageName = FilePath.name(of: path)
      imageFolderName = FilePath.name(of: FilePath.folder(of: path))
    }
    if case .string(let series)? = value[key: "input"]?[key: "choice"]?[key: "series"] {
      self.series = series
    }
    if case .object? = value[key: "review"] { isFromReview = true } else { isFromReview = false }
  }

  /// Whether the mask is what a review exported beside its image, or beside the image's folder: a copy of a reader's
  /// choice, which is no version to choose from.
  ///
  /// Where a reader put it in a folder of masks, it is one.
  ///
  /// - Parameter names: The names of the files and folders that lie beside the mask.
  func isReviewExport(beside names: Set<String>) -> Bool {
    isFromReview
      && [imageName, imageFolderName].contains { $0.map { !$0.isEmpty && names.contains($0) } ?? false }
  }
}
