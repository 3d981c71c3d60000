import Tensors

/// Upper limits of the numbers in a graph, far above any real network, so that products of them do not overflow.
enum GraphLimit {
  static let layers = 4096
  static let channels = 65_536
  static let inputs = 256
  static let connections = 65_536
  static let extent = 64
  static let parameters = 1 << 30
  /// Of the numbers of activations, positive or negative.
  static let magnitude: Float = 1e6

  /// Describes the first value of `extent` outside `minimum` to ``extent``; nil where there is none.
  static func problem(_ extent: Extent3, _ name: String, from minimum: Int) -> String? {
    for value in [extent.d, extent.h, extent.w] where !(minimum...GraphLimit.extent).contains(value) {
      return "\(name): found \(value), expected \(minimum) to \(GraphLimit.extent)"
    }
    return nil
  }

  /// Describes the first number of `padding` outside 0 to ``extent``; nil where there is none.
  static func problem(_ padding: Padding) -> String? {
    problem(padding.before, "padding", from: 0) ?? problem(padding.after, "padding", from: 0)
  }

  /// Describes a number of an activation that is no number or beyond ``magnitude``; nil where it is inside.
  static func problem(_ number: Float, _ name: String) -> String? {
    abs(number) <= magnitude ? nil : "\(name): found \(number), expected -\(magnitude) to \(magnitude)"
  }

  /// Describes a number of output channels outside 1 to ``channels``; nil where it is inside.
  static func problem(outputChannels channels: Int) -> String? {
    (1...GraphLimit.channels).contains(channels)
      ? nil : "output channels: found \(channels), expected 1 to \(GraphLimit.channels)"
  }
}
