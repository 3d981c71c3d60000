import Screen
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

  private struct ImageKey: Equatable, Sendable {
    var image: ImageIdentity
    var projection: PaneProjection
    var slice: Int
    var window: IntensityWindow
    var map: ShownMap?
    /// Details may have the same pixels, which the terminal shows in different ways.
    var detail: PictureDetail

    init(
      _ image: ScalarVolume, _ projection: PaneProjection, slice: VoxelIndex, _ window: IntensityWindow,
      _ map: ShownMap?, _ detail: PictureDetail
    ) {
      self.image = ImageIdentity(image)
      self.projection = projection
      self.slice = slice[projection.geometry.sliceAxis]
      (self.window, self.map, self.detail) = (window, map, detail)
    }
  }

  private struct ClassKey<Layer: Equatable & Sendable>: Equatable, Sendable {
    var layer: Layer
    var projection: PaneProjection
    var slice: Int
  }

  /// Classes that are the same array are found equal at once.
  private struct BorderKey: Equatable, Sendable {
    var classes: PixelClasses
    var thickness: Int
  }

  private struct DivisionKey: Equatable, Sendable {
    var shown, other: [UInt16]
    var view: ComparisonView
    var pane: ComparedPane
  }

  /// The values of this frame and of the previous one.
  private struct Frames<Key: Equatable & Sendable, Value: Sendable>: Sendable {
    private var current: [(key: Key, value: Value)] = []
    private var last: [(key: Key, value: Value)] = []

    mutating func begin() { (last, current) = (current, []) }

    func has(_ key: Key) -> Bool { current.contains { $0.key == key } || last.contains { $0.key == key } }

    mutating func value(_ key: Key, _ read: () -> Value) -> Value {
      let known = current.first { $0.key == key }
      if let known { return known.value }
      let value = last.first { $0.key == key }?.value ?? read()
      current.append((key, value))
      return value
    }
  }

  private var images = Frames<ImageKey, PixelBuffer>()
  private var labels = Frames<ClassKey<LabelLayer>, PixelClasses>()
  private var differences = Frames<ClassKey<DifferenceLayer>, PixelClasses>()
  private var borders = Frames<BorderKey, [UInt16]>()
  private var differenceNumbers = Frames<BorderKey, [UInt16]>()
  private var divisions = Frames<DivisionKey, DividedPixels>()
  private var marks = Frames<MarkLayer, [UInt16]>()

  /// An empty cache.
  package init() {}

  /// Begins a frame, and drops the samples of the frame before the last one.
  mutating func beginFrame() {
    images.begin()
    labels.begin()
    differences.begin()
    borders.begin()
    differenceNumbers.begin()
    divisions.begin()
    marks.begin()
  }

  /// The image through a window, as ``SliceSampler/greys(of:window:)``, and a map over it.
  mutating func image(
    of image: ScalarVolume, window: IntensityWindow, map: ShownMap?, _ projection: PaneProjection,
    slice: VoxelIndex, _ detail: PictureDetail
  ) -> PixelBuffer {
    let key = ImageKey(image, projection, slice: slice, window, map, detail)
    return images.value(key) {
      let sampler = SliceSampler(projection, size: image.grid.size, slice: slice)
      var picture = PixelBuffer(
        width: projection.width, height: projection.height, greys: sampler.greys(of: image, window: window))
      map?.draw(over: &picture, projection, slice: slice)
      return picture
    }
  }

  /// The detail with which the last frame had all pixels of an image; nil where it did not.
  func detail(
    of image: ScalarVolume, window: IntensityWindow, map: ShownMap?, _ projection: PaneProjection,
    slice: VoxelIndex
  ) -> PictureDetail? {
    [.full, .fewShades].first { images.has(ImageKey(image, projection, slice: slice, window, map, $0)) }
  }

  /// The class of each pixel, as ``LabelLayer/classes(_:size:slice:)``.
  mutating func classes(
    of layer: LabelLayer, _ projection: PaneProjection, size: GridSize, slice: VoxelIndex
  ) -> PixelClasses {
    let key = ClassKey(layer: layer, projection: projection, slice: slice[projection.geometry.sliceAxis])
    return labels.value(key) { layer.classes(projection, size: size, slice: slice) }
  }

  /// The classes at borders, as ``PixelClasses/borders(thickness:)``.
  mutating func borders(of classes: PixelClasses, thickness: Int) -> [UInt16] {
    borders.value(BorderKey(classes: classes, thickness: thickness)) { classes.borders(thickness: thickness) }
  }

  /// The number of each pixel, as ``PixelClasses/differenceNumbers(thickness:)``.
  mutating func numbers(
    of layer: DifferenceLayer, _ projection: PaneProjection, size: GridSize, slice: VoxelIndex, thickness: Int
  ) -> [UInt16] {
    let key = ClassKey(layer: layer, projection: projection, slice: slice[projection.geometry.sliceAxis])
    let classes = differences.value(key) { layer.classes(projection, size: size, slice: slice) }
    return differenceNumbers.value(BorderKey(classes: classes, thickness: thickness)) {
      classes.differenceNumbers(thickness: thickness)
    }
  }

  /// The numbers of two versions, of which each pixel shows one.
  mutating func divided(
    _ shown: [UInt16], _ other: [UInt16], _ view: ComparisonView, _ pane: ComparedPane
  ) -> DividedPixels {
    divisions.value(DivisionKey(shown: shown, other: other, view: view, pane: pane)) {
      DividedPixels(shown, other, view, pane)
    }
  }

  /// The number of each pixel, as ``MarkLayer/numbers``.
  mutating func numbers(of layer: MarkLayer) -> [UInt16] { marks.value(layer) { layer.numbers } }
}
