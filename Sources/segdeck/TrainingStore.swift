import Foundation
import Networks
import Segmentation
import Volumes
import Work

/// What a training run leaves on disk: log, checkpoints, and the model made of its best weights.
struct TrainingStore {
  let run: TrainingSettings
  let preprocessing: Preprocessing
  let refinement: RefinementSettings
  let structures: [LabelSelection]
  let caseNames: [String: [String]]
  let checkpoints: String?
  let logPath: String?

  /// The description that goes into the model file.
  private struct Description: Codable {
    var settings: TrainingSettings
    var cases: [String: [String]]
    var iteration: Int
    var validationDice: Double?
    var date: String
  }

  /// Appends one line to the log, or writes it to stdout where no file was named and stdout is no terminal.
  func append(_ record: TrainingRecord) throws(InputError) {
    let line = Data((record.jsonLine + "\n").utf8)
    guard let logPath else {
      if isatty(1) == 0 { FileHandle.standardOutput.write(line) }
      return
    }
    let descriptor = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw InputError(logPath, "cannot be written", found: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    let count = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
    guard count == line.count else {
      throw InputError(logPath, "cannot be written", found: String(cString: strerror(errno)))
    }
  }

  /// "step 100/2000  loss 0.213  Dice 0.87", for the progress line.
  func summary(of record: TrainingRecord) -> String {
    var text = "step \(record.iteration)/\(record.iterations)  loss \(Text.decimals(record.loss, 4))"
    if let dice = record.validationDice, !dice.isEmpty {
      text += "  Dice " + dice.map { Text.decimals($0, 3) }.joined(separator: " ")
    }
    return text
  }

  /// Writes last.safetensors, and best.safetensors when these weights are the best yet.
  func write(_ training: TrainingRun, isBest: Bool) throws(InputError) {
    guard let checkpoints else { return }
    do {
      try FileManager.default.createDirectory(atPath: checkpoints, withIntermediateDirectories: true)
    } catch { throw InputError(checkpoints, "cannot be made a folder") }
    var metadata = ["training": description(of: training)]
    if let best = training.best { metadata["best"] = "\(best.dice) \(best.iteration)" }
    try Checkpoint.write(training.trainer, metadata: metadata, to: checkpoints + "/last.safetensors")
    if isBest { try model(of: training, name: "best").write(to: checkpoints + "/best.safetensors") }
  }

  /// Takes the best weights so far from the checkpoints.
  func restoreBest(of training: inout TrainingRun) throws(InputError) {
    guard let checkpoints else { return }
    let texts = try Checkpoint.read(path: checkpoints + "/last.safetensors").metadata
    let words = (texts["best"] ?? "").split(separator: " ")
    guard words.count == 2, let dice = Double(words[0]), let iteration = Int(words[1]) else { return }
    let parameters = try SegmentationModel(path: checkpoints + "/best.safetensors").parameters
    training.restore(best: dice, iteration: iteration, parameters: parameters)
  }

  /// The model of the best weights, or of the newest ones where nothing was validated.
  func model(of training: TrainingRun, name: String) -> SegmentationModel {
    SegmentationModel(
      name: name, graph: training.trainer.graph.graph,
      parameters: training.bestParameters ?? training.trainer.bestGuess,
      labels: structures.enumerated().map { index, selection in
        Label(
          value: UInt16(index + 1), name: selection.name,
          colour: LabelTable.colour(ofValue: UInt16(index + 1)))
      }, preprocessing: preprocessing, refinement: refinement,
      postProcessing: PostProcessing(keepsLargestComponent: true, fillsHoles: true),
      training: description(of: training))
  }

  private func description(of training: TrainingRun) -> String {
    let description = Description(
      settings: run, cases: caseNames, iteration: training.best?.iteration ?? training.trainer.iteration,
      validationDice: training.best?.dice, date: Date.now.formatted(.iso8601))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return (try? encoder.encode(description)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
