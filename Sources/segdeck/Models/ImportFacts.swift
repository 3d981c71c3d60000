import Networks
import ONNX
import Segmentation
import Tensors
import Volumes
import Work

/// What an ONNX file does not say of the images that its network is for.
///
/// Nothing of it is guessed.
struct ImportFacts {
  var axes: ImageAxes?
  /// Anatomical directions of an image's axes x, y, z, as the network's program has them.
  var orientation: String?
  /// Voxel size along x, y, z in mm.
  var spacing: Spacing?
  var channels: [Preprocessing.Channel] = []
  var labels: [Label] = []
  /// How the labels are told from the network's channels; nil where only their number tells.
  var activation: HeadActivation?
  /// Extents of the patches along x, y, z; nil for the extents that the file fixes where results depend on them, or else for
  /// the whole image.
  var patch: GridSize?
  var step = 0.5
  var weights = PatchTiling.Weights.gaussian
  /// What is done otherwise than in the program that the network comes from, a line each.
  var notes: [String] = []

  /// The model of a network.
  /// - Throws: ``InputError`` that names the first fact that is missing, or does not fit the network.
  func model(
    of network: ImportedNetwork, name: String, path: String
  ) throws(InputError) -> SegmentationModel {
    var network = network
    guard let axes else {
      throw InputError(
        "--axes", "is not stated",
        expected: "zyx (nnU-Net, SimpleITK) or xyz (MONAI, nibabel), which no file says")
    }
    guard let orientation else {
      throw InputError(
        "--orientation", "is not stated",
        expected: "the directions of x, y and z of the images that the network was trained on, such as RAS")
    }
    guard Orientation(code: orientation) != nil else {
      throw InputError("--orientation", "is unusable", found: orientation, expected: "a code such as RAS")
    }
    guard let spacing else {
      throw InputError("--spacing", "is not stated", expected: "the voxel size in mm along x, y and z")
    }
    let count = network.graph.inputChannels
    guard channels.count == count else {
      throw InputError(
        channels.isEmpty ? "--normalise" : "--channel",
        channels.isEmpty ? "is not stated" : "names or normalisations",
        found: channels.isEmpty ? nil : "\(channels.count)",
        expected: "one for each of \(counted(count, "channel"))")
    }
    guard !labels.isEmpty else {
      throw InputError(
        "--label", "is not stated", expected: "VALUE=NAME for each class but the background, in their order")
    }
    try network.setActivations(labelCount: labels.count, stated: activation, path: path)
    return SegmentationModel(
      name: name, graph: network.graph, parameters: network.parameters, labels: labels,
      preprocessing: Preprocessing(
        orientation: axes.orientation(orientation), spacingMillimetres: axes.spacing(spacing),
        channels: channels),
      tiling: try tiling(of: network, axes: axes, path: path))
  }

  /// The patches: those that are stated, or of the extents that the file fixes where results depend on them.
  private func tiling(
    of network: ImportedNetwork, axes: ImageAxes, path: String
  ) throws(InputError) -> PatchTiling? {
    let resolved = try network.graph.resolved(subject: path)
    // Slabs give the results of a local network exactly, whatever extents its file fixes.
    let isLocal = resolved.nodes.allSatisfy(\.layer.operation.isLocal)
    guard let found = patch.map(axes.extent) ?? (isLocal ? nil : network.fixedExtent) else { return nil }
    if network.isPlanar, found.d != 1 {
      throw InputError(
        "--patch", "of a 2D network", found: "\(found.d) slices", expected: "1 along its first axis")
    }
    let tiling = PatchTiling(extent: found, step: step, weights: weights)
    try tiling.validated(for: resolved, subject: path)
    return tiling
  }
}
