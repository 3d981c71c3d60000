import Tensors

/// What a tiler must know of a network whose scores lie on the grid of its image.
package struct SpatialReach: Hashable, Sendable {
  /// A tile starts at multiples of this, and image extents are multiples of it, so that every strided layer
  /// takes its steps where it would in the whole volume.
  package let totalStride: Extent3
  /// Extents of the smallest box of image voxels that holds all that one score depends on.
  package let receptiveField: Extent3
  /// Voxels that a tile carries on each side beyond the scores it keeps, so that they equal those of the whole
  /// volume; a multiple of ``totalStride``.
  package let context: Extent3

  /// `extent` rounded up to what the network takes without losing voxels.
  package func rounded(_ extent: Extent3) -> Extent3 {
    Extent3 { axis in
      let stride = axis(totalStride)
      return max(1, (axis(extent) + stride - 1) / stride) * stride
    }
  }
}

extension ResolvedGraph {
  /// The reach of the given heads (indices) together, by default of all.
  ///
  /// Found by following each phase of the total stride back through the layers. Nil when a head's scores are not
  /// on the image's grid (another scale, or another extent although the image's is a multiple of the total
  /// stride): such a network runs whole, and cannot be tiled.
  package func reach(ofHeads heads: [Int]? = nil) -> SpatialReach? {
    let heads = heads ?? Array(headNodes.indices)
    guard let totalStride = totalStride(ofHeads: heads) else { return nil }
    var receptiveField = Extent3(1)
    var radius = Extent3(0)
    for head in heads {
      let reaches = Axis.allCases.map { axis in
        (0..<axis(totalStride)).map { phase in
          let range = imageRange(of: phase...phase, node: headNodes[head], axis)
          return (width: range.count, radius: max(phase - range.lowerBound, range.upperBound - phase))
        }
      }
      func largest(_ value: ((width: Int, radius: Int)) -> Int) -> Extent3 {
        let values = reaches.map { $0.map(value).max() ?? 0 }
        return Extent3(values[0], values[1], values[2])
      }
      receptiveField = Extent3 { max($0(receptiveField), $0(largest(\.width))) }
      radius = Extent3 { max($0(radius), $0(largest(\.radius))) }
    }
    let context = Extent3 { axis in
      let stride = axis(totalStride)
      return (max(0, axis(radius)) + stride - 1) / stride * stride
    }
    let reach = SpatialReach(totalStride: totalStride, receptiveField: receptiveField, context: context)
    return keepsExtents(heads, reach) ? reach : nil
  }

  /// Least common multiple of the numerators of every needed layer's scale; nil when a head's scale is not 1.
  private func totalStride(ofHeads heads: [Int]) -> Extent3? {
    let isNeeded = nodesNeeded(byHeads: heads)
    var strides: [Int] = []
    for axis in Axis.allCases {
      var scales: [Scale] = []
      var stride = 1
      for (index, node) in nodes.enumerated() {
        let entering = node.source.map { scales[$0] } ?? Scale()
        guard let scale = node.layer.operation.scale(entering, along: axis) else { return nil }
        scales.append(scale)
        guard isNeeded[index] else { continue }
        stride = stride / greatestCommonDivisor(stride, scale.numerator) * scale.numerator
        guard stride <= Scale.limit else { return nil }
      }
      guard heads.allSatisfy({ scales[headNodes[$0]] == Scale() }) else { return nil }
      strides.append(stride)
    }
    return Extent3(strides[0], strides[1], strides[2])
  }

  /// The image indices along `axis` that enter into `range` of a node's output.
  private func imageRange(of range: ClosedRange<Int>, node: Int, _ axis: Axis) -> ClosedRange<Int> {
    var range = range
    var current: Int? = node
    while let index = current {
      range = nodes[index].layer.operation.inputs(of: range, along: axis)
      current = nodes[index].source
    }
    return range
  }

  private func keepsExtents(_ heads: [Int], _ reach: SpatialReach) -> Bool {
    [1, 2].allSatisfy { times in
      let extent = Extent3 { axis in
        let stride = axis(reach.totalStride)
        return (axis(reach.receptiveField) / stride + times) * stride
      }
      guard let extents = try? outputExtents(input: extent, subject: "network") else { return false }
      return heads.allSatisfy { extents[headNodes[$0]] == extent }
    }
  }
}
