import Volumes
import Work

/// Saved CRF settings with a name.
package struct NamedKernels: Equatable, Sendable {
  package var name: String
  package var settings: RefinementSettings

  package init(name: String, settings: RefinementSettings) {
    self.name = name
    self.settings = settings
  }
}

/// The result of saving kernels.
package enum SavingOutcome: Equatable, Sendable {
  case saved
  /// Nothing was saved because there are kernels of this name and the request did not allow replacing them.
  case exists
}

/// Saves a preset, if one is given, then reads all saved presets.
package struct PresetsJob: Job {
  /// All presets, or the reason why none was saved.
  package enum Outcome: Equatable, Sendable {
    case saved([NamedKernels])
    /// Nothing was saved because there are kernels of this name already.
    case exists(NamedKernels)
  }

  package static let kind = JobKind.presets
  /// The preset to save first; nil for none.
  package var saving: NamedKernels?
  /// Whether it may replace one of its name.
  package var replacesExisting = false

  package init(saving: NamedKernels? = nil, replacesExisting: Bool = false) {
    self.saving = saving
    self.replacesExisting = replacesExisting
  }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> Outcome {
    let services = environment.services
    if let saving, try services.save(saving, replacesExisting: replacesExisting) == .exists {
      return .exists(saving)
    }
    return .saved(try services.savedPresets())
  }

  package func reduce(_ state: inout ReviewState, _ outcome: Outcome) -> [ReviewEffect] {
    switch outcome {
    case .saved(let presets):
      state.savedPresets = presets
      if let saving { state.message = Message("saved the kernels as \(saving.name)") }
    case .exists(let preset): state.dialog = .question(.replaceKernels(preset))
    }
    return []
  }
}
