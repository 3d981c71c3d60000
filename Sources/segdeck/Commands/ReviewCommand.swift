import ArgumentParser
import CursesTerminal
import Foundation
import ImageFormats
import Review
import Screen
import Volumes
import Work
import Worklist

/// `segdeck review`: the terminal program.
struct ReviewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "review",
    abstract:
      "Look at images and their masks in three planes; run networks and the CRF; accept, reject and export.",
    discussion: """
      Without an image it opens the sample case. ? lists the keys.

      A folder, or a worklist file (CSV), opens all of its cases one after the other: Ctrl-N and Ctrl-P move, C shows the \
      list. `segdeck worklist FOLDER` shows which cases are found. Verdicts are kept beside the worklist, or in the \
      folder, for all readers.

      --label names labels of every mask that has no names beside it; values of one name, as in \
      1,2=kidney, become one label with the first of the values. In a worklist that counts on the screen alone: names in \
      files beside the masks count in the list, `worklist --measure` and `report` too.
      """)

  @Argument(
    help:
      "An image file, a folder with a DICOM series, a folder of cases or a worklist file; the sample case when there is none.",
    completion: .file())
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

  @Option(
    name: .long,
    help: "Class probabilities of the image, as `segment --probabilities` or nnU-Net (.npz) writes them.",
    completion: .file())
  var probabilities: String?

  @Option(name: .long, help: "A bundled model's name or a model file, offered first.")
  var model: String?

  @Option(
    name: .customLong("labels"),
    help: "A folder of masks for the images of a folder; may be given more than once.", completion: .directory
  )
  var labelFolders: [String] = []

  @Option(name: .long, help: "A worklist file (CSV).", completion: .file(extensions: ["csv", "tsv"]))
  var worklist: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The name under which your verdicts are stored; SEGDECK_READER or the login name unless given.",
      valueName: "name"))
  var reader: String?

  @OptionGroup var series: SeriesOption

  @OptionGroup var segments: SegmentOptions

  @OptionGroup var options: TerminalOptions

  @OptionGroup var reading: ReadingOption

  func run() throws {
    if let image { try SegdeckCommand.requireFile(image) }
    let chosen = try chosenImage()
    let image = chosen?.path
    if let path = try worklistPath() { return try review(worklist: path) }
    guard labelFolders.isEmpty else {
      throw InputError("--labels", "gives masks to a folder of images", expected: "a folder")
    }
    guard reader == nil else {
      throw InputError(
        "--reader", "names the reader of a worklist", expected: "a folder or --worklist")
    }
    if let probabilities {
      guard image != nil else {
        throw InputError("--probabilities", "are of an image", expected: "an image with them")
      }
      guard FileSystem.exists(probabilities) else {
        throw InputError(probabilities, "cannot be opened", found: "No such file or directory")
      }
    }
    let selections = try LabelSelection.parsed(label)
    if !selections.isEmpty, masks.isEmpty {
      throw InputError("--label", "names labels of masks", expected: "a --mask")
    }
    let preferredModel = try existingModel()
    var request = Self.request(image, masks, selections)
    request.imageSeries = chosen?.series
    for (mask, part) in zip(masks, try segments.options(forMasks: masks)) where !part.isEmpty {
      request.maskParts[mask] = MaskPart(segment: part.segment, layer: part.layer)
    }
    request.probabilitiesPath = probabilities
    let offer = TourOffer()
    let isOffered = image == nil && masks.isEmpty && offer.isDue
    try options.onTerminal(reading) {
      ReviewSession.run(
        terminal: $0, request: request, tour: isOffered ? .offered(isAnnounced: false) : nil
      ) { CaseServices(preferredModel: preferredModel) }
    }
    if isOffered { offer.note() }
  }

  /// The image; where a series of a folder is chosen, a file of that series.
  private func chosenImage() throws -> CheckedImage? {
    guard series.series != nil else { return image.map { CheckedImage(path: $0) } }
    guard let image, worklist == nil else {
      throw InputError("--series", "chooses a series of a folder", expected: "a folder of DICOM files")
    }
    let work = WorkContext(cancellation: Interruption.cancellation()).showingProgress("opening")
    let opened = try ImageFile.open(image, options: series.options, work: work)
    return CheckedImage(path: opened.pathInSeries, series: opened.seriesInFile)
  }

  /// The worklist's file or folder; nil where one image is reviewed.
  private func worklistPath() throws -> String? {
    guard let worklist else {
      guard let image, series.series == nil else { return nil }
      // With a mask, a folder above those of a divided series is its image; else it is a list, which finds masks there.
      let isImage =
        try !masks.isEmpty && FileSystem.isFolder(image) && DicomListing.dividedImage(below: image) != nil
      return try !isImage && Self.isWorklist(image) ? image : nil
    }
    if let image {
      throw InputError(image, "is given together with --worklist", expected: "an image or a worklist")
    }
    guard try FileSystem.isFolder(worklist) || Self.isWorklist(worklist) else {
      throw InputError(worklist, "is not a worklist", expected: "a file that ends with .csv or .tsv")
    }
    return worklist
  }

  private static func isWorklist(_ path: String) throws -> Bool {
    let work = WorkContext(cancellation: Interruption.cancellation()).showingProgress("opening")
    return try FileSystem.isFolder(path) && !DicomListing.isImage(folder: path, work: work)
      || [".csv", ".tsv"].contains { path.lowercased().hasSuffix($0) }
  }

  /// Reviews the cases of a worklist, beginning with the one that this reader had on the screen last.
  private func review(worklist path: String) throws {
    guard probabilities == nil else {
      throw InputError(
        "--probabilities", "are of one image", expected: "a column of that name in a worklist file")
    }
    guard segments.options.isEmpty else {
      throw InputError(
        segments.options.words.joined(separator: " "), "is about one image", found: path,
        expected: "an image and a --mask")
    }
    guard masks.isEmpty else {
      throw InputError("--mask", "is the mask of one image", expected: "--labels FOLDER for many")
    }
    let selections = try LabelSelection.parsed(label)
    let reader = try ReaderName.resolved(option: reader)
    let preferredModel = try existingModel()
    let work = WorkContext(cancellation: Interruption.cancellation())
    var list: Worklist
    if FileSystem.isFolder(path) {
      list = try Worklist.discover(path, labelFolders: labelFolders, work: work)
    } else {
      guard labelFolders.isEmpty else {
        throw InputError("--labels", "gives masks to a folder of images", found: path, expected: "a folder")
      }
      list = try Worklist(file: path)
    }
    var records = ReviewRecords(worklist: path)
    records.poll()
    records.addCases(to: &list)
    guard !list.cases.isEmpty else { throw InputError(path, "holds no case", expected: "at least one") }
    let state = WorklistState(
      list, reviews: records.reviews, reader: reader, selections: selections,
      firstVersionNumber: Self.firstVersionNumber,
      notes: (selections.isEmpty ? [] : [Self.labelNote]) + [records.unlistedNote(list)].compactMap(\.self)
        + list.notes + records.notes)
    let services = WorklistServices(
      list, of: path, records: records, writer: RecordWriter(worklist: path, reader: reader),
      preferredModel: preferredModel)
    try options.onTerminal(reading) {
      ReviewSession.run(terminal: $0, worklist: state, first: state.lastOnScreen, services: services)
    }
  }

  /// Names that are given for one session are not those of the worklist, which all readers and reports share.
  private static let labelNote =
    "--label counts on the screen alone; Dice and flags of the list, worklist and report are of the labels of the files"

  /// The model that is offered first; defects of its file are reported in the list of models, because they must not
  /// prevent the review of a case.
  private func existingModel() throws -> String? {
    if let model { _ = try ModelLibrary.path(model) }
    return model
  }

  /// A request to open an image with masks; without an image the sample case.
  static func request(
    _ image: String? = nil, _ masks: [String] = [], _ selections: [LabelSelection] = []
  ) -> OpenCaseRequest {
    var request = OpenCaseRequest(imagePath: image, maskPaths: masks, selections: selections)
    request.firstVersionNumber = firstVersionNumber
    return request
  }

  /// Larger than every number of an earlier session.
  private static var firstVersionNumber: Int { Int(Date.now.timeIntervalSince1970 * 1000) }
}

extension TerminalOptions {
  /// Runs a session on the terminal, or line by line.
  /// - Throws: ``ReviewFailure`` with the line of a failure that ended the session.
  func onTerminal(_ reading: ReadingOption, _ session: (any Terminal) -> String?) throws {
    let failure: String?
    if reading.isRequested(in: ProcessInfo.processInfo.environment) {
      let terminal = try LineTerminal(isASCIIOnly: ascii)
      terminal.reportEnd()
      try WorkContext(cancellation: Interruption.cancellation()).checkCancellation()
      failure = session(terminal)
      terminal.stop()
    } else {
      let terminal = try makeTerminal()
      terminal.asksWhenShown = true
      terminal.reportEnd()
      // A signal may have come before the terminal was started.
      try WorkContext(cancellation: Interruption.cancellation()).checkCancellation()
      failure = session(terminal)
      terminal.stop()
    }
    if let failure { throw ReviewFailure(line: failure) }
  }
}

/// A review that ended because its image could not be opened.
struct ReviewFailure: Error {
  /// The error as one line.
  var line: String
}
