import Foundation
import Volumes
import Work

extension Preprocessing {
  /// Factor by which an image may be larger or smaller than the training images without a warning.
  private static let extentTolerance = 1.5

  /// The difference between the images of a case and the training images; nil where no mismatch is found.
  ///
  /// Intensities are sampled from at most about half a million voxels of each image at even distances.
  /// - Parameter images: Those of the channels; further ones may be missing.
  /// - Complexity: O(1) beyond half a million voxels of an image.
  package func mismatch(with images: [ScalarVolume]) -> String? {
    for (channel, image) in zip(channels, images) {
      guard let difference = channel.normalisation.intensityMismatch(with: image.voxels) else { continue }
      return channels.count == 1 ? difference : "channel \(channel.name): \(difference)"
    }
    return images.first.flatMap { extentMismatch(with: $0.grid) }
  }

  private func extentMismatch(with grid: VolumeGrid) -> String? {
    guard let trained = trainedExtentsMillimetres, trained.count == 3, let axes = try? parsedOrientation
    else {
      return nil
    }
    let own = ReorientedGrid(grid, orientation: axes).grid
    let extents = (0..<3).map { Double(own.size[$0]) * own.spacing[$0] }
    let isUsual = zip(extents, trained).allSatisfy { extent, range in
      extent <= Self.extentTolerance * range.upperBound && extent >= range.lowerBound / Self.extentTolerance
    }
    if isUsual { return nil }
    func words(_ lengths: [Double]) -> String {
      lengths.map { String(Int(saturating: $0.rounded())) }.joined(separator: "x")
    }
    return "the model was trained on images of \(words(trained.map(\.lowerBound))) to "
      + "\(words(trained.map(\.upperBound))) mm, and this one has \(words(extents)) mm"
  }
}

extension Preprocessing.Normalisation {
  /// The difference between the intensities of an image and those that the normalisation is for; nil where none is found.
  fileprivate func intensityMismatch(with voxels: IntensityVoxels) -> String? {
    let sample = voxels.sampled(every: max(1, voxels.count / 500_000))
    guard let smallest = sample.min(), let largest = sample.max() else { return nil }
    switch self {
    case .window, .statedScore:
      guard let range = refinementRange, range.lowerBound < 0 else { return nil }
      let (lower, upper) = (range.lowerBound, range.upperBound)
      if smallest >= 0 {
        return "the model expects CT in Hounsfield units, and this image has no value below 0"
      }
      let inside = sample.count { $0 > lower && $0 < upper }
      guard Double(inside) < 0.02 * Double(sample.count) else { return nil }
      return
        "hardly any voxel lies in the model's window of \(Int(saturating: lower)) to \(Int(saturating: upper))"
    case .percentiles: return nil
    case .standardScore, .standardScoreOfAll, .standardScoreOfNonZero:
      guard HounsfieldUnits.areLikely(smallest: Double(smallest), largest: Double(largest)) else {
        return nil
      }
      return
        "the model was not trained on CT, and this image looks like one: values from \(Int(saturating: smallest))"
    }
  }
}
