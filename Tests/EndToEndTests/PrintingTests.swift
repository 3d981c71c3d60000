import Foundation
import TestSupport
import Testing

/// Printed text of commands, and their end where printing and writing fail.
@Suite(.serialized)
struct PrintingTests {
  /// A generated image `i.nii` with labels `l.nii`.
  private static let caseFiles = Result { () throws -> [String: Data] in
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try succeed(
      [
        "phantom", "ct", "--seed", "5", "--size", "40x36x32", "--spacing", "8", "-o", "i.nii", "--labels",
        "l.nii",
      ], in: folder.path)
    return try folder.contents()
  }

  private func caseFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, content) in try Self.caseFiles.get() { try content.write(to: URL(filePath: folder(name))) }
    return folder
  }

  /// Whether a text has nothing that a terminal would obey but line breaks.
  private func isClean(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: scalar == "\n"
      default: true
      }
    }
  }

  @Test(
    "names, cards and paths of files send no escape sequence, line break or text direction to the terminal"
  )
  func texts() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let hostile = "li\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}31m\u{202e}\u{200b}\u{2028}ver\nsegdeck: done"
    let names = ["labels": [["value": 6, "name": hostile]]]
    try JSONSerialization.data(withJSONObject: names).write(to: URL(filePath: folder("l.labels.json")))
    let card =
      ["summary": hostile, "data": hostile, "licence": hostile, "limits": [hostile]] as [String: Any]
    try JSONSerialization.data(withJSONObject: card).write(to: URL(filePath: folder("card.json")))
    let path = "i\u{1b}[2J\n\u{202e}.nii"
    try FileManager.default.copyItem(atPath: folder("i.nii"), toPath: folder(path))
    let model = checkout.appending(path: "sample-data/models/hippocampus.safetensors").path
    try succeed(["convert", model, "m.safetensors", "--card", "card.json"], in: folder.path)
    for words in [
      ["compare", "l.nii", "l.nii"], ["compare", "l.nii", "l.nii", "--json"], ["info", "m.safetensors"],
      ["info", "m.safetensors", "--json"], ["info", path], ["info", path + "x"],
      ["refine", path, "--mask", "l.nii", "-o", "o.nii", "--only-labels", "6"],
      ["info", "--\u{1b}[31m", "i.nii"], ["compare", "l.nii", "l.nii", "--tolerance", hostile],
      [hostile, "x", "y"],
    ] {
      let outcome = try segdeck(words, in: folder.path)
      #expect(isClean(outcome.output) && isClean(outcome.errors), "\(words): \(outcome)")
      #expect(
        !outcome.output.contains("\nsegdeck:") && !outcome.errors.contains("\nsegdeck: done"), "\(words)")
    }
  }

  @Test(
    "a standard output that is full or closed is one line and code 1",
    arguments: [
      "info i.nii", "info --json i.nii", "compare l.nii l.nii", "keys", "--help", "info --help", "--version",
    ])
  func streams(command: String) throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    for (shell, reason) in [
      ("exec >/dev/full", "No space left on device"), ("exec >&-", "Bad file descriptor"),
    ] {
      let outcome = try segdeck(command.split(separator: " ").map(String.init), in: folder.path, shell: shell)
      #expect(outcome.status == 1)
      #expect(outcome.errors == "segdeck: standard output: cannot be written: found \(reason)\n")
    }
  }

  @Test("notes that cannot be written stop nothing, and a closed stream's number goes to no file")
  func closedErrors() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    for (index, shell) in ["exec 2>&-", "exec 2>/dev/full", "exec <&- 2>&- >&-"].enumerated() {
      let words = ["refine", "i.nii", "--mask", "l.nii", "-o", "o\(index).nii"]
      #expect(try segdeck(words, in: folder.path, shell: shell).status == 0)
    }
    #expect(try folder.bytes("o0.nii") == folder.bytes("o2.nii"))
    #expect(try segdeck(["info", "missing"], in: folder.path, shell: "exec 2>&-").status == 1)
  }

  @Test("a limit on the size of files is one line, code 1, and leaves nothing")
  func fileSizeLimit() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let before = try folder.contents()
    for words in [["convert", "i.nii", "o.nii"], ["refine", "i.nii", "--mask", "l.nii", "-o", "o.nii"]] {
      let outcome = try segdeck(words, in: folder.path, shell: "ulimit -f 8")
      #expect(outcome.status == 1)
      #expect(outcome.errors.hasSuffix("segdeck: o.nii: cannot be written: found File too large\n"))
    }
    #expect(try folder.contents() == before)
  }

  @Test("names that are not UTF-8 are read, written and shown")
  func otherNames() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let name = "$(printf 'caf\\351.nii')"
    #expect(
      try segdeck(["convert", "i.nii"], in: folder.path, shell: "set -- \"$@\" \"\(name)\"").status == 0)
    let shown = try segdeck(["info"], in: folder.path, shell: "set -- \"$@\" \"\(name)\"")
    #expect(shown.status == 0 && shown.output.hasPrefix("file         caf\\xE9.nii\n"), "\(shown)")
    let listed = try run(["sh", "-c", "ls -b '\(folder.path)'"]).output
    #expect(listed.contains("caf\\351.nii\n"), "\(listed)")
    let move =
      "mkdir \"$(printf 'a\\344')\" b && mv \"\(name)\" \"$(printf 'a\\344')\" && cp l.nii \"b/\(name)\"; "
    let evaluated = try segdeck(
      [
        "train", "--labels", "b", "-o", "m.safetensors", "--iterations", "1", "--validation", "none",
        "--images",
      ],
      in: folder.path, shell: move + "set -- \"$@\" \"$(printf 'a\\344')\"")
    #expect(evaluated.status == 0, "\(evaluated)")
  }

  @Test(
    "the version is printed, and a mistyped command, model or option gets a suggestion"
  )
  func meant() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    #expect(
      try segdeck(["--version"], in: folder.path).output.firstMatch(of: /^[0-9]+\.[0-9]+\.[0-9]+\n$/) != nil)
    for (words, meant) in [
      (["evalute", "--images", "a"], "`segdeck evaluate`"),
      (["segmnet", "a", "-o", "b"], "`segdeck segment`"),
      (["comapre", "a", "b"], "`segdeck compare`"), (["version"], "`segdeck --version`"),
      (["info", "--pln", "liver"], "perhaps --plan;"),
      (["info", "livr.safetensors"], "livr.safetensors: cannot be read: found no such file"),
      (["evaluate", "--images", "a", "--labels", "b", "--model", "livr"], "did you mean liver?"),
    ] {
      let outcome = try segdeck(words, in: folder.path)
      #expect(outcome.status != 0 && outcome.errors.contains(meant), "\(words): \(outcome)")
    }
  }

  @Test("a sidecar that is there and cannot be read is an error, a names file a finding")
  func unreadableCompanions() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    try succeed(["segment", "i.nii", "-o", "m.nii", "--probabilities", "p.nii"], in: folder.path)
    for (companion, words, status, line) in [
      (
        "p.json", ["refine", "i.nii", "--probabilities", "p.nii", "-o", "o.nii"], 1,
        "segdeck: p.json: cannot be read"
      ),
      ("l.labels.json", ["compare", "l.nii", "l.nii"], 0, "l.labels.json: cannot be read"),
    ] {
      try FileManager.default.removeItem(atPath: folder(companion))
      try FileManager.default.createDirectory(atPath: folder(companion), withIntermediateDirectories: false)
      let outcome = try segdeck(words, in: folder.path)
      #expect(outcome.status == status && outcome.errors.contains("\(line): found a folder"), "\(outcome)")
    }
  }

  @Test("labels that a refinement loses are named with the voxels that they had")
  func vanished() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let outcome = try segdeck(
      [
        "refine", "i.nii", "--mask", "l.nii", "-o", "o.nii", "--smoothness-weight", "1000", "--theta-gamma",
        "60",
      ],
      in: folder.path)
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains(/note: .* vanished \([0-9]+ voxels before\)\n/), "\(outcome.errors)")
  }
}
