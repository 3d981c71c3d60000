import ArgumentParser
import Review

/// Prints docs/keys.md from the table that drives the program.
struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Print the keys of the terminal program as Markdown.", shouldDisplay: false
  )

  func run() throws {
    try Console.print(String(KeyReference.markdown.dropLast()))
  }
}
