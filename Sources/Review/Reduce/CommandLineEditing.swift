import Screen
import Volumes

extension Action {
  /// Steps of the command line: to earlier lines for positive counts, and to the next candidate.
  package enum CommandLineStep: ActionGroup {
    case recall(Int), complete(Int)

    static let bindings: [KeyBinding] = [
      KeyTable.bind(
        .command, [.tab], .commandLine(.complete(1)),
        "complete as far as is certain, then the next candidate: commands, windows, labels, knobs, versions, files"
      ),
      KeyTable.bind(.command, [.backTab], .commandLine(.complete(-1)), "the candidate before"),
      KeyTable.bind(
        .command, [.up], .commandLine(.recall(1)),
        "the last line, also of earlier sessions, that begins like this"),
      KeyTable.bind(.command, [.down], .commandLine(.recall(-1)), "the line after that"),
    ]
  }
}

extension ReviewState {
  /// Opens the line after a prompt and reads the lines of earlier sessions.
  mutating func openLine(_ prompt: CommandLine.Prompt, _ text: String = "") -> [ReviewEffect] {
    dialog = .command(CommandLine(prompt, text))
    return [start(CommandHistoryJob())]
  }

  /// Performs the action of a key that only the command line has.
  mutating func changeLine(_ step: Action.CommandLineStep) {
    guard case .command(var line) = dialog else { return }
    switch step {
    case .recall(let count): recall(count, in: &line)
    case .complete(let count): complete(count, in: &line)
    }
    dialog = .command(line)
  }

  /// Executes the typed line and adds it to the command history.
  mutating func perform(_ line: CommandLine) -> [ReviewEffect] {
    dialog = nil
    let text = line.entry.text
    guard text.contains(where: { !$0.isWhitespace }) else { return [] }
    commandHistory.add(text, after: line.prompt)
    let kept = start(CommandHistoryJob(adding: .init(line.prompt, text)))
    return perform(typed: text, after: line.prompt) + [kept]
  }

  /// Shows an earlier line that begins with the typed text: an older one for positive counts, the typed text after the
  /// newest.
  private func recall(_ count: Int, in line: inout CommandLine) {
    let typed = line.recalled == nil ? line.entry.text : line.typed ?? ""
    let lines = commandHistory.lines(beginningWith: typed, after: line.prompt)
    let next = (line.recalled ?? -1) + count
    guard next < lines.count else {
      if running(CommandHistoryJob.self) != nil { line.awaitedLines += count }
      return
    }
    guard next >= -1 else { return }
    line = line.edited(TextEntry(next < 0 ? typed : lines[next]))
    if next >= 0 { (line.typed, line.recalled) = (typed, next) }
  }

  /// Adds the lines of earlier sessions to the command history; lines of this session that were not stored stay.
  mutating func receive(_ history: CommandHistory) {
    commandHistory = commandHistory.appended(to: history)
    guard case .command(var line) = dialog, line.awaitedLines > 0 else { return }
    for _ in 0..<line.awaitedLines { recall(1, in: &line) }
    line.awaitedLines = 0
    dialog = .command(line)
  }

  /// Completes the text before the cursor to the longest common prefix of all candidates; when it is complete, shows
  /// the candidates one after the other.
  func complete(_ count: Int, in line: inout CommandLine) {
    let parts = typedPart(line).map { knownParts($0, line) }
    if case .some(.none) = parts {
      line.awaitsListing = true
      return
    }
    // Where there are no parts, a word such as "series" may belong to the name of a file.
    let isPath = parts??.isEmpty ?? true
    if isPath, let folder = CommandStem(line.stem, after: line.prompt).folder,
      line.listing?.folder != folder.path
    {
      line.awaitsListing = true
      return
    }
    let found = candidates(of: line)
    guard !found.isEmpty else { return }
    var entry = line.entry
    guard let pointed = line.pointed else {
      let typed = entry.textBeforeCursor
      let common = ReviewState.commonBeginning(found.map(\.line))
      // The only candidate may be shorter than a word of its description.
      let isLonger = common.count > typed.count && common.lowercased().hasPrefix(typed.lowercased())
      if isLonger || found.count == 1 && common != typed {
        entry.replaceBeforeCursor(by: common)
        line = line.edited(entry)
      } else if found.count > 1 {
        point(at: count > 0 ? 0 : found.count - 1, of: found, typed, in: &line)
      }
      return
    }
    point(at: (pointed + count + found.count) % found.count, of: found, line.stem, in: &line)
  }

  /// Puts a candidate into the line; one that stands there already is done.
  mutating func clickCandidate(_ position: Int) -> [ReviewEffect] {
    guard case .command(var line) = dialog else { return [] }
    if line.pointed == position { return handleKey(.enter) }
    let found = candidates(of: line)
    guard found.indices.contains(position) else { return [] }
    point(at: position, of: found, line.stem, in: &line)
    dialog = .command(line)
    return []
  }

