import Foundation
import Networks
import Segmentation
import Volumes
import Work

/// The files of a training run: checkpoints, and the model with the best weights.
struct TrainingStore {
  /// The description of a run without its network, stored in model files and checkpoints.
  struct Description: Codable {
    var settings: TrainingSettings
    var cases: [String: [String]]
    var iteration: Int
    var validationDice: Double?
    var date: String
    /// SHA-256 of the file whose weights the run started from; nil for random weights, and in older files.
    var initialChecksum: String?
  }

  let settings: TrainingSettings
  let preprocessing: Preprocessing
  let refinement: RefinementSettings
  /// Labels of the classes above background, as the model and its masks have them.
  let labels: CodedLabels
  /// The values in the label files that each label is trained on.
  let selections: [[LabelSelection]]
  let caseNames: [String: [String]]
  /// SHA-256 of the file whose weights the run started from; nil for random weights.
  let initialChecksum: String?
  /// The card without the results of the run.
  let card: ModelCard
  /// Folder of the checkpoints; nil for none.
  let checkpoints: String?

  private static let progressKey = "progress"
  private static let last = "/last" + ModelFile.suffix
  private static let best = "/best" + ModelFile.suffix

  /// The checkpoint files of a run in `folder`.
  static func files(in folder: String) -> [String] { [folder + last, folder + best] }

  /// Refuses a folder with the checkpoints of another run.
  /// - Throws: ``InputError`` where it has some and `mayReplace` is false.
  static func refuseOther(in folder: String, mayReplace: Bool) throws(InputError) {
    guard !mayReplace, let found = [last, best].first(where: { FileSystem.exists(folder + $0) }) else {
      return
    }
    throw InputError(
      folder, "holds another run", found: String(found.dropFirst()),
      expected: "--resume to continue it, --force to replace it, or another folder")
  }

  /// Whether a folder has a run that can be resumed.
  static func holdsRun(_ folder: String) -> Bool { FileSystem.exists(folder + last) }

  /// Makes the folder of the checkpoints.
  static func makeFolder(_ folder: String) throws(InputError) { try FileSystem.makeFolder(folder) }

  /// Writes best.safetensors when these weights are the best yet, then last.safetensors.
  ///
  /// If the program ends between the two, the resumed run starts from the older last.safetensors and computes these
  /// weights again.
  /// - Throws: ``InputError`` when a file cannot be written.
  func write(_ training: TrainingRun, isBest: Bool) throws(InputError) {
    guard let checkpoints else { return }
    try Self.makeFolder(checkpoints)
    if isBest { try model(of: training, name: "best").write(to: checkpoints + Self.best) }
    var metadata = model(of: training, name: "last").metadata
    metadata[Self.progressKey] = training.progress.json
    try Checkpoint.write(training.trainer, metadata: metadata, to: checkpoints + Self.last)
  }

  struct Stored {
    let path: String
    let trainer: Trainer
    let progress: TrainingProgress
    let bestParameters: Parameters?
    let description: Description
    let preprocessing: Preprocessing
    let labels: CodedLabels
    /// nil in older checkpoints.
    let selections: [[LabelSelection]]?
    let card: ModelCard?
  }

  /// Writes the model to `path` or, where that fails, to the first of these folders that works: checkpoints, current
  /// folder, temporary folder.
  /// - Throws: ``InputError`` with the reason and the path of the model, where `path` failed.
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

  /// Reads the stored run of `folder`.
  /// - Throws: ``InputError`` when there is none, or a file is damaged.
  static func stored(in folder: String) throws(InputError) -> Stored {
    let path = folder + last
    let (trainer, texts) = try Checkpoint.read(path: path)
    let progress = try TrainingProgress(json: texts[progressKey] ?? "", subject: path)
    // The checkpoint is also a model file with labels and preprocessing.
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

  /// The model with the best weights, or with the newest weights where nothing was validated.
  func model(of training: TrainingRun, name: String) -> SegmentationModel {
    SegmentationModel(
      name: name, graph: training.trainer.graph.graph,
      parameters: training.bestParameters ?? training.trainer.evaluationParameters,
      labels: labels.labels, coding: labels.coding, trainedSelections: selections,
      preprocessing: preprocessing, tiling: training.tiling, refinement: refinement,
      postProcessing: PostProcessing(keepsLargestComponent: true, fillsHoles: true),
      training: description(of: training), card: card(of: training))
  }

  private func description(of training: TrainingRun) -> String {
    let best = training.progress.best
    let description = Description(
      settings: settings, cases: caseNames, iteration: best?.iteration ?? training.trainer.iteration,
      validationDice: best?.metrics.overallDice, date: Date.now.formatted(.iso8601),
      initialChecksum: initialChecksum)
    return String(decoding: finiteJSON(description), as: UTF8.self)
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
