import CKernels
import Foundation
import Volumes
import Work

/// The unary of the voxels of a brick, for some of all classes.
///
/// Classes without a channel in a brick get no messages there. Where voxels are of a few kinds, they are one further
/// class as often as there are such classes: its logit is the mean of theirs, and logits are given against it. Where
/// each voxel has its own logits, they are less probable than ``ActiveClasses/negligibleProbability`` everywhere in the
/// brick, and left out.
struct BrickUnary: Sendable {
  let unary: Unary
  let bricks: Bricks
  /// P and ln P of each class for each kind, [kind][class]; empty where voxels have logits of their own.
  private let probabilities, logarithms: [[Double]]

  init(_ unary: Unary, _ bricks: Bricks) {
    self.unary = unary
    self.bricks = bricks
    guard unary.kinds != nil else {
      (probabilities, logarithms) = ([], [])
      return
    }
    logarithms = (0..<unary.rowCount).map { kind in
      let logits =
        [0] + (0..<unary.classCount - 1).map { Double(unary.logits.start[$0 * unary.stride + kind]) }
      let highest = logits.max() ?? 0
      let sum = logits.reduce(0) { $0 + exponential($1 - highest) }
      return logits.map { $0 - highest - log(sum) }
    }
    probabilities = logarithms.map { $0.map { exponential($0) } }
  }

  var classCount: Int { unary.classCount }
  var hasKinds: Bool { unary.kinds != nil }

  /// Classes without a channel that a voxel of a brick with `classes` may have.
  func others(_ classes: [Int]) -> Float { hasKinds ? Float(classCount - classes.count) : 0 }

  /// For each kind the classes whose probability differs by more than `tolerance` from the lowest one.
  func classesOfKinds(tolerance: Double) -> [ClassSet] {
    probabilities.map { own in
      let lowest = own.min() ?? 0
      var set = ClassSet()
      for (index, probability) in own.enumerated() where probability - lowest > tolerance {
        set.insert(index)
      }
      return set
    }
  }

  /// For each kind the class of at least this probability, above a half; nil without one.
  func classesOfKinds(probability: Double) -> [Int?] {
    probabilities.map { own in own.firstIndex { $0 >= probability } }
  }

  /// The highest odds of a class whose probability differs from the lowest one by at most `tolerance`, against the most
  /// probable class.
  func odds(tolerance: Double) -> Double {
    // A voxel's most probable class has at least 1 / classes.
    guard hasKinds else { return ActiveClasses.negligibleProbability }
    return probabilities.reduce(0) { odds, own in
      let lowest = own.min() ?? 0
      let other = own.filter { $0 - lowest <= tolerance }.max() ?? 0
      return max(odds, other / (own.max() ?? 1))
    }
  }

  /// The kinds of the voxels of a box, in `scratch`, and the set of those that occur; none without kinds.
  func kinds(_ box: VoxelBounds, _ volume: GridSize, _ scratch: UnsafeMutablePointer<UInt8>) -> ClassSet {
    var set = ClassSet()
    guard let kinds = unary.kinds else { return set }
    var last = -1
    box.forEachRow(of: volume) { voxel, row in
      let target = scratch + row * box.size.i
      for i in 0..<box.size.i {
        let kind = kinds.start[voxel + i]
        target[i] = kind
        if Int(kind) != last {
          last = Int(kind)
          set.insert(last)
        }
      }
    }
    return set
  }

  /// Writes the logits of `classes` in a brick to rows that lie `stride` apart; `kinds` is scratch memory.
  func fill(
    _ brick: Int, _ classes: [Int], _ values: UnsafeMutablePointer<Float>, stride: Int,
    kinds: UnsafeMutablePointer<UInt8>
  ) {
    let box = bricks.box(brick)
    let count = box.size.voxelCount
    guard hasKinds else {
      for (channel, index) in classes.enumerated() {
        let target = values + channel * stride
        if index == 0 {
          target.update(repeating: 0, count: count)
          continue
        }
        let source = unary.logits.start + (index - 1) * unary.stride
        box.forEachRow(of: bricks.volume) { voxel, row in
          (target + row * box.size.i).update(from: source + voxel, count: box.size.i)
        }
      }
      return
    }
    let found = self.kinds(box, bricks.volume, kinds).elements
    let references = found.map { reference(kind: $0, without: classes) }
    var table = [Float](repeating: 0, count: 256)
    for (channel, index) in classes.enumerated() {
      let target = values + channel * stride
      for (kind, reference) in zip(found, references) {
        table[kind] = Float(logarithms[kind][index] - reference)
      }
      if found.count == 1 {
        target.update(repeating: table[found[0]], count: count)
      } else {
        for voxel in 0..<count { target[voxel] = table[Int(kinds[voxel])] }
      }
    }
  }

  /// The logarithm of the mean probability of the classes that are not in `classes`; 0 where there is none.
  private func reference(kind: Int, without classes: [Int]) -> Double {
    guard classes.count < classCount else { return 0 }
    let sum = classes.reduce(1.0) { $0 - probabilities[kind][$1] }
    let least = Double(classCount - classes.count) * 1e-12
    return log(max(sum, least) / Double(classCount - classes.count))
  }

