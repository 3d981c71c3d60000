import Screen

/// A binding of keys to an action in one context.
package struct KeyBinding: Hashable, Sendable {
  /// The mode in which the keys are bound.
  package var context: KeyContext
  /// Any of these keys.
  package var keys: [Key]
  /// The action of each key.
  package var action: Action
  /// One line for the key reference.
  package var summary: String
  /// The word in the key bar; nil where the bar does not show the binding.
  package var barWord: String?
  /// The keys that the bar shows before the word.
  package var barKeys: [Key]
  /// The rank in the key bar: on a narrow screen greater ranks are omitted first.
  package var barRank: Int
}

/// The one table of keys, from which the program, its key bar, its key reference and docs/keys.md are derived.
package enum KeyTable {
  /// Every binding, in the order of the reference: first those of the action groups, then those of the panel's
  /// sections, which include the bindings of groups that apply in one section only.
  package static let bindings: [KeyBinding] =
    groups.flatMap { $0.bindings } + PanelSections.all.flatMap { $0.bindings }

  private static let groups: [any ActionGroup.Type] = [
    Action.Move.self, Action.FrameStep.self, Action.PictureChange.self, Action.OverlayChange.self,
    Action.JumpStep.self, Action.NetworkStep.self, Action.FocusStep.self, Action.VerdictStep.self,
    Action.SessionStep.self, Action.WorklistStep.self, Action.CaseListStep.self, Action.PointerMove.self,
    Action.SearchStep.self, Action.Answer.self, Action.CommandLineStep.self, Action.TextEdit.self,
  ]

  /// The action of a key in `context`, else in its fallback context; nil for none.
  package static func action(_ key: Key, in context: KeyContext) -> Action? {
    if let own = index[ContextKey(context: context, key: key)] { return own }
    return context.fallback.flatMap { self.action(key, in: $0) }
  }

  private struct ContextKey: Hashable {
    var context: KeyContext
    var key: Key
  }

  private static let index: [ContextKey: Action] = {
    var index: [ContextKey: Action] = [:]
    for binding in bindings {
      for key in binding.keys { index[ContextKey(context: binding.context, key: key)] = binding.action }
    }
    return index
  }()

  /// A binding; the key bar shows its first key unless `barKeys` are given.
  static func bind(
    _ context: KeyContext, _ keys: [Key], _ action: Action, _ summary: String, bar: String? = nil,
    barKeys: [Key] = [], rank: Int = 1
  ) -> KeyBinding {
    KeyBinding(
      context: context, keys: keys, action: action, summary: summary, barWord: bar,
      barKeys: barKeys.isEmpty ? Array(keys.prefix(1)) : barKeys, barRank: rank)
  }
}

extension Key: ExpressibleByExtendedGraphemeClusterLiteral {
  /// A character key, so that the table reads like a keyboard.
  package init(extendedGraphemeClusterLiteral character: Character) { self = .character(character) }
}
