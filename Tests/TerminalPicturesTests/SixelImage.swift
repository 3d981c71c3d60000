import Screen

/// An image of a sixel sequence.
struct SixelImage {
  let width, height: Int
  /// Row by row; nil where the image sets no pixel.
  private(set) var pixels: [RGB?]

  struct Fault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  /// Decodes what is between the introduction and the end of the sequence.
  init(_ content: ArraySlice<UInt8>, registerLimit: Int) throws {
    guard let start = content.firstIndex(of: UInt8(ascii: "q")) else { throw Fault("no sixel sequence") }
    let parameters = String(decoding: content[..<start], as: UTF8.self).split(separator: ";")
    guard parameters.count == 3, parameters[1] == "1" else { throw Fault("parameters \(parameters)") }
    var reader = Reader(rest: content[(start + 1)...])
    guard reader.take() == UInt8(ascii: "\"") else { throw Fault("no raster attributes") }
    let raster = reader.numbers()
    guard raster.count == 4, raster[0] == 1, raster[1] == 1 else { throw Fault("raster \(raster)") }
    (width, height) = (raster[2], raster[3])
    guard max(width, height) <= 1000 else {
      throw Fault("\(width) x \(height) pixels, which xterm does not show")
    }
    pixels = [RGB?](repeating: nil, count: width * height)
    var registers: [Int: RGB] = [:]
    var (x, top, colour): (Int, Int, RGB?) = (0, 0, nil)
    while let byte = reader.take() {
      switch byte {
      case UInt8(ascii: "#"):
        let numbers = reader.numbers()
        guard let register = numbers.first, register < registerLimit else {
          throw Fault("register \(numbers)")
        }
        if numbers.count == 5, numbers[1] == 2, numbers[2...].allSatisfy({ $0 <= 100 }) {
          let values = numbers[2...].map { UInt8(($0 * 255 + 50) / 100) }
          registers[register] = RGB(values[0], values[1], values[2])
        } else if numbers.count == 1, let known = registers[register] {
          colour = known
        } else {
          throw Fault("colour \(numbers)")
        }
      case UInt8(ascii: "$"): x = 0
      case UInt8(ascii: "-"):
        top += 6
        x = 0
        guard top < height else { throw Fault("a band below the image") }
      case UInt8(ascii: "!"):
        let numbers = reader.numbers()
        guard numbers.count == 1, (1...255).contains(numbers[0]), let sixel = reader.take() else {
          throw Fault("repeat \(numbers)")
        }
        try draw(sixel, numbers[0], &x, top: top, colour)
      default: try draw(byte, 1, &x, top: top, colour)
      }
    }
  }

  private mutating func draw(_ sixel: UInt8, _ count: Int, _ x: inout Int, top: Int, _ colour: RGB?) throws {
    guard (63...126).contains(sixel), let colour, x + count <= width else {
      throw Fault("sixel \(sixel), \(count) times at \(x) of \(width)")
    }
    for row in 0..<6 where (sixel - 63) >> UInt8(row) & 1 == 1 {
      guard top + row < height else { throw Fault("a pixel below the image") }
      for column in x..<x + count { pixels[(top + row) * width + column] = colour }
    }
    x += count
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func take() -> UInt8? { rest.popFirst() }

    mutating func numbers() -> [Int] {
      let text = rest.prefix { (48...57).contains($0) || $0 == UInt8(ascii: ";") }
      rest = rest.dropFirst(text.count)
      return String(decoding: text, as: UTF8.self).split(separator: ";").compactMap { Int($0) }
    }
  }
}
