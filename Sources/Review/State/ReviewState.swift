import Screen
import Volumes
import Worklist

/// Everything that a review shows and remembers; ``reduce(_:_:)`` changes it, ``render(_:)`` draws it.
package struct ReviewState: Equatable, Sendable {
  package enum Phase: Equatable, Sendable {
    /// The image is being read.
    case opening
    /// The case is on the screen.
    case reviewing
    /// The review is over; `failure` is the reason where it failed, in one line.
    case ended(failure: String?)
  }

  /// What receives keys first: the picture, or a section of the panel.
  package enum Focus: Hashable, Sendable { case picture, section(PanelSectionID) }

  /// Rows and columns of the screen.
  package var screen: ScreenSize
  package var capabilities: TerminalCapabilities
  package var phase = Phase.opening
  /// The files to open.
  package var request: OpenCaseRequest
  /// The position of the case in its worklist, "3/40", or "3/12 of 40" with a filter; nil where there is no other case.
  package var position: String?
  /// The filter of the list that the position is in; nil for none.
  package var listFilter: String?
  /// The tags of all readers and cases of the worklist.
  package var knownTags: [String] = []
  /// The case's name in its worklist; nil where there is no other case.
  package var caseName: String?
  /// The case; ``ReviewCase/unopened`` while it is being read.
  package var content = ReviewCase.unopened { didSet { derivePairings() } }
  /// Order statistics of the image's intensities.
  package var intensities = IntensitySummary(constant: 0)
  /// The view: plane, crosshair, zoom, window, overlay.
  package var view = ViewState()
  /// Whether a key or an earlier session decided if labels are filled; else the terminal's colours do.
  package var isOverlayStyleChosen = false
  /// The reviewer's decisions; every change can be undone.
  package var decisions = Decisions() { didSet { derivePairings() } }
  /// The reviewer's pairings of labels of masks, as a worklist's records have them: those of ``decisions``, then those
  /// ``pairingsElsewhere`` that are of other masks.
  ///
  /// It is computed when something that it follows from changes, because decisions are compared with the records after
  /// every key.
  package private(set) var recordedPairings: [MaskPairing] = []
  /// What ``recordedPairings`` was computed from.
  private var pairingSources = PairingSources()
  /// Earlier and undone decisions.
  package var history = UndoHistory()
  package var focus = Focus.picture
  /// The open dialog, which receives every key.
  package var dialog: Dialog?
  /// The label that the table points at, by ``Version/key(of:)``.
  package var selectedLabel: String?
  /// The version that the versions list points at.
  package var selectedVersion: VersionID?
  /// The knob that the CRF panel points at.
  package var selectedKnob = Knob.appearanceWeight
  /// The value that is being typed for that knob.
  package var knobEntry: TextEntry?
  /// The axis along which keys change a kernel width; nil for all axes together.
  package var knobAxis: Int?
  /// Whether a change of a knob refines a box around the crosshair at once.
  package var isPreviewLive = true
  /// The CRF's results with the current knobs, while its section receives keys.
  package var live: LiveRefinement?
  /// Whether the panes show the labels before refinement although there is a result.
  package var showsLabelsBeforeRefinement = false
  /// The number of voxels of the box that is refined at once, adapted to the speed of this machine.
  package var previewVoxels = 32_000.0
  /// The number of previews that newer ones cancelled since the last one was shown.
  package var cancelledPreviews = 0
  /// Whether a preview is to begin when the running one has ended.
  package var needsPreview = false
  /// Noise and edge contrast of the image for a version, and the suggested kernels.
  package var measures: MeasuredVersion?
  /// Kernels that the reviewer saved, once read.
  package var savedPresets: [NamedKernels]?
  package var jobs: [JobKind: RunningJob] = [:]
  /// The number that the next job gets.
  package var nextJobNumber = 1
  /// The number that the next version gets.
  package var nextVersionNumber = 1
  /// The number of refinements so far, from which they get their names.
  package var refinementCount = 0
  /// The comparison of A and B; nil until it is computed.
  package var comparison: Comparison?
  /// The pairs of labels of A and B.
  package var comparedPairs: [LabelPair] = []
  /// Where A and B agree and differ; nil until it is computed.
  package var spatialComparison: SpatialComparison?
  /// The distances between the borders of A and B that were measured so far; nil before the first.
  package var surfaceDistances: SurfaceDistances?
  /// The row of the distances whose furthest point the crosshair last jumped to, counted from the worst.
  package var furthestPosition: Int?
  /// The class probabilities for A and B that were looked for.
  package var probabilities: [ProbabilitySource: FetchedProbabilities] = [:]
  /// The components of the selected label; nil until they are found.
  package var islands: Islands?
  /// What the crosshair jumps to with n and N.
  package var jumpTarget = JumpTarget.disagreements
  /// The index of the difference between A and B that was visited last, from 0.
  package var disagreementPosition: Int?
  /// The index of the component that was visited last or that the table points at.
  package var islandPosition: Int?
  /// The label whose components were searched for last, by ``Version/key(of:)``.
  package var islandsLabel: String?
  /// The components that are marked in the table.
  package var markedComponents: Set<Int> = []
  /// Whether the table lists only components that the other version lacks.
  package var showsOnlyUnmatchedComponents = false
  /// The mean probabilities of the components, once computed.
  package var componentProbabilities: ComponentProbabilities?
  /// The entropies of the slices, once computed.
  package var uncertainty: SliceUncertainty?
  /// A sentence for each unusual uncertainty of the networks.
  package internal(set) var uncertaintyFlags: [String] = []
  /// The uncertain slice to which the crosshair last jumped.
  package var uncertainSlice: UncertainSlice?
  /// The position of the pane in whose strip the mouse button was pressed, while it is held.
  package var draggedStrip: Int?
  /// Pairings that the program found without a question.
  package var automaticPairings: [LabelPairing] = []
  /// Pairs of families whose pairing the reviewer was asked about.
  package var askedPairings: Set<Set<VersionID>> = []
  /// The pairing dialog, postponed while another dialog is open.
  package var pendingPairing: Dialog?
  /// The available models; nil until they are requested.
  package var models: [ModelDescription]?
  /// Keys that were pressed before the list of models was available.
  package var queuedKeys: [Key] = []
  /// The file that each version was written to last, and what it holds.
  package var files: [VersionID: WrittenVersion] = [:]
  package var journal = JournalStatus.opening
  /// Whether the case was opened ahead and was not on the screen yet, so that nothing about it is written to its journal.
  var isOnlyAhead = false
  /// Whether the reviewer has quit while the journal was still being opened, so that the review ends once it is
  /// written.
  package var quitsWhenJournalIsWritten = false
  /// The time of the last change of verdicts or pairs of labels in the journal when it was opened, in seconds since 1970;
  /// nil for none.
  var journalDecisionSeconds: Double?
  /// What was decided before the journal was read; nil where nothing was.
  var earlyVerdicts: Verdicts?
  /// The reason why verdicts are not in the worklist's records; nil where they are.
  var unwrittenVerdictsReason: String?
  /// The versions that the journal held when it was opened.
  var restoredVersions: [VersionID: Version] = [:]
  /// The names of other cases of the session with versions that nothing else holds.
  var unkeptElsewhere: [String] = []
  /// The content of the journal as it was last written.
  package var writtenJournal = WrittenJournalState()
  /// Versions that are identical to one of the journal, and its number there.
  package var renumbered: [VersionID: VersionID] = [:] { didSet { derivePairings() } }
  /// The names under which the worklist's records have accepted versions, where they are not those of the versions.
  var recordedNames: [VersionID: String] = [:]
  /// The accepted version in the worklist's records, where it is not among the versions of this case.
  var acceptedElsewhere: CaseDecision.Version?
  /// Pairings of labels in the worklist's records that apply to no versions of this case.
  package var pairingsElsewhere: [MaskPairing] = [] { didSet { derivePairings() } }
  /// The display settings of the case that was on the screen before, until this case is open.
  package var previousDisplaySettings: DisplaySettings?
  /// The view when the case was opened.
  package var viewAtOpening: ViewState?
  /// The cine that runs; nil for none.
  package var cine: Cine?
  /// The last cell of the mouse while a button is pressed; nil for none.
  package var lastDrag: ScreenCell?
  /// The line above the key bar.
  package var message: Message? {
    didSet { if let message { messageLog.add(message) } }
  }
  /// Every line of the session so far.
  package var messageLog = MessageLog()
  /// The image that the session is to open next; nil for none.
  package var requestedImage: CheckedImage?
  /// The lines that were typed after prompts, once read.
  package var commandHistory = CommandHistory()
  /// The search in the focused list; nil for none.
  package var search: ListSearch?
  /// Whether a key asked for a line that could not be opened, so that the text that is typed for it is ignored until
  /// Enter, Esc or a key that does not type.
  package var ignoresTyping = false
  /// What the session says about the case before this one, or about a key that came before this one was open, until the case is left.
  var announcement: Message?

  /// A session that is about to open `request`.
  package init(request: OpenCaseRequest, screen: ScreenSize, capabilities: TerminalCapabilities) {
    self.request = request
    self.screen = screen
    self.capabilities = capabilities
    view.overlay.style = capabilities.suitingOverlayStyle
  }

  /// Shows the case as another terminal can, or as the same one says later that it can.
  mutating func change(_ capabilities: TerminalCapabilities) {
    self.capabilities = capabilities
    if !isOverlayStyleChosen { view.overlay.style = capabilities.suitingOverlayStyle }
  }

  /// Computes ``recordedPairings`` again where something that they follow from has changed.
  private mutating func derivePairings() {
    var sources = PairingSources(elsewhere: pairingsElsewhere)
    if !decisions.pairings.isEmpty { sources.add(decisions, renumbered, content.masks) }
    guard sources != pairingSources else { return }
    pairingSources = sources
    recordedPairings = computedRecordedPairings
  }

  package var grid: VolumeGrid { content.image.grid }

  /// The version on the screen; nil when there is none.
  package var shownVersion: Version? {
    let id = decisions.shownSide == .b ? decisions.b ?? decisions.a : decisions.a
    return id.flatMap { version($0) }
  }

  package func version(_ id: VersionID) -> Version? {
    let id = renumbered[id] ?? id
    return decisions.versions.first { $0.id == id }
  }

  /// The versions that lists offer: all but copies that were made by edits which were undone.
  package var presentVersions: [Version] {
    let edited = decisions.versions.filter { if case .edit = $0.origin { true } else { false } }
    let absent = history.absent(of: Set(edited.map(\.id)))
    return absent.isEmpty ? decisions.versions : decisions.versions.filter { !absent.contains($0.id) }
  }

  /// The paths of the versions that are equal to their exported file; an undo may make a version equal again.
  package var exported: [VersionID: String] {
    files.filter { id, file in version(id)?.isWritten(like: file.version) == true }.mapValues(\.path)
  }

  /// The version that the CRF starts from: the shown one, or the one that it was refined from.
  package var refinementBase: Version? {
    guard var base = shownVersion else { return nil }
    while case .refinement(let earlier, _, _) = base.origin, let version = version(earlier) { base = version }
    return base
  }

  /// The results of the CRF that the panes show instead of the version that it refines; nil for none.
  package var shownLive: LiveRefinement? {
    guard focus == .refinement, !showsLabelsBeforeRefinement, let live, live.latest != nil else { return nil }
    return live
  }

  /// The unit of the image's intensities.
  var intensityUnit: String { intensities.looksLikeCT ? "HU" : "I" }

  package var shownLabels: [Label] { shownVersion?.table.labels ?? [] }

  /// The number of labels of the shown version that the overlay does not show.
  var hiddenLabelCount: Int {
    guard let version = shownVersion else { return 0 }
    if let solo = decisions.soloLabel {
      return version.table.labels.count - (version.position(solo) == nil ? 0 : 1)
    }
    return decisions.hiddenLabels.isEmpty
      ? 0 : version.keyedLabels.count { decisions.hiddenLabels.contains($1) }
  }

  /// Whether the overlay shows a label of a version.
  package func isVisible(_ label: Label, of version: Version) -> Bool {
    if let solo = decisions.soloLabel { return solo == version.key(of: label) }
    return decisions.hiddenLabels.isEmpty || !decisions.hiddenLabels.contains(version.key(of: label))
  }
}

