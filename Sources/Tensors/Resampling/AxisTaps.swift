/// The positions of an input along one axis that each position of an output is made of, with their weights.
///
/// Copying, cropping, padding and interpolating along one axis are all of this kind, and so are their gradients, whose
/// taps are the transposed ones.
package struct AxisTaps: Sendable {
  /// The number of positions of the input.
  let inputCount: Int
  /// For each output the first of its entries below, and the end of the last one's.
  private(set) var starts: [Int] = [0]
  private(set) var positions: [Int32] = []
  private(set) var weights: [Float] = []

  init(inputCount: Int) { self.inputCount = inputCount }

  var outputCount: Int { starts.count - 1 }

  /// Appends an output that is made of `taps`; without any it is 0.
  mutating func append(_ taps: [(position: Int, weight: Float)]) {
    for tap in taps where tap.weight != 0 {
      assert((0..<inputCount).contains(tap.position), "position \(tap.position) of \(inputCount)")
      positions.append(Int32(tap.position))
      weights.append(tap.weight)
    }
    starts.append(positions.count)
  }

  /// Appends an output that is a copy of a position; without one it is 0.
  mutating func append(copyOf position: Int?) {
    if let position { append([(position: position, weight: 1)]) } else { append([]) }
  }

  /// The entries of one output.
  func range(_ output: Int) -> Range<Int> { starts[output]..<starts[output + 1] }

  /// The taps of the adjoint: what each position of the input is multiplied by in the outputs.
  var transposed: AxisTaps {
    var lists = [[(position: Int, weight: Float)]](repeating: [], count: inputCount)
    for output in 0..<outputCount {
      for entry in range(output) { lists[Int(positions[entry])].append((output, weights[entry])) }
    }
    return lists.reduce(into: AxisTaps(inputCount: outputCount)) { $0.append($1) }
  }

  /// The smallest range of positions of the input that the outputs `outputs` are made of; empty, at the end where only
  /// outputs without taps are left, if there is none.
  func hull(_ outputs: Range<Int>) -> Range<Int> {
    var (lower, upper) = (inputCount, 0)
    for entry in starts[outputs.lowerBound]..<starts[outputs.upperBound] {
      lower = min(lower, Int(positions[entry]))
      upper = max(upper, Int(positions[entry]) + 1)
    }
    if lower < upper { return lower..<upper }
    return outputs.lowerBound == 0 ? 0..<0 : inputCount..<inputCount
  }

  /// The longest range of outputs that are copies of consecutive positions of the input, and the first of these.
  var longestCopy: (outputs: Range<Int>, first: Int) {
    var longest = (outputs: 0..<0, first: 0)
    var start = 0
    func isCopy(_ output: Int) -> Bool {
      range(output).count == 1 && weights[starts[output]] == 1
    }
    while start < outputCount {
      guard isCopy(start) else {
        start += 1
        continue
      }
      let first = Int(positions[starts[start]])
      var end = start + 1
      while end < outputCount, isCopy(end), Int(positions[starts[end]]) == first + end - start { end += 1 }
      if end - start > longest.outputs.count { longest = (start..<end, first) }
      start = end
    }
    return longest
  }
}
