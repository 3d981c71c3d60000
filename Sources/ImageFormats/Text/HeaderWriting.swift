import Volumes

/// Numbers as headers of text state them: the shortest digits that give the same number again.
func headerText(_ numbers: [Double], separator: String = " ") -> String {
  numbers.map { number in
    let text = "\(number)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }.joined(separator: separator)
}
