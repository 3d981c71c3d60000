import Foundation
import Metrics
import Review
import ReviewFixtures
import Screen
import TestSupport
import Testing
import Volumes
import Work

/// A whole screen that is stored as a text file.
struct FrameCase: CustomTestStringConvertible, Sendable {
  /// The content of the frame.
  let title: String
  let screen: ScreenSize
  let colourDepth: TerminalCapabilities.ColourDepth
  /// Draws the state of a case, or of a session of cases.
  private let drawn: @Sendable (ScreenSize, TerminalCapabilities) throws -> Frame

  init(
    _ title: String, _ columns: Int, _ rows: Int, _ colourDepth: TerminalCapabilities.ColourDepth,
    _ state: @escaping @Sendable (ScreenSize, TerminalCapabilities) throws -> ReviewState
  ) {
    self.title = title
    screen = ScreenSize(rows: rows, columns: columns)
    self.colourDepth = colourDepth
    drawn = { shown(try state($0, $1)) }
  }

  init(
    _ title: String, _ columns: Int, _ rows: Int, _ colourDepth: TerminalCapabilities.ColourDepth,
    session: @escaping @Sendable (ScreenSize, TerminalCapabilities) throws -> SessionState
  ) {
    self.title = title
    screen = ScreenSize(rows: rows, columns: columns)
    self.colourDepth = colourDepth
    drawn = { shown(try session($0, $1)) }
  }

  /// The first line of the file.
  var testDescription: String {
    let colours =
      switch colourDepth {
      case .mono: "no colour"
      case .sixteen: "16 colours"
      case .indexed256: "256 colours"
      case .trueColour: "true colour"
      }
    return "\(title), \(screen.columns)x\(screen.rows), \(colours)"
  }

  /// The file below Frames.
  var fileName: String {
    testDescription.replacing(",", with: "").replacing(" ", with: "-") + ".txt"
  }

  /// The screen.
  func frame() throws -> Frame {
    let capabilities = TerminalCapabilities(colourDepth: colourDepth, showsUnicode: colourDepth != .mono)
    return try drawn(screen, capabilities)
  }
}

