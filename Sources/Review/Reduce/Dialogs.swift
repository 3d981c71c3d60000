import Screen
import Work

extension Action {
  /// Answers to the open dialog.
  package enum Answer: ActionGroup {
    case accept, dismiss, changePartner(Int), typeColour

    static let bindings: [KeyBinding] = [
      KeyTable.bind(.list, [.enter], .answer(.accept), "take it", bar: "take"),
      KeyTable.bind(.list, ["#"], .answer(.typeColour), "of colours: type one, as in #0072b2"),
      KeyTable.bind(.list, [.escape, "q"], .answer(.dismiss), "back", bar: "back"),
      KeyTable.bind(
        .pairing, [.right], .answer(.changePartner(1)),
        "its partner in B: none, then by overlap", bar: "change", barKeys: [.left, .right]),
      KeyTable.bind(.pairing, [.left], .answer(.changePartner(-1)), "the same, backwards"),
      KeyTable.bind(.pairing, [.enter], .answer(.accept), "these pairs are right", bar: "take"),
      KeyTable.bind(
        .pairing, [.escape], .answer(.dismiss), "keep names and, where one is missing, values",
        bar: "keep names", barKeys: [.escape]),
      KeyTable.bind(.text, [.enter], .answer(.accept), "do it", bar: "do it"),
      KeyTable.bind(.text, [.escape, .control("c")], .answer(.dismiss), "back", bar: "back"),
      KeyTable.bind(.question, ["y"], .answer(.accept), "yes", bar: "yes"),
      KeyTable.bind(.question, ["n", .escape], .answer(.dismiss), "no", bar: "no"),
      KeyTable.bind(.reading, [.escape, "q", "?", "M"], .answer(.dismiss), "back", bar: "back"),
    ]
  }
}

extension ReviewState {
  /// Answers the open dialog; an answer that does not apply to a list closes it.
  mutating func answer(_ answer: Action.Answer) -> [ReviewEffect] {
    switch dialog {
    case .help, .messages: dialog = nil
    case .windows(let selected):
      dialog = nil
      if answer == .accept { choose(intensities.presets[selected]) }
    case .models(let selected): return answerModels(answer, selected)
    case .presets(let selected):
      dialog = nil
      let offered = presetChoices
      if answer == .accept, offered.indices.contains(selected) { return usePreset(offered[selected]) }
    case .colours(let label, let selected): return answerColours(answer, label, selected)
    case .pairing(let pairing): return self.answer(answer, pairing)
    case .history(let selected):
      dialog = nil
      if answer == .accept { return goTo(step: selected) }
    case .command, .label, .comment: return answerEntry(answer)
    case .question(let question):
      dialog = nil
      return self.answer(question, isYes: answer == .accept)
    case nil: break
    }
    return []
  }

  private mutating func answerModels(_ answer: Action.Answer, _ selected: Int) -> [ReviewEffect] {
    guard answer == .accept else {
      dialog = nil
      queuedKeys = []
      return []
    }
    guard let models, models.indices.contains(selected) else { return [] }
    dialog = nil
    let model = models[selected]
    let request = SegmentationRequest(modelID: model.id, image: content.image)
    return [
      start(
        SegmentationJob(request: request, model: model, frame: content.frame, crosshair: view.crosshair))
    ]
  }

  private mutating func answerColours(
    _ answer: Action.Answer, _ edit: LabelEdit, _ selected: Int
  ) -> [ReviewEffect] {
    dialog = nil
    switch answer {
    case .accept where ReviewState.palette.indices.contains(selected):
      return recolour(edit, ReviewState.palette[selected].colour)
    case .accept, .typeColour: dialog = .label(edit, TextEntry("#"))
    case .dismiss, .changePartner: break
    }
    return []
  }

  private mutating func answerEntry(_ answer: Action.Answer) -> [ReviewEffect] {
    guard let entry = dialog?.entry else { return [] }
    switch answer {
    case .accept:
      if case .label(let label, _) = dialog { return applyLabelText(label, entry) }
      if case .comment = dialog {
        dialog = nil
        comment(entry.text)
        return []
      }
      if case .command(let line) = dialog { return perform(line) }
    case .dismiss: dialog = nil
    // No key has these actions while a line is being typed.
    case .changePartner, .typeColour: break
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
    case .runAgain(let id):
      guard isYes, let version = version(id), let handle = version.probabilities else { return [] }
      return [start(ComputedProbabilitiesJob(version: id, name: version.name, handle: handle))]
    case .quit:
      guard isYes else { return [] }
      return quitsWhenJournalIsWritten ? end() : quitWhenJournalIsWritten()
    case .open(let image, _):
      guard isYes else { return [] }
      live?.hasWarnedOfLoss = true
      requestedImage = image
      return []
    }
  }
}

extension ReviewState {
  func text(_ question: Question) -> String {
    switch question {
    case .replaceFiles(let existing, _, _, _):
      existing.count == 1
        ? "\(existing[0]) exists. Replace it?" : "\(existing.joined(separator: ", ")) exist. Replace them?"
    case .replaceKernels(let preset): "Kernels \(cleaned(preset.name)) exist. Replace them?"
    case .runAgain(let id):
      "\(version(id).map { cleaned($0.name) } ?? "The network") ran in an earlier session, or its probabilities gave way to "
        + "other work in memory. Run it again for them? No version is added."
    case .quit(let losses): losses.map { text($0) }.joined(separator: " ") + " Quit all the same?"
    case .open(let image, let losses):
      losses.map { text($0) }.joined(separator: " ") + " Open \(FilePath.name(of: image.path).printableLine)?"
    }
  }

  private func text(_ loss: Loss) -> String {
    switch loss {
    case .acceptedVersion(let id):
      "\(version(id).map { cleaned($0.name) } ?? "A version") is accepted and was not exported."
    case .job(let title): "Still \(title)."
    case .refinement: "The refined image is not kept as a version."
    case .unwrittenJournal(let reason): "What was done here is not in the journal: \(cleaned(reason))."
    case .unkeptVersions(let cases):
      "Edited or accepted masks of \(cases.prefix(3).joined(separator: ", "))"
        + (cases.count > 3 ? " and \(cases.count - 3) more" : "")
        + " are neither in a journal nor exported."
    case .unwrittenVerdicts(let reason): "Verdicts are not in the worklist's records: \(cleaned(reason))."
    }
  }
}
