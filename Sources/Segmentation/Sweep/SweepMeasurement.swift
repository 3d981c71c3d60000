import Metrics
import Volumes
import Work

/// What masks of one case reach at full resolution with each of several kernels, and without a CRF.
package struct SweepMeasurement: Sendable, Hashable {
  /// Means over the structures that the truth or the mask has, missed ones as `CountedMeasures` has it.
  package struct Measures: Sendable, Hashable {
    /// Dice; 1 where there is no structure.
    package var dice: Double
    /// Average symmetric surface distance; 0 where there is no structure.
    package var averageMillimetres: Double
    /// Whether the truth or the mask has any structure.
    package var hasStructure: Bool

    /// Measures that were made elsewhere.
    package init(dice: Double, averageMillimetres: Double, hasStructure: Bool = true) {
      self.dice = dice
      self.averageMillimetres = averageMillimetres
      self.hasStructure = hasStructure
    }

    /// The measure that `objective` seeks.
    package subscript(objective: SweepObjective) -> Double {
      objective == .dice ? dice : averageMillimetres
    }
  }

  /// The case.
  package var name: String
  /// Without a CRF.
  package var unrefined: Measures
  /// With each of the kernels, in their order.
  package var refined: [Measures]
  /// What each of the kernels made vanish, in their order.
  package var vanished: [[VanishedLabel]] = []

  /// Whether the case counts in means: the truth, or a mask with or without a CRF, has a structure.
  package var counts: Bool { unrefined.hasStructure || refined.contains(where: \.hasStructure) }

  /// The gain of kernels `index` over no CRF.
  package func gain(_ index: Int, _ objective: SweepObjective) -> Double {
    objective.gain(of: refined[index][objective], over: unrefined[objective])
  }

  /// Measures masks as they leave `refine`, post-processing included.
  /// - Parameters:
  ///   - unrefined: The mask that leaves `segment`.
  ///   - structures: What is compared.
  ///   - ignoredCodes: Labels of the truth whose voxels are left out.
  /// - Throws: ``InputError`` when the settings do not fit the case; ``Cancelled``.
  package init(
    name: String, refinement: Refinement, kernels: [RefinementSettings], unrefined: LabelVolume,
    truth: LabelVolume, structures: [MatchedStructure], ignoredCodes: [UInt16] = [],
    work: WorkContext
  ) throws {
    self.name = name
    func measures(_ labels: LabelVolume) throws(Cancelled) -> Measures {
      try Self.measures(
        labels.cleared(where: truth, has: ignoredCodes), truth, structures, work: work.silent)
    }
    self.unrefined = try measures(unrefined)
    refined = []
    for (index, settings) in kernels.enumerated() {
      let labels = try refinement.labels(settings: settings, work: work.silent)
      refined.append(try measures(labels))
      vanished.append(VanishedLabel.all(before: unrefined, after: labels))
      work.report(Double(index + 1) / Double(kernels.count))
    }
  }

  /// Measures that were made elsewhere.
  package init(name: String, unrefined: Measures, refined: [Measures]) {
    self.name = name
    self.unrefined = unrefined
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

/// What a sweep says in the end.
package struct SweepOutcome: Sendable, Hashable {
  /// Index of the kernels with the largest mean gain; ties go to the first.
  package let best: Int
  /// Their mean gain over the cases.
  package let meanGain: Double
  /// What to expect of a new case: the mean gain of each under the kernels that are best on all the others.
  ///
  /// nil with fewer than three cases.
  package let heldOutGain: Double?
  /// Whether the mean gain is worth having: at least 0.001 Dice or 0.02 mm.
  package let helps: Bool

  /// The outcome of measurements of the same kernels on at least one case; those without a structure do not count.
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
    helps = meanGain >= (objective == .dice ? 0.001 : 0.02)
  }
}
