/// The codes of a canonical Huffman tree, as deflated data (RFC 1951) has them.
struct HuffmanCode {
  /// The length of each symbol's code in bits; 0 for symbols without one.
  let lengths: [UInt8]
  /// Each symbol's code, its first bit lowest.
  let bits: [UInt16]

  /// The code that is the shortest for symbols that occur so often, with no code longer than `limit`.
  /// - Complexity: O(n log n) of the symbols that occur.
  init(counts: [UInt32], limit: Int) {
    // Sorted by count: one number holds a count and its symbol.
    let ascending = counts.indices.filter { counts[$0] > 0 }
      .map { UInt64(counts[$0]) << 16 | UInt64($0) }.sorted()
    var lengths = [UInt8](repeating: 0, count: counts.count)
    var codesLeft = Self.codesPerLength(ascending.map { $0 >> 16 }, limit: limit)
    var length = limit
    for entry in ascending {
      while codesLeft[length] == 0 { length -= 1 }
      codesLeft[length] -= 1
      lengths[Int(entry & 0xFFFF)] = UInt8(length)
    }
    self.lengths = lengths
    bits = Self.codes(lengths, limit: limit)
  }

  /// How many codes have each length, 0 to `limit`.
  private static func codesPerLength(_ ascending: [UInt64], limit: Int) -> [Int] {
    var codes = [Int](repeating: 0, count: limit + 1)
    let leaves = ascending.count
    guard leaves > 1 else {
      codes[1] = leaves
      return codes
    }
    // Leaves, then inner nodes in the order in which they are made, which is that of their weights.
    var weights = ascending
    var parents = [Int](repeating: 0, count: 2 * leaves - 1)
    var (leaf, inner) = (0, leaves)
    for node in leaves..<2 * leaves - 1 {
      var weight: UInt64 = 0
      for _ in 0..<2 {
        let takesLeaf = leaf < leaves && (inner == node || weights[leaf] <= weights[inner])
        let child = takesLeaf ? leaf : inner
        if takesLeaf { leaf += 1 } else { inner += 1 }
        weight += weights[child]
        parents[child] = node
      }
      weights.append(weight)
    }
    var depths = [Int](repeating: 0, count: 2 * leaves - 1)
    for node in stride(from: 2 * leaves - 3, through: 0, by: -1) {
      depths[node] = depths[parents[node]] + 1
      if node < leaves { codes[min(limit, depths[node])] += 1 }
    }
    // Codes that were cut to the limit take more room than there is; others become longer until all have some.
    var room = (1...limit).reduce(0) { $0 + codes[$1] << (limit - $1) }
    while room > 1 << limit {
      var length = limit - 1
      while codes[length] == 0 { length -= 1 }
      codes[limit] -= 1
      codes[length] -= 1
      codes[length + 1] += 2
      room -= 1
    }
    return codes
  }

  /// Codes that follow each other among those of one length.
  private static func codes(_ lengths: [UInt8], limit: Int) -> [UInt16] {
    // The number of codes that are one bit shorter, then the first code of a length.
    var next = [UInt16](repeating: 0, count: limit + 2)
    for length in lengths where length > 0 { next[Int(length) + 1] += 1 }
    for length in 1..<limit { next[length + 1] = (next[length] + next[length + 1]) << 1 }
    return lengths.map { length in
      guard length > 0 else { return 0 }
      defer { next[Int(length)] += 1 }
      var (code, reversed) = (next[Int(length)], UInt16(0))
      for _ in 0..<length {
        reversed = reversed << 1 | code & 1
        code >>= 1
      }
      return reversed
    }
  }
}
