import DenseCRF
import Metrics
import Volumes
import Work

/// The objective of a hyperparameter search.
package enum SweepObjective: String, Sendable, Hashable, Codable, CaseIterable {
  /// Mean Dice of the structures.
  case dice
  /// Mean over the structures of the average symmetric surface distance, in millimetres.
  case assd

  /// The improvement of `value` over `baseline`; above 0 where `value` is better.
  package func gain(of value: Double, over baseline: Double) -> Double {
    self == .dice ? value - baseline : baseline - value
  }
}

/// A labelled case at half the resolution or less, cropped to the voxels that a CRF can change, on which trials run.
package struct SweepCase: Sendable {
  package let name: String
  /// The coarse case; nil where the probabilities have no foreground, so that a CRF changes nothing.
  private let coarse: Coarse?
  /// Voxels of each structure in the whole image.
  private let trueCounts: [Double]
  /// The grid of the whole image.
  private let grid: VolumeGrid
  /// The maximum number of voxels of a coarse case; larger cases are halved again.
  static let maximumVoxelCount = 1 << 20
  /// The maximum number of iterations of a trial: the first few suffice to rank kernels.
  static let maximumIterations = 3

  private struct Coarse: Sendable {
    var crf: DenseCRF
    var unary: Unary
    /// The number of voxels of the image within each voxel.
    var volumes: [Float]
    /// For each structure, the number of its voxels in the reference within each voxel.
    var referenceCounts: [[Float]]
  }

  /// A case.
  /// - Parameters:
  ///   - probabilities: The class probabilities of a box of the image, class slowest.
  ///   - box: The voxels to keep; nil without foreground.
  ///   - trueClasses: The true class of each voxel of the image, 0 for background; voxels of other values (255) are
  ///     ignored.
  ///   - intensityRange: The range that intensities are clipped to.
  /// - Throws: ``InputError`` when image and probabilities do not fit, or a voxel is not finite; ``Cancelled``.
  package init(
    name: String, image: ScalarVolume, probabilities: (VoxelBounds) throws -> [Float], box: VoxelBounds?,
    classCount: Int, trueClasses: [UInt8], intensityRange: ClosedRange<Float>, work: WorkContext
  ) throws {
    self.name = name
    grid = image.grid
    let size = image.grid.size
    precondition(trueClasses.count == size.voxelCount, "\(trueClasses.count) classes for \(size)")
    var counts = [Double](repeating: 0, count: classCount)
    for label in trueClasses where Int(label) < classCount { counts[Int(label)] += 1 }
    trueCounts = Array(counts.dropFirst())
    guard let box else {
      coarse = nil
      return
    }
    var unary = try Unary(
      probabilities: try probabilities(box), classCount: classCount, size: box.size,
      work: work.withoutProgress
    ).halved(work: work.withoutProgress)
    work.report(0.5)
    var crf = try DenseCRF(
      image: image.voxels.cropped(to: box, size: size, work: work.withoutProgress), size: box.size,
      spacing: image.grid.spacing,
      intensityRange: intensityRange, work: work.withoutProgress
    ).halved(work: work.withoutProgress)
    var shift = 1
    while crf.size.voxelCount > Self.maximumVoxelCount {
      unary = try unary.halved(work: work.withoutProgress)
      crf = try crf.halved(work: work.withoutProgress)
      shift += 1
    }
    work.report(0.9)
    let coarseSize = crf.size
    var volumes = [Float](repeating: 0, count: coarseSize.voxelCount)
    var referenceCounts = [[Float]](
      repeating: [Float](repeating: 0, count: coarseSize.voxelCount), count: classCount - 1)
    var position = 0
    let own = trueClasses.cropped(to: box, size: size)
    for k in 0..<box.size.k {
      for j in 0..<box.size.j {
        let row = ((k >> shift) * coarseSize.j + (j >> shift)) * coarseSize.i
        for i in 0..<box.size.i {
          let label = Int(own[position])
          if label < classCount { volumes[row + i >> shift] += 1 }
          if label > 0, label < classCount { referenceCounts[label - 1][row + i >> shift] += 1 }
          position += 1
        }
      }
    }
    coarse = Coarse(crf: crf, unary: unary, volumes: volumes, referenceCounts: referenceCounts)
    work.report(1)
  }

  /// Voxels of the coarse case; 0 without foreground.
  package var voxelCount: Int { coarse?.crf.size.voxelCount ?? 0 }

  /// The objective of each of `trials`; kernels that they have in common are computed once.
  ///
  /// Means over the structures as in ``SweepMeasurement``; Dice counts the image's voxels in each coarse one.
  func scores(
    _ trials: [RefinementSettings], objective: SweepObjective, work: WorkContext
  ) throws -> [Double] {
    guard let coarse else {
      let present = trueCounts.filter { $0 > 0 }.count
      return trials.map { _ in
        present == 0
          ? (objective == .dice ? 1 : 0) : objective == .dice ? 0 : grid.diagonalMillimetres
      }
    }
    // A kernel cache of its own, since other workers run other kernels on this case at the same time.
    let crf = coarse.crf.withOwnKernels
    return try trials.map { trial in
      var settings = trial
      settings.iterations = min(trial.iterations, Self.maximumIterations)
      let labels = try crf.refine(coarse.unary, settings: settings, work: work.withoutProgress).labels
      return objective == .dice
        ? dice(labels, coarse) : try distance(labels, coarse, work: work.withoutProgress)
    }
  }

  private func dice(_ labels: [UInt8], _ coarse: Coarse) -> Double {
    var found = [Double](repeating: 0, count: trueCounts.count)
    var both = found
    for (voxel, label) in labels.enumerated() where label > 0 {
      found[Int(label) - 1] += Double(coarse.volumes[voxel])
      both[Int(label) - 1] += Double(coarse.referenceCounts[Int(label) - 1][voxel])
    }
    let values = trueCounts.indices.compactMap { index -> Double? in
      found[index] + trueCounts[index] == 0
        ? nil : diceCoefficient(found[index], trueCounts[index], common: both[index])
    }
    return values.isEmpty ? 1 : values.reduce(0, +) / Double(values.count)
  }

  private func distance(_ labels: [UInt8], _ coarse: Coarse, work: WorkContext) throws(Cancelled) -> Double {
    let coarseGrid = VolumeGrid(
      size: coarse.crf.size, affine: grid.affine.withSpacing(coarse.crf.spacing))
    let result = LabelVolume(
      grid: coarseGrid, voxels: zip(labels, coarse.volumes).map { $1 > 0 ? UInt16($0) : 0 })
    let values = try coarse.referenceCounts.enumerated().map { index, counts throws(Cancelled) -> Double? in
      let value = UInt16(index + 1)
      let reference = LabelVolume(
        grid: coarseGrid, voxels: zip(counts, coarse.volumes).map { 2 * $0 > $1 ? value : 0 })
      let comparison = try StructureComparison(
        MatchedStructure(name: "", referenceValues: [value], otherValues: [value]), reference: reference,
        other: result, diagonalMillimetres: grid.diagonalMillimetres, work: work)
      return CountedMeasures(comparison)?.averageMillimetres
    }.compactMap(\.self)
    return values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }
}
