/// Suggestions for mistyped names.
enum NameSuggestion {
  /// The nearest of `names` by edit distance, or the only one with the prefix `word`; nil when there is none.
  ///
  /// The distance must be at most 2 and less than half of the name's length, and the prefix at least 3 letters.
  static func nearest(to word: String, among names: [String]) -> String? {
    let word = word.lowercased()
    let nearest = names.map { ($0, editDistance($0, word)) }.min { $0.1 < $1.1 }
    if let (name, errors) = nearest, errors <= 2, 2 * errors < name.count { return name }
    let begun = names.filter { word.count >= 3 && $0.hasPrefix(word) }
    return begun.count == 1 ? begun[0] : nil
  }

  /// The edit distance (optimal string alignment): insertions, deletions, substitutions and swaps of neighbours.
  /// - Complexity: O(length of `one` · length of `other`).
  private static func editDistance(_ one: String, _ other: String) -> Int {
    let (first, second) = (Array(one), Array(other))
    // A long path is no mistyped word and is not compared.
    guard second.count <= 2 * first.count + 4 else { return second.count }
    var table = [[Int]](repeating: Array(0...second.count), count: first.count + 1)
    for row in 0...first.count { table[row][0] = row }
    for row in first.indices {
      for column in second.indices {
        let isSame = first[row] == second[column]
        var distance = min(
          table[row][column] + (isSame ? 0 : 1), table[row][column + 1] + 1, table[row + 1][column] + 1)
        let isSwap =
          row > 0 && column > 0 && first[row] == second[column - 1] && first[row - 1] == second[column]
        if isSwap { distance = min(distance, table[row - 1][column - 1] + 1) }
        table[row + 1][column + 1] = distance
      }
    }
    return table[first.count][second.count]
  }
}
