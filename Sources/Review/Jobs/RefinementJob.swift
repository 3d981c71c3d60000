import Volumes
import Work

/// The input of a CRF refinement.
package struct RefinementRequest: Equatable, Sendable {
  /// The source of the unary energy.
  package enum Source: Equatable, Sendable {
    /// A network's probabilities.
    case probabilities(ProbabilitiesHandle)
    /// A hard mask; `confidence` is the probability of the mask's label in each voxel.
    case mask(ChunkedLabels, confidence: Double)
  }

  /// The image that the appearance kernel reads.
  package var image: ScalarVolume
  /// The source of the unary energy.
  package var source: Source
  /// The labels that a voxel can get.
  package var table: LabelTable
  /// Kernels and iterations.
  package var settings: RefinementSettings
  /// The box of the image that is refined; nil for the whole image.
  package var region: VoxelBounds?
  /// The labels before refinement, with which the result is compared.
  package var labelsBefore: ChunkedLabels
  /// The components of ``labelsBefore``.
  package var componentsBefore: LabelComponents

  package init(
    image: ScalarVolume, source: Source, table: LabelTable, settings: RefinementSettings,
    region: VoxelBounds? = nil, labelsBefore: ChunkedLabels, componentsBefore: LabelComponents
  ) {
    self.image = image
    self.source = source
    self.table = table
    self.settings = settings
    self.region = region
    self.labelsBefore = labelsBefore
    self.componentsBefore = componentsBefore
  }
}

/// Labels after refinement.
package struct RefinedLabels: Equatable, Sendable {
  /// The box of the labels: the whole grid, or the part of the request's region in which its faces do not affect the
  /// result.
  package var box: VoxelBounds
  /// The refined labels in ``box``.
  package var labels: LabelVolume
  /// The fraction of border voxels whose label messages of these weights could change; a border voxel lies in ``box``
  /// and touches another label before refinement.
  ///
  /// nil where there is no border voxel, or messages have no limit.
  package var movableFraction: Double?

  package init(box: VoxelBounds, labels: LabelVolume, movableFraction: Double? = nil) {
    precondition(labels.grid.size == box.size, "\(labels.grid.size) in a box of \(box.size)")
    self.box = box
    self.labels = labels
    self.movableFraction = movableFraction
  }
}

/// Runs the CRF on the whole image; the result is a new version.
package struct RefinementJob: Job {
  package static let kind = JobKind.refinement
  /// The source and settings.
  package var request: RefinementRequest
  /// The version that is refined.
  package var base: VersionID
  /// The knobs at the start of the job.
  package var knobs: KnobSettings
  /// The frame of the image, counted from 0.
  package var frame: Int

  package init(request: RefinementRequest, base: VersionID, knobs: KnobSettings, frame: Int) {
    self.request = request
    self.base = base
    self.knobs = knobs
    self.frame = frame
  }

  package var title: String? { "refining with the CRF" }

  package var stoppedText: String { "stopped the CRF; no version was added" }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> RefinedPart {
    try request.refined(in: environment, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: RefinedPart) -> [ReviewEffect] {
    state.noteProbabilitiesInMemory(of: request)
    let effects = state.add(outcome, refining: base, with: knobs, frame: frame)
    state.showRefinedImage(outcome, base: base, knobs)
    return effects
  }
}

extension RefinementRequest {
  /// Runs the CRF and compares the result with what it started from.
  func refined(in environment: JobEnvironment, _ work: WorkContext) throws -> RefinedPart {
    let start = ContinuousClock.now
    var part = try RefinedPart(
      try environment.services.refine(self, work.part(0...0.9)), of: self, work.part(0.9...1))
    part.seconds = (ContinuousClock.now - start) / .seconds(1)
    return part
  }
}

extension ReviewState {
  /// Notes that a refinement had the network's probabilities computed where they were not in memory.
  mutating func noteProbabilitiesInMemory(of request: RefinementRequest) {
    if case .probabilities(let handle) = request.source { forgetMissingProbabilities(of: handle) }
  }

  /// The version of a refinement of the whole image.
  mutating func add(
    _ part: RefinedPart, refining base: VersionID, with knobs: KnobSettings, frame: Int
  ) -> [ReviewEffect] {
    guard let base = version(base) else { return [] }
    refinementCount += 1
    let version = Version(
      id: makeVersionID(), name: "CRF \(refinementCount)",
      origin: refinementOrigin(base, knobs),
      labels: part.labels, table: base.ownTable, components: part.components, family: base.family,
      probabilities: base.probabilities, auxiliaryHeadCount: base.auxiliaryHeadCount,
      advisedSettings: base.advisedSettings,
      warnings: Version.warnings(from: base, to: part.components.statistics),
      frame: base.probabilities == nil ? frame : base.frame)
    return add(version, comparedWith: base.id)
  }
}
