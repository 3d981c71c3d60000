import ArgumentParser
import Foundation
import Work

extension ParsableCommand {
  /// Runs the command line.
  ///
  /// Exit codes: 0 for success, 1 for a failure with one line on stderr, 64 for wrong usage.
  ///
  /// Commands throw ``InputError`` for invalid input and ``Cancelled`` when stopped; they print neither.
  static func runAndExit() -> Never {
    ProgramStart.prepare()
    do {
      var command = try parsed()
      defer { FindingNotes.print() }
      try command.run()
    } catch let error as InputError {
      exitWithFailure(error.description)
    } catch let failure as ReviewFailure {
      exitWithFailure(failure.line)
    } catch is Cancelled {
      exitWithFailure(
        Interruption.cancellation().isShortOfMemory
          ? AvailableMemory.shortage.description : "cancelled; nothing was written")
    } catch {
      exitWithExplanation(error)
    }
    end(0)
  }

  /// Parses the arguments.
  /// - Throws: ``InputError`` where the first word is no command and no file; the parser's errors.
  private static func parsed() throws -> ParsableCommand {
    let arguments = ProgramStart.arguments
    try SegdeckCommand.refuseUnknownCommand(arguments)
    do { return try parseAsRoot(arguments) } catch {
      if exitCode(for: error) != .success, let word = arguments.first { try SegdeckCommand.requireFile(word) }
      throw error
    }
  }

  /// Ends the process without exit handlers: `exit` would tear down libraries while threads still compute, such as
  /// those of checksums.
  private static func end(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }

  private static func exitWithFailure(_ line: String) -> Never {
    Console.message(line)
    end(1)
  }

  /// Prints the requested help, or the error of the arguments.
  private static func exitWithExplanation(_ error: Error) -> Never {
    var text = fullMessage(for: error)
    guard exitCode(for: error) != .success else {
      do throws(InputError) { try Console.print(text) } catch { exitWithFailure(error.description) }
      end(0)
    }
    // The parser repeats the user's words, which must not contain line breaks or escape sequences.
    let words = ProgramStart.arguments.flatMap {
      [$0] + $0.split(separator: "=").dropFirst().map(String.init)
    }
    for word in words where word != word.printableLine {
      text = text.replacingOccurrences(of: word, with: word.printableLine)
    }
    Console.explain(text)
    end(exitCode(for: error).rawValue)
  }
}
