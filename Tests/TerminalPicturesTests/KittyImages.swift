import CZlib
import Screen

/// The images of a terminal with the graphics protocol of kitty.
struct KittyImages {
  struct Image {
    var pixels: PixelBuffer
    /// The cells over which it is stretched.
    var rows, columns: Int
    /// Where it is placed; nil for images that placeholders show.
    var place: ScreenCell?
    var level: Int
  }

  /// A cell of an image.
  struct Part: Hashable {
    var id, row, column: Int
  }

  struct Fault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  /// The marks of rows and columns from 0 on, from kitty's table.
  static let diacritics: [Unicode.Scalar] =
    ([
      0x305, 0x30D, 0x30E, 0x310, 0x312, 0x33D, 0x33E, 0x33F, 0x346, 0x34A, 0x34B, 0x34C, 0x350, 0x351, 0x352,
      0x357,
      0x35B, 0x363,
    ] as [UInt32]).compactMap(Unicode.Scalar.init)

  private var images: [Int: Image] = [:]
  /// The keys and the data of an image whose last chunk has not come.
  private var unfinished: (keys: [String: String], data: [UInt8])?

  func image(_ id: Int) -> Image? { images[id] }

  var ids: [Int] { images.keys.sorted() }

  /// The images that are placed over cells.
  var placed: [(id: Int, area: Rectangle)] {
    images.sorted { $0.key < $1.key }.compactMap { id, image in
      image.place.map {
        (id, Rectangle(row: $0.row, column: $0.column, rows: image.rows, columns: image.columns))
      }
    }
  }

  /// Puts an image of another program into the terminal.
  mutating func add(_ id: Int, _ image: Image) { images[id] = image }

  /// Performs a command; true if it completed an image.
  mutating func perform(_ command: ArraySlice<UInt8>, at cursor: ScreenCell) throws -> Bool {
    let parts = command.split(separator: UInt8(ascii: ";"), maxSplits: 1, omittingEmptySubsequences: false)
    var keys: [String: String] = [:]
    for pair in String(decoding: parts[0], as: UTF8.self).split(separator: ",") {
      let words = pair.split(separator: "=")
      guard words.count == 2 else { throw Fault("key \(pair)") }
      keys[String(words[0])] = String(words[1])
    }
    let payload = parts.count > 1 ? parts[1] : []
    guard payload.count <= 4096 else { throw Fault("a chunk of \(payload.count) bytes") }
    guard keys["q"] == "2" else { throw Fault("a command that is answered") }
    if keys["a"] == "d" {
      try delete(keys)
      return false
    }
    if keys["a"] != nil, unfinished != nil { throw Fault("an image that ends early") }
    var (first, data) = unfinished ?? (keys, [])
    first["m"] = keys["m"]
    guard data.count % 3 == 0 else { throw Fault("a chunk that is not a multiple of 4 bytes") }
    data += try Self.base64(payload)
    unfinished = (first, data)
    guard keys["m"] != "1" else { return false }
    unfinished = nil
    try show(first, data, at: cursor)
    return true
  }

  private mutating func show(_ keys: [String: String], _ data: [UInt8], at cursor: ScreenCell) throws {
    func number(_ key: String) throws -> Int {
      guard let number = keys[key].flatMap({ Int($0) }) else { throw Fault("no key \(key)") }
      return number
    }
    guard keys["a"] == "T", keys["f"] == "100", keys["p"] == "1" else { throw Fault("keys \(keys)") }
    guard keys["U"] == "1" || keys["C"] == "1" else { throw Fault("the cursor moves") }
    images[try number("i")] = Image(
      pixels: try decodePNG(data), rows: try number("r"), columns: try number("c"),
      place: keys["U"] == "1" ? nil : cursor, level: keys["z"].flatMap { Int($0) } ?? 0)
  }

  private mutating func delete(_ keys: [String: String]) throws {
    func number(_ key: String) throws -> Int {
      guard let number = keys[key].flatMap({ Int($0) }) else { throw Fault("no key \(key)") }
      return number
    }
    switch keys["d"] {
    case "I":
      let id = try number("i")
      if images.removeValue(forKey: id) == nil { throw Fault("image \(id) is removed and does not exist") }
    case "Z":
      let level = try number("z")
      images = images.filter { $0.value.place == nil || $0.value.level != level }
    case "R":
      let range = try number("x")...number("y")
      images = images.filter { !range.contains($0.key) }
    default: throw Fault("removal \(keys)")
    }
  }

