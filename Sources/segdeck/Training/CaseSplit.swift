import Foundation
import Volumes
import Work

/// The split of the cases into training and validation.
struct CaseSplit {
  /// The names of the validation cases.
  let validation: Set<String>
  /// The reason of the default; nil where the user named the cases.
  let reason: String?

  /// The split of `--validation`: names, "none", or every fifth case for nil.
  /// - Throws: ``InputError`` when a name is unknown, or no case is left for training or for validation.
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
  /// - Throws: ``InputError`` when `option`, the cases or the structures differ from those of the run.
  init(
    resuming stored: TrainingStore.Stored, option: String?, sources: [TrainingFolders.Source]
  ) throws(InputError) {
    let cases = stored.description.cases
    let names = Set(sources.map(\.pair.name))
    let expected = Set((cases["training"] ?? []) + (cases["validation"] ?? []))
    if let other = names.symmetricDifference(expected).sorted().first {
      throw InputError(
        "--images", "--resume continues with the cases of its checkpoint",
        found: names.contains(other) ? "\(other), which is new" : "no \(other)",
        expected: "the same \(counted(expected.count, "case"))")
    }
    let structures = sources.first?.selections.map(\.name) ?? []
    let before = stored.labels.labels.map(\.name)
    guard structures == before else {
      throw InputError(
        "--label", "--resume continues with the structures of its checkpoint",
        found: structures.joined(separator: ", "), expected: before.joined(separator: ", "))
    }
    func words(_ ways: [[LabelSelection]]) -> String {
      ways.map { $0.map(\.description).joined(separator: " ") }.joined(separator: " and ")
    }
    if let known = stored.selections, known != sources.selections {
      throw InputError(
        "--label", "--resume continues with the values of its checkpoint", found: words(sources.selections),
        expected: words(known))
    }
    validation = Set(cases["validation"] ?? [])
    reason = nil
    if let option {
      let named = try CaseSplit(option, names: sources.map(\.pair.name), hasGenerated: true).validation
      guard named == validation else {
        throw InputError(
          "--validation", "--resume continues with the settings of its checkpoint",
          found: "\(counted(named.count, "other case"))", expected: "the same value, or no option")
      }
    }
  }
}
