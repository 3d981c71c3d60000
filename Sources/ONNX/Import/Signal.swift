import Tensors

/// What an axis of a value of the graph is.
enum DataAxis: String {
  case batch, channel, depth, height, width

  /// The axes of [N, C, D, H, W], or of [N, C, H, W].
  static func channelsFirst(rank: Int) -> [DataAxis?] {
    rank == 5 ? [.batch, .channel, .depth, .height, .width] : [.batch, .channel, .height, .width]
  }

  /// The axes of [N, D, H, W, C], or of [N, H, W, C].
  static func channelsLast(rank: Int) -> [DataAxis?] {
    let axes = channelsFirst(rank: rank)
    return [axes[0]] + axes[2...] + [axes[1]]
  }
}

/// A value of the graph that depends on the image: a function, element by element, of a layer's output, and how its axes
/// are arranged.
///
/// A layer's output is [1, channels, z, y, x] always. Transposing and reshaping change the arrangement alone, as long as
/// neither mixes values.
struct Signal {
  /// The layer, or ``NetworkGraph/inputName``.
  var layer: String
  /// Channels and voxels of the layer's output.
  var channels: Int
  var extent: Extent3
  /// What is computed of each of its elements and is no layer yet.
  var function = PointwiseFunction.argument
  /// The name for layers of that function; nil where there is none.
  var functionName: String?
  /// The extents of the value in the graph.
  var shape: [Int]
  /// What each of them is; nil for an axis of one element that is none of the layer's.
  var axes: [DataAxis?]
  /// Of a value that is reshaped to [1, groups, rest] for a group normalisation.
  var grouping: Grouping?
  /// Whether ``shape`` has elements that are repetitions of the layer's: after `Expand`.
  var isExpanded = false

  /// A group normalisation that is written as an instance normalisation of a reshaped value.
  struct Grouping {
    var groups: Int
    /// The arrangement before.
    var shape: [Int]
    var axes: [DataAxis?]
    /// The epsilon of the normalisation; nil before it.
    var epsilon: Float?
  }

  /// The output of a layer as [1, channels, z, y, x], or, of rank 4, without its z of 1.
  init(layer: String, channels: Int, extent: Extent3, rank: Int) {
    self.layer = layer
    self.channels = channels
    self.extent = extent
    axes = DataAxis.channelsFirst(rank: rank)
    shape = [1, channels] + (rank == 5 ? [extent.d] : []) + [extent.h, extent.w]
  }

  /// The number of elements along `axis` in the layer's output.
  func count(along axis: DataAxis) -> Int {
    switch axis {
    case .batch: 1
    case .channel: channels
    case .depth: extent.d
    case .height: extent.h
    case .width: extent.w
    }
  }

  /// Whether the axes are those of `expected`, but for some of one element.
  func isArranged(as expected: [DataAxis?]) -> Bool {
    axes.count == expected.count
      && zip(zip(axes, expected), shape).allSatisfy { pair, count in
        pair.0 == pair.1 || count == 1 && pair.1.map { self.count(along: $0) == 1 } ?? true
      }
  }

  /// The value with its axes in another arrangement that has the same elements in the same order; nil where the order of
  /// those with more than one element would not be the same.
  func reshaped(to newShape: [Int]) -> Signal? {
    var remaining = zip(shape, axes).filter { $0.0 != 1 }[...]
    var newAxes: [DataAxis?] = []
    for count in newShape {
      guard count != 1 else {
        newAxes.append(nil)
        continue
      }
      guard let next = remaining.popFirst(), next.0 == count else { return nil }
      newAxes.append(next.1)
    }
    guard remaining.isEmpty else { return nil }
    var copy = self
    (copy.shape, copy.axes) = (newShape, newAxes)
    return copy
  }
}

/// A value of the graph while it is imported.
enum ImportedValue {
  case constant(Constant)
  case signal(Signal)
  /// Probabilities or labels, which only the end of a network has: softmax or arg max over channels of a signal.
  case classes(Signal)
}
