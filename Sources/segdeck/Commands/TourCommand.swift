import ArgumentParser
import Foundation
import Review
import Work

/// `segdeck tour`: the tour of the review on the sample case.
struct TourCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tour", abstract: "Learn the review on the sample case, in two minutes.",
    discussion:
      "Each step says what it teaches and waits for the key; Esc ends the tour and leaves the case open.")

  @OptionGroup var options: TerminalOptions

  func run() throws {
    let request = ReviewCommand.request()
    try options.onTerminal {
      ReviewSession.run(terminal: $0, request: request, tour: .firstStep) { CaseServices() }
    }
    TourOffer().note()
  }
}

/// Whether the tour was offered already: an empty file `tour-offered` in the folder of what the program keeps.
struct TourOffer {
  private let path = FilePath.joined(UserFolder.state(), "tour-offered")

  /// Whether it is still to be offered; not where that could not be noted.
  var isDue: Bool {
    let folder = UserFolder.state()
    return !FileSystem.exists(path) && (!FileSystem.exists(folder) || FileSystem.allows(W_OK, at: folder))
  }

  /// Notes that it was offered, once and for all.
  func note() {
    // A folder that cannot be written has nothing to offer either; the journal says why.
    guard (try? FileSystem.makeFolder(UserFolder.state(), mode: 0o700)) != nil else { return }
    let descriptor = FileSystem.open(path, O_WRONLY | O_CREAT, mode: 0o600)
    if descriptor >= 0 { close(descriptor) }
  }
}
