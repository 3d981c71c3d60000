import ArgumentParser
import Foundation
import ImageFormats
import Journal
import Review
import Volumes
import Work

/// `segdeck journal`: lists, shows, exports and removes the journals of reviews.
struct JournalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "journal", abstract: "List, show, export and remove the journals of reviews.",
    discussion: """
      A review writes what it makes and decides to ~/.local/state/segdeck/journals, or below $XDG_STATE_HOME: one \
      file for each image content, in a worklist for each case and reader. Journals that were not written for \(Int(JournalFolder.Limits.days)) days go, and beyond \
      \(JournalFolder.Limits.byteCount / 1_000_000_000) GB in all the oldest ones, but never one whose accepted version was \
      not exported.
      """,
    subcommands: [List.self, Show.self, Export.self, Remove.self], defaultSubcommand: List.self)

  /// The argument that selects a journal.
  struct CaseArgument: ParsableArguments {
    @Argument(
      help:
        "The case: its name, its image's file, or the beginning of its digest, as `journal list` prints them.",
      completion: .file())
    var name: String

    /// The selected journal.
    /// - Throws: ``InputError`` when no journal matches, or more than one.
    func journal() throws(InputError) -> JournalInspection {
      let path = FilePath.absolute(name)
      var found: [JournalInspection] = []
      for item in JournalFolder().items() {
        guard let journal = try? JournalInspection(item) else {
          if name.count >= 4, item.digest.hasPrefix(name) { found.append(try JournalInspection(item)) }
          continue
        }
        let opening = journal.reading.opening
        let isMeant =
          opening?.caseName == name || journal.reading.lines.contains { $0.opened?.image == path }
          || name.count >= 4 && item.digest.hasPrefix(name)
        if isMeant { found.append(journal) }
      }
      guard let first = found.first else {
        throw InputError(name, "has no journal", expected: "a case of `segdeck journal list`")
      }
      guard found.count == 1 else {
        throw InputError(
          name, "means \(found.count) journals",
          expected: "the beginning of a digest: "
            + found.map { String($0.item.digest.prefix(12)) }.joined(separator: ", "))
      }
      return first
    }
  }

  /// `segdeck journal list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List every case that has a journal, the latest first.",
      discussion: """
        "damaged" stands where a text is damaged or missing. Of voxels, which are most of a journal, only those of accepted \
        versions are read for the list: `segdeck journal show` checks all of a case.
        """)

    func run() throws {
      var table = TextTable(
        heading: ["case", "last", "digest", "verdict", "image", "versions", "MB"])
      table.leftAlignedColumns = 5
      for item in JournalFolder().items() {
        let size = decimals(Double(item.byteCount) / 1e6, 2)
        let day = JournalTimestamp.formatted(item.modifiedSeconds, "%Y-%m-%d %H:%M")
        let digest = String(item.digest.prefix(12)).printableLine
        guard let journal = try? JournalInspection(item) else {
          table.rows.append(["-", day, digest, "cannot be read", item.path.printableLine, "-", size])
          continue
        }
        let reading = journal.reading
        table.rows.append([
          (reading.opening?.caseName ?? "-").printableLine, day, digest,
          journal.verdictText(checksVoxels: false).printableLine,
          (reading.opening?.imageText ?? "-").printableLine, "\(reading.versions.count)", size,
        ])
      }
      try Console.print(
        table.rows.isEmpty ? "no journals in \(JournalFolder().path.printableLine)" : table.text)
    }
  }

  /// `segdeck journal show`.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print what happened in a case, in order.")

    @OptionGroup var caseArgument: CaseArgument

    func run() throws {
      let journal = try caseArgument.journal()
      let reading = journal.reading
      let opening = reading.opening
      var lines = [
        "case      \(opening?.caseName ?? "-")", "image     \(opening?.imageText ?? "-")",
        "digest    \(journal.item.digest)", "journal   \(journal.item.path)",
        "verdict   \(journal.verdictText(checksVoxels: true))",
      ]
      lines += journal.damageLines.map { "damaged   \($0)" }
      lines.append("")
      var presentStep: Int?
      for line in reading.lines {
        guard let text = journal.text(line, presentStep: &presentStep) else { continue }
        lines.append(JournalTimestamp.formatted(line.time, "%Y-%m-%d %H:%M:%S") + "  " + text)
      }
      try Console.print(lines.map(\.printableLine).joined(separator: "\n"))
    }
  }

  /// `segdeck journal export`.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a version as a mask with its record, or print everything as JSON.",
      discussion: """
        With -o it writes the version named by --version, or else the accepted one: on exactly the image's grid where the \
        image is still the same, else on the grid that the journal holds. `segdeck replay` carries the record out. Without -o it prints the whole journal but the \
        voxels.
        """)

    @OptionGroup var caseArgument: CaseArgument

    @Option(
      help:
        "The version's name, as in the review and in `journal show`, which marks damaged ones; of several of one name the last."
    )
    var version: String?

    @Option(name: .shortAndLong, help: "The mask to write.", completion: .file())
    var output: String?

    @Flag(help: "Replace the mask if it exists.")
    var force = false

    func run() throws {
      let journal = try caseArgument.journal()
      guard let output else {
        if version != nil { throw InputError("--version", "needs -o, the mask to write") }
        return try Console.print(json: journal.json())
      }
      try journal.export(try journal.version(named: version), to: output, isForced: force)
    }
  }

  /// `segdeck journal remove`.
  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a journal with all versions in it; asks first.")

    @OptionGroup var caseArgument: CaseArgument

    @Flag(help: "Do not ask.")
    var force = false

    func run() throws {
      let journal = try caseArgument.journal()
      if JournalFile.isInUse(journal.item.path) {
        throw InputError(caseArgument.name, "is open in a review and is not removed")
      }
      if !force {
        guard isatty(STDIN_FILENO) == 1 else {
          throw InputError(
            caseArgument.name, "is not removed without a question", expected: "a terminal, or --force")
        }
        let name = (journal.reading.opening?.caseName ?? journal.item.digest).printableLine
        Console.paint(
          "Remove the journal of \(name): \(counted(journal.reading.versions.count, "version")), "
            + "\(journal.verdictText(checksVoxels: false).printableLine)? [y/N] ")
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
          return Console.note("not removed")
        }
      }
      try JournalFolder().remove(journal.item)
    }
  }
}
