import Volumes
import Work

/// A model as the dialog shows it before it runs.
package struct ModelDescription: Equatable, Sendable {
  /// A value of `--model`: a bundled name or a path.
  package var id: String
  /// The display name.
  package var name: String
  /// The labels that it finds.
  package var labels: LabelTable
  /// Its size: "1.1 M weights, 2.2 MB".
  package var size: String
  /// The training data: "portal venous CT, abdomen, 3 mm".
  package var input: String
  /// Estimated seconds for this image on this machine; nil where unknown.
  package var estimatedSeconds: Double?
  /// The difference between this image and the training data, in one line; nil where none was found.
  package var warning: String?

  package init(
    id: String, name: String, labels: LabelTable, size: String, input: String,
    estimatedSeconds: Double? = nil, warning: String? = nil
  ) {
    self.id = id
    self.name = name
    self.labels = labels
    self.size = size
    self.input = input
    self.estimatedSeconds = estimatedSeconds
    self.warning = warning
  }
}

/// Lists the available models and checks each against the image.
package struct ModelsJob: Job {
  package static let kind = JobKind.models
  package var image: ScalarVolume

  package init(image: ScalarVolume) { self.image = image }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> [ModelDescription] {
    try environment.services.models(for: image, work)
  }

  /// Fills the list of models, then handles the keys that were pressed in it before.
  package func reduce(_ state: inout ReviewState, _ outcome: [ModelDescription]) -> [ReviewEffect] {
    state.models = outcome
    let keys = state.queuedKeys
    state.queuedKeys = []
    guard case .models = state.dialog else { return [] }
    state.message = nil
    guard !outcome.isEmpty else {
      state.dialog = nil
      state.message = Message("no models were found", .error)
      return []
    }
    var effects: [ReviewEffect] = []
    for key in keys { effects += state.handleKey(key) }
    return effects
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.queuedKeys = []
    if case .models = state.dialog { state.dialog = nil }
    state.message = Message(line, .error)
    return []
  }
}
