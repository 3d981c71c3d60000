import Tensors

/// The planes of every activation that each slab of the image computes and retains.
///
/// A slab adds new planes of the image. Every step in turn computes the planes of its output whose input planes are
/// available. Planes that later slabs read are retained. A schedule of one slab computes the whole image at once.
///
/// With the last planes of the image all planes that steps have waited for are available. More slabs follow, which add none:
/// in the last slab of the image and in these a step computes at most as many planes as in a slab before, so that they need
/// no more memory. Where a step could not run before, as those after a normalisation over the whole image, all steps compute
/// all their planes in the last slab of the image instead.
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
    let depths = steps.activationIndices.map { steps.extent(ofActivation: $0).d }
    var done = [Int](repeating: 0, count: steps.activationCount)
    // The most planes that a slab has added to each activation.
    var mostNew = done
    repeat {
      let before = done
      done[0] = min(depths[0], done[0] + depth)
      let isLimited = done[0] == depths[0] && !mostNew.contains(0)
      for index in steps.steps.indices {
        done[index + 1] = planes(
          ofStep: index, of: steps, given: done, atMost: isLimited ? mostNew[index + 1] : depths[index + 1])
      }
      for index in done.indices { mostNew[index] = max(mostNew[index], done[index] - before[index]) }
      ends.append(done)
      logitEnds.append(steps.heads.map { done[$0 + 1] }.min() ?? 0)
      retainedFrom.append(
        done.indices.map { activation in
          var first = done[activation]
          for reader in steps.readers(ofActivation: activation) {
            let rest = done[reader + 1]..<depths[reader + 1]
            guard !rest.isEmpty else { continue }
            first = min(
              first, steps.inputPlanes(ofStep: reader, for: rest, input: activation).lowerBound)
          }
          let isLogits = steps.heads.contains { $0 + 1 == activation }
          return isLogits ? min(first, logitEnds[logitEnds.count - 1]) : first
        })
    } while done != depths
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

  /// The number of planes of step `index`'s output that are computed when each activation has `done` planes: those that
  /// can be, and at most `most` new ones.
  private func planes(
    ofStep index: Int, of steps: PlanSteps, given done: [Int], atMost most: Int
  ) -> Int {
    let step = steps.steps[index]
    let inputs = Set(steps.inputs(ofStep: index))
    let (before, depth) = (done[index + 1], step.extent.d)
    let end = min(depth, before + most)
    if inputs.allSatisfy({ done[$0] == steps.extent(ofActivation: $0).d }) { return end }
    // Bisection for the last plane whose inputs are available: more outputs never need fewer inputs.
    var (possible, impossible) = (before, end + 1)
    while possible + 1 < impossible {
      let middle = (possible + impossible) / 2
      let isPossible = inputs.allSatisfy {
        steps.inputPlanes(ofStep: index, for: 0..<middle, input: $0).upperBound <= done[$0]
      }
      if isPossible {
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
