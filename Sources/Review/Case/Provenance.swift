import Volumes

/// The steps that made a version, oldest first, and the reviewer's decision about it.
package struct Provenance: Equatable, Sendable {
  package enum Step: Equatable, Sendable {
    /// Opened from this file.
    case mask(path: String)
    /// Predicted by this model.
    case network(modelID: String)
    /// Refined with these kernels; `maskConfidence` is set when the step before it was a hard mask.
    case refinement(RefinementSettings, maskConfidence: Double?)
    /// The number of voxels that were edited.
    case edit(changedVoxels: Int)
  }

  package var steps: [Step]
  /// The version after the first step; nil where it is unknown.
  package var firstVersion: VersionID?
  /// The version's name in the list of versions.
  package var versionName: String
  /// "accepted", "rejected", or nil when no verdict was given.
  package var verdict: String?
  /// The frame of the image that network and CRF read, counted from 0; for a mask that neither made, the frame that was
  /// on the screen.
  package var frame: Int
  /// Selections that merged several values of the mask's file into one label.
  package var merged: [LabelSelection]

  /// Whether the case was flagged for another look.
  package var isCaseFlagged: Bool

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

  /// The steps that lead to a version, oldest first, and the version after the first of them.
  ///
  /// - Parameters:
  ///   - origin: The origin of a version; nil where there is no such version.
  ///   - changedVoxels: The number of voxels in which a version differs from the version that it was copied from.
  /// - Returns: The steps; the first version is nil where the origin of a step is missing.
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
