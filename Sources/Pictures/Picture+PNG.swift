import CPNG
import Foundation
import Work

extension Picture {
  /// The maximum width and height of a PNG file that common programs open, in pixels.
  package static let maximumExtent = 32_767

  /// The picture as a PNG file.
  /// - Parameter subject: The file that the error names.
  /// - Throws: ``InputError`` when the picture has no pixel or more than ``maximumExtent`` along a side, and when
  ///   libpng fails.
  package func png(subject: String) throws(InputError) -> Data {
    let extents = 1...Self.maximumExtent
    guard extents.contains(width), extents.contains(height) else {
      throw InputError(
        subject, "cannot be a PNG picture", found: "\(width)x\(height) pixels",
        expected: "1 to \(Self.maximumExtent) along each side")
    }
    // Data that does not compress becomes a little larger. Where this capacity does not suffice, libpng returns the one
    // that does.
    var capacity = png_alloc_size_t(bytes.count + bytes.count / 256 + 4096)
    for _ in 0..<2 {
      var image = png_image()
      image.version = png_uint_32(PNG_IMAGE_VERSION)
      image.width = png_uint_32(width)
      image.height = png_uint_32(height)
      image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
      var file = Data(count: Int(capacity))
      var count = capacity
      let isWritten = file.withUnsafeMutableBytes { file in
        png_image_write_to_memory(&image, file.baseAddress, &count, 0, bytes, 0, nil) != 0
      }
      if isWritten { return file.prefix(Int(count)) }
      guard count > capacity else { break }
      capacity = count
    }
    throw InputError(subject, "cannot be made a PNG picture")
  }
}
