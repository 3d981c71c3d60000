import Foundation
import Networks
import Tensors
import Volumes
import Work

/// A default that was derived from the data, with the reason.
package struct ReasonedDefault<Value: Sendable>: Sendable {
  package var value: Value
  /// The reason for it, in a few words.
  package var reason: String

  /// The default `value` and its reason.
  package init(_ value: Value, _ reason: String) {
    self.value = value
    self.reason = reason
  }
}

/// Limits of the defaults, so that an iteration takes seconds on a CPU.
package enum TrainingLimit {
  /// Voxels of a crop.
  package static let cropVoxels = 96 * 96 * 64
  /// Voxels of all crops of an iteration up to which there are more than two crops.
  static let batchVoxels = 400_000
  /// A typical case has at most this many times the voxels of the largest crop.
  static let cropsPerCase = 4
  /// Fraction of the memory that an iteration may use.
  static let memoryFraction = 0.5
}

extension DatasetFingerprint {
  /// The median shape: medians along each axis.
  private var median: Shape {
    func middle(_ value: (Shape) -> Double) -> Double { shapes.map(value).sorted()[shapes.count / 2] }
    let spacing = (0..<3).map { axis in middle { $0.spacing[axis] } }
    let voxels = (0..<3).map { axis in
      max(1, Int(saturating: (middle { $0.extentMillimetres[axis] } / spacing[axis]).rounded()))
    }
    return Shape(
      size: GridSize(voxels[0], voxels[1], voxels[2]), spacing: Spacing(spacing[0], spacing[1], spacing[2]))
  }

  /// The working grid: the median spacing, coarsened until a typical case is a few crops large.
  ///
  /// The finest axes are coarsened first, so that the grid becomes as isotropic as possible. Coarsened spacings are
  /// rounded to 0.05 mm; the images' own spacings are kept where they suffice.
  package func spacing() -> ReasonedDefault<Spacing> {
    precondition(!shapes.isEmpty, "a fingerprint of no case")
    let median = median
    let limit = TrainingLimit.cropVoxels * TrainingLimit.cropsPerCase
    let own = (0..<3).map { median.spacing[$0] }
    if median.size.voxelCount <= limit {
      let rounded = own.map { ($0 * 100).rounded() / 100 }.map { max($0, 0.01) }
      return ReasonedDefault(
        Spacing(rounded[0], rounded[1], rounded[2]),
        "median of \(shapes.count) cases of about \(median.size) voxels")
    }
    func voxels(_ floor: Double) -> Double {
      (0..<3).reduce(1) { $0 * median.extentMillimetres[$1] / max(own[$1], floor) }
    }
    var floor = own.min() ?? 1
    while voxels(floor) > Double(limit) { floor += 0.05 }
    let coarse = own.map { (max($0, floor) * 20).rounded(.up) / 20 }
    return ReasonedDefault(
      Spacing(coarse[0], coarse[1], coarse[2]),
      "coarsened from the median \(own.map { significant($0, 3) }.joined(separator: " x ")) mm, at which "
        + "a typical case has \(median.size) voxels")
  }

  /// The intensity normalisation of one channel: a window for images in Hounsfield units, else a standard score.
  ///
  /// The window is the 0.5th to 99.5th percentile of labelled voxels, widened by half of its width on either side so
  /// that neighbouring tissue is distinguished from intensities beyond; its ends are multiples of 5. For CT see
  /// ``HounsfieldUnits``.
  package func normalisation(ofChannel channel: Int = 0) -> ReasonedDefault<Preprocessing.Normalisation> {
    let intensities = intensities.isEmpty ? [] : intensities[channel]
    let count = intensities.count
    let hounsfield = intensities.count {
      HounsfieldUnits.areLikely(smallest: Double($0.smallest), largest: Double($0.largest))
    }
    let labelled = intensities.flatMap(\.labelled).sorted()
    guard 2 * hounsfield > count, let first = labelled.first, let last = labelled.last, last > first else {
      return ReasonedDefault(
        .standardScore, "\(count - hounsfield) of \(count) sampled images are not in Hounsfield units")
    }
    func percentile(_ fraction: Double) -> Double {
      Double(labelled[Int(saturating: fraction * Double(labelled.count - 1))])
    }
    let (low, high) = (percentile(0.005), percentile(0.995))
    let margin = max((high - low) / 2, 10)
    let lower = ((low - margin) / 5).rounded(.down) * 5
    let upper = ((high + margin) / 5).rounded(.up) * 5
    return ReasonedDefault(
      .window(lower: Float(lower), upper: Float(upper)),
      "Hounsfield units; 99 % of labelled voxels lie in \(Int(saturating: low.rounded()))...\(Int(saturating: high.rounded()))"
    )
  }

  /// The name of the network for the working grid: the smallest one where cases are small.
  package func network(
    at spacing: Spacing, _ normalisation: Preprocessing.Normalisation
  ) -> ReasonedDefault<String> {
    let size = median.size(at: spacing)
    if size.voxelCount < 300_000 {
      return ReasonedDefault("small-heart", "a typical case has only \(size) voxels")
    }
    if case .window = normalisation { return ReasonedDefault("liver", "CT of \(size) voxels") }
    return ReasonedDefault("heart", "\(size) voxels, not CT")
  }

