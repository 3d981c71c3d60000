import Metrics
import Volumes
import Work

/// The metrics of one case at full resolution, before refinement and with each of several kernels.
package struct SweepMeasurement: Sendable, Hashable {
  /// Means over the structures that the ground truth or the mask has; missed structures as in `CountedMeasures`.
  package struct Measures: Sendable, Hashable {
    /// Dice; 1 where there is no structure.
    package var dice: Double
    /// Average symmetric surface distance; 0 where there is no structure.
    package var averageMillimetres: Double
    /// Whether the truth or the mask has any structure.
    package var hasStructure: Bool

    package init(dice: Double, averageMillimetres: Double, hasStructure: Bool = true) {
      self.dice = dice
      self.averageMillimetres = averageMillimetres
      self.hasStructure = hasStructure
    }

    /// The measure that `objective` optimises.
    package subscript(objective: SweepObjective) -> Double {
      objective == .dice ? dice : averageMillimetres
    }
  }

  /// The name of the case.
  package var name: String
  /// The measures before refinement.
  package var beforeRefinement: Measures
  /// With each of the kernels, in order.
  package var refined: [Measures]
  /// The labels that vanish with each of the kernels, in order.
  package var vanished: [[VanishedLabel]] = []

  /// Whether the case is included in means: the ground truth or a mask has a structure.
  package var counts: Bool { beforeRefinement.hasStructure || refined.contains(where: \.hasStructure) }

  /// The gain of kernels `index` over no CRF.
  package func gain(_ index: Int, _ objective: SweepObjective) -> Double {
    objective.gain(of: refined[index][objective], over: beforeRefinement[objective])
  }

  /// Measures masks as `refine` writes them, post-processing included.
  /// - Parameters:
  ///   - beforeRefinement: The mask that `segment` writes.
  ///   - structures: The structures to compare.
  ///   - ignoredCodes: Labels of the ground truth whose voxels are ignored.
  /// - Throws: ``InputError`` when the settings do not fit the case; ``Cancelled``.
  package init(
    name: String, refinement: Refinement, kernels: [RefinementSettings], beforeRefinement: LabelVolume,
    truth: LabelVolume, structures: [MatchedStructure], ignoredCodes: [UInt16] = [],
    work: WorkContext
  ) throws {
    self.name = name
    func measures(_ labels: LabelVolume) throws(Cancelled) -> Measures {
      try Self.measures(
        labels.cleared(where: truth, has: ignoredCodes), truth, structures, work: work.withoutProgress)
    }
    self.beforeRefinement = try measures(beforeRefinement)
    refined = []
    for (index, settings) in kernels.enumerated() {
      let labels = try refinement.labels(settings: settings, work: work.withoutProgress)
      refined.append(try measures(labels))
      vanished.append(VanishedLabel.all(before: beforeRefinement, after: labels))
      work.report(Double(index + 1) / Double(kernels.count))
    }
  }

  package init(name: String, beforeRefinement: Measures, refined: [Measures]) {
    self.name = name
    self.beforeRefinement = beforeRefinement
    self.refined = refined
  }

  private static func measures(
    _ labels: LabelVolume, _ truth: LabelVolume, _ structures: [MatchedStructure], work: WorkContext
  ) throws(Cancelled) -> Measures {
    let extents = try LabelExtents(reference: truth, other: labels, work: work)
    let counted = try structures.map { structure throws(Cancelled) in
      CountedMeasures(
        try StructureComparison(structure, reference: truth, other: labels, extents: extents, work: work))
    }.compactMap(\.self)
    guard !counted.isEmpty else { return Measures(dice: 1, averageMillimetres: 0, hasStructure: false) }
    let count = Double(counted.count)
    return Measures(
      dice: counted.reduce(0) { $0 + $1.dice } / count,
      averageMillimetres: counted.reduce(0) { $0 + $1.averageMillimetres } / count)
  }
}

/// The result of a hyperparameter search.
package struct SweepOutcome: Sendable, Hashable {
  /// Index of the kernels with the largest mean gain; ties go to the first.
  package let best: Int
  /// The mean gain of the best kernels over the cases.
  package let meanGain: Double
  /// The leave-one-out estimate of the gain on a new case: the mean gain of each case with the kernels that are best on
  /// all others; nil with fewer than three cases.
  package let heldOutGain: Double?
  /// Whether the mean gain is at least 0.001 Dice or 0.02 mm.
  package let isImprovement: Bool

  /// The outcome of measurements of the same kernels on at least one case; cases without a structure are ignored.
  package init(_ all: [SweepMeasurement], objective: SweepObjective) {
    let kernelCount = all.first?.refined.count ?? 0
    precondition(kernelCount > 0, "an outcome needs a case and kernels")
    let measurements = all.filter(\.counts)
    func bestKernels(of some: [SweepMeasurement]) -> Int {
      let sums = (0..<kernelCount).map { kernel in
        some.reduce(0.0) { $0 + $1.gain(kernel, objective) }
      }
      return sums.indices.reduce(0) { sums[$1] > sums[$0] ? $1 : $0 }
    }
    let chosen = bestKernels(of: measurements)
    let count = Double(max(measurements.count, 1))
    best = chosen
    meanGain = measurements.reduce(0.0) { $0 + $1.gain(chosen, objective) } / count
    heldOutGain =
      measurements.count < 3
      ? nil
      : measurements.indices.reduce(0.0) { sum, index in
        var others = measurements
        let own = others.remove(at: index)
        return sum + own.gain(bestKernels(of: others), objective)
      } / count
    isImprovement = meanGain >= (objective == .dice ? 0.001 : 0.02)
  }
}
