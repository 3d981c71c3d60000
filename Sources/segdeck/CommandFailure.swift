import ArgumentParser
import Foundation
import Work

extension ParsableCommand {
  /// Runs the command line: exit code 0 when done, 1 with one line on stderr when it failed, 64 for wrong usage.
  ///
  /// Commands throw ``InputError`` for what the user gave wrong and ``Cancelled`` when stopped; neither prints.
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

  /// The command that the arguments name.
  /// - Throws: ``InputError`` where the first word is no command and no file; what the parser throws.
  private static func parsed() throws -> ParsableCommand {
    let arguments = ProgramStart.arguments
    try SegdeckCommand.refuseUnknownCommand(arguments)
    do { return try parseAsRoot(arguments) } catch {
      if exitCode(for: error) != .success, let word = arguments.first { try SegdeckCommand.requireFile(word) }
      throw error
    }
  }

  /// Ends the process, and nothing before it: `exit` would take libraries down under threads that still compute, such as
  /// those that compute checksums.
  private static func end(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }

  private static func exitWithFailure(_ line: String) -> Never {
    Console.message(line)
    end(1)
  }

  /// Prints help that was asked for, or what is wrong with the arguments.
  private static func exitWithExplanation(_ error: Error) -> Never {
    var text = fullMessage(for: error)
    guard exitCode(for: error) != .success else {
      do throws(InputError) { try Console.print(text) } catch { exitWithFailure(error.description) }
      end(0)
    }
    // What the parser echoes may not fake lines of its own.
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
