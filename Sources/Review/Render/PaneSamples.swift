import Volumes

/// What the panes of the last frame read out of the volumes, so that a pane that shows the same slice as before does not
/// read it again.
///
/// Most keys change the slice of one pane of three, and reading is most of what a frame costs. It holds no more than the
/// pixels of one frame, and keeps alive the image and the labels that they come from.
package struct PaneSamples: Sendable {
  /// An image as it was when its pixels were read.
  private struct ImageIdentity: Equatable, Sendable {
    private let voxels: [Float]

    init(_ image: ScalarVolume) { voxels = image.voxels }

    /// Voxels that are held here stay where they are, so one place in memory is one image.
    static func == (one: Self, other: Self) -> Bool {
      one.voxels.count == other.voxels.count
        && one.voxels.withUnsafeBufferPointer { one in
          other.voxels.withUnsafeBufferPointer { one.baseAddress == $0.baseAddress }
        }
    }
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

  /// Values of this frame and of the one before.
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

  /// Nothing was read yet.
  package init() {}

  /// Begins a frame; what the frame before the last one read is forgotten.
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
