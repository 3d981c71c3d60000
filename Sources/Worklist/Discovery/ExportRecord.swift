import Foundation
import Work

/// What the record beside a mask says that the program wrote.
struct ExportRecord {
  /// The file name of the image that the mask was made from; nil where the record does not say.
  private(set) var imageName: String?
  /// The choice of the image's series, where its file holds several.
  private(set) var series: String?
  /// Whether the mask was exported from a review.
  let isFromReview: Bool

  private static let maximumByteCount = 1 << 20

  /// The record `NAME.json` beside the mask with this path without its suffix; nil where there is none of the program.
  init?(besideMask stem: String) {
    guard let data = try? FileSystem.read(stem + ".json", limit: Self.maximumByteCount),
      let value = String(textOf: data).flatMap({ JSONValue($0) }),
      case .string(let tool)? = value[key: "tool"], tool.hasPrefix("segdeck")
    else { return nil }
    if case .string(let path)? = value[key: "input"]?[key: "path"] { imageName = FilePath.name(of: path) }
    if case .string(let series)? = value[key: "input"]?[key: "choice"]?[key: "series"] {
      self.series = series
    }
    if case .object? = value[key: "review"] { isFromReview = true } else { isFromReview = false }
  }
}
