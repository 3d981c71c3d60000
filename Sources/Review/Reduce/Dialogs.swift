extension ReviewState {
  /// Answers whatever lies over the screen.
  mutating func answer(_ action: Action) -> [ReviewEffect] {
    switch dialog {
    case .help, .messages: dialog = nil
    case .windows(let selected):
      dialog = nil
      if action == .accept { choose(intensities.presets[selected]) }
    case .models(let selected): return answerModels(action, selected)
    case .presets(let selected):
      dialog = nil
      let offered = offeredPresets
      if action == .accept, offered.indices.contains(selected) { return take(offered[selected]) }
    case .colours(let label, let selected): return answerColours(action, label, selected)
    case .pairing(let pairing): return answer(action, pairing)
    case .history(let selected):
      dialog = nil
      if action == .accept { return goTo(step: selected) }
    case .command, .label: return edit(action)
    case .question(let question):
      dialog = nil
      return answer(question, isYes: action == .accept)
    case nil: break
    }
    return []
  }

  private mutating func answerModels(_ action: Action, _ selected: Int) -> [ReviewEffect] {
    guard action == .accept else {
      dialog = nil
      keysAhead = []
      return []
    }
    guard let models, models.indices.contains(selected) else { return [] }
    dialog = nil
    let model = models[selected]
    let request = SegmentationRequest(modelID: model.id, image: content.image)
    return [start(.segment(request), for: .segmentation(model, frame: content.frame))]
  }

  private mutating func answerColours(
    _ action: Action, _ edit: LabelEdit, _ selected: Int
  ) -> [ReviewEffect] {
    dialog = nil
    let isTyped = action == .typeColour || !ReviewState.palette.indices.contains(selected)
    guard action == .accept || action == .typeColour else { return [] }
    if isTyped {
      dialog = .label(edit, TextEntry("#"))
      return []
    }
    return recolour(edit, ReviewState.palette[selected].colour)
  }

  private mutating func edit(_ action: Action) -> [ReviewEffect] {
    guard var entry = dialog?.entry else { return [] }
    switch action {
    case .accept:
      if case .label(let label, _) = dialog { return take(label, entry) }
      dialog = nil
      return perform(typed: entry.text)
    case .dismiss: dialog = nil
    // Erasing an empty command line leaves it, as editors do.
    case .eraseBackwards where entry.text.isEmpty && dialog?.isCommand == true: dialog = nil
    default:
      entry.edit(action)
      dialog = dialog?.with(entry)
    }
    return []
  }

  private mutating func answer(_ question: Question, isYes: Bool) -> [ReviewEffect] {
    switch question {
    case .replaceFiles(_, let path, let version, let quitsAfterwards):
      guard isYes else {
        message = Message("not exported; :export NAME writes elsewhere")
        return []
      }
      return export(to: path, version: version, replacesExisting: true, quitsAfterwards: quitsAfterwards)
    case .replaceKernels(let preset):
      guard isYes else {
        message = Message("not saved; S with another name keeps both")
        return []
      }
      return save(preset, replacesExisting: true)
    case .quit:
      guard isYes else { return [] }
      return endsOnceJournalled ? end() : endOnceJournalled()
    }
  }
}

extension ReviewState {
  /// What is asked.
  func text(_ question: Question) -> String {
    switch question {
    case .replaceFiles(let existing, _, _, _):
      existing.count == 1
        ? "\(existing[0]) exists. Replace it?" : "\(existing.joined(separator: ", ")) exist. Replace them?"
    case .replaceKernels(let preset): "Kernels \(cleaned(preset.name)) exist. Replace them?"
    case .quit(let losses): losses.map { text($0) }.joined(separator: " ") + " Quit all the same?"
    }
  }

  private func text(_ loss: Loss) -> String {
    switch loss {
    case .acceptedVersion(let id):
      "\(version(id).map { cleaned($0.name) } ?? "A version") is accepted and was not exported."
    case .job(let title): "Still \(title)."
    case .refinement: "The refined image is not kept as a version."
    case .unjournalled(let reason): "What was done here is not in the journal: \(cleaned(reason))."
    }
  }
}
