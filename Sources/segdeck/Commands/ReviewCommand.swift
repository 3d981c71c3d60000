import ArgumentParser
import CursesTerminal
import Foundation
import Review
import Volumes
import Work

/// `segdeck review`: the terminal program.
struct ReviewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "review",
    abstract: "Look at an image and its masks in three planes; run networks and the CRF; export.",
    discussion: """
      Without an image it opens the sample case. ? lists the keys.

      --label names labels of every mask that has no names beside it; values of one name, as in \
      1,2=kidney, become one label with the first of the values.
      """)

  @Argument(help: "An image file; the sample case when there is none.", completion: .file())
  var image: String?

  @Option(
    name: .customLong("mask"), help: "A mask on the image's grid; may be given more than once.",
    completion: .file())
  var masks: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What label values are, as in 6=liver or 1,2=kidney; may be repeated.", valueName: "values=name"))
  var label: [String] = []

  @Option(name: .long, help: "A bundled model's name or a model file, offered first.")
  var model: String?

  @OptionGroup var options: TerminalOptions

  func run() throws {
    if let image { try SegdeckCommand.requireFile(image) }
    let selections = try LabelSelection.parsed(label)
    if !selections.isEmpty, masks.isEmpty {
      throw InputError("--label", "names labels of masks", expected: "a --mask")
    }
    // Defects of the file are reported in the list of models, because they must not prevent the review of a case.
    if let model { _ = try ModelLibrary.path(model) }
    let services = CaseServices(preferredModel: model)
    let terminal = try options.makeTerminal()
    terminal.reportEnd()
    // A signal may have come before the terminal was started.
    try WorkContext(cancellation: Interruption.cancellation()).checkCancellation()
    var request = OpenCaseRequest(imagePath: image, maskPaths: masks, selections: selections)
    request.firstVersionNumber = Int(Date.now.timeIntervalSince1970 * 1000)
    let failure = ReviewSession.run(terminal: terminal, services: services, request: request)
    terminal.stop()
    if let failure { throw ReviewFailure(line: failure) }
  }
}

/// A review that ended because its image could not be opened.
struct ReviewFailure: Error {
  /// The error as one line.
  var line: String
}
