import Volumes

/// Which files a session opens; with no image, the sample case.
package struct OpenCaseRequest: Equatable, Sendable {
  /// Image file or folder as the user wrote it; nil for the sample case.
  package var imagePath: String?
  /// Mask files as the user wrote them.
  package var maskPaths: [String]
  /// Names for the labels of masks that do not name theirs; values of one name become one label.
  package var selections: [LabelSelection]
  /// The number of the session's first version.
  ///
  /// Each session begins at another one, so that a number that stands in a
  /// journal is never given again.
  package var firstVersionNumber = 1

  /// A request.
  package init(imagePath: String? = nil, maskPaths: [String] = [], selections: [LabelSelection] = []) {
    self.imagePath = imagePath
    self.maskPaths = maskPaths
    self.selections = selections
  }
}

/// Another frame of the image to be read.
package struct FrameRequest: Equatable, Sendable {
  /// The image's file.
  package var imagePath: String
  /// Which frame, counted from 0.
  package var frame: Int
  /// The grid that the frame must lie on: that of the frame shown.
  package var grid: VolumeGrid
}

/// A frame of the image.
package struct ReadFrame: Equatable, Sendable {
  /// Which, counted from 0.
  package var frame: Int
  /// Its voxels.
  package var image: ScalarVolume
  /// Its intensities.
  package var intensities: IntensitySummary

  /// A frame.
  package init(frame: Int, image: ScalarVolume) {
    self.frame = frame
    self.image = image
    intensities = IntensitySummary(image)
  }
}

/// A model as the dialog shows it before it runs.
package struct ModelDescription: Equatable, Sendable {
  /// What `--model` takes: a bundled name or a path.
  package var id: String
  /// What readers call it.
  package var name: String
  /// The labels that it finds.
  package var labels: LabelTable
  /// Its size: "1.1 M weights, 2.2 MB".
  package var size: String
  /// What it was trained on: "portal venous CT, abdomen, 3 mm".
  package var input: String
  /// Seconds that this image will take on this machine, where that can be said.
  package var estimatedSeconds: Double?
  /// Why this image does not look like what the model was trained on.
  package var warning: String?

  /// A description.
  package init(
    id: String, name: String, labels: LabelTable, size: String, input: String,
    estimatedSeconds: Double? = nil, warning: String? = nil
  ) {
    self.id = id
    self.name = name
    self.labels = labels
    self.size = size
    self.input = input
    self.estimatedSeconds = estimatedSeconds
    self.warning = warning
  }
}

/// A network to be run on an image.
package struct SegmentationRequest: Equatable, Sendable {
  /// ``ModelDescription/id``.
  package var modelID: String
  /// The image.
  package var image: ScalarVolume

  /// A request.
  package init(modelID: String, image: ScalarVolume) {
    self.modelID = modelID
    self.image = image
  }
}

/// Class probabilities that the services keep for later refinements.
package struct ProbabilitiesHandle: Hashable, Sendable {
  /// Chosen by the services.
  package var number: Int

  /// The handle.
  package init(_ number: Int) { self.number = number }
}

/// What a network found.
package struct SegmentationResult: Equatable, Sendable {
  /// Labels on the image's own grid, after components and holes.
  package var labels: ChunkedLabels
  /// Large components that are not among them.
  package var leftOut: [RemovedComponent]
  /// The model's labels.
  package var table: LabelTable
  /// The probabilities behind ``labels``.
  package var probabilities: ProbabilitiesHandle
  /// Auxiliary heads among them.
  package var auxiliaryHeadCount: Int
  /// The CRF settings that the model file advises.
  package var advisedSettings: RefinementSettings?

  /// A result.
  package init(
    labels: ChunkedLabels, leftOut: [RemovedComponent] = [], table: LabelTable,
    probabilities: ProbabilitiesHandle, auxiliaryHeadCount: Int = 0,
    advisedSettings: RefinementSettings? = nil
  ) {
    self.labels = labels
    self.leftOut = leftOut
    self.table = table
    self.probabilities = probabilities
    self.auxiliaryHeadCount = auxiliaryHeadCount
    self.advisedSettings = advisedSettings
  }
}