  private func point(
    at position: Int, of found: [CommandCandidate], _ typed: String, in line: inout CommandLine
  ) {
    var entry = line.entry
    entry.replaceBeforeCursor(by: found[position].line)
    line = line.edited(entry)
    (line.typed, line.pointed) = (typed, position)
  }

  private static func commonBeginning(_ lines: [String]) -> String {
    lines.dropFirst().reduce(lines.first ?? "") { $0.commonPrefix(with: $1) }
  }

  /// Stores the names in a folder, and completes the line that waits for them.
  mutating func receive(_ listing: FolderListing) {
    guard case .command(var line) = dialog else { return }
    line.listing = listing
    if line.awaitsListing, typedPart(line).map({ knownParts($0, line) != nil }) ?? true {
      line.awaitsListing = false
      complete(1, in: &line)
    }
    dialog = .command(line)
  }

  /// Stores what files of the listed folder are; those of which nothing was found have no summary.
  mutating func receive(_ summaries: [String: String], of job: FileSummaryJob) {
    guard case .command(var line) = dialog, var listing = line.listing, listing.folder == job.folder else {
      return
    }
    let names = Set(job.names)
    for position in listing.entries.indices where names.contains(listing.entries[position].name) {
      listing.entries[position].summary = summaries[listing.entries[position].name] ?? ""
    }
    line.listing = listing
    dialog = .command(line)
  }

  /// Stores what the preview of a path shows.
  mutating func receive(_ content: CandidatePreview.Content, ofPreview path: String) {
    guard case .command(var line) = dialog, line.preview?.path == path else { return }
    line.preview?.content = content
    dialog = .command(line)
  }

  /// Starts the jobs that read candidates for the line: the names in the folder of a path, what the files are, the
  /// preview of the one that is pointed at, and saved CRF settings.
  mutating func readCandidatesIfNeeded() -> [ReviewEffect] {
    guard case .command(let line) = dialog else {
      return [JobKind.folder, .fileSummaries, .filePreview, .fileParts].flatMap { cancel($0) }
    }
    if case .argument(.preset, _, _) = CommandStem(line.stem, after: line.prompt), savedPresets == nil,
      jobs[.presets] == nil
    {
      return [start(PresetsJob())]
    }
    return readFolderIfNeeded(line) + readPartsIfNeeded(line) + readSummariesIfNeeded(line)
      + readPreviewIfNeeded(line)
  }

  private mutating func readFolderIfNeeded(_ line: CommandLine) -> [ReviewEffect] {
    guard let folder = CommandStem(line.stem, after: line.prompt).folder else { return [] }
    if line.listing?.folder == folder.path, line.listing?.content == folder.content { return [] }
    if let job = running(FolderJob.self), job.folder == folder.path, job.content == folder.content {
      return []
    }
    return [start(FolderJob(folder: folder.path, content: folder.content))]
  }

  /// Reads the summaries of the images in the list that the screen shows, then of those below it.
  private mutating func readSummariesIfNeeded(_ line: CommandLine) -> [ReviewEffect] {
    guard case .argument(.file(.images), _, let text) = CommandStem(line.stem, after: line.prompt),
      let listing = line.listing, listing.content == .images,
      listing.folder == CommandStem.folderPart(of: text)
    else { return cancel(.fileSummaries) }
    let entries = listing.entries(completing: text)
    let shown = shownCandidates(of: entries.count, line)
    let below = shown.upperBound..<min(entries.count, shown.upperBound + shown.count)
    let unread = [shown, below].map { entries[$0].filter { $0.summary == nil }.map(\.name) }
    guard let names = unread.first(where: { !$0.isEmpty }) else { return [] }
    if let job = running(FileSummaryJob.self), job.folder == listing.folder,
      !Set(job.names).isDisjoint(with: names)
    {
      return []
    }
    return [start(FileSummaryJob(folder: listing.folder, names: names))]
  }

  /// Reads the preview of what is pointed at, where it is another than before.
  private mutating func readPreviewIfNeeded(_ line: CommandLine) -> [ReviewEffect] {
    let path = previewedPath(line)
    guard path != line.preview?.path else { return [] }
    var line = line
    line.preview = path.map { CandidatePreview(path: $0) }
    dialog = .command(line)
    return path.map { [start(FilePreviewJob(path: $0))] } ?? cancel(.filePreview)
  }

  /// The path of the image or folder that is pointed at, or of the image whose whole name is typed; nil for none, and on a
  /// screen without room for a preview.
  private func previewedPath(_ line: CommandLine) -> String? {
    guard hasRoomForPreview, let listing = line.listing, listing.content == .images,
      case .argument(.file(.images), _, let path) = CommandStem(
        line.entry.textBeforeCursor, after: line.prompt),
      path.hasPrefix(listing.folder)
    else { return nil }
    let name = path.dropFirst(listing.folder.count)
    let isNamed = listing.entries.contains { entry in
      entry.isFolder ? line.pointed != nil && name == entry.name + "/" : name == entry.name
    }
    return isNamed ? path : nil
  }
}
