import Review
import Segmentation
import Volumes
import Work

// Runs the CRF requests of a review with `Refinement`, for the program and for its benchmarks.

extension RefinementRequest {
  /// The voxel value of each class: 0 for background, then the labels of the table that occur in the mask.
  /// - Throws: ``InputError`` when no label occurs.
  package func labelValues() throws(InputError) -> [UInt16] {
    let present = Set(componentsBefore.statistics.map(\.label))
    let values = table.labels.map(\.value).filter { present.contains($0) }
    guard !values.isEmpty else { throw InputError("mask", "has no label to refine: every voxel is 0") }
    return [0] + values
  }
}

extension RefinedLabels {
  /// The refined labels of the request's region, or of the whole image where it has none.
  /// - Throws: As ``Refinement/labels(settings:exact:work:)``.
  package init(_ request: RefinementRequest, by refinement: Refinement, work: WorkContext) throws {
    if let region = request.region {
      let refined = try refinement.region(region, settings: request.settings, work: work)
      self.init(box: refined.box, labels: refined.labels, movableFraction: refined.movableFraction)
    } else {
      let labels = try refinement.labels(settings: request.settings, work: work)
      self.init(box: VoxelBounds(labels.grid.size), labels: labels)
    }
  }
}

extension ImageMeasures {
  /// Noise and edge contrast of the request's image, and the settings that follow from them; nil where they cannot be
  /// measured.
  /// - Throws: As ``Refinement/contrasts(auxiliaryHeadWeights:work:)``.
  package init?(of request: RefinementRequest, by refinement: Refinement, work: WorkContext) throws {
    let contrasts = try refinement.contrasts(
      auxiliaryHeadWeights: request.settings.auxiliaryHeadWeights, work: work)
    guard let contrast = contrasts.first ?? nil else { return nil }
    self.init(
      noise: contrast.noise, edgeContrast: contrast.edge,
      suggested: RefinementDefaults(contrasts: contrasts, spacing: request.image.grid.spacing).settings)
  }
}
