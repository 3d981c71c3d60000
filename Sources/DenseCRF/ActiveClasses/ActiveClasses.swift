import Volumes
import Work

/// Where each class takes part in the mean field; docs/algorithms/dense-crf.md derives the bounds.
///
/// A class is present in a cube where its Q, less that of the classes without a channel, exceeds ``tolerance`` in some
/// voxel; only there it sends. It is received in the bricks within ``reach`` of a cube where it is present. A brick
/// within reach of one class alone, whose Q is 1 within the tolerance in every voxel, is settled: it is not computed
/// again until another class comes within reach.
struct ActiveClasses: Sendable {
  /// Largest error of a sum of weighted messages, in units of logits; of Q it is a quarter of that.
  static let messageTolerance = 0.01
  /// Classes that are less probable than this over their number everywhere in a brick do not contribute to it.
  private static let negligibleProbability = 0.002

  /// The largest Q that is neglected.
  let tolerance: Float
  /// Voxels along each axis from which on messages are neglected where nothing of a class is present nearer.
  private let reach: [Int]
  /// Voxels along each axis from which on there are no messages.
  private let fullReach: [Int]
  let bricks: Bricks

  /// The classes present in each cube.
  private(set) var present: ClassSets
  /// The classes that each brick's own probabilities speak for; they have a channel there, with or without messages.
  private(set) var probable: ClassSets
  /// The class whose Q is 1 in each brick, -1 without one, after the last pass.
  private(set) var certain: [Int16]
  /// The classes that each brick receives in the next pass, none where it is settled.
  private(set) var received: ClassSets
  /// Bricks that the next pass leaves out, because their class is certain and no other is near.
  private(set) var isSettled: [Bool]

  /// What a brick's voxels say of its classes.
  struct BrickSummary: Sendable {
    /// Present in each of up to four cubes along i.
    var present: [ClassSet]
    /// Of the first pass: classes with a channel whatever is received.
    var probable = ClassSet()
    var certain: Int16 = -1
  }

  init(
    _ bricks: Bricks, _ settings: RefinementSettings, appearance: AppearanceKernel?,
    smoothness: SmoothnessKernel?, crf: DenseCRF
  ) {
    self.bricks = bricks
    let influence = settings.appearanceWeight + settings.smoothnessWeight
    tolerance = Float(min(5e-3, Self.messageTolerance / max(influence, 1e-3)))
    let widths = [
      appearance == nil ? [0, 0, 0] : crf.voxels(settings.thetaAlphaMillimetres),
      smoothness == nil ? [0, 0, 0] : crf.voxels(settings.thetaGammaMillimetres),
    ]
    reach = (0..<3).map { axis in
      min(Int(saturating: (2.5 * max(widths[0][axis], widths[1][axis])).rounded(.up)), bricks.volume[axis])
    }
    fullReach = (0..<3).map { axis in
      max(appearance?.axes[axis].reach ?? 0, smoothness?.axes[axis].reach ?? 0)
    }
    present = ClassSets(bricks.cubes)
    probable = ClassSets(bricks.size)
    received = ClassSets(bricks.size)
    certain = Array(repeating: -1, count: bricks.count)
    isSettled = Array(repeating: false, count: bricks.count)
  }

  /// The largest probability that is neglected where voxels have probabilities of their own.
  func negligibleProbability(classCount: Int) -> Float {
    min(tolerance, Float(Self.negligibleProbability) / Float(classCount))
  }

  /// The classes with a channel in a brick.
  func candidates(_ brick: Int) -> ClassSet { probable.sets[brick].union(received.sets[brick]) }

  /// Takes what a pass found in the bricks that it computed, nil for the others, and plans the next pass.
  ///
  /// The bricks of the first pass are settled where they are certain from the start.
  mutating func update(_ found: [BrickSummary?], isFirst: Bool = false) {
    for (brick, summary) in found.enumerated() {
      guard let summary else { continue }
      for (cube, set) in zip(bricks.cubes(brick), summary.present) { present.sets[cube] = set }
      if isFirst { probable.sets[brick] = summary.probable }
      certain[brick] = summary.certain
    }
    let cube = GridSize(Bricks.cube, Bricks.cube, Bricks.cube)
    received = bricks.union(of: present.dilated(by: Bricks.radius(reach, parts: cube)))
    for brick in isSettled.indices {
      isSettled[brick] =
        certain[brick] >= 0 && received.sets[brick] == ClassSet(Int(certain[brick]))
      if isSettled[brick] { received.sets[brick] = ClassSet() }
    }
  }

  /// For each brick the classes whose messages are received within the kernels' full reach of it.
  func needed() -> ClassSets { received.dilated(by: Bricks.radius(fullReach, parts: Bricks.extent)) }

  /// For each class the box of voxels that the next pass's cells must hold; nil for classes that nothing sends.
  ///
  /// - Parameter isSending: Whether a brick sends in that pass.
  func boxes(classCount: Int, isSending: [Bool]) -> [VoxelBounds?] {
    var sets = received
    for brick in isSending.indices where isSending[brick] { sets.sets[brick].formUnion(probable.sets[brick]) }
    let farthest = (0..<3).map { reach[$0] + fullReach[$0] }
    let radius = Bricks.radius(farthest, parts: Bricks.extent)
    return sets.bounds(classCount: classCount).map { box in
      guard var box else { return nil }
      for axis in 0..<3 {
        box.lower[axis] = max(0, box.lower[axis] - radius[axis])
        box.upper[axis] = min(bricks.size[axis] - 1, box.upper[axis] + radius[axis])
      }
      return bricks.voxels(box)
    }
  }
}