extension VoxelBounds {
  /// The box of at most `side` voxels along each axis around `centre`, inside a grid of size `grid`.
  package init(around centre: VoxelIndex, side: GridSize, in grid: GridSize) {
    var lower = VoxelIndex(0, 0, 0)
    var upper = lower
    for axis in 0..<3 {
      let extent = max(1, min(side[axis], grid[axis]))
      lower[axis] = min(max(0, centre[axis] - extent / 2), grid[axis] - extent)
      upper[axis] = lower[axis] + extent - 1
    }
    self.init(lower: lower, upper: upper)
  }
}

/// A CRF to be run.
package struct RefinementRequest: Equatable, Sendable {
  /// What the unary energy comes from.
  package enum Source: Equatable, Sendable {
    /// A network's probabilities.
    case probabilities(ProbabilitiesHandle)
    /// A hard mask whose label has this probability in each voxel.
    case mask(ChunkedLabels, confidence: Double)
  }

  /// The image that the appearance kernel reads.
  package var image: ScalarVolume
  /// The unary's source.
  package var source: Source
  /// The labels at stake.
  package var table: LabelTable
  /// Kernels and iterations.
  package var settings: RefinementSettings
  /// Only this box of the image; nil for all of it.
  package var region: VoxelBounds?
  /// The labels before refinement, which the result is held against.
  package var unrefined: ChunkedLabels
  /// What is known of them.
  package var unrefinedStatistics: [LabelStatistics]

  /// A request.
  package init(
    image: ScalarVolume, source: Source, table: LabelTable, settings: RefinementSettings,
    region: VoxelBounds? = nil, unrefined: ChunkedLabels, unrefinedStatistics: [LabelStatistics]
  ) {
    self.image = image
    self.source = source
    self.table = table
    self.settings = settings
    self.region = region
    self.unrefined = unrefined
    self.unrefinedStatistics = unrefinedStatistics
  }
}

/// What the CRF gives back.
package struct RefinedLabels: Equatable, Sendable {
  /// Where they lie: all of the grid, or the part of the request's region that its faces do not disturb.
  package var box: VoxelBounds
  /// `box.size` voxels.
  package var labels: LabelVolume
  /// Of the voxels there that touch another label before refinement, the share that messages of these weights could
  /// change at all; nil where there is no such voxel or no such limit.
  package var movableShare: Double?

  /// Refined labels.
  package init(box: VoxelBounds, labels: LabelVolume, movableShare: Double? = nil) {
    precondition(labels.grid.size == box.size, "\(labels.grid.size) in a box of \(box.size)")
    self.box = box
    self.labels = labels
    self.movableShare = movableShare
  }
}

/// What an image says about kernels.
package struct ImageMeasures: Equatable, Sendable {
  /// Standard deviation of its noise, in its intensity units.
  package var noise: Double
  /// The step of intensity across the labels' borders; nil where they have none.
  package var edgeContrast: Double?
  /// Kernels that follow from the two and from the spacing.
  package var suggested: RefinementSettings

  /// Measures.
  package init(noise: Double, edgeContrast: Double?, suggested: RefinementSettings) {
    self.noise = noise
    self.edgeContrast = edgeContrast
    self.suggested = suggested
  }
}

/// Kernels that a reviewer keeps under a name.
package struct NamedKernels: Equatable, Sendable {
  /// Its name.
  package var name: String
  /// Its kernels.
  package var settings: RefinementSettings

  /// A preset.
  package init(name: String, settings: RefinementSettings) {
    self.name = name
    self.settings = settings
  }
}

