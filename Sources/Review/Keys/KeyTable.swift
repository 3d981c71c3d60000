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

/// The one table of keys: it drives the program, its key bar, its key reference and docs/keys.md.
package enum KeyTable {
  /// Every binding, in the order of the reference.
  package static let bindings: [KeyBinding] = [
    moving, picture, overlay, finding, model, sectionOpening, session, worklist, scoring, panning,
    PanelSections.all.flatMap { $0.bindings }, cases, lists, pairing, text, questions, reading,
  ].flatMap(\.self)

  /// The action of a key in `context`, else in the picture where the context falls back to it.
  package static func action(_ key: Key, in context: KeyContext) -> Action? {
    if let own = index[ContextKey(context: context, key: key)] { return own }
    return context.fallsBackToPicture ? index[ContextKey(context: .picture, key: key)] : nil
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

  private static let moving: [KeyBinding] = [
    bind(
      .picture, [.pageUp, "]"], .move(.scroll(1)), "next slice, towards head, front or right", bar: "slice",
      barKeys: [.pageUp, .pageDown], rank: 3),
    bind(.picture, [.pageDown, "["], .move(.scroll(-1)), "previous slice"),
    bind(.picture, [">"], .move(.scroll(10)), "ten slices on"),
    bind(.picture, ["<"], .move(.scroll(-10)), "ten slices back"),
    bind(.picture, [.end], .move(.lastSlice), "last slice"),
    bind(.picture, [.home], .move(.firstSlice), "first slice"),
    bind(.picture, [.left, "h"], .move(.step(.left, 1)), "crosshair left"),
    bind(.picture, [.right, "l"], .move(.step(.right, 1)), "crosshair right"),
    bind(.picture, [.up, "k"], .move(.step(.up, 1)), "crosshair up"),
    bind(.picture, [.down, "j"], .move(.step(.down, 1)), "crosshair down"),
    bind(.picture, ["H"], .move(.step(.left, 10)), "ten voxels left"),
    bind(.picture, ["L"], .move(.step(.right, 10)), "ten voxels right"),
    bind(.picture, ["K"], .move(.step(.up, 10)), "ten voxels up"),
    bind(.picture, ["J"], .move(.step(.down, 10)), "ten voxels down"),
    bind(
      .picture, ["a"], .picture(.choosePlane(.axial)), "axial plane", bar: "plane", barKeys: ["a", "c", "s"],
      rank: 4),
    bind(.picture, ["c"], .picture(.choosePlane(.coronal)), "coronal plane"),
    bind(.picture, ["s"], .picture(.choosePlane(.sagittal)), "sagittal plane"),
    bind(.picture, [")"], .session(.changeFrame(1)), "next frame of an image that has several"),
    bind(.picture, ["("], .session(.changeFrame(-1)), "previous frame"),
    bind(.picture, ["g"], .open(.goTo), "go to a slice, i,j,k, x,y,zmm or a label", bar: "go to", rank: 4),
    bind(.picture, ["r"], .picture(.recentre), "centre the panes on the crosshair"),
  ]

  private static let picture: [KeyBinding] = [
    bind(.picture, [.enter, "o"], .picture(.toggleLayout), "one plane or all three"),
    bind(.picture, ["+", "="], .picture(.zoom(1)), "closer"),
    bind(.picture, ["-"], .picture(.zoom(-1)), "further away"),
    bind(.picture, ["0"], .picture(.fit), "the whole image"),
    bind(.picture, ["P"], .picture(.pan), "move the picture with the arrows"),
    bind(.picture, ["w"], .open(.windows), "choose a window", bar: "window", rank: 3),
    bind(.picture, ["W"], .picture(.automaticWindow), "automatic window"),
    bind(.picture, ["O"], .picture(.toggleConvention), "radiological or neurological sides"),
    bind(.picture, ["x"], .picture(.toggleCrosshair), "crosshair on or off"),
    bind(.picture, ["X"], .picture(.toggleAnnotations), "letters in the panes on or off"),
    bind(.picture, ["|"], .picture(.toggleStrips), "strips of all slices beside the panes on or off"),
  ]

  private static let overlay: [KeyBinding] = [
    bind(.picture, [" "], .overlay(.toggle), "labels on or off", bar: "labels", rank: 4),
    bind(.picture, ["u"], .overlay(.toggleStyle), "labels filled or outlined", bar: "outline", rank: 4),
    bind(.picture, ["}"], .overlay(.opacity(1)), "fill more opaque"),
    bind(.picture, ["{"], .overlay(.opacity(-1)), "fill more transparent"),
    bind(.picture, [.tab], .overlay(.flip), "flip between versions A and B", bar: "A/B", rank: 2),
    bind(
      .picture, ["d"], .overlay(.toggleDifference), "show where A and B differ", bar: "difference", rank: 2),
    bind(.picture, ["."], .overlay(.selectLabel(1)), "select the next label"),
    bind(.picture, [","], .overlay(.selectLabel(-1)), "select the previous label"),
    bind(.picture, ["G"], .overlay(.jumpToLabel), "go to the selected label's largest slice"),
    bind(.picture, ["p"], .overlay(.pickLabel), "select the label under the crosshair"),
  ]

  private static let finding: [KeyBinding] = [
    bind(
      .picture, ["n"], .finding(.next(1)),
      "next place where A and B differ, or next island; the largest first",
      bar: "differing", barKeys: ["n", "N"], rank: 4),
    bind(.picture, ["N"], .finding(.next(-1)), "the one before"),
    bind(
      .picture, ["I"], .finding(.toggleTarget),
      "n and N go through the islands of the selected label, or through differences again"),
    bind(
      .picture, ["^"], .finding(.labelEnd(isLast: false)),
      "first slice of the selected label in the active plane"),
    bind(.picture, ["$"], .finding(.labelEnd(isLast: true)), "its last slice"),
  ]

  private static let model: [KeyBinding] = [
    bind(.picture, ["m"], .session(.chooseModel), "run a network: choose the model", bar: "model")
  ]

  /// The keys that open the sections of the panel.
  private static let sectionOpening: [KeyBinding] = PanelSections.all.reversed().map { $0.openingBinding }

  private static let session: [KeyBinding] = [
    bind(.picture, ["y"], .session(.verdict(.accepted)), "accept the version shown", bar: "accept"),
    bind(.picture, ["e"], .session(.verdict(.rejected)), "reject the version shown"),
    bind(
      .picture, ["A"], .session(.verdict(.needsWork)), "the case needs work before a version can be accepted"),
    bind(.picture, ["f"], .session(.verdict(.flagged)), "flag the case for another look"),
    bind(.picture, ["\""], .open(.comment), "write a comment on the case"),
    bind(.picture, ["E", .control("s")], .session(.export), "export the accepted version", bar: "export"),
    bind(.picture, ["z"], .session(.undo), "undo; says what"),
    bind(.picture, ["Z", .control("r")], .session(.redo), "redo; says what"),
    bind(.picture, ["U"], .session(.chooseStep), "all decisions so far, undone ones too: go back to any"),
    bind(.picture, [":"], .open(.command), "type a command"),
    bind(.picture, ["M", "i"], .open(.messages), "every message of the session, whole"),
    bind(.picture, ["?", .function(1)], .open(.help), "this key reference", bar: "help"),
    bind(.picture, [.escape], .session(.back), "cancel the running job; close what is open"),
    bind(.picture, [.control("c")], .session(.interrupt), "cancel the running job; without one, quit"),
    bind(.picture, ["q"], .session(.quit), "quit; asks when something would be lost", bar: "quit"),
  ]

  private static let worklist: [KeyBinding] = [
    bind(.picture, ["C"], .worklist(.showList), "the list of cases", bar: "cases", rank: 2),
    bind(
      .picture, [.control("n")], .worklist(.next), "next case", bar: "case",
      barKeys: [.control("n"), .control("p")], rank: 2),
    bind(.picture, [.control("p")], .worklist(.previous), "previous case"),
    bind(.picture, [.control("u")], .worklist(.nextUnread), "next unread case"),
    bind(.picture, ["Y"], .worklist(.giveVerdict(.accepted)), "accept the version shown, and next case"),
    bind(.picture, ["R"], .worklist(.giveVerdict(.rejected)), "reject the version shown, and next case"),
    bind(.picture, ["S"], .worklist(.giveVerdict(.needsWork)), "the case needs work, and next case"),
    bind(.picture, ["F"], .worklist(.giveVerdict(.flagged)), "flag the case, and next case"),
  ]

  private static let scoring: [KeyBinding] = Verdicts.scores.map { score in
    let meaning =
      score == 1 ? " of 5, useless; the same key takes it back" : score == 5 ? " of 5, perfect" : ""
    return bind(
      .picture, [.character(Character(String(score)))], .session(.score(score)), "score \(score)" + meaning)
  }

  private static let panning: [KeyBinding] = [
    bind(
      .pan, [.left, "h"], .move(.step(.left, 1)), "show more of the left", bar: "move",
      barKeys: [.left, .right, .up, .down]),
    bind(.pan, [.right, "l"], .move(.step(.right, 1)), "show more of the right"),
    bind(.pan, [.up, "k"], .move(.step(.up, 1)), "show more of the top"),
    bind(.pan, [.down, "j"], .move(.step(.down, 1)), "show more of the bottom"),
    bind(.pan, [.escape, "P", .enter, "q"], .session(.back), "back to the crosshair", bar: "done"),
  ]

  private static let lists: [KeyBinding] =
    listBindings(.list, entry: "entry") + [
      bind(.list, [.enter], .answer(.accept), "take it", bar: "take"),
      bind(.list, ["#"], .answer(.typeColour), "of colours: type one, as in #0072b2"),
      bind(.list, [.escape, "q"], .answer(.dismiss), "back", bar: "back"),
    ]

  /// The keys that every list has.
  static func listBindings(_ context: KeyContext, entry: String) -> [KeyBinding] {
    [
      bind(
        context, [.up, "k"], .pointer(.entries(-1)), "previous \(entry)", bar: "choose",
        barKeys: [.up, .down]),
      bind(context, [.down, "j"], .pointer(.entries(1)), "next \(entry)"),
    ] + pagingBindings(context)
  }

  /// Pages, ends and searches.
  private static func pagingBindings(_ context: KeyContext) -> [KeyBinding] {
    [
      bind(context, [.pageUp], .pointer(.pages(-1)), "a page up"),
      bind(context, [.pageDown], .pointer(.pages(1)), "a page down"),
      bind(context, [.home], .pointer(.end(isBottom: false)), "to the top"),
      bind(context, [.end], .pointer(.end(isBottom: true)), "to the bottom"),
      bind(
        context, ["/"], .search(.begin), "search; n and N go to the next and previous match", bar: "search",
        rank: 2),
      bind(context, ["n"], .search(.next(1)), "next match"),
      bind(context, ["N"], .search(.next(-1)), "previous match"),
    ]
  }

  private static let cases: [KeyBinding] = [
    bind(
      .cases, [.up, "k"], .pointer(.entries(-1)), "previous case", bar: "choose", barKeys: [.up, .down]),
    bind(.cases, [.down, "j"], .pointer(.entries(1)), "next case"),
    bind(.cases, [.pageUp], .pointer(.pages(-1)), "a page up"),
    bind(.cases, [.pageDown], .pointer(.pages(1)), "a page down"),
    bind(.cases, [.home], .pointer(.end(isBottom: false)), "to the top"),
    bind(.cases, [.end], .pointer(.end(isBottom: true)), "to the bottom"),
    bind(.cases, [.enter], .answer(.accept), "open the case", bar: "open"),
    bind(
      .cases, ["/"], .worklist(.filter), "filter as you type: dice<0.8 and unread, flagged, score>=4, text",
      bar: "filter"),
    bind(.cases, ["u"], .worklist(.toggleUnread), "only unread cases, or all", bar: "unread"),
    bind(.cases, ["s"], .worklist(.sort(1)), "sort by the next column", bar: "sort"),
    bind(.cases, ["S"], .worklist(.sort(-1)), "sort by the previous column"),
    bind(.cases, ["r"], .worklist(.reverse), "the other way round", bar: "reverse"),
    bind(.cases, [.escape, "C", "q"], .answer(.dismiss), "back to the case", bar: "back"),
  ]

  private static let pairing: [KeyBinding] =
    listBindings(.pairing, entry: "label of A").dropLast(3) + [
      bind(
        .pairing, [.right, "l", " "], .answer(.changePartner(1)),
        "the label of B that goes with it: none, then by overlap",
        bar: "change", barKeys: [.left, .right]),
      bind(.pairing, [.left, "h"], .answer(.changePartner(-1)), "the same, backwards"),
      bind(.pairing, [.enter, "y"], .answer(.accept), "these go together", bar: "take"),
      bind(
        .pairing, [.escape, "n", "q"], .answer(.dismiss), "keep names and, where one is missing, values",
        bar: "keep names",
        barKeys: [.escape]),
    ]

  private static let text: [KeyBinding] = [
    bind(.text, [.enter], .answer(.accept), "do it", bar: "do it"),
    bind(.text, [.escape, .control("c")], .answer(.dismiss), "back", bar: "back"),
    bind(.text, [.backspace], .text(.eraseBackwards), "erase the character before the cursor"),
    bind(.text, [.delete], .text(.eraseForwards), "erase the character under the cursor"),
    bind(.text, [.control("u")], .text(.eraseToStart), "erase everything before the cursor"),
    bind(.text, [.left], .text(.move(-1)), "cursor left"),
    bind(.text, [.right], .text(.move(1)), "cursor right"),
    bind(.text, [.home, .control("a")], .text(.moveToEnd(false)), "cursor to the start"),
    bind(.text, [.end, .control("e")], .text(.moveToEnd(true)), "cursor to the end"),
  ]

  private static let questions: [KeyBinding] = [
    bind(.question, ["y"], .answer(.accept), "yes", bar: "yes"),
    bind(.question, ["n", .escape], .answer(.dismiss), "no", bar: "no"),
  ]

  private static let reading: [KeyBinding] =
    [
      bind(
        .reading, [.up, "k"], .pointer(.entries(-1)), "one line up", bar: "scroll", barKeys: [.up, .down]),
      bind(.reading, [.down, "j"], .pointer(.entries(1)), "one line down"),
      bind(.reading, ["["], .pointer(.pages(-1)), "a page up"),
      bind(
        .reading, ["]", " "], .pointer(.pages(1)), "a page down", bar: "page", barKeys: [.pageUp, .pageDown]),
    ] + pagingBindings(.reading) + [
      bind(.reading, [.escape, "q", "?", "M"], .answer(.dismiss), "back", bar: "back")
    ]
}

extension Key: ExpressibleByExtendedGraphemeClusterLiteral {
  /// A character key, so that the table reads like a keyboard.
  package init(extendedGraphemeClusterLiteral character: Character) { self = .character(character) }
}
