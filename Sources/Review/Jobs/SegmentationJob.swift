import Volumes
import Work

/// The model and the image of a segmentation.
package struct SegmentationRequest: Equatable, Sendable {
  /// The model, by its ``ModelDescription/id``.
  package var modelID: String
  package var image: ScalarVolume

  package init(modelID: String, image: ScalarVolume) {
    self.modelID = modelID
    self.image = image
  }
}

/// Class probabilities that the services keep for later refinements.
package struct ProbabilitiesHandle: Hashable, Sendable {
  /// The number of the run, which the services choose.
  package var number: Int

  package init(_ number: Int) { self.number = number }
}

package struct SegmentationResult: Equatable, Sendable {
  /// The labels on the image's own grid, after small components were removed and holes filled.
  package var labels: ChunkedLabels
  /// The large components that were removed from them.
  package var removed: [RemovedComponent]
  /// The model's labels.
  package var table: LabelTable
  /// The probabilities from which ``labels`` were computed by arg max.
  package var probabilities: ProbabilitiesHandle
  /// The number of auxiliary heads among them.
  package var auxiliaryHeadCount: Int
  /// The CRF settings that the model file advises.
  package var advisedSettings: RefinementSettings?

  package init(
    labels: ChunkedLabels, removed: [RemovedComponent] = [], table: LabelTable,
    probabilities: ProbabilitiesHandle, auxiliaryHeadCount: Int = 0,
    advisedSettings: RefinementSettings? = nil
  ) {
    self.labels = labels
    self.removed = removed
    self.table = table
    self.probabilities = probabilities
    self.auxiliaryHeadCount = auxiliaryHeadCount
    self.advisedSettings = advisedSettings
  }
}

/// Runs a network on the image; the result is a new version.
package struct SegmentationJob: Job {
  /// The result and the statistics of its labels.
  package struct Outcome: Equatable, Sendable {
    package var result: SegmentationResult
    package var components: LabelComponents

    package init(_ result: SegmentationResult, _ components: LabelComponents) {
      self.result = result
      self.components = components
    }
  }

  package static let kind = JobKind.segmentation
  /// The model and the image.
  package var request: SegmentationRequest
  package var model: ModelDescription
  /// The frame of the image, counted from 0.
  package var frame: Int
  /// The crosshair at the start of the job.
  package var crosshair: VoxelIndex

  package var title: String? { "running \(cleaned(model.name))" }

  package var stoppedText: String { "stopped \(cleaned(model.name)); no version was added" }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> Outcome {
    let result = try environment.services.segment(request, work.part(0...0.98))
    return Outcome(result, try LabelComponents(result.labels, work: work.withoutProgress))
  }

  package func reduce(_ state: inout ReviewState, _ outcome: Outcome) -> [ReviewEffect] {
    let effects = state.add(outcome.result, outcome.components, by: model, frame: frame)
    state.show(largestOf: outcome.components.statistics, hasMoved: state.view.crosshair != crosshair)
    return effects
  }
}

extension ReviewState {
  fileprivate mutating func add(
    _ result: SegmentationResult, _ components: LabelComponents, by model: ModelDescription, frame: Int
  ) -> [ReviewEffect] {
    let version = Version(
      id: makeVersionID(), name: uniqueName(model.name),
      origin: .network(modelID: model.id, modelName: model.name),
      labels: result.labels, table: result.table, components: components, probabilities: result.probabilities,
      auxiliaryHeadCount: result.auxiliaryHeadCount, advisedSettings: result.advisedSettings,
      warnings: components.statistics.isEmpty
        ? ["the network found nothing"]
        : result.removed.map { cleaned($0.note(result.table)) }, frame: frame)
    let advised = result.advisedSettings
    return add(version, comparedWith: shownVersion?.id) { decisions in
      if let advised { decisions.knobs.refinement = advised }
    }
  }

  /// Goes to the largest slice of what a network found, unless the reviewer has moved the crosshair in the meantime.
  fileprivate mutating func show(largestOf statistics: [LabelStatistics], hasMoved: Bool) {
    guard let largest = statistics.max(by: { $0.voxelCount < $1.voxelCount }),
      let label = shownVersion?.table[largest.label]
    else { return }
    guard hasMoved else { return jump(to: label) }
    selectedLabel = shownVersion?.key(of: label)
    if let text = message?.text {
      message = Message("\(text); G goes to \(cleaned(label.name))", message?.kind ?? .note)
    }
  }
}