  /// Voxels of a crop: whole images where they are small, else as many as limits and memory allow, in the shape of a
  /// typical case; multiples of the network's total stride.
  ///
  /// A 2D network gets single slices.
  /// - Parameter memoryBytes: The machine's memory; an iteration of two crops may use half of it.
  package func cropSize(at spacing: Spacing, network: ResolvedGraph, memoryBytes: Int) -> ReasonedDefault<
    GridSize
  > {
    let stride = network.receptiveField()?.totalStride ?? Extent3(1)
    let memoryVoxels = Int(
      saturating: TrainingLimit.memoryFraction * Double(memoryBytes) / (2 * network.trainingBytesPerVoxel))
    return cropSize(
      at: spacing, multiple: GridSize(stride.w, stride.h, stride.d), memoryVoxels: memoryVoxels,
      isSlice: network.isPlanar)
  }

  /// Voxels of a crop in multiples of `multiple`: whole images where they are small, else at most
  /// ``TrainingLimit/cropVoxels`` and `memoryVoxels` in the shape of a typical case.
  /// - Parameter isSlice: Whether a crop is one slice of such images, across the third axis.
  package func cropSize(
    at spacing: Spacing, multiple: GridSize, memoryVoxels: Int = .max, isSlice: Bool = false
  ) -> ReasonedDefault<GridSize> {
    let sizes = shapes.map { $0.size(at: spacing) }
    // Nine of ten cases fit in the crop.
    var extents = (0..<3).map { axis in
      if isSlice, axis == 2 { return 1 }
      let ordered = sizes.map { $0[axis] }.sorted()
      let wanted = ordered[(ordered.count - 1) * 9 / 10]
      return (wanted + multiple[axis] - 1) / multiple[axis] * multiple[axis]
    }
    let limit = min(TrainingLimit.cropVoxels, memoryVoxels)
    var isWhole = true
    while extents.reduce(1, *) > limit {
      let millimetres = (0..<3).map { extents[$0] > multiple[$0] ? Double(extents[$0]) * spacing[$0] : 0 }
      guard let longest = (0..<3).max(by: { millimetres[$0] < millimetres[$1] }), millimetres[longest] > 0
      else {
        break
      }
      extents[longest] -= multiple[longest]
      isWhole = false
    }
    let crop = GridSize(extents[0], extents[1], extents[2])
    let whole = isSlice ? "whole slices" : "whole images"
    let reason =
      isWhole
      ? whole : limit < TrainingLimit.cropVoxels ? "what memory allows" : "at most \(limit) voxels"
    return ReasonedDefault(crop, reason)
  }
}

extension GridSize {
  /// Crops per iteration: two, and up to eight where they are small.
  package func defaultBatchSize() -> ReasonedDefault<Int> {
    let count = min(max(TrainingLimit.batchVoxels / voxelCount, 2), 8)
    return ReasonedDefault(count, count == 2 ? "fewer make gradients noisy" : "crops are small")
  }
}

extension TrainingCases {
  /// Weights of the classes in the loss; nil for equal weights.
  ///
  /// A structure of less than half a percent of the training cases' voxels gets the weight √(0.005 / fraction), at most
  /// 8; the root because crops favour foreground already.
  package func defaultClassWeights(classCount: Int) -> ReasonedDefault<[Float]?> {
    let common = 0.005
    let counts = voxelCounts(classCount: classCount)
    let total = Double(max(counts.reduce(0, +), 1))
    let fractions = counts.dropFirst().map { Double($0) / total }
    let rarest = fractions.min() ?? 1
    let percent = significant(100 * rarest, 2) + " %"
    guard rarest < common, rarest > 0 else {
      return ReasonedDefault(nil, "the rarest structure makes up \(percent) of the voxels")
    }
    let weights = fractions.map { fraction in
      fraction > 0 && fraction < common
        ? Float(min((common / fraction).squareRoot(), 8) * 100).rounded() / 100 : 1
    }
    return ReasonedDefault([1] + weights, "the rarest structure makes up only \(percent) of the voxels")
  }
}

extension ResolvedGraph {
  /// Bytes of a training iteration per voxel of a crop, estimated from the layers' outputs.
  ///
  /// The outputs of all layers are kept for the backward pass; beside them there are the input and output gradients of
  /// the largest layer and its kernel's scratch memory. Measured iterations took 0.4 (liver) to 0.75 (heart) of the
  /// estimate.
  package var trainingBytesPerVoxel: Double {
    let stride = receptiveField()?.totalStride ?? Extent3(1)
    let extent = Extent3(8 * stride.d, 8 * stride.h, 8 * stride.w)
    guard let extents = try? outputExtents(input: extent, subject: "") else { return 4096 }
    let counts = zip(nodes, extents).map { Double($0.outputChannels * $1.product) / Double(extent.product) }
    return 4 * (counts.reduce(0, +) + 4 * (counts.max() ?? 0))
  }
}
