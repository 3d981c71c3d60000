import Foundation
import Synchronization
import Volumes
import Work

/// An image on the disk whose header has been read and checked; voxels are read when asked for.
package final class ImageFile: Sendable {
  /// The path that was opened.
  package let path: String
  /// "NIfTI-1, gzip, little-endian".
  package let storage: String
  /// What made it, as DICOM abbreviates it: "CT"; empty where the file does not say.
  package let modality: String
  /// The grid, and the fields of the header that masks of this image copy.
  package let source: ImageSource
  /// The stored type of a voxel.
  package let voxelType: VoxelType
  /// The conversion of stored numbers to values.
  package let scaling: VoxelScaling
  /// Extents beyond i, j, k; empty for a plain volume.
  package let frameSizes: [Int]
  /// The files that hold the image, so that none of them is ever written to.
  package let files: [String]
  /// The number of the series that has to be chosen where one of ``files`` is opened, because the file holds several, or its
  /// UID, where they are divided among folders, of which the one above holds other images too; nil where none has to be.
  package let seriesInFile: String?
  /// The names of labels that the file itself states; nil where its format states none.
  package let labelNames: LabelNames?
  /// The labels of each layer, where a segmentation with several layers is read as one mask; otherwise empty.
  package let layers: [LabelNames]

  /// Whether it is a mask whose format leaves out slices without labels; see ``extended(to:)``.
  package var leavesOutBackground: Bool { withSliceStep != nil }

  /// This mask with another step from slice to slice, whose format leaves out slices without labels; nil where slices
  /// with labels would not lie in slices of the grid.
  let withSliceStep: (@Sendable (WorldPoint) -> ImageFile?)?

  /// What a DICOM file states about its patient, study and frame of reference; nil in other formats.
  package let dicomSubject: DicomSubject?

  private let statedFrameStep: @Sendable () throws -> FrameStep?
  private let reader: any VoxelReader
  private let knownFindings: Mutex<[Finding]>

  /// An opened file.
  ///
  /// - Parameters:
  ///   - modality: "CT"; empty where the format does not state it.
  ///   - frameStep: The step along the axis of the frames; called where it is asked for.
  ///   - files: Every file that contains a part of the image.
  ///   - seriesInFile: The choice of its series where one of the files, or the folder above them, holds several.
  ///   - labelNames: Names of labels that the file itself states.
  ///   - layers: The labels of each layer, where there are several and all of them are read as one mask.
  ///   - dicomSubject: What a DICOM file states about its subject; nil in other formats.
  ///   - withSliceStep: Of a mask whose format leaves out slices without labels, the mask with another step from slice to
  ///     slice; nil for other files.
  ///   - findings: Problems of the header that were repaired.
  package init(
    path: String, storage: String, modality: String = "", source: ImageSource, voxelType: VoxelType,
    scaling: VoxelScaling, frameSizes: [Int],
    frameStep: @escaping @Sendable () throws -> FrameStep? = { nil }, files: [String],
    seriesInFile: String? = nil, labelNames: LabelNames? = nil,
    layers: [LabelNames] = [], dicomSubject: DicomSubject? = nil,
    withSliceStep: (@Sendable (WorldPoint) -> ImageFile?)? = nil, reader: any VoxelReader,
    findings: [Finding]
  ) {
    self.path = path
    self.storage = storage
    self.modality = modality
    self.source = source
    self.voxelType = voxelType
    self.scaling = scaling
    self.frameSizes = frameSizes
    statedFrameStep = frameStep
    self.files = files
    self.seriesInFile = seriesInFile
    self.labelNames = labelNames
    self.withSliceStep = withSliceStep
    self.layers = layers
    self.dicomSubject = dicomSubject
    self.reader = reader
    knownFindings = Mutex([])
    note(findings + [Finding(axesOf: source.grid.affine)].compactMap(\.self))
  }

  /// The grid of every frame.
  package var grid: VolumeGrid { source.grid }

  /// Volumes in the file.
  package var frameCount: Int { frameSizes.reduce(1, *) }

  /// The step from frame to frame, of several axes of frames along the first that states one; nil where there is one
  /// frame or no step is stated.
  /// - Throws: ``InputError`` for a damaged file.
  /// - Complexity: O(n) of compressed files that state it after the voxels (FreeSurfer), else O(1).
  package func frameStep() throws -> FrameStep? { frameCount > 1 ? try statedFrameStep() : nil }

  /// The defects that were repaired on reading: of the header, and of every voxel read so far.
  package var findings: [Finding] { knownFindings.withLock { $0 } }

  func note(_ found: [Finding]) {
    knownFindings.withLock { known in
      for finding in found where !known.contains(finding) { known.append(finding) }
    }
  }

  /// Gives `body` the numbers of consecutive frames as they are stored, in pieces of whole voxels, i fastest, in
  /// this machine's byte order; without `scaling`.
  ///
  /// - Throws: ``InputError`` when there is no such frame, the voxels are not real numbers, or the file is damaged;
  ///   ``Cancelled``.
  package func readStoredVoxels(
    frames: Range<Int>, work: WorkContext = WorkContext(),
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    for frame in [frames.lowerBound, frames.upperBound - 1] { try requireFrame(frame) }
    try requireNumbers()
    note(try reader.readVoxels(frames: frames, work: work, body))
  }

  /// Gives `body` the stored numbers of slice `k` of a frame, as ``readStoredVoxels(frames:work:_:)`` does.
  func readStoredSlice(
    _ k: Int, frame: Int, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    precondition((0..<grid.size.k).contains(k), "slice \(k) of \(grid.size)")
    try requireFrame(frame)
    try requireNumbers()
    let byteCount = grid.size.i * grid.size.j * voxelType.byteCount
    try reader.readSlice(StoredSlice(frame: frame, index: k, byteCount: byteCount), work: work, body)
  }

  private func requireNumbers() throws(InputError) {
    guard voxelType.isReadable else {
      throw InputError(
        path, "voxels cannot be read as numbers", found: voxelType.rawValue,
        expected: "an integer type, float32 or float64")
    }
  }

  /// Refuses a number that no frame has.
  package func requireFrame(_ number: Int) throws(InputError) {
    guard (0..<frameCount).contains(number) else {
      throw InputError(
        path, "has no such frame", found: "frame \(number)",
        expected: frameCount == 1 ? "0, the only one" : "0 to \(frameCount - 1)")
    }
  }

  /// Whether this process can hold `byteCount` bytes at once.
  /// - Throws: ``InputError`` when it has less memory left.
  func checkMemory(_ byteCount: Int) throws(InputError) {
    try AvailableMemory.require(byteCount, subject: path, "its content, of \(grid.size) voxels,")
  }
}