/// Measures of the image at one version's borders.
package struct MeasuredVersion: Equatable, Sendable {
  package var version: VersionID
  /// The measures; nil where they cannot be computed.
  package var measures: ImageMeasures?
}

/// A dialog, open until it is answered.
package enum Dialog: Equatable, Sendable {
  /// The key reference, from this line.
  case help(line: Int)
  /// Every message of the session, from this line.
  case messages(line: Int)
  /// The windows to choose from.
  case windows(selected: Int)
  /// The models to choose from.
  case models(selected: Int)
  /// The kernels to choose from.
  case presets(selected: Int)
  /// The colours to choose from for a label; the last entry types one.
  case colours(LabelEdit, selected: Int)
  /// The pairing of the labels of two versions.
  case pairing(PairingDialog)
  /// The decisions so far, to go back to.
  case history(selected: Int)
  /// The command line.
  case command(CommandLine)
  /// The name or colour of a label being typed.
  case label(LabelEdit, TextEntry)
  /// The comment on the case being typed.
  case comment(TextEntry)
  /// A question that yes or no answers.
  case question(Question)
}

extension Dialog {
  /// Whether a command line is open.
  var isCommand: Bool {
    if case .command = self { return true }
    return false
  }

  /// The line that is being typed, if there is one.
  var entry: TextEntry? {
    switch self {
    case .command(let line): line.entry
    case .label(_, let entry), .comment(let entry): entry
    case .help, .messages, .windows, .models, .presets, .colours, .pairing, .history, .question: nil
    }
  }

