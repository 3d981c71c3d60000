import DenseCRF
import TestSupport
import Testing
import Volumes
import Work

@Test("a refinement stops at each slab of its kernels and iterations", arguments: [2, 3])
func refinementStops(classCount: Int) throws {
  let subject = RandomCase(GridSize(40, 36, 30), classCount: classCount)
  try expectStops(atEachOf: 50) { work in
    let crf = try DenseCRF(image: subject.image, size: subject.size, spacing: Spacing(1), work: work)
    let unary = try Unary(
      probabilities: subject.probabilities, classCount: classCount, size: subject.size, work: work)
    _ = try crf.refine(unary, settings: subject.settings, work: work)
  }
}
