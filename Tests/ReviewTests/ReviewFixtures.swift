import Review
import Screen
import Synchronization
import Volumes
import Work

/// A grid whose voxel axes run along the given directions, its spacing following the anatomy.
func grid(_ size: GridSize, _ orientation: Orientation = .ras, spacing: Double = 1) -> VolumeGrid {
  var affine = Affine(spacing: Spacing(1))
  for axis in 0..<3 {
    let direction = orientation[axis]
    var step = [0.0, 0.0, 0.0]
    step[direction.worldAxis] = direction.isPositive ? spacing : -spacing
    affine[axis] = WorldPoint(step[0], step[1], step[2])
  }
  return VolumeGrid(size: size, affine: affine)
}

/// A dark image of 24 x 20 x 16 voxels with a mask of two boxes: liver (6) and a smaller spleen (1).
func phantomCase(_ grid: VolumeGrid = grid(GridSize(24, 20, 16)), withMask: Bool = true) -> ReviewCase {
  let size = grid.size
  var intensities = [Float](repeating: -100, count: size.voxelCount)
  var labels = [UInt16](repeating: 0, count: size.voxelCount)
  for offset in 0..<size.voxelCount {
    let index = size.index(offset: offset)
    if (4..<14).contains(index.i), (5..<15).contains(index.j), (3..<12).contains(index.k) {
      intensities[offset] = 100
      labels[offset] = 6
    }
    if (17..<21).contains(index.i), (6..<10).contains(index.j), (5..<9).contains(index.k) {
      intensities[offset] = 120
      labels[offset] = 1
    }
  }
  let table = LabelTable([
    Label(value: 6, name: "liver", colour: RGBColour(230, 159, 0)),
    Label(value: 1, name: "spleen", colour: RGBColour(86, 180, 233)),
  ])
  let mask = LoadedMask(
    name: "manual.nii.gz", path: "/cases/manual.nii.gz",
    labels: ChunkedLabels(LabelVolume(grid: grid, voxels: labels)), table: table)
  return ReviewCase(
    name: "case-1", imagePath: "/cases/case-1.nii.gz", image: ScalarVolume(grid: grid, voxels: intensities),
    masks: withMask ? [mask] : [], exportPath: "/cases/case-1_seg.nii.gz")
}

extension ChunkedLabels {
  /// The labels that `label` gives to each voxel, from its place in memory and its label so far.
  func relabelled(_ label: (Int, UInt16) -> UInt16) -> ChunkedLabels {
    let voxels = voxels.enumerated().map { label($0.offset, $0.element) }
    return ChunkedLabels(LabelVolume(grid: grid, voxels: voxels, coding: coding))
  }
}

let trueColour = TerminalCapabilities(colourDepth: .trueColour, showsUnicode: true)

/// A state in which `content` has just been opened, and a journal that holds what `journal` says; nil leaves it out.
func openedState(
  _ content: ReviewCase = phantomCase(), screen: ScreenSize = ScreenSize(rows: 24, columns: 80),
  capabilities: TerminalCapabilities = trueColour, journal: OpenedJournal? = OpenedJournal()
) throws -> ReviewState {
  var state = ReviewState(
    request: OpenCaseRequest(imagePath: "case-1.nii.gz"), screen: screen, capabilities: capabilities)
  _ = state.begin()
  let opened = OpenedCase(
    content: content, intensities: IntensitySummary(content.image),
    maskComponents: try content.masks.map { try LabelComponents($0.labels, work: WorkContext()) })
  let started = reduce(&state, .jobEnded(JobID(1), .opened(opened)))
  if let journal, let id = started.started(.journal) {
    _ = reduce(&state, .jobEnded(id, .journalOpened(journal)))
  }
  return state
}

extension ReviewState {
  /// Presses keys one after the other and gives what they asked for.
  @discardableResult
  mutating func press(_ keys: Key...) -> [ReviewEffect] {
    keys.flatMap { reduce(&self, .terminal(.key($0))) }
  }

  /// Types characters.
  @discardableResult
  mutating func type(_ text: String) -> [ReviewEffect] {
    text.flatMap { reduce(&self, .terminal(.key(.character($0)))) }
  }
}

extension [ReviewEffect] {
  /// The one job that the effects start.
  var started: (id: JobID, request: JobRequest)? {
    for case .start(let id, let request) in self { return (id, request) }
    return nil
  }

  /// The job of a kind that the effects start.
  func started(_ kind: JobKind) -> JobID? {
    for case .start(let id, let request) in self where request.kind == kind { return id }
    return nil
  }

  /// What the effects write to the journal.
  var notes: [JournalEntry] { compactMap { if case .note(let entry) = $0 { entry } else { nil } } }
}

/// The network result that tests pretend: the phantom's liver, one voxel larger along i.
func networkResult(for content: ReviewCase) -> SegmentationResult {
  var labels = content.image.voxels.map { _ in UInt16(0) }
  let size = content.image.grid.size
  for offset in labels.indices {
    let index = size.index(offset: offset)
    if (4..<15).contains(index.i), (5..<15).contains(index.j), (3..<12).contains(index.k) {
      labels[offset] = 1
    }
  }
  return SegmentationResult(
    labels: ChunkedLabels(LabelVolume(grid: content.image.grid, voxels: labels)),
    table: LabelTable([Label(value: 1, name: "Liver", colour: RGBColour(0, 158, 115))]),
    probabilities: ProbabilitiesHandle(7), auxiliaryHeadCount: 2,
    advisedSettings: RefinementSettings(appearanceWeight: 4, auxiliaryHeadWeights: [0.2, 0.2]))
}

/// The model that tests pretend.
let pretendedModel = ModelDescription(
  id: "liver", name: "liver network", labels: LabelTable(), size: "1.1 M weights", input: "portal venous CT",
  estimatedSeconds: 12, warning: "this image does not look like CT")
