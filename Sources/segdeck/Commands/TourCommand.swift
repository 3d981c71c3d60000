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

  @OptionGroup var reading: ReadingOption

  func run() throws {
    let request = ReviewCommand.request()
    try options.onTerminal(reading) {
      ReviewSession.run(terminal: $0, request: request, tour: .firstStep) { CaseServices() }
    }
    TourOffer().note()
  }
}

/// Whether the tour was offered already: an empty file `tour-offered` in the program's state folder.
struct TourOffer {
  private let path = FilePath.joined(UserFolder.state(), "tour-offered")

  /// Whether the tour is still to be offered; false where the offer could not be noted.
  var isDue: Bool {
    let folder = UserFolder.state()
    return !FileSystem.exists(path) && (!FileSystem.exists(folder) || FileSystem.allows(W_OK, at: folder))
  }

  /// Notes that the tour was offered.
  func note() {
    // Without a writable folder the tour is not offered; the journal reports the reason.
    guard (try? FileSystem.makeFolder(UserFolder.state(), mode: 0o700)) != nil else { return }
    let descriptor = FileSystem.open(path, O_WRONLY | O_CREAT, mode: 0o600)
    if descriptor >= 0 { close(descriptor) }
  }
}
