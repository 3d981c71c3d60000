import Tensors

/// One of the three spatial axes of an activation [N, C, D, H, W].
package enum Axis: CaseIterable, Sendable {
  case d, h, w

  /// The extent along this axis.
  package func callAsFunction(_ extent: Extent3) -> Int {
    switch self {
    case .d: extent.d
    case .h: extent.h
    case .w: extent.w
    }
  }
}

extension Extent3 {
  /// The extents that `value` gives along each axis.
  package init(along value: (Axis) -> Int) { self.init(value(.d), value(.h), value(.w)) }
}
