import Volumes
import Work

/// An image file format that can also be written.
package protocol WritableImageFormat: ImageFormat {
  /// The suffixes under which it is written, in small letters: some of ``ImageFormat/suffixes``, or longer ones that end in
  /// one of these.
  static var writtenSuffixes: [String] { get }

  /// The types in which it stores voxels.
  static var writtenTypes: Set<VoxelType> { get }

  /// Whether its header states a scaling; otherwise values are stored as they are.
  static var holdsScaling: Bool { get }

  /// Whether its header states the step from frame to frame; only in seconds along one axis of frames by default.
  static func holdsFrameStep(of image: WrittenImage) -> Bool

  /// Whether a file of this name contains the names of its labels; false by default.
  static func holdsLabelNames(_ path: String) -> Bool

  /// Findings about names of labels that cannot be written as they are; none by default.
  static func findings(about names: LabelNames) -> [Finding]

  /// The files with the voxels, where these are not in the file of this name itself; none by default.
  static func voxelFiles(of path: String, isCompressed: Bool) -> [String]

  /// Whether the voxels of a file of this name are compressed by default.
  static func compressesVoxels(of path: String) -> Bool

  /// Whether the user may choose if voxels are compressed; false by default, so that the name of the file decides.
  static var compressionIsOptional: Bool { get }

  /// A writer that takes the voxels of an image.
  /// - Throws: ``InputError`` where the format cannot hold the image, for a missing or read-only folder and for a full
  ///   disk; ``Cancelled``.
  static func writer(for path: String, of image: WrittenImage, work: WorkContext) throws -> any ImageWriter
}

extension WritableImageFormat {
  package static func holdsFrameStep(of image: WrittenImage) -> Bool { image.secondsPerFrame != nil }
  package static func holdsLabelNames(_ path: String) -> Bool { false }
  package static func findings(about names: LabelNames) -> [Finding] { [] }
  package static func voxelFiles(of path: String, isCompressed: Bool) -> [String] { [] }
  package static var compressionIsOptional: Bool { false }
}

/// An image that is being written, in temporary files.
package protocol ImageWriter: AnyObject {
  /// Appends voxels as they are stored, frame by frame, i fastest, in this machine's byte order.
  /// - Parameter voxels: Whole voxels.
  /// - Throws: ``InputError`` when the disk is full or fails; ``Cancelled``.
  func write(_ voxels: UnsafeRawBufferPointer) throws

  /// Completes the files once every voxel was written.
  /// - Returns: The temporary files, until they are committed: the named one first, then those with its voxels.
  /// - Throws: ``InputError`` when the disk is full or fails; ``Cancelled``.
  func complete() throws -> [PendingFile]
}

/// The properties of an image that its header states.
package struct WrittenImage: Sendable {
  /// The grid of every frame, and the header of the image that it is a copy or a mask of.
  package var source: ImageSource
  /// Extents beyond i, j, k; empty for a plain volume.
  package var frameSizes: [Int] = []
  /// The step from frame to frame; nil where none is known.
  package var frameStep: FrameStep?
  /// The stored type of a voxel, one that the format writes.
  package var voxelType: VoxelType
  /// The conversion of stored numbers to values; the identity where the format does not hold it.
  package var scaling = VoxelScaling()
  /// The labels of a mask; nil for any other image.
  package var labels: WrittenLabels?
  /// Whether voxels are compressed where the format leaves that open.
  package var isCompressed = true

  package init(
    source: ImageSource, frameSizes: [Int] = [], frameStep: FrameStep? = nil, voxelType: VoxelType,
    scaling: VoxelScaling = VoxelScaling(), labels: WrittenLabels? = nil, isCompressed: Bool = true
  ) {
    self.source = source
    self.frameSizes = frameSizes
    self.frameStep = frameStep
    self.voxelType = voxelType
    self.scaling = scaling
    self.labels = labels
    self.isCompressed = isCompressed
  }

  /// zlib's level: floats hardly become smaller with more effort, and 1 takes a fifth of the time of 6.
  var compressionLevel: Int32 { voxelType.isFloatingPoint ? 1 : 6 }
}

/// The labels of a mask that is written.
package struct WrittenLabels: Sendable {
  /// The values of its voxels without 0, ascending.
  package var values: [Int]
  /// Names and colours by value, also of values that no voxel has.
  package var names: LabelNames
}
