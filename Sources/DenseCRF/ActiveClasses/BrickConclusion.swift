import CKernels
import Volumes

/// The labels and probabilities of a brick, from the logits of its classes with a channel.
struct BrickConclusion {
  private let unary: BrickUnary
  private let classes: [Int]
  private let box: VoxelBounds
  private let scratch: BrickScratch
  private let level: kernels_level

  init(
    _ unary: BrickUnary, _ classes: [Int], _ box: VoxelBounds, _ scratch: BrickScratch, _ level: kernels_level
  ) {
    self.unary = unary
    self.classes = classes
    self.box = box
    self.scratch = scratch
    self.level = level
  }

  /// The most probable class of each kind that has no channel.
  private func best(kinds: [Int]) -> [UInt8] {
    var best = [UInt8](repeating: 0, count: 256)
    for kind in kinds { best[kind] = UInt8(unary.mostProbable(kind: kind, without: classes)) }
    return best
  }

  /// Writes the most probable class of each voxel to the labels of the volume.
  func labels(to labels: UnsafeMutablePointer<UInt8>, _ volume: GridSize) {
    let others = unary.others(classes)
    let best = others > 0 ? best(kinds: unary.kinds(box, volume, scratch.kinds.start).elements) : []
    let (kinds, own, count) = (scratch.kinds.start, classes.map(UInt8.init), box.size.i)
    box.forEachRow(of: volume) { voxel, row in
      let target = labels + voxel
      if own.isEmpty {
        target.update(repeating: 0, count: count)
      } else {
        dense_crf_kernels_for(level).pointee.labels(
          target, scratch.values.start + row * count, BrickScratch.stride, own.count, others, count)
      }
      for i in 0..<count {
        target[i] = target[i] == 0 ? best[Int(kinds[row * count + i])] : own[Int(target[i]) - 1]
      }
    }
  }

  /// Writes the probability of every class of each voxel, class slowest; in plain loops, for who asks for them.
  func marginals(to marginals: UnsafeMutablePointer<Float>, _ volume: GridSize) {
    let others = unary.others(classes)
    let found = unary.kinds(box, volume, scratch.kinds.start).elements
    let excluded = Set(classes)
    let further = others > 0 ? (0..<unary.classCount).filter { !excluded.contains($0) } : []
    var shares = [[Double]](repeating: [], count: 256)
    for kind in found {
      shares[kind] = further.map { unary.share(of: $0, kind: kind, without: classes) }
    }
    let count = box.size.i
    box.forEachRow(of: volume) { voxel, row in
      for i in 0..<count {
        let position = row * count + i
        let logits = classes.indices.map { Double(scratch.values.start[$0 * BrickScratch.stride + position]) }
        let highest = max(logits.max() ?? 0, others > 0 ? 0 : -.infinity)
        let powers = logits.map { exponential($0 - highest) }
        let other = others > 0 ? exponential(-highest) : 0
        let sum = powers.reduce(Double(others) * other, +)
        for (own, power) in zip(classes, powers) {
          marginals[own * volume.voxelCount + voxel + i] = Float(power / sum)
        }
        for (own, share) in zip(further, shares[Int(scratch.kinds.start[position])]) {
          marginals[own * volume.voxelCount + voxel + i] = Float(share * other / sum)
        }
      }
    }
  }
}
