import Work

/// The mix of a network's heads: (1 - Σ τ_d) main + Σ τ_d auxiliary_d.
struct HeadMix: Sendable {
  private let mainWeight: Float
  /// The auxiliary heads with a weight; head 0 is the main one.
  private let auxiliaryWeights: [(head: Int, weight: Float)]

  /// - Parameter weights: τ_d, lowest head first; missing ones are 0.
  /// - Throws: ``InputError`` when there are more weights than heads, one is negative or their sum exceeds 1.
  init(auxiliaryHeadWeights weights: [Double], headCount: Int) throws(InputError) {
    let used = weights.enumerated().filter { $0.element != 0 }
    guard used.allSatisfy({ $0.offset + 1 < headCount }) else {
      throw InputError(
        "tau", "more auxiliary heads than the network has", found: "\(weights.count)",
        expected: "\(headCount - 1)")
    }
    let sum = weights.reduce(0, +)
    guard used.allSatisfy({ $0.element > 0 }), sum <= 1 else {
      throw InputError(
        "tau", "weights of the auxiliary heads", found: "\(weights)", expected: "0 or more, sum at most 1")
    }
    mainWeight = Float(1 - sum)
    auxiliaryWeights = used.map { ($0.offset + 1, Float($0.element)) }
  }

  /// Whether the mix is the main head alone.
  var isMainHeadOnly: Bool { auxiliaryWeights.isEmpty }

  /// Mixes `count` values in place.
  ///
  /// - Parameters:
  ///   - values: Those of the main head.
  ///   - auxiliary: Calls its second argument with the values of a head.
  func apply(
    to values: UnsafeMutablePointer<Float>, count: Int,
    auxiliary: (_ head: Int, _ add: (UnsafePointer<Float>) -> Void) -> Void
  ) {
    if isMainHeadOnly { return }
    for index in 0..<count { values[index] *= mainWeight }
    for (head, weight) in auxiliaryWeights {
      auxiliary(head) { own in
        for index in 0..<count { values[index] += weight * own[index] }
      }
    }
  }
}