/// Every kind of screen; each size and each number of colours occurs with several kinds.
private let frameCases: [FrameCase] = [
  .init("case being opened", 80, 24, .mono) { screen, capabilities in
    var state = ReviewState(
      request: OpenCaseRequest(imagePath: "case-1.nii.gz"), screen: screen, capabilities: capabilities)
    _ = state.begin()
    _ = reduce(&state, .jobProgressed(JobID(1), fraction: 0.4, elapsedSeconds: 2))
    return state
  },
  .init("opened case", 80, 24, .trueColour) { try openedState(screen: $0, capabilities: $1) },
  .init("opened case", 120, 40, .indexed256) { try openedState(screen: $0, capabilities: $1) },
  .init("opened case", 200, 60, .mono) { try openedState(screen: $0, capabilities: $1) },
  .init("CRF panel", 80, 24, .indexed256, refined),
  .init("CRF panel", 120, 40, .trueColour, refined),
  .init("list of labels", 80, 24, .mono) { screen, capabilities in
    var state = try comparedState(screen.rows, screen.columns, capabilities)
    state.type("b")
    state.press(.down, .down)
    state.type(" ")
    return state
  },
  .init("list of windows", 120, 40, .trueColour) { screen, capabilities in
    var state = try openedState(screen: screen, capabilities: capabilities)
    state.type("w")
    state.press(.down)
    return state
  },
  .init("choice of a network", 120, 40, .mono) { screen, capabilities in
    var state = try openedState(screen: screen, capabilities: capabilities)
    _ = reduce(
      &state, .jobEnded(state.type("m").started!.id, .finished(ModelsJob.self, with: [pretendedModel])))
    return state
  },
  .init("question before quitting", 80, 24, .indexed256) { screen, capabilities in
    var state = try openedState(screen: screen, capabilities: capabilities)
    state.type("yq")
    return state
  },
  .init("difference of two readers", 80, 24, .trueColour) { screen, capabilities in
    var state = try comparedState(screen.rows, screen.columns, capabilities)
    state.type("d")
    return state
  },
  .init("difference of two readers", 200, 60, .indexed256) { screen, capabilities in
    var state = try comparedState(screen.rows, screen.columns, capabilities)
    state.type("d")
    return state
  },
  .init("side by side", 120, 40, .trueColour) { try compared("side", $0, $1) },
  .init("side by side", 200, 60, .indexed256) { try compared("side", $0, $1) },
  .init("contours", 80, 24, .trueColour) { try compared("contours", $0, $1) },
  .init("checkerboard", 80, 24, .indexed256) { try compared("checker", $0, $1) },
  .init("spyglass", 80, 24, .indexed256) { try compared("spyglass", $0, $1) },
  .init("four versions", 80, 24, .indexed256, fourVersions),
  .init("four versions", 120, 40, .trueColour, fourVersions),
  .init("image before its mask", 120, 40, .indexed256) { screen, capabilities in
    var state = ReviewState(
      request: OpenCaseRequest(imagePath: "case-1.nii.gz", maskPaths: ["labels/case-1.nii.gz"]),
      screen: screen,
      capabilities: capabilities)
    _ = state.begin()
    let content = phantomCase(withMask: false)
    let image = OpenedCase(
      content: content, intensities: IntensitySummary(content.image), maskComponents: [])
    _ = reduce(&state, .imageRead(JobID(1), image))
    return state
  },
  .init("borders of two readers", 120, 40, .mono) { screen, capabilities in
    var state = try comparedState(screen.rows, screen.columns, capabilities)
    try state.finishMeasuring()
    state.type("B")
    state.press(.down)
    return state
  },
  .init("no panel", 120, 40, .indexed256) { screen, capabilities in
    var state = try openedState(screen: screen, capabilities: capabilities)
    state.type("\\")
    return state
  },
  .init("probability map", 80, 24, .trueColour) { screen, capabilities in
    var state = try openedState(screen: screen, capabilities: capabilities)
    try state.runNetwork()
    try state.fetchPretendedProbabilities()
    state.type("%")
    return state
  },
  .init("message that wraps", 80, 24, .trueColour) { screen, capabilities in
    var content = phantomCase()
    content.findings = [
      "case-1.nii.gz: qform and sform place the image differently; the sform is used, and the voxels lie where a viewer"
        + " that reads the qform would show them 3.5 mm further to the left"
    ]
    var state = try openedState(content, screen: screen, capabilities: capabilities)
    state.type("M")
    return state
  },
  .init("list of cases", 80, 24, .trueColour, session: measuredList),
  .init("list of cases", 120, 40, .indexed256, session: measuredList),
  .init("candidates of the command line", 80, 24, .trueColour) { screen, capabilities in
    var state = try openedState(screen: screen, capabilities: capabilities)
    state.type(":window ct ")
    state.press(.tab, .tab)
    return state
  },
  .init("preview of a file", 80, 24, .trueColour, previewed),
  .init("preview of a file", 120, 40, .indexed256, previewed),
  .init("preview of a file", 200, 60, .mono, previewed),
  .init("islands with probabilities", 120, 40, .indexed256) { screen, capabilities in
    var state = try comparedState(screen.rows, screen.columns, capabilities)
    state.request.probabilitiesPath = "probabilities.npz"
    state.type("T")
    try state.finishSpatialComparison()
    try state.finishProbabilities()
    return state
  },
  .init(
    "step of the tour", 80, 24, .trueColour,
    session: { screen, capabilities in
      var session = SessionState(
        worklist: WorklistState(OpenCaseRequest()), first: CaseID(0), tour: .firstStep, screen: screen,
        capabilities: capabilities)
      let effects = session.begin()
      _ = try session.finish(effects)
      return session
    }),
  .init("command that is refused", 120, 40, .indexed256) { screen, capabilities in
    var state = try openedState(screen: screen, capabilities: capabilities)
    state.type(":window 50 0")
    state.press(.enter)
    state.type(":window 40 4")
    state.press(.left)
    return state
  },
]

/// The line that opens an image, with its folder's list and the preview of the second file.
@Sendable private func previewed(
  _ screen: ScreenSize, _ capabilities: TerminalCapabilities
) throws -> ReviewState {
  var state = try openedState(screen: screen, capabilities: capabilities)
  state.type(":open data/")
  try state.finishListing(
    "data/",
    [
      FolderEntry("MR", isFolder: true, summary: "500 DICOM files, 252 MB"),
      FolderEntry("ct-1.nii.gz", summary: "40x30x20, 31 kB"),
      FolderEntry("ct-2.nii.gz", summary: "the gzip data are cut off"),
      FolderEntry("ct-3.nii.gz", summary: nil),
    ])
  state.press(.tab, .tab)
  try state.finishPreview(.finished(FilePreviewJob.self, with: pretendedPreview))
  return state
}

