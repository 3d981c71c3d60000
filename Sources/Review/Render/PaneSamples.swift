import Volumes

/// A cache of the samples that the panes of the last frame took from the volumes, for panes that show the same slice
/// again.
///
/// Most keys change the slice of one of three panes, and sampling is the largest cost of a frame. The cache holds the
/// samples of one frame, and a reference to the image and the labels that they come from.
package struct PaneSamples: Sendable {
  /// An image as it was when its pixels were read.
  private struct ImageIdentity: Equatable, Sendable {
    private let voxels: IntensityVoxels

    init(_ image: ScalarVolume) { voxels = image.voxels }

    /// The reference keeps the voxels' memory allocated, so the same memory means the same image.
    static func == (one: Self, other: Self) -> Bool { one.voxels.isIdentical(to: other.voxels) }
  }

  private struct GreyKey: Equatable, Sendable {
    var image: ImageIdentity
    var projection: PaneProjection
    var slice: Int
    var window: IntensityWindow
  }

  private struct ClassKey<Layer: Equatable & Sendable>: Equatable, Sendable {
    var layer: Layer
    var projection: PaneProjection
    var slice: Int
  }

  /// The values of this frame and of the previous one.
  private struct Frames<Key: Equatable & Sendable, Value: Sendable>: Sendable {
    private var current: [(key: Key, value: Value)] = []
    private var last: [(key: Key, value: Value)] = []

    mutating func begin() { (last, current) = (current, []) }

    mutating func value(_ key: Key, _ read: () -> Value) -> Value {
      let known = current.first { $0.key == key }
      if let known { return known.value }
      let value = last.first { $0.key == key }?.value ?? read()
      current.append((key, value))
      return value
    }
  }

  private var greys = Frames<GreyKey, [Int16]>()
  private var labels = Frames<ClassKey<LabelLayer>, PixelClasses>()
  private var differences = Frames<ClassKey<DifferenceLayer>, PixelClasses>()

  /// An empty cache.
  package init() {}

  /// Begins a frame, and drops the samples of the frame before the last one.
  mutating func beginFrame() {
    greys.begin()
    labels.begin()
    differences.begin()
  }

  /// The image through a window, as ``SliceSampler/greys(of:window:)``.
  mutating func greys(
    of image: ScalarVolume, window: IntensityWindow, _ projection: PaneProjection, slice: VoxelIndex
  ) -> [Int16] {
    let key = GreyKey(
      image: ImageIdentity(image), projection: projection, slice: slice[projection.geometry.sliceAxis],
      window: window)
    return greys.value(key) {
      SliceSampler(projection, size: image.grid.size, slice: slice).greys(of: image, window: window)
    }
  }

  /// The class of each pixel, as ``LabelLayer/classes(_:size:slice:)``.
  mutating func classes(
    of layer: LabelLayer, _ projection: PaneProjection, size: GridSize, slice: VoxelIndex
  ) -> PixelClasses {
    let key = ClassKey(layer: layer, projection: projection, slice: slice[projection.geometry.sliceAxis])
    return labels.value(key) { layer.classes(projection, size: size, slice: slice) }
  }

  /// The class of each pixel, as ``DifferenceLayer/classes(_:size:slice:)``.
  mutating func classes(
    of layer: DifferenceLayer, _ projection: PaneProjection, size: GridSize, slice: VoxelIndex
  ) -> PixelClasses {
    let key = ClassKey(layer: layer, projection: projection, slice: slice[projection.geometry.sliceAxis])
    return differences.value(key) { layer.classes(projection, size: size, slice: slice) }
  }
}
