import ImageFormats
import Segmentation
import Volumes
import Work

/// What the dense CRF starts from, with its labels and parameters: what `refine` reads of files and `cohort run` has in
/// memory.
struct RefinementStart {
  var source: UnarySource
  /// In the order of the classes.
  var labels: [Label]
  /// The CRF of the model; the defaults where it has none of its own.
  var refinement: RefinementSettings
  var intensityRange: ClosedRange<Float>?
  var postProcessing: PostProcessing
  var coding: LabelCoding
  /// The weights τ of the heads in ``source``, in place of those of the settings: none where they are mixed already; nil
  /// for those of the settings.
  var auxiliaryHeadWeights: [Double]?

  /// A start from class probabilities on the image's own grid.
  /// - Parameters:
  ///   - sidecar: What is known of the network; nil for nothing, so that class n is label n.
  ///   - grid: The image's grid, which takes the place of the probabilities' own.
  ///   - subject: The file that an error names.
  /// - Throws: ``InputError`` when the network has another number of classes.
  init(
    probabilities volume: ProbabilityVolume, sidecar: ProbabilitySidecar?, on grid: VolumeGrid,
    subject: String
  ) throws(InputError) {
    let coded =
      sidecar?.labels
      ?? CodedLabels(
        (1..<max(volume.classCount, 2)).map {
          Label(value: UInt16($0), name: "label \($0)", colour: LabelTable.colour(ofValue: UInt16($0)))
        })
    labels = coded.labels
    guard labels.count + 1 == volume.classCount else {
      throw InputError(
        subject, "classes", found: "\(volume.classCount)", expected: "\(labels.count + 1) of the model")
    }
    source = .probabilities(
      ProbabilityVolume(grid: grid, classCount: volume.classCount, values: volume.values))
    refinement = sidecar?.refinement ?? RefinementSettings()
    intensityRange = sidecar?.normalisation.refinementRange
    postProcessing = sidecar?.postProcessing ?? .none
    coding = coded.coding
    auxiliaryHeadWeights = []
  }

  /// A start from what a network found, which gives the voxels of a start from the probabilities that `segment` writes, in
  /// less memory.
  init(_ prediction: NetworkPrediction, of network: NetworkSegmentation) {
    source = .prediction(prediction)
    labels = network.model.labels
    refinement = network.model.refinement
    intensityRange = network.model.preprocessing.normalisation.refinementRange
    postProcessing = network.model.postProcessing
    coding = network.model.coding
    auxiliaryHeadWeights = network.auxiliaryHeadWeights
  }

  /// A start from a mask.
  /// - Parameters:
  ///   - confidence: The probability of the mask's own label in each voxel.
  ///   - model: The model whose CRF, window and post-processing count; nil for none.
  ///   - subject: The file that an error names.
  /// - Throws: ``InputError`` when the mask has no label.
  init(
    mask: FittedMask, confidence: Double, model: SegmentationModel?, subject: String
  ) throws(InputError) {
    let present = mask.labels.voxelCounts().keys.filter { $0 > 0 }
    guard !present.isEmpty else {
      throw InputError(subject, "has no label to refine: every voxel is 0")
    }
    coding = mask.labels.coding
    let ofModel = model.map { LabelNames($0.labelTable, coding: $0.coding).table(mask.labels.coding) }
    let named = mask.names ?? ofModel ?? LabelTable()
    source = .mask(mask.labels, confidence: confidence)
    labels = named.completed(for: present, coding: coding).labels.filter { present.contains($0.value) }
    refinement = model?.refinement ?? RefinementSettings()
    intensityRange = model?.preprocessing.normalisation.refinementRange
    postProcessing = model?.postProcessing ?? .none
    auxiliaryHeadWeights = nil
  }

  /// The refined labels, and the settings with which they were made: the preset, else the model's, else what the images
  /// suggest, changed by the options.
  /// - Parameters:
  ///   - furtherImages: Images on the same grid that the appearance kernel compares too.
  ///   - preset: Settings in place of the model's; nil for none.
  ///   - isExact: Whether every pair of voxels counts, without approximation.
  ///   - note: Receives why the images suggest settings, and labels that vanished.
  /// - Throws: ``InputError`` for settings that cannot be used; ``Cancelled``.
  func refined(
    _ image: ScalarVolume, furtherImages: [ScalarVolume] = [], options: RefinementOptions,
    preset: RefinementSettings?, isExact: Bool = false, work: WorkContext, note: (String) -> Void
  ) throws -> (labels: LabelVolume, settings: RefinementSettings) {
    let refinement = try Refinement(
      image: image, furtherImages: furtherImages, source: source,
      labelValues: [0] + labels.map(\.value), coding: coding, intensityRange: intensityRange,
      postProcessing: postProcessing, work: work.withoutProgress)
    let settings =
      try preset.map { try options.settings(over: $0, labels: labels, coding: coding) }
      ?? self.settings(
        options, refinement, image, imageCount: 1 + furtherImages.count, work: work.withoutProgress,
        note: note)
    guard settings.furtherThetaBetas.count == furtherImages.count else {
      throw InputError(
        "--theta-beta", "needs one number per image", found: "\(settings.thetaBetas.count)",
        expected: "\(1 + furtherImages.count)")
    }
    var own = settings
    if let auxiliaryHeadWeights { own.auxiliaryHeadWeights = auxiliaryHeadWeights }
    let refined = try refinement.labels(settings: own, exact: isExact, work: work)
    for label in try refinement.vanished(in: refined, settings: own, work: work.withoutProgress) {
      note(label.note(LabelTable(labels)))
    }
    return (refined, settings)
  }

  /// The model's settings, or where it has none of its own those that the images suggest, changed by the options.
  private func settings(
    _ options: RefinementOptions, _ refinement: Refinement, _ image: ScalarVolume, imageCount: Int,
    work: WorkContext, note: (String) -> Void
  ) throws -> RefinementSettings {
    guard self.refinement.areDefaults else {
      return try options.settings(over: self.refinement, labels: labels, coding: coding)
    }
    let contrasts = try refinement.contrasts(
      auxiliaryHeadWeights: auxiliaryHeadWeights ?? self.refinement.auxiliaryHeadWeights, work: work)
    let defaults = RefinementDefaults(
      contrasts: contrasts.isEmpty ? Array(repeating: nil, count: imageCount) : contrasts,
      spacing: image.grid.spacing)
    var base = defaults.settings
    base.auxiliaryHeadWeights = self.refinement.auxiliaryHeadWeights
    let settings = try options.settings(over: base, labels: labels, coding: coding)
    if options.given.isDisjoint(with: [.thetaAlpha, .thetaBeta, .thetaGamma]) {
      for reason in defaults.reasons { note("CRF: \(reason)") }
    }
    return settings
  }
}
