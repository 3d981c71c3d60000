import Networks
import Tensors
import Volumes
import Work

/// The patches in which a network runs: overlapping boxes of one size whose logits are averaged with weights, as nnU-Net
/// does (Isensee et al., Nature Methods 2021).
///
/// The result of a network that normalises over the whole image depends on the extents that it sees, so that they are a part of
/// the model.
package struct PatchTiling: Hashable, Sendable {
  /// The weight of a patch's logits.
  package enum Weights: String, Hashable, Sendable, Codable {
    /// All weigh the same.
    case constant
    /// A Gaussian around voxel ⌊extent / 2⌋ along each axis, with a standard deviation of an eighth of the extent.
    case gaussian
  }

  /// Voxels of a patch, multiples of the network's total stride; of no meaning along ``wholeAxes``.
  package var extent: Extent3
  /// Axes along which a patch is the whole image, padded to whole strides: whole slices where they are h and w.
  package var wholeAxes: Set<Axis>
  /// The largest distance from a patch to the next, as a fraction of its extent: above 0, at most 1.
  package var step: Double
  package var weights: Weights
  /// Axes along which patches are mirrored too: the logits are the mean over all combinations, 2 to the power of their
  /// number.
  package var mirroredAxes: [Axis]
  /// The value of voxels around an image that is smaller than a patch, in whose middle it lies.
  package var padding: Float

  package init(
    extent: Extent3, wholeAxes: Set<Axis> = [], step: Double = 0.5, weights: Weights = .gaussian,
    mirroredAxes: [Axis] = [], padding: Float = 0
  ) {
    self.extent = Extent3 { wholeAxes.contains($0) ? 1 : $0(extent) }
    self.wholeAxes = wholeAxes
    self.step = step
    self.weights = weights
    self.mirroredAxes = mirroredAxes
    self.padding = padding
  }

  /// The largest extent of a patch, so that products of them fit an `Int`.
  private static let maximumExtent = 4096

  /// The combinations of mirrored axes, first that of none.
  var mirrorings: [Set<Axis>] {
    mirroredAxes.reduce([[]]) { known, axis in known + known.map { $0.union([axis]) } }
  }

  /// Checks the numbers, and that the logits of the given heads (indices) lie on the grid of a patch.
  /// - Throws: ``InputError`` about `subject`.
  package func validated(
    for graph: ResolvedGraph, heads: [Int] = [0], subject: String
  ) throws(InputError) {
    for axis in Axis.allCases where !(1...Self.maximumExtent).contains(axis(extent)) {
      throw InputError(
        subject, "patch along \(axis.name) is unusable", found: "\(axis(extent)) voxels",
        expected: "1 to \(Self.maximumExtent)")
    }
    guard step > 0, step <= 1 else {
      throw InputError(
        subject, "step of its patches is unusable", found: "\(step)", expected: "above 0, at most 1")
    }
    guard Set(mirroredAxes).count == mirroredAxes.count else {
      throw InputError(
        subject, "mirrored axes of its patches: one occurs twice",
        found: mirroredAxes.map(\.name).joined(separator: ", "))
    }
    guard UsableRange.intensity.contains(Double(padding)) else {
      throw InputError(
        subject, "padding of its patches is unusable", found: "\(padding)",
        expected: "at most \(UsableRange.intensity.upperBound)")
    }
    let stride = graph.receptiveField(ofHeads: heads)?.totalStride ?? Extent3(1)
    guard Axis.allCases.allSatisfy({ wholeAxes.contains($0) || $0(extent) % $0(stride) == 0 }) else {
      throw InputError(
        subject, "patches do not fit the strides of its network",
        found: "\(extent.d)x\(extent.h)x\(extent.w) voxels (z, y, x)",
        expected: "multiples of \(stride.d)x\(stride.h)x\(stride.w)")
    }
  }

  /// The patches of an image of `size`, whose extents along ``wholeAxes`` are the image's, rounded up to multiples of
  /// `totalStride`.
  func fitted(to size: GridSize, totalStride: Extent3) -> PatchTiling {
    var fitted = self
    fitted.wholeAxes = []
    fitted.extent = Extent3 { axis in
      let stride = axis(totalStride)
      return wholeAxes.contains(axis)
        ? max(1, (size.voxels(along: axis) + stride - 1) / stride) * stride : axis(extent)
    }
    return fitted
  }

  /// Voxels that the network computes for an image of `size`: those of all patches and mirrorings.
  package func computedVoxels(of size: GridSize) -> Double {
    let fitted = fitted(to: size, totalStride: Extent3(1))
    let patches = Axis.allCases.reduce(1.0) { $0 * Double(PatchAxis($1, of: size, in: fitted).starts.count) }
    return patches * Double(fitted.extent.product) * Double(mirrorings.count)
  }

  /// "128x128x64 voxels, step 0.5, gaussian weights, mirrored along x y"; extents are x, y, z, "all" those of the image.
  package var summary: String {
    let extents = Axis.allCases.reversed().map { wholeAxes.contains($0) ? "all" : "\($0(extent))" }
    let mirrored =
      mirroredAxes.isEmpty ? "" : ", mirrored along " + mirroredAxes.map(\.name).joined(separator: " ")
    return
      "\(extents.joined(separator: "x")) voxels, step \(step), \(weights.rawValue) weights\(mirrored)"
  }
}

extension PatchTiling: Codable {
  private enum Key: CodingKey { case patch, step, weights, mirroredAxes, padding }

  /// Reads `{"patch": [64, 128, 128], "step": 0.5, "weights": "gaussian", "mirroredAxes": ["z", "y", "x"], "padding": 0}`;
  /// all but the patch (z, y, x) may be absent; `null` in it is the extent of the image.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let patch = try values.decode([Int?].self, forKey: .patch)
    guard patch.count == 3 else {
      throw DecodingError.dataCorruptedError(
        forKey: .patch, in: values, debugDescription: "\(patch.count) extents")
    }
    let extents = patch.map { $0 ?? 1 }
    self.init(
      extent: Extent3(extents[0], extents[1], extents[2]),
      wholeAxes: Set(zip(Axis.allCases, patch).filter { $0.1 == nil }.map(\.0)))
    step = try values.decodeIfPresent(Double.self, forKey: .step) ?? step
    weights = try values.decodeIfPresent(Weights.self, forKey: .weights) ?? weights
    padding = try values.decodeIfPresent(Float.self, forKey: .padding) ?? padding
    mirroredAxes = try (values.decodeIfPresent([String].self, forKey: .mirroredAxes) ?? []).map { name in
      guard let axis = Axis.allCases.first(where: { $0.name == name }) else {
        throw DecodingError.dataCorruptedError(
          forKey: .mirroredAxes, in: values, debugDescription: "no axis \(name)")
      }
      return axis
    }
  }

  /// Writes what ``init(from:)`` reads.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(Axis.allCases.map { wholeAxes.contains($0) ? nil : $0(extent) }, forKey: .patch)
    try values.encode(step, forKey: .step)
    try values.encode(weights, forKey: .weights)
    try values.encode(mirroredAxes.map(\.name), forKey: .mirroredAxes)
    try values.encode(padding, forKey: .padding)
  }
}

extension Axis {
  /// "z", "y" or "x".
  fileprivate var name: String {
    switch self {
    case .d: "z"
    case .h: "y"
    case .w: "x"
    }
  }
}

extension GridSize {
  /// Voxels along an axis of the network.
  func voxels(along axis: Axis) -> Int {
    switch axis {
    case .d: k
    case .h: j
    case .w: i
    }
  }
}
