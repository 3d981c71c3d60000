import Foundation
import Volumes
import Work

/// A font of 6x13 pixels for captions.
package enum BitmapFont {
  /// The size of a character in pixels.
  package static let width = 6
  package static let height = 13

  /// The rows of each glyph from top to bottom, by code point: six bits each, the left pixel in the highest bit.
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

  /// The replacement character, which is drawn for characters without a glyph.
  private static let replacement: UInt32 = 0xfffd

  /// The rows of a character's glyph; a letter with combining marks has the glyph of its precomposed form.
  static func rows(of character: Character) -> [UInt8] {
    let scalar = String(character).precomposedStringWithCanonicalMapping.unicodeScalars.first
    return scalar.flatMap { glyphs[$0.value] } ?? glyphs[replacement] ?? []
  }

  /// The width of a text on one line in pixels; control characters are left out.
  package static func width(of text: String) -> Int { width * text.printableLine.count }

  /// The text, truncated with "…" where it is wider than `pixels`.
  package static func shortened(_ text: String, to pixels: Int) -> String {
    let count = max(0, pixels) / width
    return text.count <= count ? text : String(text.prefix(max(0, count - 1))) + (count > 0 ? "…" : "")
  }
}

extension Picture {
  /// Writes a text on one line, without controls, with its upper left corner at a column and row.
  package mutating func write(_ text: String, x: Int, y: Int, colour: RGBColour) {
    for (position, character) in text.printableLine.enumerated() {
      for (row, bits) in BitmapFont.rows(of: character).enumerated() {
        for column in 0..<BitmapFont.width where bits >> UInt8(BitmapFont.width - 1 - column) & 1 == 1 {
          self[x + position * BitmapFont.width + column, y + row] = colour
        }
      }
    }
  }

  /// Writes a text with a black outline, so that it is legible on any background.
  mutating func writeOutlined(_ text: String, x: Int, y: Int, colour: RGBColour) {
    for (right, down) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
      write(text, x: x + right, y: y + down, colour: RGBColour(0, 0, 0))
    }
    write(text, x: x, y: y, colour: colour)
  }
}