/// A mask to be written.
package struct ExportRequest: Equatable, Sendable {
  /// The labels.
  package var labels: ChunkedLabels
  /// Their names and colours.
  package var table: LabelTable
  /// The image whose grid, and whose exact header geometry, the file takes.
  package var imagePath: String
  /// Where to: as typed, or the case's own export path.
  package var path: String
  /// Whether an existing file may be replaced; the files that were opened never are.
  package var replacesExisting: Bool
  /// How the labels came to be.
  package var provenance: Provenance

  /// A request.
  package init(
    labels: ChunkedLabels, table: LabelTable, imagePath: String, path: String, replacesExisting: Bool,
    provenance: Provenance
  ) {
    self.labels = labels
    self.table = table
    self.imagePath = imagePath
    self.path = path
    self.replacesExisting = replacesExisting
    self.provenance = provenance
  }
}

/// How a version came to be, oldest step first, and what the reviewer decided about it.
package struct Provenance: Equatable, Sendable {
  /// One step.
  package enum Step: Equatable, Sendable {
    /// Opened from this file.
    case mask(path: String)
    /// Made by this model.
    case network(modelID: String)
    /// Refined with these kernels; `maskConfidence` is set when the step before it was a hard mask.
    case refinement(RefinementSettings, maskConfidence: Double?)
    /// So many voxels changed by hand.
    case edit(changedVoxels: Int)
  }

  /// Every step, oldest first.
  package var steps: [Step]
  /// The version that the first step made; nil where it is not known.
  package var firstVersion: VersionID?
  /// What the versions list calls it.
  package var versionName: String
  /// "accepted", "rejected", or nil when no verdict was given.
  package var verdict: String?
  /// The frame of the image that network and CRF read, counted from 0.
  package var frame: Int
  /// Selections that made one label of several values of the mask's file.
  package var merged: [LabelSelection]

  /// Whether the case was flagged for another look.
  package var isCaseFlagged: Bool

  /// A provenance.
  package init(
    steps: [Step], firstVersion: VersionID? = nil, versionName: String, verdict: String?,
    isCaseFlagged: Bool = false, frame: Int = 0, merged: [LabelSelection] = []
  ) {
    self.merged = merged
    self.frame = frame
    self.steps = steps
    self.firstVersion = firstVersion
    self.versionName = versionName
    self.verdict = verdict
    self.isCaseFlagged = isCaseFlagged
  }

  /// The steps that lead to a version, oldest first, and the version that the first of them made.
  ///
  /// - Parameters:
  ///   - origin: Where a version comes from; nil where there is none of this number.
  ///   - changedVoxels: In how many voxels a version differs from the one that it was copied from.
  /// - Returns: nil for the first version where what a step starts from is missing.
  package static func steps(
    to version: VersionID, origin: (VersionID) -> Version.Origin?,
    changedVoxels: (_ version: VersionID, _ base: VersionID) -> Int
  ) -> (steps: [Step], firstVersion: VersionID?) {
    var steps: [Step] = []
    var (current, first) = (Optional(version), VersionID?.none)
    while let id = current, let origin = origin(id) {
      switch origin {
      case .mask(let path):
        steps.append(.mask(path: path))
        (current, first) = (nil, id)
      case .network(let modelID, _):
        steps.append(.network(modelID: modelID))
        (current, first) = (nil, id)
      case .refinement(let earlier, let settings, let confidence):
        steps.append(.refinement(settings, maskConfidence: confidence))
        current = earlier
      case .edit(let earlier):
        steps.append(.edit(changedVoxels: changedVoxels(id, earlier)))
        current = earlier
      }
    }
    return (steps.reversed(), first)
  }
}

/// How the saving of kernels ended.
package enum SavingOutcome: Equatable, Sendable {
  /// Saved.
  case saved
  /// Nothing was saved because there are kernels of this name and the request did not allow replacing them.
  case exists
}

/// How an export ended.
package enum ExportOutcome: Equatable, Sendable {
  /// Written; the full path, and what the reviewer should know of the files that it was made from, a line each.
  case written(path: String, notes: [String] = [])
  /// Nothing was written because these files exist and the request did not allow replacing them.
  case exists(paths: [String])
}
