import Foundation
import Volumes
import Work

/// A font of 6x13 pixels for captions.
package enum BitmapFont {
  /// Pixels of a character.
  package static let width = 6
  package static let height = 13

  /// The rows of each glyph from the top, six bits each, the left pixel the highest; by code point.
  private static let glyphs: [UInt32: [UInt8]] = {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    let values = Dictionary(uniqueKeysWithValues: alphabet.enumerated().map { ($1, UInt8($0)) })
    var glyphs: [UInt32: [UInt8]] = [:]
    for line in glyphLines.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard var codePoint = words.first.flatMap({ UInt32($0, radix: 16) }) else { continue }
      for word in words.dropFirst() {
        glyphs[codePoint] = word.utf8.map { values[$0] ?? 0 }
        codePoint += 1
      }
    }
    return glyphs
  }()

  /// The replacement character, which stands for what has no glyph.
  private static let replacement: UInt32 = 0xfffd

  /// The rows of a character, of which composed letters count as one.
  static func rows(of character: Character) -> [UInt8] {
    let scalar = String(character).precomposedStringWithCanonicalMapping.unicodeScalars.first
    return scalar.flatMap { glyphs[$0.value] } ?? glyphs[replacement] ?? []
  }

  /// Pixels from the left to the right end of a text, whose controls take no room.
  package static func width(of text: String) -> Int { width * text.printableLine.count }

  /// The text, cut with "…" where it is wider than so many pixels.
  package static func shortened(_ text: String, to pixels: Int) -> String {
    let count = max(0, pixels) / width
    return text.count <= count ? text : String(text.prefix(max(0, count - 1))) + (count > 0 ? "…" : "")
  }
}

extension Picture {
  /// Writes a text on one line, without controls, with its upper left corner at a column and row.
  package mutating func write(_ text: String, x: Int, y: Int, colour: RGBColour) {
    for (place, character) in text.printableLine.enumerated() {
      for (row, bits) in BitmapFont.rows(of: character).enumerated() {
        for column in 0..<BitmapFont.width where bits >> UInt8(BitmapFont.width - 1 - column) & 1 == 1 {
          self[x + place * BitmapFont.width + column, y + row] = colour
        }
      }
    }
  }

  /// Writes a text that is legible on any ground: with a black rim.
  mutating func writeRimmed(_ text: String, x: Int, y: Int, colour: RGBColour) {
    for (right, down) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
      write(text, x: x + right, y: y + down, colour: RGBColour(0, 0, 0))
    }
    write(text, x: x, y: y, colour: colour)
  }
}
