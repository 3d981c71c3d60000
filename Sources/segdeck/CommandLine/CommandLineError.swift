import ArgumentParser
import Work

/// The error of a command line that cannot be parsed, as one line like every other error.
struct CommandLineError: Error {
  /// Option or command, problem, found, expected, and the command whose help explains it.
  let line: String

  /// The error that the option parser threw for the arguments after "segdeck".
  init(_ error: any Error, of arguments: [String]) {
    let command = SegdeckCommand.commandName(of: arguments)
    let message = SegdeckCommand.message(for: error)
    // Errors of options that commands throw are one line already.
    let isParsers = SegdeckCommand.exitCode(for: error) == .validationFailure
    let text = isParsers ? Self.reworded(message, command: command, arguments).description : message
    line = "\(text); see `segdeck \(command) --help`"
  }

  /// The parser's sentence as an error of this program.
  ///
  /// The parser's errors are internal to it, so that only their sentences can be told apart. A sentence that is not
  /// known is passed on.
  private static func reworded(_ message: String, command: String, _ arguments: [String]) -> InputError {
    if let match = message.wholeMatch(of: /(?s)Unknown option '(.+?)'(?:\. Did you mean '(.+)'\?)?(?:\n.*)?/)
    {
      return InputError(
        "\(match.1)", "no such option", expected: match.2.map { "perhaps \($0)" })
    }
    if let match = message.wholeMatch(of: /Missing value for '(\S+)(?: <(.*)>)?'/) {
      // The parser takes a number below 0 for another option.
      if let position = arguments.firstIndex(of: String(match.1)),
        let next = arguments.dropFirst(position + 1).first, Double(next).map({ $0 < 0 }) == true
      {
        return InputError(
          "\(match.1)", "takes no number below 0 after a blank", found: next,
          expected: "0 or more, or \(match.1)=\(next) where it is meant")
      }
      return InputError(
        "\(match.1)", "has no value", expected: match.2.map { "\(match.1) <\($0)>" })
    }
    if let match = message.wholeMatch(
      of:
        /(?s)The value '(.*)' is invalid for '(?:(-\S+) )?<([^<>]*)>'(?:: (.*)|\. Please provide one of (.*)\.)?/
    ) {
      let (found, option) = (quotedIfEmpty(match.1), match.2 ?? match.3)
      if let known = match.5 {
        let words = known.replacing("'", with: "").replacing(" and ", with: " or ")
        return InputError("\(option)", "unknown", found: found, expected: String(words))
      }
      let parts = match.4.map(String.init)?.split(separator: ": expected ", maxSplits: 1) ?? []
      return InputError(
        "\(option)", parts.first.map(String.init) ?? "cannot be used", found: found,
        expected: parts.count > 1 ? String(parts[1]) : nil)
    }
    if let match = message.wholeMatch(
      of: /(?s)The option '(\S+)' does not take any value, but '(.*)' was specified\./)
    {
      return InputError("\(match.1)", "takes no value", found: quotedIfEmpty(String(match.2)))
    }
    if let match = message.wholeMatch(of: /(?s)(?:Unexpected argument|\d+ unexpected arguments:) '(.*)'/) {
      let found = match.1.replacing("', '", with: ", ")
      return InputError(command, "takes fewer arguments", found: quotedIfEmpty(found))
    }
    if let match = message.wholeMatch(of: /(?s)(?:Missing expected argument|Missing one of:) '(.*)'/) {
      let missing = match.1.replacing("', '", with: " or ")
      return InputError(command, "lacks an argument", expected: String(missing))
    }
    let words = message.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return InputError(command, words)
  }

  private static func quotedIfEmpty(_ text: some StringProtocol) -> String {
    text.isEmpty ? "\"\"" : String(text)
  }
}
