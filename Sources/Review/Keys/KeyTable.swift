import Screen

/// Keys, where they have their meaning, and what they do.
package struct KeyBinding: Hashable, Sendable {
  /// Where.
  package var context: KeyContext
  /// Any of these keys.
  package var keys: [Key]
  /// What they do.
  package var action: Action
  /// One line for the key reference.
  package var summary: String
  /// A word for the key bar; nil keeps the binding out of it.
  package var barWord: String?
  /// The keys that stand before that word.
  package var barKeys: [Key]
  /// Greater ranks give way first on a narrow screen.
  package var barRank: Int
}

/// The one table of keys: it drives the program, its key bar, its key reference and docs/keys.md.
package enum KeyTable {
  /// Every binding, in the order of the reference.
  package static let bindings: [KeyBinding] =
    moving + picture + overlay + work + panning + labels + versions + refinement + lists + pairing + text
    + questions
    + reading

  /// The action of a key: the context's own, else the picture's where the context allows that.
  package static func action(_ key: Key, in context: KeyContext) -> Action? {
    if let own = index[Place(context: context, key: key)] { return own }
    return context.fallsBackToPicture ? index[Place(context: .picture, key: key)] : nil
  }

  private struct Place: Hashable {
    var context: KeyContext
    var key: Key
  }

  private static let index: [Place: Action] = {
    var index: [Place: Action] = [:]
    for binding in bindings {
      for key in binding.keys { index[Place(context: binding.context, key: key)] = binding.action }
    }
    return index
  }()

  private static func bind(
    _ context: KeyContext, _ keys: [Key], _ action: Action, _ summary: String, bar: String? = nil,
    barKeys: [Key] = [], rank: Int = 1
  ) -> KeyBinding {
    KeyBinding(
      context: context, keys: keys, action: action, summary: summary, barWord: bar,
      barKeys: barKeys.isEmpty ? Array(keys.prefix(1)) : barKeys, barRank: rank)
  }

  private static let moving: [KeyBinding] = [
    bind(
      .picture, [.pageUp, "]"], .scroll(1), "next slice, towards head, front or right", bar: "slice",
      barKeys: [.pageUp, .pageDown], rank: 3),
    bind(.picture, [.pageDown, "["], .scroll(-1), "previous slice"),
    bind(.picture, [">"], .scroll(10), "ten slices on"),
    bind(.picture, ["<"], .scroll(-10), "ten slices back"),
    bind(.picture, [.end], .lastSlice, "last slice"),
    bind(.picture, [.home], .firstSlice, "first slice"),
    bind(.picture, [.left, "h"], .step(.left, 1), "crosshair left"),
    bind(.picture, [.right, "l"], .step(.right, 1), "crosshair right"),
    bind(.picture, [.up, "k"], .step(.up, 1), "crosshair up"),
    bind(.picture, [.down, "j"], .step(.down, 1), "crosshair down"),
    bind(.picture, ["H"], .step(.left, 10), "ten voxels left"),
    bind(.picture, ["L"], .step(.right, 10), "ten voxels right"),
    bind(.picture, ["K"], .step(.up, 10), "ten voxels up"),
    bind(.picture, ["J"], .step(.down, 10), "ten voxels down"),
    bind(
      .picture, ["a"], .choosePlane(.axial), "axial plane", bar: "plane", barKeys: ["a", "c", "s"],
      rank: 4),
    bind(.picture, ["c"], .choosePlane(.coronal), "coronal plane"),
    bind(.picture, ["s"], .choosePlane(.sagittal), "sagittal plane"),
    bind(.picture, [")"], .changeFrame(1), "next frame of an image that has several"),
    bind(.picture, ["("], .changeFrame(-1), "previous frame"),
    bind(.picture, ["g"], .goTo, "go to a slice, i,j,k, x,y,zmm or a label", bar: "go to", rank: 4),
    bind(.picture, ["r"], .recentre, "centre the panes on the crosshair"),
  ]

  private static let picture: [KeyBinding] = [
    bind(.picture, [.enter, "o"], .toggleLayout, "one plane or all three"),
    bind(.picture, ["+", "="], .zoom(1), "closer"),
    bind(.picture, ["-"], .zoom(-1), "further away"),
    bind(.picture, ["0"], .fit, "the whole image"),
    bind(.picture, ["P"], .pan, "move the picture with the arrows"),
    bind(.picture, ["w"], .chooseWindow, "choose a window", bar: "window", rank: 3),
    bind(.picture, ["W"], .automaticWindow, "automatic window"),
    bind(.picture, ["O"], .toggleConvention, "radiological or neurological sides"),
    bind(.picture, ["x"], .toggleCrosshair, "crosshair on or off"),
    bind(.picture, ["X"], .toggleAnnotations, "letters in the panes on or off"),
  ]

  private static let overlay: [KeyBinding] = [
    bind(.picture, [" "], .toggleOverlay, "labels on or off", bar: "labels", rank: 4),
    bind(.picture, ["u"], .toggleOverlayStyle, "labels filled or outlined", bar: "outline", rank: 4),
    bind(.picture, ["}"], .opacity(1), "fill more opaque"),
    bind(.picture, ["{"], .opacity(-1), "fill more transparent"),
    bind(.picture, [.tab], .flip, "flip between versions A and B", bar: "A/B", rank: 2),
    bind(.picture, ["d"], .toggleDifference, "show where A and B differ", bar: "difference", rank: 2),
    bind(.picture, ["."], .selectLabel(1), "select the next label"),
    bind(.picture, [","], .selectLabel(-1), "select the previous label"),
    bind(.picture, ["G"], .jumpToLabel, "go to the selected label's largest slice"),
    bind(.picture, ["p"], .pickLabel, "select the label under the crosshair"),
  ]

  private static let work: [KeyBinding] = [
    bind(.picture, ["m"], .chooseModel, "run a network: choose the model", bar: "model"),
    bind(.picture, ["t"], .focus(.refinement), "tune and run the CRF", bar: "CRF"),
    bind(.picture, ["v"], .focus(.versions), "versions", bar: "versions"),
    bind(.picture, ["b"], .focus(.labels), "label table", bar: "table"),
    bind(.picture, ["y"], .verdict(.accepted), "accept the version shown", bar: "accept"),
    bind(.picture, ["e"], .verdict(.rejected), "reject the version shown"),
    bind(.picture, ["f"], .verdict(.flagged), "flag the case for another look"),
    bind(.picture, ["E", .control("s")], .export, "export the accepted version", bar: "export"),
    bind(.picture, ["z"], .undo, "undo; says what"),
    bind(.picture, ["Z", .control("r")], .redo, "redo; says what"),
    bind(.picture, ["U"], .chooseStep, "all decisions so far, undone ones too: go back to any"),
    bind(.picture, [":"], .command, "type a command"),
    bind(.picture, ["M", "i"], .messages, "every message of the session, whole"),
    bind(.picture, ["?", .function(1)], .help, "this key reference", bar: "help"),
    bind(.picture, [.escape], .back, "cancel the running job; close what is open"),
    bind(.picture, [.control("c")], .interrupt, "cancel the running job; without one, quit"),
    bind(.picture, ["q"], .quit, "quit; asks when something would be lost", bar: "quit"),
  ]

  private static let panning: [KeyBinding] = [
    bind(
      .pan, [.left, "h"], .step(.left, 1), "show more of the left", bar: "move",
      barKeys: [.left, .right, .up, .down]),
    bind(.pan, [.right, "l"], .step(.right, 1), "show more of the right"),
    bind(.pan, [.up, "k"], .step(.up, 1), "show more of the top"),
    bind(.pan, [.down, "j"], .step(.down, 1), "show more of the bottom"),
    bind(.pan, [.escape, "P", .enter, "q"], .back, "back to the crosshair", bar: "done"),
  ]

  private static let labels: [KeyBinding] =
    pointing(.labels, at: "label") + [
      bind(.labels, [" "], .toggleLabel, "show or hide the label", bar: "hide"),
      bind(.labels, ["s"], .soloLabel, "only this label, or all again", bar: "solo"),
      bind(.labels, ["a"], .showAllLabels, "show all labels", bar: "all"),
      bind(.labels, [.enter], .jumpToLabel, "go to the label's largest slice", bar: "go to"),
      bind(.labels, ["r"], .renameLabel, "name the label", bar: "name"),
      bind(.labels, ["c"], .recolourLabel, "choose the label's colour", bar: "colour"),
      bind(.labels, ["p"], .choosePartner, "choose what the label is in the other version", bar: "pair"),
      bind(.labels, [.escape], .back, "cancel the running job; back to the picture", bar: "back"),
      bind(.labels, ["b", "q"], .close, "back to the picture"),
    ]

  private static let versions: [KeyBinding] =
    pointing(.versions, at: "version") + [
      bind(.versions, [.enter], .showVersion, "show this version", bar: "show"),
      bind(.versions, ["a"], .chooseA, "make it A", bar: "as A"),
      bind(.versions, ["b"], .chooseB, "make it B", bar: "as B"),
      bind(.versions, [.escape], .back, "cancel the running job; back to the picture", bar: "back"),
      bind(.versions, ["v", "q"], .close, "back to the picture"),
    ]

  private static let refinement: [KeyBinding] = [
    bind(.refinement, [.up, "k"], .movePointer(-1), "previous knob", bar: "knob", barKeys: [.up, .down]),
    bind(.refinement, [.down, "j"], .movePointer(1), "next knob"),
    bind(
      .refinement, [.left, "h"], .turnKnob(-1, coarse: false), "a fine step down", bar: "turn",
      barKeys: [.left, .right]),
    bind(.refinement, [.right, "l"], .turnKnob(1, coarse: false), "a fine step up"),
    bind(
      .refinement, ["H", "-"], .turnKnob(-1, coarse: true), "a coarse step down", bar: "coarse",
      barKeys: ["-", "+"]),
    bind(.refinement, ["L", "+"], .turnKnob(1, coarse: true), "a coarse step up"),
    bind(
      .refinement, "0123456789.,".map { Key.character($0) }, .typeIntoKnob,
      "type a value; i,j,k for a reach by axis, values for labels"),
    bind(.refinement, [.backspace], .eraseInKnob, "erase what was typed"),
    bind(.refinement, [.tab], .flipLive, "flip between unrefined and refined", bar: "A/B"),
    bind(.refinement, [.enter], .refine, "take the typed value; keep the result as a version", bar: "keep"),
    bind(.refinement, ["i"], .chooseAxis, "which axis of a reach turns: all, i, j, k"),
    bind(.refinement, ["P"], .choosePreset, "choose kernels: advised, from the image, saved", bar: "presets"),
    bind(.refinement, ["S"], .savePreset, "save the kernels under a name"),
    bind(.refinement, ["r"], .resetKnob, "this knob as the model advises", bar: "reset"),
    bind(.refinement, ["R"], .resetAllKnobs, "all knobs as the model advises"),
    bind(.refinement, ["p"], .togglePreview, "refine around the crosshair while turning; off and on"),
    bind(.refinement, [.escape], .back, "drop the typed value; cancel; back", bar: "back"),
    bind(.refinement, ["t", "q"], .close, "back to the picture"),
  ]

  private static let lists: [KeyBinding] =
    pointing(.list, at: "entry") + [
      bind(.list, [.enter], .accept, "take it", bar: "take"),
      bind(.list, ["#"], .typeColour, "of colours: type one, as in #0072b2"),
      bind(.list, [.escape, "q"], .dismiss, "back", bar: "back"),
    ]

  /// The keys that every list has.
  private static func pointing(_ context: KeyContext, at entry: String) -> [KeyBinding] {
    [
      bind(
        context, [.up, "k"], .movePointer(-1), "previous \(entry)", bar: "choose", barKeys: [.up, .down]),
      bind(context, [.down, "j"], .movePointer(1), "next \(entry)"),
    ] + leafing(context)
  }

  /// Pages, ends and searches.
  private static func leafing(_ context: KeyContext) -> [KeyBinding] {
    [
      bind(context, [.pageUp], .movePage(-1), "a page up"),
      bind(context, [.pageDown], .movePage(1), "a page down"),
      bind(context, [.home], .moveToEnd(false), "to the top"),
      bind(context, [.end], .moveToEnd(true), "to the bottom"),
      bind(
        context, ["/"], .search, "search; n and N go to the next and previous match", bar: "search", rank: 2),
      bind(context, ["n"], .searchOn(1), "next match"),
      bind(context, ["N"], .searchOn(-1), "previous match"),
    ]
  }

  private static let pairing: [KeyBinding] =
    pointing(.pairing, at: "label of A").dropLast(3) + [
      bind(
        .pairing, [.right, "l", " "], .changePartner(1),
        "the label of B that goes with it: none, then by overlap",
        bar: "change", barKeys: [.left, .right]),
      bind(.pairing, [.left, "h"], .changePartner(-1), "the same, backwards"),
      bind(.pairing, [.enter, "y"], .accept, "these go together", bar: "take"),
      bind(
        .pairing, [.escape, "n", "q"], .dismiss, "keep names and, where one is missing, values",
        bar: "keep names",
        barKeys: [.escape]),
    ]

  private static let text: [KeyBinding] = [
    bind(.text, [.enter], .accept, "do it", bar: "do it"),
    bind(.text, [.escape, .control("c")], .dismiss, "back", bar: "back"),
    bind(.text, [.backspace], .eraseBackwards, "erase the character before the cursor"),
    bind(.text, [.delete], .eraseForwards, "erase the character under the cursor"),
    bind(.text, [.control("u")], .eraseToStart, "erase everything before the cursor"),
    bind(.text, [.left], .moveInText(-1), "cursor left"),
    bind(.text, [.right], .moveInText(1), "cursor right"),
    bind(.text, [.home, .control("a")], .moveToTextEnd(false), "cursor to the start"),
    bind(.text, [.end, .control("e")], .moveToTextEnd(true), "cursor to the end"),
  ]

  private static let questions: [KeyBinding] = [
    bind(.question, ["y"], .accept, "yes", bar: "yes"),
    bind(.question, ["n", .escape], .dismiss, "no", bar: "no"),
  ]

  private static let reading: [KeyBinding] =
    [
      bind(.reading, [.up, "k"], .movePointer(-1), "one line up", bar: "scroll", barKeys: [.up, .down]),
      bind(.reading, [.down, "j"], .movePointer(1), "one line down"),
      bind(.reading, ["["], .movePage(-1), "a page up"),
      bind(.reading, ["]", " "], .movePage(1), "a page down", bar: "page", barKeys: [.pageUp, .pageDown]),
    ] + leafing(.reading) + [
      bind(.reading, [.escape, "q", "?", "M"], .dismiss, "back", bar: "back")
    ]
}

extension Key: ExpressibleByExtendedGraphemeClusterLiteral {
  /// A character key, so that the table reads like a keyboard.
  package init(extendedGraphemeClusterLiteral character: Character) { self = .character(character) }
}
