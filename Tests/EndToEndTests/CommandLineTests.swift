import Foundation
import TestSupport
import Testing

/// Command lines that cannot be parsed: one line and exit code 1, as for every other bad input.
@Suite(.serialized)
struct CommandLineTests {
  /// Arguments that a command needs beside its required ones.
  private static let further = ["refine": ["--mask", "m.nii"], "replay": ["--verify"]]

  /// The words that call a command, with a value for everything that it requires.
  private static func complete(_ words: [String], _ command: CommandHelp) -> [String] {
    (command.arguments ?? []).filter { !$0.isOptional }.reduce(words) { words, argument in
      let value = argument.allValues?.first ?? "1"
      return words + (argument.longName.map { [$0] } ?? []) + [value]
    } + (further[words[0]] ?? [])
  }

  private func expect(_ line: String, of words: [String]) throws {
    let outcome = try segdeck(words, in: "/")
    let shown = words.joined(separator: " ")
    #expect(outcome.status == 1, "\(shown)")
    #expect(outcome.output == "", "\(shown)")
    #expect(outcome.errors == "segdeck: \(line)\n", "\(shown)")
  }

  @Test("of every command: an option that there is not, too many arguments and too few")
  func commands() throws {
    let leaves = try CommandHelp.leaves()
    #expect(leaves.count > 15)
    for (words, command) in leaves {
      let name = words.joined(separator: " ")
      let base = Self.complete(words, command)
      let help = "; see `segdeck \(name) --help`"
      try expect("--nonsense: no such option" + help, of: base + ["--nonsense"])
      let positional = (command.arguments ?? []).filter { $0.kind == "positional" }
      if !positional.contains(where: \.isRepeating) {
        let room = positional.count { $0.isOptional }
        try expect(
          "\(name): takes fewer arguments: found a, b" + help,
          of: base + Array(repeating: "1", count: room) + ["a", "b"])
      }
      if base.count > words.count + (Self.further[words[0]] ?? []).count {
        let outcome = try segdeck(words + (Self.further[words[0]] ?? []), in: "/")
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("segdeck: \(name): lacks an argument: expected "), "\(outcome)")
        #expect(outcome.errors.hasSuffix(help + "\n") && outcome.errors.count(where: \.isNewline) == 1)
      }
    }
  }

  @Test("of every option: no value; of every flag: a value")
  func options() throws {
    for (words, command) in try CommandHelp.leaves() {
      let help = "; see `segdeck \(words.joined(separator: " ")) --help`"
      for argument in command.arguments ?? [] {
        // Help and version are printed wherever they stand.
        guard let option = argument.longName, option != "--help", option != "--version" else { continue }
        if argument.kind == "option" {
          try expect(
            "\(option): has no value: expected \(option) <\(argument.valueName)>" + help,
            of: Self.complete(words, command) + [option])
        } else {
          try expect(
            "\(option): takes no value: found 1" + help, of: Self.complete(words, command) + ["\(option)=1"])
        }
      }
    }
  }

  @Test(
    "a value that an option does not take is named with what it takes",
    arguments: [
      (
        "evaluate --images a --labels b --iterations inf",
        "--iterations: not a whole number: found inf, expected a whole number"
      ),
      ("compare a b --threads 1.5", "--threads: not a whole number: found 1.5, expected a whole number"),
      ("compare a b --threads 0", "--threads: out of range: found 0, expected 1 to 1024"),
      (
        "segment i --frame 99999999999999999999 -o o.nii",
        "--frame: too large: found 99999999999999999999, expected a whole number"
      ),
      ("compare a b --tolerance 1e-400", "--tolerance: too close to 0: found 1e-400, expected a number"),
      ("compare a b --tolerance 1e400", "--tolerance: too large: found 1e400, expected a number"),
      ("compare a b --tolerance nan", "--tolerance: not a number: found nan, expected a number"),
      ("compare a b --tolerance=-1", "--tolerance: out of range: found -1.0, expected 0.0 to 1000000.0 mm"),
      ("compare a b --tolerance=", "--tolerance: has no value: expected --tolerance <tolerance>"),
      ("compare a b --tolerance='", "--tolerance: not a number: found ', expected a number"),
      (
        "phantom ct --seed=-1 -o o.nii --labels l.nii",
        "--seed: not a whole number: found -1, expected a whole number, 0 or more"
      ),
      ("phantom pet --seed 1 -o o.nii --labels l.nii", "kind: unknown: found pet, expected ct or mr"),
      (
        "phantom ct --seed 1 --size 3x4 -o o.nii --labels l.nii",
        "--size: not a size: found 3x4, expected XxYxZ, such as 160x160x72, each 1 to 65536"
      ),
      (
        "phantom ct --seed 1 --spacing 1e-400 -o o.nii --labels l.nii",
        "--spacing: not lengths: found 1e-400, expected one number, or three as XxYxZ"
      ),
      ("segment i -o o.nii --grid both", "--grid: unknown: found both, expected model or image"),
      ("terminal --color red", "--color: unknown: found red, expected truecolor, 256, 16 or mono"),
      ("review i --colour red", "--colour: no such option: expected perhaps --color"),
      (
        "refine i -o o.nii",
        "refine: has no single start: found none, expected either --probabilities or --mask"
      ),
      (
        "refine i -o o.nii --mask m --tau 0.5",
        "--tau: weighs the heads of a network, which a --mask does not have: found 0.5, expected --probabilities with it"
      ),
      ("info i --memory 0", "--memory: out of range: found 0, expected 1 to 1048576 megabytes"),
      ("replay r.json", "replay: would do nothing with the mask: expected -o, --verify or both"),
    ])
  func values(command: String, line: String) throws {
    let words = command.split(separator: " ").map(String.init)
    try expect("\(line); see `segdeck \(words[0]) --help`", of: words)
  }

  @Test("words of the user that a terminal would obey are shown without what it would obey")
  func printable() throws {
    try expect(
      "--a [31mb: no such option; see `segdeck info --help`", of: ["info", "i", "--a\u{1b}[31mb\u{202e}"])
    try expect(
      "info: takes fewer arguments: found x segdeck: done; see `segdeck info --help`",
      of: ["info", "i", "x\nsegdeck: done"])
  }

  @Test("help and version are results on standard output")
  func help() throws {
    for (words, _) in try CommandHelp.leaves() {
      let outcome = try segdeck(words + ["--help"], in: "/")
      #expect(outcome.status == 0 && outcome.errors == "", "\(words)")
      #expect(outcome.output.contains("USAGE: segdeck \(words.joined(separator: " "))"), "\(words)")
    }
    for words in [["--help"], ["help"], ["--version"], ["help", "journal", "show"]] {
      let outcome = try segdeck(words, in: "/")
      #expect(outcome.status == 0 && outcome.errors == "" && !outcome.output.isEmpty, "\(words)")
    }
  }
}
