import Screen
import Synchronization
import Volumes
import Work

/// The files that a session opens; with no image, the sample case.
package struct OpenCaseRequest: Equatable, Sendable {
  /// Image file or folder as the user wrote it; nil for the sample case.
  package var imagePath: String?
  /// The number or UID of one of several series in the file or folder; nil where none is chosen.
  package var imageSeries: String?
  /// Mask files as the user wrote them.
  package var maskPaths: [String]
  /// The name of a mask's version by its path in ``maskPaths``; a mask without one is named after its file.
  package var maskNames: [String: String] = [:]
  /// The names of the masks in the worklist by their paths, those of the columns `mask` and `mask2` included.
  package var worklistMaskNames: [String: String] = [:]
  /// What is read of masks with several segments or layers, by their paths in ``maskPaths``; all of the others.
  package var maskParts: [String: MaskPart] = [:]
  /// A file of class probabilities of the image as the user wrote it; nil for none.
  package var probabilitiesPath: String?
  /// Names for the labels of masks that do not name theirs; values of one name become one label.
  package var selections: [LabelSelection]
  /// The number of the session's first version.
  ///
  /// Each session starts at a different number, so that a number in a journal is never reused.
  package var firstVersionNumber = 1

  package init(imagePath: String? = nil, maskPaths: [String] = [], selections: [LabelSelection] = []) {
    self.imagePath = imagePath
    self.maskPaths = maskPaths
    self.selections = selections
  }
}

/// A case with statistics of its image and the components of its masks.
package struct OpenedCase: Equatable, Sendable {
  package var content: ReviewCase
  package var intensities: IntensitySummary
  /// The components of the labels of each mask, in the order of the masks.
  package var maskComponents: [LabelComponents]

  package init(content: ReviewCase, intensities: IntensitySummary, maskComponents: [LabelComponents]) {
    self.content = content
    self.intensities = intensities
    self.maskComponents = maskComponents
  }
}

/// Reads the image and the masks with which a review begins.
package struct OpeningJob: Job {
  package static let kind = JobKind.opening
  /// Images with fewer voxels are not shown before their masks, which are read at once: keys that are typed at the sight
  /// of the image would come too early.
  private static let minimumEarlyVoxelCount = 1 << 24
  package var request: OpenCaseRequest
  /// Whether the case is opened before the reviewer goes to it.
  package var isAhead: Bool

  package init(_ request: OpenCaseRequest, isAhead: Bool = false) {
    self.request = request
    self.isAhead = isAhead
  }

  package var isAwaited: Bool { !isAhead }

  package var title: String? { "opening" }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> OpenedCase {
    let read = Mutex<IntensitySummary?>(nil)
    let content = try environment.services.openCase(request, work.part(0...0.8)) { withoutMasks in
      let intensities = IntensitySummary(withoutMasks.image)
      read.withLock { $0 = intensities }
      guard !request.maskPaths.isEmpty,
        withoutMasks.image.grid.size.voxelCount >= OpeningJob.minimumEarlyVoxelCount
      else { return }
      environment.deliver(
        .imageRead(
          environment.job,
          OpenedCase(content: withoutMasks, intensities: intensities, maskComponents: [])))
    }
    let intensities = read.withLock { $0 } ?? IntensitySummary(content.image)
    let components = try content.masks.map { try LabelComponents($0.labels, work: work.withoutProgress) }
    return OpenedCase(content: content, intensities: intensities, maskComponents: components)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: OpenedCase) -> [ReviewEffect] {
    state.open(outcome)
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.end(failure: line)
  }

  package func reduceCancellation(_ state: inout ReviewState) -> [ReviewEffect] { state.end() }
}

extension ReviewState {
  /// Shows the image of a case whose masks are still being read.
  ///
  /// An image that is read late, for a job that has ended, changes nothing.
  mutating func showImage(_ opened: OpenedCase, of job: JobID) {
    guard phase == .opening, jobs[.opening]?.id == job else { return }
    show(opened)
    moveCrosshair(to: gridMiddle)
    previousDisplaySettings?.apply(to: &self)
    viewAtOpening = view
  }

  /// Acts on a key while masks are being read: the crosshair, planes, zoom and window can be changed.
  mutating func lookAtImage(_ key: Key) {
    guard let action = KeyTable.action(key, in: .picture) else { return }
    if case .move(let move) = action {
      self.move(move)
    } else if case .picture(let change) = action, change.isOfView {
      _ = changePicture(change)
    } else {
      message = Message("masks are still being read: only the view of the image can be changed", .warning)
    }
  }

  /// Whether the image can be shown while its masks are still being read.
  var isImageShownEarly: Bool { phase == .opening && content != .unopened }

  /// Shows the image with the window and plane that suit it.
  private mutating func show(_ opened: OpenedCase) {
    content = opened.content
    intensities = opened.intensities
    choose(intensities.openingPreset)
    if let plane = onlyPlane { view.activePlane = plane }
    view.centre = gridCentre
    view.frame = content.frame
  }

  private var gridMiddle: VoxelIndex { VoxelIndex(grid.size.i / 2, grid.size.j / 2, grid.size.k / 2) }

  fileprivate mutating func open(_ opened: OpenedCase) -> [ReviewEffect] {
    let isViewKept = isImageShownEarly && view != viewAtOpening
    phase = .reviewing
    if isViewKept {
      (content, intensities) = (opened.content, opened.intensities)
    } else {
      show(opened)
    }
    let names = ReviewState.distinctNames(content.masks)
    decisions.versions = zip(content.masks, opened.maskComponents).enumerated().map { position, mask in
      Version(
        id: VersionID(request.firstVersionNumber + position), name: mask.0.versionName ?? names[position],
        origin: .mask(path: mask.0.path), labels: mask.0.labels, table: mask.0.table, components: mask.1)
    }
    identifyStructures()
    nextVersionNumber = request.firstVersionNumber + decisions.versions.count
    decisions.a = decisions.versions.first?.id
    decisions.b = decisions.versions.dropFirst().first?.id
    history = UndoHistory()
    let largest = decisions.versions.first?.statistics.max { $0.voxelCount < $1.voxelCount }
    if !isViewKept { moveCrosshair(to: largest?.centre ?? gridMiddle) }
    showOpeningMessages()
    if !isViewKept {
      viewAtOpening = view
      if let previousDisplaySettings { apply(previousDisplaySettings) }
    }
    previousDisplaySettings = nil
    return [start(JournalJob(content: content))] + compareIfNeeded()
  }
}