  /// The most probable class of a kind that is not in `classes`, the lowest of equally probable ones.
  func mostProbable(kind: Int, without classes: [Int]) -> Int {
    let excluded = Set(classes)
    return (0..<classCount).filter { !excluded.contains($0) }
      .reduce(nil) { best, index in
        if let best, probabilities[kind][best] >= probabilities[kind][index] { return best }
        return index
      } ?? 0
  }

  /// The share of a class without a channel in the classes that are one further class, of a kind.
  func share(of index: Int, kind: Int, without classes: [Int]) -> Double {
    exponential(logarithms[kind][index] - reference(kind: kind, without: classes))
  }

  /// Where each class is present by its probability alone.
  func summaries(
    _ active: ActiveClasses, level: kernels_level, work: WorkContext
  ) throws(Cancelled) -> [ActiveClasses.BrickSummary?] {
    let (scratchCount, stride) = (work.threadCount, Bricks.maximumVoxelCount)
    let values = try AlignedStorage<Float>(count: scratchCount * (hasKinds ? 0 : classCount) * stride)
    let extrema = try AlignedStorage<Float>(count: scratchCount * 32)
    let kinds = try AlignedStorage<UInt8>(count: scratchCount * stride)
    let kindClasses = classesOfKinds(tolerance: Double(active.tolerance))
    let kindCertain = classesOfKinds(probability: 1 - Double(active.tolerance))
    let least = active.negligibleProbability(classCount: classCount)
    let all = Array(0..<classCount)
    var found = [ActiveClasses.BrickSummary?](repeating: nil, count: bricks.count)
    try found.withUnsafeMutableBufferPointer { found throws(Cancelled) in
      let found = DisjointBuffer(found)
      try work.forEach(count: bricks.count) { index, worker in
        let box = bricks.box(index)
        let own = kinds.start + worker * stride
        if hasKinds {
          _ = self.kinds(box, bricks.volume, own)
          found[index] = summary(
            ofKinds: own, box.size, cubes: bricks.cubes(index).count, kindClasses, kindCertain)
          return
        }
        let rows = values.start + worker * classCount * stride
        let lowest = extrema.start + worker * 32
        fill(index, all, rows, stride: stride, kinds: own)
        dense_crf_kernels_for(level).pointee.differences(
          rows, rows, stride, classCount, 0, box.size.voxelCount)
        let result = summary(
          of: all, box.size, active, rows, lowest: lowest, highest: lowest + 16, level)
        var summary = result.summary
        for (own, highest) in result.highest.enumerated() where highest > least {
          summary.probable.insert(own)
        }
        found[index] = summary
      }
    }
    return found
  }

  private func summary(
    ofKinds kinds: UnsafePointer<UInt8>, _ size: GridSize, cubes: Int, _ classes: [ClassSet],
    _ certain: [Int?]
  ) -> ActiveClasses.BrickSummary {
    var summary = ActiveClasses.BrickSummary(cubes: cubes)
    var all = ClassSet()
    for cube in 0..<cubes {
      var found = ClassSet()
      var last = -1
      for row in 0..<size.j * size.k {
        for i in cube * Bricks.cube..<min(size.i, (cube + 1) * Bricks.cube) {
          let kind = Int(kinds[row * size.i + i])
          if kind != last {
            last = kind
            found.insert(kind)
          }
        }
      }
      all.formUnion(found)
      summary.present[cube] = found.elements.reduce(ClassSet()) { $0.union(classes[$1]) }
    }
    summary.strong = summary.present
    for set in summary.present { summary.probable.formUnion(set) }
    let owners = Set(all.elements.map { certain[$0] ?? -1 })
    if owners.count == 1, let owner = owners.first { summary.certain = Int16(owner) }
    return summary
  }

  /// Where classes are present in a brick and which is certain, with the highest difference of each class.
  ///
  /// `values` are differences in rows of a brick's length; `lowest` and `highest` are scratch memory.
  func summary(
    of classes: [Int], _ size: GridSize, _ active: ActiveClasses, _ values: UnsafePointer<Float>,
    lowest: UnsafeMutablePointer<Float>, highest: UnsafeMutablePointer<Float>, _ level: kernels_level
  ) -> (summary: ActiveClasses.BrickSummary, highest: [Float]) {
    let (tolerance, strength) = (active.tolerance, active.strength)
    let cubes = (size.i + Bricks.cube - 1) / Bricks.cube
    var summary = ActiveClasses.BrickSummary(cubes: cubes)
    var maxima: [Float] = []
    let loops: UnsafePointer<dense_crf_kernels> = dense_crf_kernels_for(level)
    for (channel, own) in classes.enumerated() {
      loops.pointee.extrema(
        lowest, highest, values + channel * Bricks.maximumVoxelCount, size.j * size.k, size.i)
      var (least, most) = (lowest[0], highest[0])
      for cube in 0..<cubes {
        let largest = max(highest[cube], -lowest[cube])
        if largest > tolerance { summary.present[cube].insert(own) }
        if largest > strength { summary.strong[cube].insert(own) }
        least = min(least, lowest[cube])
        most = max(most, highest[cube])
      }
      if least >= 1 - tolerance { summary.certain = Int16(own) }
      maxima.append(most)
    }
    return (summary, maxima)
  }
}
