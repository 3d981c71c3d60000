import Tensors

/// The planes of every activation that each slab of the image computes and retains.
///
/// A slab adds new planes of the image. Every step in turn computes the planes of its output whose input planes are
/// available. Planes that later slabs read are retained. A schedule of one slab computes the whole image at once.
struct SlabSchedule: Sendable {
  /// Planes of the image per slab, but for the last.
  let depth: Int
  /// Whether steps compute whole multiples of their window step and leave the other planes to the next slab.
  let isAligned: Bool
  /// For each slab the number of planes of every activation that are computed by its end.
  private(set) var ends: [[Int]] = []
  /// For each slab the first plane of every activation that later slabs read.
  private(set) var retainedFrom: [[Int]] = []
  /// For each slab the number of planes of logits that every head has computed by its end.
  private(set) var logitEnds: [Int] = []

  /// The schedule of slabs of `depth` planes.
  /// - Complexity: O(slabs · (inputs of all steps + steps · log depth)).
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
      logitEnds.append(steps.heads.map { done[$0 + 1] }.min() ?? 0)
      retainedFrom.append(
        done.indices.map { activation in
          var first = done[activation]
          for reader in steps.readers(ofActivation: activation) {
            let rest = done[reader + 1]..<steps.steps[reader].extent.d
            guard !rest.isEmpty else { continue }
            first = min(
              first, steps.inputPlanes(ofStep: reader, for: rest, input: activation).lowerBound)
          }
          let isLogits = steps.heads.contains { $0 + 1 == activation }
          return isLogits ? min(first, logitEnds[slab]) : first
        })
    }
  }

  var slabCount: Int { ends.count }

  /// The planes of an activation that a slab adds.
  func newPlanes(ofActivation index: Int, slab: Int) -> Range<Int> {
    (slab == 0 ? 0 : ends[slab - 1][index])..<ends[slab][index]
  }

  /// The planes of an activation that are in memory while a slab runs: the retained and the new ones.
  func heldPlanes(ofActivation index: Int, slab: Int) -> Range<Int> {
    (slab == 0 ? 0 : retainedFrom[slab - 1][index])..<ends[slab][index]
  }

  /// The planes of an activation that are retained after a slab.
  func retainedPlanes(ofActivation index: Int, slab: Int) -> Range<Int> {
    retainedFrom[slab][index]..<ends[slab][index]
  }

  /// Logits that a slab completes in every head.
  func newLogits(slab: Int) -> Range<Int> { (slab == 0 ? 0 : logitEnds[slab - 1])..<logitEnds[slab] }

  /// The number of planes of step `index`'s output that can be computed when each activation has `done` planes.
  private func planes(ofStep index: Int, of steps: PlanSteps, given done: [Int]) -> Int {
    let step = steps.steps[index]
    let inputs = Set(steps.inputs(ofStep: index))
    let (before, depth) = (done[index + 1], step.extent.d)
    if inputs.allSatisfy({ done[$0] == steps.extent(ofActivation: $0).d }) { return depth }
    // Bisection for the last plane whose inputs are available: more outputs never need fewer inputs.
    var (possible, impossible) = (before, depth + 1)
    while possible + 1 < impossible {
      let middle = (possible + impossible) / 2
      let isPossible = inputs.allSatisfy {
        steps.inputPlanes(ofStep: index, for: 0..<middle, input: $0).upperBound <= done[$0]
      }
      if middle <= depth, isPossible {
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
