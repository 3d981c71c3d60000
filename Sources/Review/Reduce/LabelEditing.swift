import Screen
import Volumes

extension Action {
  /// The property of the selected label that changes.
  package enum LabelPart: ActionGroup {
    case name, colour, partner

    static let bindings: [KeyBinding] = [
      KeyTable.bind(section, ["r"], .label(.name), "name the label", bar: "name"),
      KeyTable.bind(section, ["c"], .label(.colour), "choose the label's colour", bar: "colour"),
      KeyTable.bind(
        section, ["p"], .label(.partner), "choose what the label is in the other version", bar: "pair"),
    ]

    private static let section = KeyContext.section(LabelSection().id)
  }
}

/// A label whose name or colour is being changed.
package struct LabelEdit: Equatable, Sendable {
  package enum Part: Equatable, Sendable { case name, colour }
  package var part: Part
  /// The label's family and its value there.
  package var family: VersionID
  package var value: UInt16
}

extension ReviewState {
  /// Colours to choose from, each with a word for it: the default colours of labels.
  static let palette: [(name: String, colour: RGBColour)] = Array(
    zip(
      [
        "orange", "sky blue", "bluish green", "yellow", "blue", "vermilion", "reddish purple", "cyan",
        "violet",
        "brown", "mint", "coral", "deep blue", "plum", "khaki", "dark green",
      ], LabelTable.defaultColours)
  ).map { (name: $0, colour: $1) }

  /// Asks for another name, colour or pair of the selected label.
  mutating func editLabel(_ part: Action.LabelPart) {
    switch part {
    case .name:
      guard let (version, label) = labelToChange() else {
        return ignoreTyping("the version shown has no selected label to name")
      }
      dialog = .label(
        LabelEdit(part: .name, family: version.family, value: label.value),
        TextEntry(label.isUnnamed ? "" : cleaned(label.name)))
    case .colour:
      guard let (version, label) = labelToChange() else {
        return ignoreTyping("the version shown has no selected label to colour")
      }
      dialog = .colours(
        LabelEdit(part: .colour, family: version.family, value: label.value),
        selected: ReviewState.palette.firstIndex { $0.colour == label.colour } ?? 0)
    case .partner: choosePartner()
    }
  }

  /// Applies a typed name or colour.
  ///
  /// Invalid text stays on the line, and a message says what is wrong.
  mutating func applyLabelText(_ edit: LabelEdit, _ entry: TextEntry) -> [ReviewEffect] {
    let text = cleaned(entry.text).trimmingSpaces
    switch edit.part {
    case .name:
      if let problem = problem(ofName: text, edit) {
        message = Message(problem, .error)
        return []
      }
      dialog = nil
      return rename(edit, to: text)
    case .colour:
      guard let colour = RGBColour(hexadecimal: text) else {
        message = Message("\"\(text)\" is not a colour: six digits of 0-9 and a-f, as in #0072b2", .error)
        return []
      }
      dialog = nil
      return recolour(edit, colour)
    }
  }

  /// The text before the typed line.
  func prompt(_ edit: LabelEdit) -> String {
    let label = decisions.versions.first { $0.family == edit.family }?.table[edit.value]
    let name = label.map { cleaned($0.name) } ?? ""
    return edit.part == .name ? "name of \(name): " : "colour of \(name): "
  }

  private func problem(ofName name: String, _ edit: LabelEdit) -> String? {
    if name.isBlank { return "a label needs a name; Esc leaves it as it is" }
    if name.count > 100 { return "the name has \(name.count) characters; at most 100" }
    let key = name.nameKey
    let table = decisions.versions.first { $0.family == edit.family }?.ownTable ?? LabelTable()
    let owner = table.labels.first { $0.value != edit.value && $0.nameKey == key }
    if let owner { return "label \(owner.value) is called \(cleaned(owner.name)) already" }
    return name.isCalledAfterValue(otherThan: [Int(edit.value)])
      ? "\(name) is the default name of another label" : nil
  }

  private mutating func rename(_ edit: LabelEdit, to name: String) -> [ReviewEffect] {
    guard let version = decisions.versions.first(where: { $0.family == edit.family }),
      let before = version.ownTable[edit.value]
    else { return [] }
    decide("rename \(cleaned(before.name)) to \(name)") { decisions in
      for position in decisions.versions.indices where decisions.versions[position].family == edit.family {
        decisions.versions[position].change(edit.value) { $0.name = name }
      }
      decisions.pairings = decisions.joinedByName(decisions.pairings, edit, takesOver: false)
    }
    // Names take precedence over overlaps, and the reviewer's pairs over names.
    automaticPairings = decisions.joinedByName(automaticPairings, edit, takesOver: true)
    identifyStructures()
    if let renamed = decisions.versions.first(where: { $0.family == edit.family }),
      let label = renamed.table[edit.value]
    {
      selectedLabel = renamed.key(of: label)
    }
    message = Message("\(cleaned(before.name)) is called \(name)")
    return compareIfNeeded()
  }

  /// Gives a structure a colour, in every version that has it.
  mutating func recolour(_ edit: LabelEdit, _ colour: RGBColour) -> [ReviewEffect] {
    guard let version = decisions.versions.first(where: { $0.family == edit.family }),
      let label = version.table[edit.value]
    else { return [] }
    let key = version.key(of: label)
    decide("recolour \(cleaned(label.name))") { decisions in
      for position in decisions.versions.indices {
        guard let own = decisions.versions[position].label(key) else { continue }
        decisions.versions[position].change(own.value) { $0.colour = colour }
      }
    }
    message = Message("\(cleaned(label.name)) is \(colour.hexadecimal)")
    return []
  }
}

extension Decisions {
  /// The pairings after a label was paired with the label of its new name, if that has no partner.
  ///
  /// - Parameter takesOver: Whether both labels also leave their previous partners.
  fileprivate func joinedByName(
    _ pairings: [LabelPairing], _ edit: LabelEdit, takesOver: Bool
  ) -> [LabelPairing] {
    guard let own = versions.first(where: { $0.family == edit.family })?.ownTable[edit.value] else {
      return pairings
    }
    return pairings.map { pairing in
      guard pairing.older == edit.family || pairing.newer == edit.family else { return pairing }
      let other = pairing.older == edit.family ? pairing.newer : pairing.older
      var partners = pairing.partners(from: edit.family)
      let table = versions.first { $0.family == other }?.ownTable ?? LabelTable()
      guard let partner = table.labels.first(where: { $0.nameKey == own.nameKey }) else { return pairing }
      let former = partners.first { $0.value == partner.value }?.key
      guard takesOver || partners[own.value] == nil && former == nil else { return pairing }
      if let former { partners[former] = nil }
      partners[own.value] = partner.value
      return LabelPairing(edit.family, other, partners: partners, isConfirmed: pairing.isConfirmed)
    }
  }
}
