import Tensors

/// The receptive field of a network whose logits lie on the grid of its image, and what tiling the image needs beside
/// it.
package struct ReceptiveField: Hashable, Sendable {
  /// Total stride: tiles start at multiples of it and image extents are multiples of it, so that every strided layer
  /// samples the same positions as in the whole volume.
  package let totalStride: Extent3
  /// Extents of the receptive field: the smallest box of image voxels that one voxel's logits depend on; nil where they
  /// depend on the whole image, so that a tile has other logits than the same voxels of the whole volume.
  package let extent: Extent3?
  /// Halo: voxels that a tile needs on each side of the box whose logits it keeps, so that these equal those of the
  /// whole volume; a multiple of ``totalStride``.
  ///
  /// Nil where ``extent`` is.
  package let halo: Extent3?

  /// `extent` rounded up to multiples of ``totalStride``.
  package func rounded(_ extent: Extent3) -> Extent3 {
    Extent3 { axis in
      let stride = axis(totalStride)
      return max(1, (axis(extent) + stride - 1) / stride) * stride
    }
  }
}

extension ResolvedGraph {
  /// The receptive field of the given heads (indices) together, by default of all.
  ///
  /// It is the union over the phases of the total stride, each followed back through the layers. It is nil when a
  /// head's logits do not lie on the image's grid: another cumulative stride, or another extent although the image's is
  /// a multiple of the total stride. Such a network runs on whole images and cannot be tiled.
  /// - Complexity: O(heads · layers · total stride).
  package func receptiveField(ofHeads heads: [Int]? = nil) -> ReceptiveField? {
    let heads = heads ?? Array(headNodes.indices)
    guard let totalStride = totalStride(ofHeads: heads) else { return nil }
    var fieldExtent = Extent3(1)
    var radius = Extent3(0)
    for head in heads {
      let fields = Axis.allCases.map { axis in
        (0..<axis(totalStride)).map { phase in
          let range = imageRange(of: phase...phase, node: headNodes[head], axis)
          return (width: range.count, radius: max(phase - range.lowerBound, range.upperBound - phase))
        }
      }
      func largest(_ value: ((width: Int, radius: Int)) -> Int) -> Extent3 {
        let values = fields.map { $0.map(value).max() ?? 0 }
        return Extent3(values[0], values[1], values[2])
      }
      fieldExtent = Extent3 { max($0(fieldExtent), $0(largest(\.width))) }
      radius = Extent3 { max($0(radius), $0(largest(\.radius))) }
    }
    let halo = Extent3 { axis in
      let stride = axis(totalStride)
      return (max(0, axis(radius)) + stride - 1) / stride * stride
    }
    guard keepsExtents(heads, fieldExtent, totalStride) else { return nil }
    let isLocal = readsLocally(heads)
    return ReceptiveField(
      totalStride: totalStride, extent: isLocal ? fieldExtent : nil, halo: isLocal ? halo : nil)
  }

  /// Whether it is a 2D network: no layer reads neighbouring planes, so that a single plane gives the same logits
  /// whatever lies beside it, but for layers that read the whole image.
  package var isPlanar: Bool {
    totalStride(ofHeads: Array(headNodes.indices))?.d == 1
      && headNodes.allSatisfy { imageRange(of: 0...0, node: $0, .d) == 0...0 }
  }

  /// Whether no layer that the heads need reads the whole image.
  private func readsLocally(_ heads: [Int]) -> Bool {
    zip(nodes, nodesNeeded(byHeads: heads)).allSatisfy { node, isNeeded in
      !isNeeded || node.layer.operation.isLocal
    }
  }

  /// Least common multiple of the numerators of the needed layers' cumulative strides; nil when a head's is not 1.
  private func totalStride(ofHeads heads: [Int]) -> Extent3? {
    let isNeeded = nodesNeeded(byHeads: heads, countsExtents: true)
    var strides: [Int] = []
    for axis in Axis.allCases.indices {
      guard heads.allSatisfy({ nodes[headNodes[$0]].cumulativeStrides[axis] == CumulativeStride() }) else {
        return nil
      }
      var stride = 1
      for (node, isNeeded) in zip(nodes, isNeeded) where isNeeded {
        let numerator = node.cumulativeStrides[axis].numerator
        stride = stride / greatestCommonDivisor(stride, numerator) * numerator
        guard stride <= CumulativeStride.maximum else { return nil }
      }
      strides.append(stride)
    }
    return Extent3(strides[0], strides[1], strides[2])
  }

  /// The image indices along `axis` that `range` of a node's output depends on: the hull over all paths to the image.
  /// - Complexity: O(layers).
  private func imageRange(of range: ClosedRange<Int>, node: Int, _ axis: Axis) -> ClosedRange<Int> {
    // The hull of what the readers that were visited need of each node's output; readers come before their inputs.
    var needed = [ClosedRange<Int>?](repeating: nil, count: node + 1)
    needed[node] = range
    var ofImage: ClosedRange<Int>?
    for index in (0...node).reversed() {
      guard let outputs = needed[index] else { continue }
      let inputs = nodes[index].layer.operation.inputs(of: outputs, along: axis)
      for source in nodes[index].sources {
        if let source {
          needed[source] = hull(needed[source], inputs)
        } else {
          ofImage = hull(ofImage, inputs)
        }
      }
    }
    guard let ofImage else { preconditionFailure("node \(node) does not depend on the image") }
    return ofImage
  }

  /// The smallest range that contains both.
  private func hull(_ one: ClosedRange<Int>?, _ other: ClosedRange<Int>) -> ClosedRange<Int> {
    guard let one else { return other }
    return min(one.lowerBound, other.lowerBound)...max(one.upperBound, other.upperBound)
  }

  /// Whether each head has the image's extents, for images of the receptive field of the local layers and more.
  private func keepsExtents(_ heads: [Int], _ field: Extent3, _ totalStride: Extent3) -> Bool {
    [1, 2].allSatisfy { times in
      let extent = Extent3 { axis in
        let stride = axis(totalStride)
        return (axis(field) / stride + times) * stride
      }
      guard let extents = try? outputExtents(input: extent, subject: "network") else { return false }
      return heads.allSatisfy { extents[headNodes[$0]] == extent }
    }
  }
}
