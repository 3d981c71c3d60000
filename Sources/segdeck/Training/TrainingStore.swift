import Foundation
import Networks
import Segmentation
import Volumes
import Work

/// What a training run leaves on disk: log, checkpoints, and the model made of its best weights.
struct TrainingStore {
  /// What a run is, beside its network: kept in model files and checkpoints.
  struct Description: Codable {
    var settings: TrainingSettings
    var cases: [String: [String]]
    var iteration: Int
    var validationDice: Double?
    var date: String
  }

  let settings: TrainingSettings
  let preprocessing: Preprocessing
  let refinement: RefinementSettings
  /// Labels of the classes above background, as the model and its masks have them.
  let labels: CodedLabels
  /// As which values of the label files they are trained.
  let selections: [[LabelSelection]]
  let caseNames: [String: [String]]
  /// What the card says beside the run's own figures.
  let card: ModelCard
  /// Folder of the checkpoints; nil for none.
  let checkpoints: String?

  private static let progressKey = "progress"
  private static let last = "/last.safetensors"
  private static let best = "/best.safetensors"

  /// The files that a run writes to `folder`.
  static func files(in folder: String) -> [String] { [folder + last, folder + best] }

  /// Refuses a folder that holds a run which would be overwritten.
  static func refuseOther(in folder: String, mayReplace: Bool) throws(InputError) {
    guard !mayReplace, let found = [last, best].first(where: { FileSystem.exists(folder + $0) }) else {
      return
    }
    throw InputError(
      folder, "holds another run", found: String(found.dropFirst()),
      expected: "--resume to go on with it, --force to replace it, or another folder")
  }

  /// Where a folder of checkpoints has the newest one.
  static func lastPath(in folder: String) -> String { folder + last }

  /// Whether a folder holds a run that can go on.
  static func holdsRun(_ folder: String) -> Bool { FileSystem.exists(folder + last) }

  /// Makes the folder of the checkpoints.
  static func makeFolder(_ folder: String) throws(InputError) { try FileSystem.makeFolder(folder) }

  /// Writes best.safetensors when these weights are the best yet, and last.safetensors.
  ///
  /// In this order: should the program end in between, the run goes on from before these weights and makes them again.
  func write(_ training: TrainingRun, isBest: Bool) throws(InputError) {
    guard let checkpoints else { return }
    try Self.makeFolder(checkpoints)
    if isBest { try model(of: training, name: "best").write(to: checkpoints + Self.best) }
    var metadata = model(of: training, name: "last").metadata
    metadata[Self.progressKey] = training.progress.json
    try Checkpoint.write(training.trainer, metadata: metadata, to: checkpoints + Self.last)
  }

  /// A run that was stored.
  struct Stored {
    let path: String
    let trainer: Trainer
    let progress: TrainingProgress
    let bestParameters: Parameters?
    let description: Description
    let preprocessing: Preprocessing
    let labels: CodedLabels
    /// nil in checkpoints that do not say.
    let selections: [[LabelSelection]]?
    let card: ModelCard?
  }

  /// Writes the model where it was meant to go or, where that fails, to the first other place that works: the folder of
  /// the checkpoints, the current one, the one for temporary files.
  /// - Throws: ``InputError`` that says why the place failed, and where the model is.
  func writeModel(of training: TrainingRun, to path: String, format: ElementFormat) throws(InputError) {
    let name = FilePath.name(of: path)
    let model = model(of: training, name: name)
    do throws(InputError) { try model.write(to: path, format: format) } catch {
      for folder in [checkpoints, FileSystem.currentFolder, FileSystem.temporaryFolder, "/tmp", "/var/tmp"]
        .compactMap(\.self)
      {
        let own = [name, "\(getpid())-\(name)"].map { FilePath.joined(folder, $0) }
        guard let otherPath = own.first(where: { !FileSystem.exists($0) }), otherPath != path,
          (try? model.write(to: otherPath, format: format)) != nil
        else { continue }
        throw InputError(
          path,
          "\(error.problem)\(error.found.map { " (\($0))" } ?? ""); the model was written to \(otherPath) instead"
        )
      }
      throw error
    }
  }

  /// Reads the run that `folder` holds.
  /// - Throws: ``InputError`` when there is none, or a file is damaged.
  static func stored(in folder: String) throws(InputError) -> Stored {
    let path = folder + last
    let (trainer, texts) = try Checkpoint.read(path: path)
    let progress = try TrainingProgress(json: texts[progressKey] ?? "", subject: path)
    // The checkpoint is a model file too, which brings labels and preprocessing.
    let model = try SegmentationModel(path: path)
    guard let description = try? JSONDecoder().decode(Description.self, from: Data(model.training.utf8))
    else {
      throw InputError(path, "checkpoint: its settings cannot be read")
    }
    do { try description.settings.validated() } catch {
      throw InputError(
        path, "checkpoint: \(error.subject) is unusable", found: error.found, expected: error.expected)
    }
    return Stored(
      path: path, trainer: trainer, progress: progress,
      bestParameters: progress.validatedIteration > 0
        ? try SegmentationModel(path: folder + best).parameters : nil,
      description: description, preprocessing: model.preprocessing, labels: model.codedLabels,
      selections: model.trainedSelections, card: model.card)
  }

  /// The model of the best weights, or of the newest ones where nothing was validated.
  func model(of training: TrainingRun, name: String) -> SegmentationModel {
    SegmentationModel(
      name: name, graph: training.trainer.graph.graph,
      parameters: training.bestParameters ?? training.trainer.evaluationParameters,
      labels: labels.labels, coding: labels.coding, trainedSelections: selections,
      preprocessing: preprocessing, refinement: refinement,
      postProcessing: PostProcessing(keepsLargestComponent: true, fillsHoles: true),
      training: description(of: training), card: card(of: training))
  }

  private func description(of training: TrainingRun) -> String {
    let best = training.progress.best
    let description = Description(
      settings: settings, cases: caseNames, iteration: best?.iteration ?? training.trainer.iteration,
      validationDice: best?.metrics.overallDice, date: Date.now.formatted(.iso8601))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return (try? encoder.encode(description)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private func card(of training: TrainingRun) -> ModelCard {
    var own = ModelCard()
    let best = training.progress.best
    own.cases = caseNames
    own.structures = labels.labels.map(\.name)
    own.validation = best?.metrics.cases.map { ModelCard.ValidationResult(name: $0.name, dice: $0.dice) }
    own.iteration = best?.iteration ?? training.trainer.iteration
    own.iterations = training.trainer.iteration
    own.loss = training.progress.loss
    own.date = Date.now.formatted(.iso8601)
    own.program = "segdeck \(SegdeckVersion.text)"
    return card.updated(with: own)
  }
}