  /// This dialog with another text.
  func with(_ entry: TextEntry) -> Dialog {
    switch self {
    case .command(let line): .command(line.edited(entry))
    case .label(let edit, _): .label(edit, entry)
    case .comment: .comment(entry)
    case .help, .messages, .windows, .models, .presets, .colours, .pairing, .history, .question: self
    }
  }
}

/// A question before something that cannot be undone.
package enum Question: Equatable, Sendable {
  /// Files that the export to `path` would write exist.
  case replaceFiles(existing: [String], path: String, version: VersionID, quitsAfterwards: Bool)
  /// There are saved kernels of this name.
  case replaceKernels(NamedKernels)
  /// The network of a version would have to run again, because its probabilities are not in memory.
  case runAgain(VersionID)
  /// Quitting would lose this.
  case quit(losing: [Loss])
  /// Opening another image would lose this.
  case open(CheckedImage, losing: [Loss])
}

/// Something that quitting would lose.
package enum Loss: Equatable, Sendable {
  /// An accepted version was not exported.
  case acceptedVersion(VersionID)
  /// A long job is running.
  case job(title: String)
  /// A refinement of the whole image was not kept as a version.
  case refinement
  /// The journal does not hold everything, for this reason.
  case unwrittenJournal(String)
  /// Other cases have versions that neither a journal nor a file holds.
  case unkeptVersions(ofCases: [String])
  /// The worklist's records do not hold every verdict, for this reason.
  case unwrittenVerdicts(String)
}

/// A version as it was written to a file.
package struct WrittenVersion: Equatable, Sendable {
  var path: String
  var version: Version

  /// The content of the file at `path`.
  package init(path: String, version: Version) {
    self.path = path
    self.version = version
  }
}

extension TerminalCapabilities {
  /// Labels are filled where colours can be mixed with the greys below them.
  fileprivate var suitingOverlayStyle: ViewState.Overlay.Style {
    colourDepth == .trueColour ? .fill : .outline
  }
}
