import DenseCRF
import Foundation
import ImageFormats
import Metrics
import Segmentation
import Volumes
import Work

/// The cases of a sweep.
///
/// Images are read when they are needed; the network's predictions are cached.
struct SweepSources {
  private let sources: [TrainingFolders.Source]
  private let model: SegmentationModel
  private let settings: RefinementSettings
  private let predictions: [NetworkPrediction]
  private let probabilityPaths: [String]
  private let structures: [[MatchedStructure]]
  private let overlapNotes = OverlapNotes()

  /// The names of the compared structures.
  var structureNames: [String] { structures.first?.map(\.name) ?? [] }

  /// Runs the network on each case, or finds its probabilities.
  /// - Throws: ``InputError`` when the model does not have a structure, or a case cannot be read; ``Cancelled``.
  init(
    sources: [TrainingFolders.Source], model: SegmentationModel, probabilityFolder: String?,
    settings: RefinementSettings, work: WorkContext
  ) throws {
    self.sources = sources
    self.model = model
    self.settings = settings
    structures = try sources.map { try $0.structures(of: model) }
    if let probabilityFolder {
      predictions = []
      let volumes = try CaseFolder.volumes(in: probabilityFolder)
      probabilityPaths = try sources.map { source throws(InputError) in
        guard let path = volumes[source.pair.name] else {
          throw InputError(
            probabilityFolder, "has no probabilities of \(source.pair.name)",
            expected: probabilityFolder + "/" + source.pair.name + ".nii.gz")
        }
        return path
      }
    } else {
      probabilityPaths = []
      let segmenter = try Segmenter(
        model: model, usesAuxiliaryHeads: settings.auxiliaryHeadWeights.contains { $0 != 0 }, work: work)
      predictions = try sources.map { source in
        try segmenter.prediction(for: source.volumes(work: work).images, work: work)
      }
    }
  }

  /// The start of the search where neither preset nor model has settings: the means of the settings that the first
  /// three images suggest.
  func suggestedStart(work: WorkContext) throws -> RefinementSettings {
    let suggested = try sources.indices.prefix(3).map { index in
      let image = try sources[index].volumes(work: work).images[0]
      let contrasts = try refinement(index, image, work: work)
        .contrasts(auxiliaryHeadWeights: crf(settings).auxiliaryHeadWeights, work: work)
      return RefinementDefaults(contrasts: contrasts, spacing: image.grid.spacing).settings
    }
    var start = suggested[0]
    for parameter in [KernelParameter.thetaAlpha, .thetaBeta, .thetaGamma] {
      let sum = suggested.reduce(0.0) { $0 + parameter.value(in: $1) }
      parameter.set((sum / Double(suggested.count)).toThreeDigits, in: &start)
    }
    start.auxiliaryHeadWeights = settings.auxiliaryHeadWeights
    return start
  }

  /// The data of case `index` for the trials of a search that begins at `start`.
  func sweepCase(_ index: Int, start: RefinementSettings, work: WorkContext) throws -> SweepCase {
    let (images, labels) = try sources[index].volumes(work: work.withoutProgress)
    let image = images[0]
    var classes = [UInt8](repeating: 0, count: 65536)
    for code in ignoredCodes(index) { classes[Int(code)] = TrainingCase.ignoredClass }
    guard model.labels.count < Unary.maximumClassCount else {
      throw InputError(
        model.path, "more labels than a CRF takes", found: "\(model.labels.count)",
        expected: "at most \(Unary.maximumClassCount - 1)")
    }
    for structure in structures[index] {
      let position = model.labels.firstIndex { structure.otherValues.contains($0.value) } ?? 0
      for value in structure.referenceValues { classes[Int(value)] = UInt8(position + 1) }
    }
    return try SweepCase(
      name: sources[index].pair.name, image: image,
      source: try unary(index, image, work: work.withoutProgress),
      labelValues: model.labelValues, trueClasses: labels.voxels.map { classes[Int($0)] },
      intensityRange: model.preprocessing.normalisation.refinementRange, start: crf(start), work: work)
  }

  /// The measures of case `index` with each of `kernels`, at full resolution.
  func measurement(
    _ index: Int, _ kernels: [RefinementSettings], work: WorkContext
  ) throws -> SweepMeasurement {
    let (images, labels) = try sources[index].volumes(work: work.withoutProgress)
    let image = images[0]
    let refinement = try refinement(index, image, work: work.withoutProgress)
    var none = crf(settings)
    none.appearanceWeight = 0
    none.smoothnessWeight = 0
    let beforeRefinement = try refinement.labels(settings: none, work: work.withoutProgress)
    let overlaps = try LabelOverlaps(reference: labels, other: beforeRefinement, work: work.withoutProgress)
    let notes = overlapNotes.lines(
      structures[index], sources[index], labels, model, beforeRefinement, overlaps: overlaps)
    for note in notes { Console.note(note) }
    return try SweepMeasurement(
      name: sources[index].pair.name, refinement: refinement, kernels: kernels.map(crf),
      beforeRefinement: beforeRefinement, truth: labels,
      structures: structures[index], ignoredCodes: ignoredCodes(index), work: work)
  }

  private func ignoredCodes(_ index: Int) -> [UInt16] {
    sources[index].coding.codes(of: sources[index].ignoredValues)
  }

  private func refinement(_ index: Int, _ image: ScalarVolume, work: WorkContext) throws -> Refinement {
    try Refinement(
      image: image, source: try unary(index, image, work: work), labelValues: model.labelValues,
      coding: model.coding,
      intensityRange: model.preprocessing.normalisation.refinementRange,
      postProcessing: model.postProcessing, work: work)
  }

  /// The settings without weights of auxiliary heads where probabilities were read, in which the heads are mixed
  /// already.
  private func crf(_ settings: RefinementSettings) -> RefinementSettings {
    var own = settings
    if !probabilityPaths.isEmpty { own.auxiliaryHeadWeights = [] }
    return own
  }

  private func unary(_ index: Int, _ image: ScalarVolume, work: WorkContext) throws -> UnarySource {
    if probabilityPaths.isEmpty { return .prediction(predictions[index]) }
    let path = probabilityPaths[index]
    let volume = try ImageFile.open(path).probabilityVolume(work: work)
    try GridFit.requireSame(volume.grid, as: image.grid, subject: path)
    guard volume.classCount == model.labels.count + 1 else {
      throw InputError(
        path, "classes", found: "\(volume.classCount)", expected: "\(model.labels.count + 1) of the model")
    }
    return .probabilities(
      ProbabilityVolume(grid: image.grid, classCount: volume.classCount, values: volume.values))
  }
}
