import Volumes
import Work

/// A part of a file or folder that a command can choose: a series, a segment or a layer.
package struct FilePart: Equatable, Sendable {
  /// The word after which a part is typed.
  package enum Kind: String, Equatable, Sendable {
    case series, segment, layer
  }

  /// The number that is typed.
  package var number: Int
  /// What it is, in a few words.
  package var summary: String

  package init(_ number: Int, _ summary: String) { (self.number, self.summary) = (number, summary) }
}

/// The parts of a file or folder.
package struct FilePartList: Equatable, Sendable {
  /// The path as it was typed.
  package var path: String
  package var kind: FilePart.Kind
  /// In the order of the file; empty for a file without such parts, and for one that cannot be read.
  package var parts: [FilePart]

  package init(path: String, kind: FilePart.Kind, parts: [FilePart]) {
    (self.path, self.kind, self.parts) = (path, kind, parts)
  }
}

/// Lists the parts of a file while the number of one is being typed.
package struct FilePartsJob: Job {
  package static let kind = JobKind.fileParts
  /// The path as it was typed.
  package var path: String
  package var part: FilePart.Kind

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> FilePartList {
    FilePartList(path: path, kind: part, parts: try environment.services.parts(part, of: path, work))
  }

  package func reduce(_ state: inout ReviewState, _ outcome: FilePartList) -> [ReviewEffect] {
    state.receive(outcome)
    return []
  }

  /// A file that cannot be read has no parts: its path may not be complete.
  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.receive(FilePartList(path: path, kind: part, parts: []))
    return []
  }
}

/// The path of a file and the beginning of a part's number, as they are being typed: `ct series 2`.
struct TypedPart: Equatable {
  /// The path, without quotation marks.
  var path: String
  var kind: FilePart.Kind
  /// The text before the number.
  var head: String
  /// The text of the number so far, or of a name.
  var text: String

  /// nil where no word of `kinds` follows a path.
  init?(_ typed: String, of kinds: [FilePart.Kind]) {
    let found = kinds.compactMap { kind in
      typed.range(of: " \(kind.rawValue) ", options: .backwards).map { (kind, $0) }
    }
    guard let (kind, range) = found.max(by: { $0.1.upperBound < $1.1.upperBound }) else { return nil }
    var path = String(typed[..<range.lowerBound]).trimmingSpaces
    if path.hasPrefix("\"") {
      guard path.count > 2, path.hasSuffix("\"") else { return nil }
      path = String(path.dropFirst().dropLast())
    }
    guard !path.isEmpty else { return nil }
    self.path = path
    self.kind = kind
    head = String(typed[..<range.upperBound])
    text = String(typed[range.upperBound...])
  }
}

extension ReviewState {
  /// The part whose number is being typed; nil where none is.
  func typedPart(_ line: CommandLine) -> TypedPart? {
    guard case .argument(.file, _, let text) = CommandStem(line.stem, after: line.prompt),
      let kinds = commandBeingTyped(line)?.parts
    else { return nil }
    return TypedPart(text, of: kinds)
  }

  /// The parts of the file that is typed; nil before they are read.
  func knownParts(_ part: TypedPart, _ line: CommandLine) -> [FilePart]? {
    line.parts.flatMap { $0.path == part.path && $0.kind == part.kind ? $0.parts : nil }
  }

  /// Stores the parts of a file, and completes the line that waits for them.
  mutating func receive(_ list: FilePartList) {
    guard case .command(var line) = dialog else { return }
    line.parts = list
    if line.awaitsListing {
      line.awaitsListing = false
      complete(1, in: &line)
    }
    dialog = .command(line)
  }

  /// Starts the job that lists the parts of the file after which one is being typed.
  mutating func readPartsIfNeeded(_ line: CommandLine) -> [ReviewEffect] {
    guard let part = typedPart(line) else { return cancel(.fileParts) }
    if knownParts(part, line) != nil { return [] }
    if let job = running(FilePartsJob.self), job.path == part.path, job.part == part.kind { return [] }
    return [start(FilePartsJob(path: part.path, part: part.kind))]
  }
}
