import CPNG
import Foundation
import Pictures
import Testing
import Volumes
import Work

/// The pixels of a PNG file as libpng reads them: width, height, and red, green and blue of each.
func decoded(_ png: Data) throws -> (width: Int, height: Int, bytes: [UInt8]) {
  struct Unreadable: Error {}
  var image = png_image()
  image.version = png_uint_32(PNG_IMAGE_VERSION)
  return try png.withUnsafeBytes { file in
    guard png_image_begin_read_from_memory(&image, file.baseAddress, file.count) != 0 else {
      throw Unreadable()
    }
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    var bytes = [UInt8](repeating: 0, count: 3 * Int(image.width) * Int(image.height))
    guard png_image_finish_read(&image, nil, &bytes, 0, nil) != 0 else { throw Unreadable() }
    return (Int(image.width), Int(image.height), bytes)
  }
}

@Test(
  "a PNG file has every pixel of its picture, also where nothing compresses",
  arguments: [(1, 1), (37, 21), (300, 200)])
func pngRoundTrip(width: Int, height: Int) throws {
  var random = SplitMix64(seed: UInt64(width))
  var picture = Picture(width: width, height: height)
  for y in 0..<height {
    for x in 0..<width {
      let bits = random.next()
      picture[x, y] = RGBColour(
        UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8),
        UInt8(truncatingIfNeeded: bits >> 16))
    }
  }
  let read = try decoded(try picture.png(subject: "p.png"))
  #expect(read.width == width)
  #expect(read.height == height)
  #expect(read.bytes == picture.bytes)
}

@Test("a picture without pixels, or with more than programs open, is refused with its size")
func pngRefusals() {
  #expect(
    throws: InputError(
      "p.png", "cannot be a PNG picture", found: "0x5 pixels", expected: "1 to 32767 along each side")
  ) { try Picture(width: 0, height: 5).png(subject: "p.png") }
  #expect(
    throws: InputError(
      "p.png", "cannot be a PNG picture", found: "1x32768 pixels", expected: "1 to 32767 along each side")
  ) { try Picture(width: 1, height: 32_768).png(subject: "p.png") }
}
