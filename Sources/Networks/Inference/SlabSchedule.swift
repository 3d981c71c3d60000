import Tensors

/// Which planes of every activation are there after each slab of the image: how an image passes through a network a few
/// planes at a time.
///
/// A slab brings new planes of the image; every step in turn computes the planes whose inputs are there, and what later
/// slabs still read is kept. The whole image at once is the case of one slab.
struct SlabSchedule: Sendable {
  /// Planes of the image that a slab brings.
  let depth: Int
  /// Whether steps compute whole multiples of their window step, and leave the rest to the next slab.
  let isAligned: Bool
  /// For each slab the number of planes of every activation that are done.
  private(set) var ends: [[Int]] = []
  /// For each slab, the first plane of every activation that is still read after it.
  private(set) var keptFrom: [[Int]] = []
  /// For each slab the number of planes of scores that are done in every head.
  private(set) var scoreEnds: [Int] = []

  /// The schedule of slabs of `depth` planes.
  init(_ steps: PlanSteps, depth: Int, isAligned: Bool) {
    self.depth = depth
    self.isAligned = isAligned
    let imageDepth = steps.imageExtent.d
    var done = [Int](repeating: 0, count: steps.activationCount)
    for slab in 0..<max(1, (imageDepth + depth - 1) / depth) {
      done[0] = min(imageDepth, (slab + 1) * depth)
      for index in steps.steps.indices {
        done[index + 1] = planes(ofStep: index, of: steps, given: done)
      }
      ends.append(done)
      scoreEnds.append(steps.heads.map { done[$0 + 1] }.min() ?? 0)
      keptFrom.append(
        done.indices.map { activation in
          var first = done[activation]
          for reader in steps.readers(ofActivation: activation) {
            let rest = done[reader + 1]..<steps.steps[reader].extent.d
            if !rest.isEmpty { first = min(first, steps.inputPlanes(ofStep: reader, for: rest).lowerBound) }
          }
          let isScore = steps.heads.contains { $0 + 1 == activation }
          return isScore ? min(first, scoreEnds[slab]) : first
        })
    }
  }

  var slabCount: Int { ends.count }

  /// The planes of an activation that a slab adds.
  func newPlanes(ofActivation index: Int, slab: Int) -> Range<Int> {
    (slab == 0 ? 0 : ends[slab - 1][index])..<ends[slab][index]
  }

  /// The planes of an activation that are in memory while a slab runs: those kept and those added.
  func heldPlanes(ofActivation index: Int, slab: Int) -> Range<Int> {
    (slab == 0 ? 0 : keptFrom[slab - 1][index])..<ends[slab][index]
  }

  /// The planes of an activation that are kept after a slab.
  func keptPlanes(ofActivation index: Int, slab: Int) -> Range<Int> {
    keptFrom[slab][index]..<ends[slab][index]
  }

  /// Scores that a slab completes in every head.
  func newScores(slab: Int) -> Range<Int> { (slab == 0 ? 0 : scoreEnds[slab - 1])..<scoreEnds[slab] }

  /// Planes of step `index`'s output that can be done when `done` planes of its input are there.
  private func planes(ofStep index: Int, of steps: PlanSteps, given done: [Int]) -> Int {
    let step = steps.steps[index]
    let (available, before, depth) = (done[steps.input(ofStep: index)], done[index + 1], step.extent.d)
    if available == step.inputExtent.d { return depth }
    // The last plane whose inputs are there, by bisection: more outputs never need fewer inputs.
    var (possible, impossible) = (before, depth + 1)
    while possible + 1 < impossible {
      let middle = (possible + impossible) / 2
      if middle <= depth, steps.inputPlanes(ofStep: index, for: 0..<middle).upperBound <= available {
        possible = middle
      } else {
        impossible = middle
      }
    }
    guard isAligned, possible < depth else { return possible }
    let unit = step.operation.windowStep
    return max(before, possible / unit * unit)
  }
}
