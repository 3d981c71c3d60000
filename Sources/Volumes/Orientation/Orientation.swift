/// One of the six anatomical directions.
package enum AnatomicalDirection: String, Hashable, Sendable, Codable, CaseIterable {
  case right = "R"
  case left = "L"
  case anterior = "A"
  case posterior = "P"
  case superior = "S"
  case inferior = "I"

  /// The world axis it runs along: 0 right-left, 1 front-back, 2 head-feet.
  package var worldAxis: Int {
    switch self {
    case .right, .left: 0
    case .anterior, .posterior: 1
    case .superior, .inferior: 2
    }
  }

  /// Whether world coordinates (RAS+) grow along it.
  package var isPositive: Bool { self == .right || self == .anterior || self == .superior }

  package var opposite: AnatomicalDirection {
    AnatomicalDirection(worldAxis: worldAxis, isPositive: !isPositive)
  }

  /// The direction along a world axis (0, 1, 2).
  package init(worldAxis: Int, isPositive: Bool) {
    switch worldAxis {
    case 0: self = isPositive ? .right : .left
    case 1: self = isPositive ? .anterior : .posterior
    default: self = isPositive ? .superior : .inferior
    }
  }
}

package enum AnatomicalPlane: String, Hashable, Sendable, Codable, CaseIterable {
  case axial, coronal, sagittal

  /// The world axis that the plane's slices are stacked along.
  package var normalWorldAxis: Int {
    switch self {
    case .axial: 2
    case .coronal: 1
    case .sagittal: 0
    }
  }
}

/// The anatomical directions of the voxel axes of a grid, each the nearest one.
package struct Orientation: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The directions of growing i, j and k, along three different world axes.
  package let i, j, k: AnatomicalDirection

  /// i to the right, j to the front, k to the head: the world's own axes.
  package static let ras = Orientation(.right, .anterior, .superior)
  /// i to the left, j to the back, k to the head: most CT files.
  package static let lps = Orientation(.left, .posterior, .superior)

  /// An orientation; the directions must lie along different world axes.
  package init(_ i: AnatomicalDirection, _ j: AnatomicalDirection, _ k: AnatomicalDirection) {
    precondition(
      Set([i, j, k].map(\.worldAxis)).count == 3, "\(i.rawValue)\(j.rawValue)\(k.rawValue) repeats an axis")
    self.i = i
    self.j = j
    self.k = k
  }

  /// The directions of the world's axes in the order that stacks slices of `plane` along k: RAS, RSA or ASR.
  package init(slicesOf plane: AnatomicalPlane) {
    switch plane {
    case .axial: self = .ras
    case .coronal: self.init(.right, .superior, .anterior)
    case .sagittal: self.init(.anterior, .superior, .right)
    }
  }

  /// The orientation that a three-letter code names ("LPS", any case); nil when it names none.
  package init?(code: String) {
    let directions = code.uppercased().compactMap { AnatomicalDirection(rawValue: String($0)) }
    guard code.count == 3, directions.count == 3, Set(directions.map(\.worldAxis)).count == 3 else {
      return nil
    }
    self.init(directions[0], directions[1], directions[2])
  }

  /// The orientation nearest to an affine.
  ///
  /// The one of the six pairings of voxel axes with world axes that has the largest sum of cosines: each voxel axis
  /// gets a world axis of its own, at any obliqueness. Equal sums prefer the earlier permutation.
  package init(nearest affine: Affine) {
    let spacing = affine.spacing
    func cosine(_ axis: Int, _ world: Int) -> Double { affine[axis][world] / spacing[axis] }
    let permutations = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    var best = permutations[0]
    var bestSum = -1.0
    for permutation in permutations {
      let sum = (0..<3).reduce(0.0) { $0 + abs(cosine($1, permutation[$1])) }
      // The margin keeps rounding from choosing between axes at exactly 45 degrees.
      if sum > bestSum + 1e-9 {
        bestSum = sum
        best = permutation
      }
    }
    let directions = (0..<3).map { axis in
      AnatomicalDirection(worldAxis: best[axis], isPositive: cosine(axis, best[axis]) >= 0)
    }
    self.init(directions[0], directions[1], directions[2])
  }

  /// The direction of voxel axis 0, 1 or 2.
  package subscript(axis: Int) -> AnatomicalDirection { axis == 0 ? i : axis == 1 ? j : k }

  /// Three letters: "LPS".
  package var code: String { i.rawValue + j.rawValue + k.rawValue }

  /// Three letters: "LPS".
  package var description: String { code }

  /// The voxel axis along which the slices of a plane are stacked.
  package func sliceAxis(of plane: AnatomicalPlane) -> Int {
    (0..<3).first { self[$0].worldAxis == plane.normalWorldAxis }!
  }
}

extension VolumeGrid {
  /// The anatomical directions of the voxel axes, each the nearest one.
  package var orientation: Orientation { Orientation(nearest: affine) }
}
