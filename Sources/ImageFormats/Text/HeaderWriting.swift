import Volumes

/// Numbers for a text header, with the fewest digits that give the same numbers again.
func headerText(_ numbers: [Double], separator: String = " ") -> String {
  numbers.map { number in
    let text = "\(number)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }.joined(separator: separator)
}
