import Pictures
import Volumes

/// A picture with a character for each pixel, rows from the top; a colour without a character is "?".
func drawing(_ picture: Picture, _ characters: [RGBColour: Character]) -> [String] {
  (0..<picture.height).map { y in
    String((0..<picture.width).map { x in characters[picture[x, y]] ?? "?" })
  }
}

let black = RGBColour(0, 0, 0)
let white = RGBColour(255, 255, 255)
