import Foundation
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
  /// Largest change of Q by the messages of a class that is not near.
  private static let neglectedChange = 0.001
  /// Classes that are less probable than this over their number everywhere in a brick do not contribute to it.
  static let negligibleProbability = 0.002

  /// The largest Q that is neglected.
  let tolerance: Float
  /// The largest Q whose messages are neglected in other bricks.
  let strength: Float
  /// Voxels along each axis from which on messages are neglected where nothing of a class is present nearer.
  private let reach: [Int]
  /// Voxels along each axis from which on there are no messages.
  private let fullReach: [Int]
  let bricks: Bricks

  /// The classes present in each cube, and those of them whose Q exceeds ``strength``.
  private(set) var present, strong: ClassSets
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
    /// Present in each of up to six cubes along i, and strongly so.
    var present, strong: [ClassSet]
    /// Of the first pass: classes with a channel whatever is received.
    var probable = ClassSet()
    var certain: Int16 = -1

    /// Nothing in some cubes.
    init(cubes: Int) {
      present = Array(repeating: ClassSet(), count: cubes)
      strong = present
    }
  }

  /// No class is active yet; `odds` are the highest of a class that a voxel's own probabilities do not speak for, against
  /// the voxel's most probable one.
  init(
    _ bricks: Bricks, _ settings: RefinementSettings, appearance: AppearanceKernel?,
    smoothness: SmoothnessKernel?, crf: DenseCRF, odds: Double
  ) {
    self.bricks = bricks
    tolerance = Self.tolerance(settings)
    let allowed = log(1 + Self.neglectedChange / odds)
    let influence = max(settings.appearanceWeight + settings.smoothnessWeight, 1e-3)
    // At the border of a half space of such voxels the messages are half of what the weights allow.
    strength = Float(min(1, 2 * allowed / influence))
    reach = (0..<3).map { axis in
      let widths = [
        appearance == nil ? 0 : crf.voxels(settings.thetaAlphaMillimetres)[axis],
        smoothness == nil ? 0 : crf.voxels(settings.thetaGammaMillimetres)[axis],
      ]
      func message(_ distance: Double) -> Double {
        zip(widths, [2 * settings.appearanceWeight, settings.smoothnessWeight]).reduce(0) { sum, kernel in
          kernel.0 > 0 ? sum + kernel.1 * erfc(distance / kernel.0 / 2.0.squareRoot()) / 2 : sum
        }
      }
      let farthest = min(
        Int(saturating: (2.5 * (widths.max() ?? 0)).rounded(.up)), bricks.volume[axis])
      return (0..<farthest).first { message(Double($0)) <= allowed } ?? farthest
    }
    fullReach = (0..<3).map { axis in
      max(appearance?.axes[axis].reach ?? 0, smoothness?.axes[axis].reach ?? 0)
    }
    present = ClassSets(bricks.cubes)
    strong = present
    probable = ClassSets(bricks.size)
    received = ClassSets(bricks.size)
    certain = Array(repeating: -1, count: bricks.count)
    isSettled = Array(repeating: false, count: bricks.count)
  }

  /// The largest Q that is neglected with the weights of `settings`.
  static func tolerance(_ settings: RefinementSettings) -> Float {
    let influence = settings.appearanceWeight + settings.smoothnessWeight
    return Float(min(5e-3, messageTolerance / max(influence, 1e-3)))
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
      for (cube, set) in zip(bricks.cubes(brick), summary.strong) { strong.sets[cube] = set }
      if isFirst { probable.sets[brick] = summary.probable }
      certain[brick] = summary.certain
    }
    let near = bricks.union(of: strong.dilated(within: reach.map { Double($0) / Double(Bricks.cube) }))
    received = bricks.union(of: present)
    for brick in received.sets.indices { received.sets[brick].formUnion(near.sets[brick]) }
    for brick in isSettled.indices {
      isSettled[brick] =
        certain[brick] >= 0 && received.sets[brick] == ClassSet(Int(certain[brick]))
      if isSettled[brick] { received.sets[brick] = ClassSet() }
    }
  }

  /// The classes of `computed` bricks, which the next pass may send.
  func sendable(_ computed: [Bool]) -> ClassSets {
    var sets = ClassSets(bricks.size)
    for brick in computed.indices where computed[brick] { sets.sets[brick] = candidates(brick) }
    return sets
  }

  /// For each brick the classes that the pass after the present one receives or has any use for: those that it receives
  /// there, and those that are present and that a brick within the kernels' full reach receives.
  func needed() -> ClassSets {
    var sets = received.dilated(by: Bricks.radius(fullReach, parts: Bricks.extent))
    let present = bricks.union(of: present)
    for brick in sets.sets.indices {
      sets.sets[brick] = sets.sets[brick].intersection(present.sets[brick]).union(received.sets[brick])
    }
    return sets
  }
}