  private static func base64(_ text: ArraySlice<UInt8>) throws -> [UInt8] {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    guard text.count % 4 == 0 else { throw Fault("base 64 of \(text.count) letters") }
    let padding = text.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
    var (bytes, group, letterCount): ([UInt8], Int, Int) = ([], 0, 0)
    for letter in text {
      guard let value = letter == UInt8(ascii: "=") ? 0 : letters.firstIndex(of: letter) else {
        throw Fault("letter \(letter)")
      }
      group = group << 6 | value
      letterCount += 1
      if letterCount % 4 == 0 {
        bytes += [UInt8(group >> 16 & 255), UInt8(group >> 8 & 255), UInt8(group & 255)]
        group = 0
      }
    }
    return bytes.dropLast(padding)
  }
}

/// The picture of a PNG file of 8 bits: grey, palette or RGB, with filters 0 to 3.
private func decodePNG(_ file: [UInt8]) throws -> PixelBuffer {
  typealias Fault = KittyImages.Fault
  guard file.starts(with: [137, 80, 78, 71, 13, 10, 26, 10]) else { throw Fault("no PNG file") }
  func number(_ at: Int) -> Int { file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
  var (at, width, height, type) = (8, 0, 0, 0)
  var (palette, deflated): ([UInt8], [UInt8]) = ([], [])
  while at + 12 <= file.count {
    let length = number(at)
    let content = Array(file[at + 8..<at + 8 + length])
    let checksum = Array(file[at + 4..<at + 8 + length]).withUnsafeBufferPointer {
      crc32(0, $0.baseAddress, UInt32($0.count))
    }
    guard Int(checksum) == number(at + 8 + length) else { throw Fault("checksum of a chunk") }
    switch String(decoding: file[at + 4..<at + 8], as: UTF8.self) {
    case "IHDR":
      (width, height, type) = (number(at + 8), number(at + 12), Int(content[9]))
      guard content[8] == 8, content[10...] == [0, 0, 0] else { throw Fault("header \(content)") }
    case "PLTE": palette = content
    case "IDAT": deflated += content
    case "IEND": at = file.count
    case let name: throw Fault("chunk \(name)")
    }
    at += 12 + length
  }
  let bytesPerPixel = type == 2 ? 3 : 1
  var rows = [UInt8](repeating: 0, count: (width * bytesPerPixel + 1) * height)
  var count = uLongf(rows.count)
  guard uncompress(&rows, &count, deflated, uLong(deflated.count)) == Z_OK, Int(count) == rows.count else {
    throw Fault("deflated data")
  }
  var values = [UInt8](repeating: 0, count: width * bytesPerPixel * height)
  let rowLength = width * bytesPerPixel
  for y in 0..<height {
    let filter = rows[y * (rowLength + 1)]
    for x in 0..<rowLength {
      let before = x < bytesPerPixel ? 0 : values[y * rowLength + x - bytesPerPixel]
      let above = y == 0 ? 0 : values[(y - 1) * rowLength + x]
      let predictions = [0, before, above, UInt8((Int(before) + Int(above)) / 2)]
      guard filter < predictions.count else { throw Fault("filter \(filter)") }
      values[y * rowLength + x] = rows[y * (rowLength + 1) + 1 + x] &+ predictions[Int(filter)]
    }
  }
  var picture = PixelBuffer(width: width, height: height)
  for pixel in 0..<width * height {
    switch type {
    case 0: picture.pixels[pixel] = RGB(grey: values[pixel])
    case 2: picture.pixels[pixel] = RGB(values[3 * pixel], values[3 * pixel + 1], values[3 * pixel + 2])
    default:
      let entry = 3 * Int(values[pixel])
      guard entry + 2 < palette.count else { throw Fault("colour \(entry / 3) of \(palette.count / 3)") }
      picture.pixels[pixel] = RGB(palette[entry], palette[entry + 1], palette[entry + 2])
    }
  }
  return picture
}
