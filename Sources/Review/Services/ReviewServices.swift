import Volumes
import Work

/// The services of a review: files, models, networks, the CRF.
///
/// The executable implements it.
///
/// Every call runs on a thread of ``JobRunner``, may take long, polls `work.cancellation` and reports to
/// `work.report`. A wrong input throws `InputError`, a stop `Cancelled`; both leave no partial result.
package protocol ReviewServices: Sendable {
  /// Reads the image and its masks.
  /// - Parameter whenImageIsRead: Takes the case without masks once its image is read, from any thread.
  func openCase(
    _ request: OpenCaseRequest, _ work: WorkContext, whenImageIsRead: @Sendable (ReviewCase) -> Void
  ) throws -> ReviewCase

  /// Reads a mask for the case that is open.
  /// - Returns: The mask on the image's grid, and the defects of its file that were repaired, one line each.
  /// - Throws: `InputError` when it is no mask, does not fit the grid, or has values without a code in the coding of
  ///   the open masks; `Cancelled`.
  func openMask(_ request: MaskRequest, _ work: WorkContext) throws -> (mask: LoadedMask, findings: [String])

  /// Checks that a file or folder is an image that can be opened, by its header.
  /// - Parameter series: The choice of one of several series in a folder; nil for none.
  /// - Returns: Its absolute path; of a chosen series, that of one of its files.
  /// - Throws: `InputError` when it is no image; `Cancelled`.
  func checkImage(_ path: String, series: String?, _ work: WorkContext) throws -> CheckedImage

  /// Reads another frame of the image.
  /// - Throws: `InputError` when there is no such frame, or the file is no longer what it was; `Cancelled`.
  func read(_ request: FrameRequest, _ work: WorkContext) throws -> ScalarVolume

  /// Earlier pairings of the labels of the same files, or of versions of the same names, the one that counts first.
  func rememberedPartners(_ memory: PairingMemory) -> [RememberedPartners]

  /// Stores the reviewer's pairing of the labels of two versions; nil removes it.
  /// - Parameter isConfirmed: Whether the reviewer confirmed the pairs; else names and values were kept.
  func remember(_ partners: [UInt16: UInt16]?, isConfirmed: Bool, of memory: PairingMemory) throws

  /// The available models, each checked against `image`; models without a warning first.
  func models(for image: ScalarVolume, _ work: WorkContext) throws -> [ModelDescription]

  /// Runs a network; the services keep its probabilities, which the handle in the result names.
  func segment(_ request: SegmentationRequest, _ work: WorkContext) throws -> SegmentationResult

  /// The class probabilities of a network that ran in this session, on its own grid, or those in a file on the image's.
  /// - Returns: nil where those of a network are not in memory; no network runs for it.
  func probabilities(
    of source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) throws -> VersionProbabilities?

  /// The same, after the network ran once more where they are not in memory.
  /// - Throws: `InputError` where its model is no longer the one that made the version; `Cancelled`.
  func computeProbabilities(
    _ handle: ProbabilitiesHandle, _ work: WorkContext
  ) throws -> VersionProbabilities

  /// The mean entropy of the class probabilities in each slice of the image's grid.
  /// - Returns: The entropies, or a failure where a network's probabilities are no longer in memory.
  func uncertainty(
    of source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) throws -> SliceUncertainty

  /// The probability of a label in each voxel of the image's grid.
  /// - Returns: nil where they are no longer in memory, or are not of this label.
  func probability(
    ofLabel value: UInt16, _ source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) throws -> ScalarVolume?

  /// Runs the fully connected CRF, on the whole image or on a box of it.
  func refine(_ request: RefinementRequest, _ work: WorkContext) throws -> RefinedLabels

  /// Measures the image's noise and its contrast at the borders of the labels that a refinement would start from.
  /// - Returns: nil where they cannot be measured.
  func measure(_ request: RefinementRequest, _ work: WorkContext) throws -> ImageMeasures?

  /// The kernels that the reviewer saved, by name.
  func savedPresets() throws -> [NamedKernels]

  /// Saves kernels under a name; existing ones of that name are replaced only with `replacesExisting`.
  func save(_ preset: NamedKernels, replacesExisting: Bool) throws -> SavingOutcome

  /// The names in a folder whose path was typed: its DICOM series by their numbers, then its folders and the files of the
  /// kind `content`, ascending.
  func names(in folder: String, _ content: FolderContent, _ work: WorkContext) throws -> [FolderEntry]

  /// What files and folders of a folder whose path was typed are, in a few words by name: "512x512x300, 84 MB".
  func summaries(of names: [String], in folder: String, _ work: WorkContext) throws -> [String: String]

  /// The series of a folder whose path was typed, or the segments or layers of a segmentation; empty where there are
  /// none to choose.
  /// - Throws: `InputError` when it cannot be read; `Cancelled`.
  func parts(_ kind: FilePart.Kind, of path: String, _ work: WorkContext) throws -> [FilePart]

  /// The middle slice of an image whose path was typed.
  /// - Returns: nil for a folder that is not an image.
  /// - Throws: `InputError` when it is no image or cannot be read; `Cancelled`.
  func preview(of path: String, _ work: WorkContext) throws -> FilePreview?

  /// The lines that were typed in this and earlier sessions, after `adding` was stored as the newest.
  func commandHistory(adding line: CommandHistoryJob.Line?) throws -> CommandHistory

  /// Opens the journal of a case, found by the content of its image, and reads the entries of earlier sessions.
  ///
  /// A journal that cannot be opened is not an error: the case is reviewed without it, and the result holds the reason.
  func openJournal(of content: ReviewCase, _ work: WorkContext) throws -> OpenedJournal

  /// Writes entries to the journal, all of them or none; they are on the disk when it returns.
  func append(_ entries: [JournalEntry]) throws

  /// Writes a mask and its record.
  func export(_ request: ExportRequest, _ work: WorkContext) throws -> ExportOutcome
}
