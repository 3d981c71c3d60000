import Foundation
import Tensors
import Work

/// A training run in a file, from which it resumes bit for bit.
///
/// A checkpoint is a model file with further tensors `optimiser.first/NAME`, `optimiser.second/NAME` and `average/NAME`
/// (the EMA), and with a further text `checkpoint`: a JSON object of iteration, step count, options and generator
/// state.
package enum Checkpoint {
  private static let textKey = "checkpoint"
  private static let firstPrefix = "optimiser.first/"
  private static let secondPrefix = "optimiser.second/"
  private static let averagePrefix = "average/"
  /// The maximum number of iterations of a run.
  private static let maximumIterations = 1_000_000_000

  private struct Progress: Codable {
    var iteration: Int
    var stepCount: Int
    var generatorState: String
    var options: TrainingOptions
  }

  /// Writes `trainer` in single precision; a file at `path` is replaced only when everything is written.
  /// - Parameter metadata: further texts, as in ``ModelFile/metadata``.
  /// - Throws: ``InputError`` when the file cannot be written.
  package static func write(
    _ trainer: Trainer, metadata: [String: String] = [:], to path: String
  ) throws(InputError) {
    let progress = Progress(
      iteration: trainer.iteration, stepCount: trainer.optimiserState.stepCount,
      generatorState: String(trainer.generator.state), options: trainer.options)
    var texts = metadata
    do {
      texts[textKey] = String(decoding: try JSONEncoder.stable().encode(progress), as: UTF8.self)
    } catch {
      throw InputError(path, "cannot be written: a training option is not a finite number")
    }
    var moments: [String: Tensor] = [:]
    for slot in trainer.graph.parameterSlots {
      if let first = trainer.optimiserState.first[slot.name] {
        moments[firstPrefix + slot.name] = Tensor(shape: slot.shape, elements: first)
      }
      if let second = trainer.optimiserState.second[slot.name] {
        moments[secondPrefix + slot.name] = Tensor(shape: slot.shape, elements: second)
      }
      if let ema = trainer.emaParameters { moments[averagePrefix + slot.name] = ema[slot.name] }
    }
    try trainer.model(metadata: texts).write(to: path, further: moments)
  }

  /// Reads a trainer and the further texts.
  /// - Throws: ``InputError`` as a model file does, and when the file holds a model but no checkpoint.
  package static func read(path: String) throws(InputError) -> (trainer: Trainer, metadata: [String: String])
  {
    let model = try ModelFile(path: path)
    guard let text = model.metadata[textKey] else {
      throw InputError(path, "a model, but not a checkpoint: its metadata has no \"\(textKey)\"")
    }
    let progress: Progress
    do {
      progress = try JSONDecoder().decode(Progress.self, from: Data(text.utf8))
    } catch let error as DecodingError {
      throw InputError(path, "checkpoint: " + error.fieldAndProblem)
    } catch {
      throw InputError(path, "checkpoint: not readable as JSON")
    }
    guard let state = UInt64(progress.generatorState), (0...maximumIterations).contains(progress.iteration),
      (0...maximumIterations).contains(progress.stepCount)
    else {
      throw InputError(
        path, "checkpoint: iteration, step count or generator state are unusable",
        found: "\(progress.iteration), \(progress.stepCount), \(progress.generatorState)",
        expected: "0 to \(maximumIterations), and a whole number")
    }
    do { try progress.options.validated() } catch {
      throw InputError(
        path, "checkpoint: \(error.subject) is unusable", found: error.found, expected: error.expected)
    }
    var trainer = try Trainer(
      graph: model.graph, parameters: model.parameters, options: progress.options, seed: 0)
    trainer.generator = SplitMix64(seed: state)
    trainer.iteration = progress.iteration
    trainer.optimiserState.stepCount = progress.stepCount
    let file = try TensorFile(path: path)
    for slot in trainer.graph.parameterSlots {
      if file.shape(of: firstPrefix + slot.name) != nil {
        trainer.optimiserState.first[slot.name] =
          try file.tensor(firstPrefix + slot.name, shape: slot.shape).elements
      }
      if file.shape(of: secondPrefix + slot.name) != nil {
        trainer.optimiserState.second[slot.name] =
          try file.tensor(secondPrefix + slot.name, shape: slot.shape).elements
      }
    }
    if file.shape(of: averagePrefix + (trainer.graph.parameterSlots.first?.name ?? "")) != nil {
      var ema = trainer.parameters
      for slot in trainer.graph.parameterSlots {
        ema[slot.name] = try file.tensor(averagePrefix + slot.name, shape: slot.shape)
      }
      trainer.emaParameters = ema
    }
    return (trainer, model.metadata.filter { $0.key != textKey })
  }
}