/// Two readers' masks in a comparison view.
private func compared(
  _ view: String, _ screen: ScreenSize, _ capabilities: TerminalCapabilities
) throws -> ReviewState {
  var state = try comparedState(screen.rows, screen.columns, capabilities)
  state.view.overlay.style = .fill
  state.view.crosshair = VoxelIndex(12, 6, 28)
  state.command("compare \(view)")
  return state
}

@Sendable private func fourVersions(
  _ screen: ScreenSize, _ capabilities: TerminalCapabilities
) throws -> ReviewState {
  var state = try stateWithVersions(2, screen.rows, screen.columns, capabilities)
  state.view.crosshair = VoxelIndex(12, 6, 28)
  state.type("#")
  return state
}

extension ReviewState {
  /// Ends the jobs of probabilities with ones that become less certain to the right.
  fileprivate mutating func finishProbabilities() throws {
    let job = try #require(jobs[.componentProbabilities]?.job.base as? ComponentProbabilityJob)
    let size = grid.size
    let image = ScalarVolume(
      grid: grid,
      voxels: (0..<size.voxelCount).map { 1 - Float(size.index(offset: $0).i) / Float(2 * size.i) })
    let means = ComponentProbabilities(
      request: job.request, source: job.source,
      means: try job.components.means(in: image, work: WorkContext()))
    let id = try #require(jobs[.componentProbabilities]?.id)
    _ = reduce(&self, .jobEnded(id, .finished(ComponentProbabilityJob.self, with: means)))
    let slices = SliceEntropies(
      means: (0..<3).map { axis in (0..<size[axis]).map { Double($0) / Double(size[axis]) } })
    let known = SliceUncertainty(source: job.source, entropies: slices)
    let other = try #require(jobs[.uncertainty]?.id)
    _ = reduce(&self, .jobEnded(other, .finished(UncertaintyJob.self, with: known)))
  }
}

/// The CRF's panel after the whole image was refined and the spleen vanished.
@Sendable private func refined(
  _ screen: ScreenSize, _ capabilities: TerminalCapabilities
) throws -> ReviewState {
  var state = try openedState(screen: screen, capabilities: capabilities)
  try state.refineLive()
  state.press(.down, .down)
  return state
}

@Suite struct GoldenFrameTests {
  private static let folder = checkout.appending(path: "Tests/ReviewTests/Frames")
  private static let rewrites = ProcessInfo.processInfo.environment["SEGDECK_REWRITE_FRAMES"] != nil

  @Test("a whole screen equals its stored frame", arguments: frameCases)
  func screen(row: FrameCase) throws {
    let file = GoldenFrameTests.folder.appending(path: row.fileName)
    let stored = try? String(contentsOf: file, encoding: .utf8)
    let expected = stored.flatMap(FrameText.init(parsing:))
    let found = FrameText(try row.frame(), title: row.testDescription, keepingLettersOf: expected)
    if GoldenFrameTests.rewrites { return try found.text.write(to: file, atomically: true, encoding: .utf8) }
    guard let expected else {
      Issue.record("\(row.fileName) holds no frame; SEGDECK_REWRITE_FRAMES=1 writes it")
      return
    }
    let differences = expected.differences(to: found)
    #expect(differences.isEmpty, "\(row.fileName):\n\(differences.joined(separator: "\n"))")
    #expect(expected.text == stored, "\(row.fileName) was not written by this program")
  }

  @Test("every stored screen has a case")
  func files() throws {
    let stored = try FileManager.default.contentsOfDirectory(atPath: GoldenFrameTests.folder.path)
    #expect(Set(stored) == Set(frameCases.map(\.fileName)))
  }

  @Test("a difference of frames names the row and marks characters and colours")
  func differencesAreReadable() throws {
    var frame = Frame(rows: 2, columns: 6)
    frame.write("liver", row: 1, column: 0, style: Style(isBold: true))
    let expected = FrameText(frame, title: "a label")
    #expect(FrameText(parsing: expected.text) == expected)
    #expect(expected.differences(to: expected) == [])
    frame.write("river", row: 1, column: 0, style: Style(foreground: .rgb(230, 159, 0), isBold: true))
    let found = FrameText(frame, title: "a label", keepingLettersOf: expected)
    #expect(
      expected.differences(to: found) == [
        "row 1, characters:", "  expected |liver |", "  found    |river |", "            ^     ",
        "row 1, styles:", "  expected |aaaaa.|", "  found    |bbbbb.|", "            ^^^^^ ",
        "new style b: #e69f00 on default, bold", "style a is gone: default on default, bold",
      ])
  }
}
