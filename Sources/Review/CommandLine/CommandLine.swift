/// The line that ":" and "g" open, while it is being typed.
package struct CommandLine: Equatable, Sendable {
  /// The prompt before the line.
  package enum Prompt: String, Equatable, Sendable, CaseIterable {
    /// Any command, position or label.
    case command = ":"
    /// A position or label.
    case goTo = "go to "
  }

  /// The prompt before the line.
  package var prompt: Prompt
  /// The text of the line, with the cursor.
  package var entry: TextEntry
  /// The typed text that an earlier line or a candidate has replaced; nil where the line is as it was typed.
  var typed: String?
  /// The earlier line that is shown, counted from the newest of those that begin with ``typed``; nil for none.
  var recalled: Int?
  /// The candidate that is shown, of those that complete ``typed``; nil for none.
  var pointed: Int?
  /// How often ↑ was pressed before the lines of earlier sessions were read.
  var awaitedLines = 0
  /// Whether Tab waits for the names in a folder, or the parts of a file.
  var awaitsListing = false
  /// The names in the folder of the path that is being typed, once read.
  var listing: FolderListing?
  /// The parts of the file after which one is being typed, once read.
  var parts: FilePartList?
  /// The preview of the file or folder that is pointed at; nil for none.
  var preview: CandidatePreview?

  /// A line that begins with `text`.
  package init(_ prompt: Prompt, _ text: String = "") {
    self.prompt = prompt
    entry = TextEntry(text)
  }

  /// The text to complete: the typed text before the cursor.
  var stem: String { pointed == nil ? entry.textBeforeCursor : typed ?? "" }

  /// The same line with another text, as typed.
  func edited(_ entry: TextEntry) -> CommandLine {
    var line = self
    line.entry = entry
    (line.typed, line.recalled, line.pointed, line.awaitsListing) = (nil, nil, nil, false)
    line.awaitedLines = 0
    return line
  }
}

/// The lines that were typed earlier after each prompt: the newest last, no line twice.
package struct CommandHistory: Equatable, Sendable {
  /// Lines after ":".
  package private(set) var commands: [String] = []
  /// Lines after "go to".
  package private(set) var places: [String] = []

  /// The maximum number of lines of each prompt; the oldest are removed first.
  package static let depth = 500

  /// A history of these lines; of equal lines the last one counts.
  package init(commands: [String] = [], places: [String] = []) {
    for line in commands { add(line, after: .command) }
    for line in places { add(line, after: .goTo) }
  }

  /// The lines after a prompt.
  package subscript(prompt: CommandLine.Prompt) -> [String] { prompt == .command ? commands : places }

  /// Adds a line as the newest; a blank one is not kept.
  /// - Complexity: O(n).
  package mutating func add(_ line: String, after prompt: CommandLine.Prompt) {
    guard line.contains(where: { !$0.isWhitespace }) else { return }
    var lines = self[prompt].filter { $0 != line } + [line]
    lines.removeFirst(max(0, lines.count - CommandHistory.depth))
    if prompt == .command { commands = lines } else { places = lines }
  }

  /// The lines of `other`, then those of this history that `other` lacks.
  func appended(to other: CommandHistory) -> CommandHistory {
    var joined = other
    for prompt in CommandLine.Prompt.allCases {
      let known = Set(other[prompt])
      for line in self[prompt] where !known.contains(line) { joined.add(line, after: prompt) }
    }
    return joined
  }

  /// Earlier lines that begin with `text`, the newest first.
  func lines(beginningWith text: String, after prompt: CommandLine.Prompt) -> [String] {
    self[prompt].reversed().filter { $0.hasPrefix(text) && $0 != text }
  }
}
