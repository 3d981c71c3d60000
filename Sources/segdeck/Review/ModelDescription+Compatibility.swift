import Foundation
import Review
import Segmentation
import Volumes
import Work

extension ModelDescription {
  /// The description of a model for the dialog: size, input, estimated time, and a warning where the images do not match
  /// the model's training data.
  ///
  /// - Parameter images: Those of the case, one for each channel of the model.
  /// The time is extrapolated from a run on a block of 48x48x32 voxels.
  /// - Throws: ``InputError`` when the block does not fit in memory; ``Cancelled``.
  init(id: String, model: SegmentationModel, images: [ScalarVolume], work: WorkContext) throws {
    let weights = model.parameters.tensors.values.reduce(0) { $0 + $1.elements.count }
    let bytes = FileSystem.status(model.path).map { Int($0.st_size) } ?? 0
    let spacing = model.preprocessing.spacingMillimetres
    let size = weights >= 1_000_000 ? "\(decimals(Double(weights) / 1e6, 1)) M" : "\(weights / 1000) k"
    self.init(
      id: id, name: model.name, labels: model.labelTable,
      size: "\(size) weights, \(decimals(Double(bytes) / 1e6, 1)) MB",
      input: model.preprocessing.summary
        + ", \(decimals(spacing.i, 1)) x \(decimals(spacing.j, 1)) x \(decimals(spacing.k, 1)) mm",
      estimatedSeconds: try Self.estimatedSeconds(model, images[0].grid, work),
      warning: model.preprocessing.mismatch(with: images))
  }

  private static func estimatedSeconds(
    _ model: SegmentationModel, _ image: VolumeGrid, _ work: WorkContext
  ) throws -> Double {
    var segmenter = try Segmenter(model: model, usesAuxiliaryHeads: false, work: work.withoutProgress)
    // A patch may take long, so that the time is that of a block of its voxels.
    segmenter.patches = nil
    let block = GridSize(48, 48, 32)
    let grid = VolumeGrid(size: block, affine: Affine(spacing: model.preprocessing.spacingMillimetres))
    let sample = ScalarVolume(grid: grid, voxels: [Float](repeating: 0.5, count: block.voxelCount))
    let start = ContinuousClock.now
    let samples = model.preprocessing.channels.map { _ in sample }
    _ = try segmenter.probabilities(of: samples, work: work.withoutProgress)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    return seconds * (try computedVoxels(model, image)) / Double(block.voxelCount)
  }

  /// Voxels that the network computes for `image`: those of the working grid, or of all patches.
  private static func computedVoxels(_ model: SegmentationModel, _ image: VolumeGrid) throws -> Double {
    let spacing = model.preprocessing.spacingMillimetres
    guard let tiling = model.tiling else {
      return Double(image.size.voxelCount) * image.voxelVolume / (spacing.i * spacing.j * spacing.k)
    }
    let axes = ReorientedGrid(image, orientation: try model.preprocessing.parsedOrientation)
    return tiling.computedVoxels(of: try axes.grid.resampled(to: spacing, subject: "image").size)
  }
}

extension Preprocessing {
  /// "CT, -125 to 240 HU", "MR or any intensities above 0", or "2 images: T1, T2" where there are several channels.
  fileprivate var summary: String {
    if channels.count > 1 { return "\(channels.count) images: \(channelNames)" }
    switch normalisation {
    case .window, .statedScore:
      guard let range = normalisation.refinementRange else { return "any intensities" }
      let (lower, upper) = (range.lowerBound, range.upperBound)
      return lower < 0
        ? "CT, \(Int(saturating: lower)) to \(Int(saturating: upper)) HU" : "intensities \(lower) to \(upper)"
    case .standardScore: return "MR or any intensities above 0"
    case .standardScoreOfAll, .standardScoreOfNonZero, .percentiles: return "MR or any intensities"
    }
  }
}
