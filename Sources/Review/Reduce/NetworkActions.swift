import Screen

extension Action {
  /// Steps that run a network.
  package enum NetworkStep: ActionGroup {
    case chooseModel

    static let bindings: [KeyBinding] = [
      KeyTable.bind(.picture, ["m"], .network(.chooseModel), "run a network: choose the model", bar: "model")
    ]
  }
}

extension ReviewState {
  /// Opens the list of models.
  mutating func runNetwork(_ step: Action.NetworkStep) -> [ReviewEffect] {
    switch step {
    case .chooseModel: chooseModel()
    }
  }

  private mutating func chooseModel() -> [ReviewEffect] {
    dialog = .models(selected: 0)
    guard models == nil else { return [] }
    message = Message("looking at the models…")
    guard jobs[.models] == nil else { return [] }
    return [start(ModelsJob(image: content.image))]
  }
}
