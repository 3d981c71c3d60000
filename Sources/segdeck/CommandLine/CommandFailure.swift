import ArgumentParser
import Foundation
import Work

extension ParsableCommand {
  /// Runs the command line.
  ///
  /// Exit codes: 0 for success, 1 for a failure with one line on stderr.
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
    } catch let error as CommandLineError {
      exitWithFailure(error.line)
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
  /// - Throws: ``InputError`` where the first word is no command and no file; ``CommandLineError``; the parser's requests
  ///   for help.
  private static func parsed() throws -> ParsableCommand {
    let arguments = ProgramStart.arguments
    try SegdeckCommand.refuseUnknownCommand(arguments)
    do { return try parseAsRoot(arguments) } catch {
      guard exitCode(for: error) != .success else { throw error }
      if let word = arguments.first { try SegdeckCommand.requireFile(word) }
      throw CommandLineError(error, of: arguments)
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

  /// Prints the requested help, or an error that no command foresees.
  private static func exitWithExplanation(_ error: Error) -> Never {
    guard exitCode(for: error) == .success else { exitWithFailure(message(for: error)) }
    do throws(InputError) { try Console.print(fullMessage(for: error)) } catch {
      exitWithFailure(error.description)
    }
    end(0)
  }
}
