import Work

/// One of several equal parts of a list: case 1, N + 1, 2 N + 1 and so on are the first of N.
package struct CohortShare: Equatable, Sendable {
  package let number, count: Int

  /// Reads "K/N", with K from 1 to N.
  /// - Throws: ``InputError`` for any other text.
  package init(_ text: String) throws(InputError) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let number = parts[0], let count = parts[1], count > 0,
      (1...count).contains(number)
    else {
      throw InputError(
        "--share", "is no part of a list", found: text, expected: "K/N with K from 1 to N, as in 2/8")
    }
    (self.number, self.count) = (number, count)
  }

  /// The elements of this part, in order.
  package func of<Element>(_ elements: [Element]) -> [Element] {
    elements.enumerated().filter { $0.offset % count == number - 1 }.map(\.element)
  }
}
