import ArgumentParser
import Foundation
import Work

extension ParsableCommand {
  /// Runs the command line: exit code 0 when done, 1 with one line on stderr when it failed, 64 for wrong usage.
  ///
  /// Commands throw ``InputError`` for what the user gave wrong and ``Cancelled`` when stopped; neither prints.
  static func runAndExit() -> Never {
    do {
      var command = try parseAsRoot()
      try command.run()
      exit()
    } catch let error as InputError {
      exitWithFailure(error.description)
    } catch let failure as ReviewFailure {
      exitWithFailure(failure.line)
    } catch is Cancelled {
      exitWithFailure("cancelled; nothing was written")
    } catch {
      exit(withError: error)
    }
  }

  private static func exitWithFailure(_ line: String) -> Never {
    Console.message(line)
    Foundation.exit(1)
  }
}
