import Foundation
import Screen

extension Key {
  /// The key's name.
  package var label: String {
    switch self {
    case .character(" "): "Space"
    case .character(let character): String(character)
    case .control(let character): "Ctrl-\(character.uppercased())"
    case .up: "Up"
    case .down: "Down"
    case .left: "Left"
    case .right: "Right"
    case .pageUp: "PgUp"
    case .pageDown: "PgDn"
    case .home: "Home"
    case .end: "End"
    case .enter: "Enter"
    case .escape: "Esc"
    case .tab: "Tab"
    case .backTab: "Shift-Tab"
    case .backspace: "Backspace"
    case .delete: "Del"
    case .function(let number): "F\(number)"
    }
  }
}

extension KeyBinding {
  /// Its keys as the reference prints them; a run of digits is shortened.
  package var keyText: String {
    let labels = keys.map(\.label)
    return labels.count > 4 ? "0-9 . ," : labels.joined(separator: " ")
  }
}

/// The key table as text, for the program's reference and for docs/keys.md.
package enum KeyReference {
  /// The actions of the mouse.
  private static let mouse: [(String, String)] = [
    ("left button", "set the crosshair; drag to keep moving it; on a strip: go to the slice"),
    (
      "left button",
      "elsewhere: what is shown there, as its key does; on a list: point at the entry, once more: Enter"
    ),
    ("right drag", "window: across changes the width, up and down the centre"),
    ("middle drag", "move the picture"),
    ("wheel", "next and previous slice of the plane under the pointer"),
    ("Ctrl wheel", "zoom in and out"),
  ]

  private static let commands: [(String, String)] = TypedCommand.reference

  /// The reference as plain lines of at most `width` columns, headings without indent.
  ///
  /// What does not fit beside the keys goes on below itself, or below the keys where there is little room beside them.
  package static func lines(width: Int) -> [String] {
    var lines: [String] = []
    for section in sections {
      if !lines.isEmpty { lines.append("") }
      lines.append(section.title)
      lines += indented(section.introduction, by: 2, width: width)
      for (keys, summary) in section.rows {
        let column = 4 + max(keysColumns, keys.count + 2)
        if width - column >= summaryColumns {
          let rows = indented(summary, by: column, width: width)
          let first = ("    " + keys).padding(toLength: column, withPad: " ", startingAt: 0)
          lines.append(first + (rows.first?.dropFirst(column) ?? ""))
          lines += rows.dropFirst()
        } else {
          lines += indented(keys, by: 4, width: width) + indented(summary, by: 6, width: width)
        }
      }
    }
    return lines
  }

  /// The columns of the keys, and the fewest columns beside them that a summary is read in.
  private static let (keysColumns, summaryColumns) = (16, 30)

  private static func indented(_ text: String, by count: Int, width: Int) -> [String] {
    wrapped(text, width: max(1, width - count)).map { String(repeating: " ", count: count) + $0 }
  }

  /// The reference as Markdown: the content of docs/keys.md.
  package static let markdown: String = {
    var text =
      "# Keys\n\nPrinted by `segdeck keys` from the table that drives the program; `?` shows the same.\n"
    for section in sections {
      text += "\n## \(section.title)\n\n\(section.introduction)\n\n| keys | what they do |\n|---|---|\n"
      for row in section.rows {
        let keys = row.0.replacingOccurrences(of: "|", with: "\\|")
        text += "| `\(keys)` | \(row.1) |\n"
      }
    }
    return text
  }()

  private struct Section: Sendable {
    var title: String
    var introduction: String
    var rows: [(String, String)]
  }

  private static let sections: [Section] = {
    var sections = KeyContext.all.map { context in
      Section(
        title: context.title, introduction: context.introduction,
        rows: KeyTable.bindings.filter { $0.context == context }.map { ($0.keyText, $0.summary) })
    }
    sections.insert(
      Section(title: "Mouse", introduction: "Never needed; it does what keys do.", rows: mouse), at: 1)
    sections.insert(
      Section(title: "Commands", introduction: "After : or, for places, after g.", rows: commands), at: 2)
    return sections
  }()
}
