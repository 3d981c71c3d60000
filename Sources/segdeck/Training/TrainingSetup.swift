import Foundation
import ImageFormats
import Networks
import Segmentation
import Volumes
import Work

/// Finds what a training needs: from the options, from the checkpoint it goes on with, else from the data.
struct TrainingSetup {
  /// What was chosen, a line each for the user and the model card.
  private(set) var choices: [String] = []
  let orientation = Orientation.ras
  private let sources: [TrainingFolders.Source]
  private let work: WorkContext
  private var survey: DatasetFingerprint?

  /// The most images whose voxels are looked at.
  private static let sampledImages = 12

  init(_ sources: [TrainingFolders.Source], work: WorkContext) {
    self.sources = sources
    self.work = work
  }

  /// Notes what was chosen.
  mutating func note(_ subject: String, _ value: String, _ reason: String) {
    choices.append("\(subject): \(value) (\(reason))")
  }

  /// Grids of all cases, and intensities of some, spread evenly.
  private mutating func surveyed() throws -> DatasetFingerprint {
    if let survey { return survey }
    var found = DatasetFingerprint()
    let step = max(1, sources.count / Self.sampledImages)
    for (index, source) in sources.enumerated() {
      found.add(try source.imageFile().grid, orientation: orientation)
      if index % step == 0 {
        let (image, labels) = try source.volumes(isForTraining: true, work: work)
        found.add(image, labels: labels, codes: source.coding.codes(of: source.selections.flatMap(\.values)))
      }
      work.report(Double(index + 1) / Double(sources.count))
    }
    survey = found
    return found
  }

  /// The working grid and intensity rule, of which either may be given.
  mutating func preprocessing(
    spacing: Spacing?, normalisation: Preprocessing.Normalisation?
  ) throws -> Preprocessing {
    var preprocessing = Preprocessing(
      spacingMillimetres: spacing ?? Spacing(1), normalisation: normalisation ?? .standardScore)
    if spacing == nil {
      let chosen = try surveyed().spacing()
      preprocessing.spacingMillimetres = chosen.value
      let axes = (0..<3).map { String(format: "%g", chosen.value[$0]) }
      note("spacing", axes.joined(separator: " x ") + " mm", chosen.reason)
    }
    if normalisation == nil {
      let chosen = try surveyed().normalisation()
      preprocessing.normalisation = chosen.value
      note("intensities", chosen.value.words, chosen.reason)
    }
    return preprocessing
  }

  /// The network's name where none is given.
  mutating func network(_ preprocessing: Preprocessing) throws -> String {
    let chosen = try surveyed().network(
      at: preprocessing.spacingMillimetres, preprocessing.normalisation)
    note("network", chosen.value, chosen.reason)
    return chosen.value
  }

  /// `settings` with crop and batch from the data where the options leave them open.
  mutating func completed(
    _ settings: TrainingSettings, arguments: TrainingArguments, preprocessing: Preprocessing,
    network: ResolvedGraph
  ) throws -> TrainingSettings {
    var settings = settings
    if arguments.crop == nil {
      let chosen = try surveyed().cropSize(
        at: preprocessing.spacingMillimetres, network: network, memoryBytes: AvailableMemory.byteCount)
      settings.cropSize = chosen.value
      note("crop", "\(chosen.value)", chosen.reason)
    }
    if arguments.batch == nil {
      let chosen = settings.cropSize.defaultBatchSize()
      settings.batchSize = chosen.value
      note("batch", "\(chosen.value)", chosen.reason)
    }
    return settings
  }
}

extension Preprocessing.Normalisation {
  /// "-125 to 240 become 0 to 1", "standard score".
  var words: String {
    switch self {
    case .window(let lower, let upper): "\(Int(saturating: lower)) to \(Int(saturating: upper)) become 0 to 1"
    case .standardScore: "standard score of voxels above 0"
    }
  }
}

/// Which cases train and which only measure.
struct CaseSplit {
  /// Names of the validation cases.
  let validation: Set<String>
  /// How they were chosen; nil where the user named them.
  let reason: String?

  /// The split of `--validation`: names, "none", or every fifth where nothing is said.
  /// - Throws: ``InputError`` when a name is no case, or nothing is left to train on or to measure with.
  init(_ option: String?, names: [String], hasGenerated: Bool) throws(InputError) {
    if let option {
      validation =
        option == "none"
        ? []
        : Set(option.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
      reason = nil
      if let unknown = validation.subtracting(names).sorted().first {
        throw InputError("--validation", "no case has this name", found: unknown)
      }
    } else {
      guard names.count > 1 || hasGenerated else {
        throw InputError(
          "--images", "one case cannot both train and measure", found: names.first,
          expected: "two cases or more, or --validation none")
      }
      let every = min(5, names.count)
      validation = Set(names.enumerated().filter { $0.offset % every == every - 1 }.map(\.element))
      reason = every == 5 ? "every fifth" : "the last"
    }
    guard hasGenerated || validation.count < names.count else {
      throw InputError(
        "--validation", "leaves no case to train on", found: "all \(names.count)",
        expected: "fewer than there are")
    }
  }
}

extension CaseSplit {
  /// The split of a stored run.
  /// - Throws: ``InputError`` when `option` or the cases that are there now are others.
  init(
    resuming stored: TrainingStore.Stored, option: String?, sources: [TrainingFolders.Source]
  ) throws(InputError) {
    let cases = stored.description.cases
    let names = Set(sources.map(\.pair.name))
    let expected = Set((cases["training"] ?? []) + (cases["validation"] ?? []))
    if let other = names.symmetricDifference(expected).sorted().first {
      throw InputError(
        "--images", "--resume goes on with the cases of its checkpoint",
        found: names.contains(other) ? "\(other), which is new" : "no \(other)",
        expected: "the same \(counted(expected.count, "case"))")
    }
    let structures = sources.first?.selections.map(\.name) ?? []
    let before = stored.labels.labels.map(\.name)
    guard structures == before else {
      throw InputError(
        "--label", "--resume goes on with the structures of its checkpoint",
        found: structures.joined(separator: ", "), expected: before.joined(separator: ", "))
    }
    func words(_ ways: [[LabelSelection]]) -> String {
      ways.map { $0.map(\.description).joined(separator: " ") }.joined(separator: " and ")
    }
    if let known = stored.selections, known != sources.selections {
      throw InputError(
        "--label", "--resume goes on with the values of its checkpoint", found: words(sources.selections),
        expected: words(known))
    }
    validation = Set(cases["validation"] ?? [])
    reason = nil
    if let option {
      let named = try CaseSplit(option, names: sources.map(\.pair.name), hasGenerated: true).validation
      guard named == validation else {
        throw InputError(
          "--validation", "--resume goes on with the settings of its checkpoint",
          found: "\(counted(named.count, "other case"))", expected: "the same, or leave the option out")
      }
    }
  }
}
