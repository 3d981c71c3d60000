import Work

/// Extents or steps along depth, height and width: z, y, x of the network's grid.
package struct Extent3: Hashable, Sendable {
  /// Along z, y, x.
  package var d, h, w: Int

  package init(_ d: Int, _ h: Int, _ w: Int) {
    self.d = d
    self.h = h
    self.w = w
  }

  /// The same extent along every axis.
  package init(_ extent: Int) { self.init(extent, extent, extent) }

  /// Product of the three.
  package var product: Int { d * h * w }

  /// That along one axis, 0 for d, 1 for h, 2 for w.
  package subscript(axis: Int) -> Int { axis == 0 ? d : axis == 1 ? h : w }
}

/// A dense array of floats, last dimension fastest.
///
/// Activations are [N, C, D, H, W]; convolution weights [out, in, z, y, x]; transposed-convolution weights
/// [in, out, z, y, x]; biases and batch-norm parameters [C].
package struct Tensor: Equatable, Sendable {
  /// Extents, slowest first.
  package let shape: [Int]
  /// The values; `shape`'s product of them.
  package var elements: [Float]

  /// A tensor of the given values.
  package init(shape: [Int], elements: [Float]) {
    precondition(
      elements.count == shape.reduce(1, *), "\(elements.count) elements for a tensor of shape \(shape)")
    self.shape = shape
    self.elements = elements
  }

  /// A tensor filled with one value.
  package init(shape: [Int], repeating value: Float = 0) {
    self.init(shape: shape, elements: [Float](repeating: value, count: shape.reduce(1, *)))
  }

  /// A tensor whose memory `fill` must write completely.
  package init(uninitializedShape shape: [Int], fill: (UnsafeMutableBufferPointer<Float>) throws -> Void)
    rethrows
  {
    let count = shape.reduce(1, *)
    self.shape = shape
    self.elements = try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      try fill(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
      initialized = count
    }
  }

  /// Batch size of an activation [N, C, D, H, W].
  package var batch: Int { shape[0] }
  /// Channels of an activation [N, C, D, H, W].
  package var channels: Int { shape[1] }
  /// Spatial extents of an activation or of a kernel: the last three dimensions.
  package var extent: Extent3 {
    Extent3(shape[shape.count - 3], shape[shape.count - 2], shape[shape.count - 1])
  }
}

extension Tensor {
  /// Calls `body` with the values, which several threads may read.
  func withSharedElements<Result>(
    _ body: (SharedBuffer<Float>) throws(Cancelled) -> Result
  ) throws(Cancelled) -> Result {
    try elements.withUnsafeBufferPointer { buffer throws(Cancelled) in try body(SharedBuffer(buffer)) }
  }
}
