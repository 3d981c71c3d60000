import Foundation

/// The program's description of its commands and their arguments, from `--experimental-dump-help`.
struct CommandHelp: Decodable {
  struct Argument: Decodable {
    struct Name: Decodable {
      var kind, name: String
    }
    var kind: String
    var names: [Name]?
    var valueName: String
    var isOptional, isRepeating: Bool
    var allValues: [String]?

    /// "--output" of an option or flag that has a long name; nil for any other argument.
    var longName: String? { names?.first { $0.kind == "long" }.map { "--" + $0.name } }
  }

  var commandName: String
  var subcommands: [CommandHelp]?
  var arguments: [Argument]?

  /// The commands below the program itself, without `help`.
  static func commands() throws -> [CommandHelp] {
    struct Dump: Decodable {
      var command: CommandHelp
    }
    let text = try succeed(["--experimental-dump-help"], in: "/")
    let dump = try JSONDecoder().decode(Dump.self, from: Data(text.utf8))
    return (dump.command.subcommands ?? []).filter { $0.commandName != "help" }
  }

  /// The commands that have no commands below them, with the words that call them.
  static func leaves() throws -> [(words: [String], command: CommandHelp)] {
    try commands().flatMap { command in
      guard let below = command.subcommands, !below.isEmpty else { return [([command.commandName], command)] }
      return below.map { ([command.commandName, $0.commandName], $0) }
    }
  }
}
