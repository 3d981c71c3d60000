import Networks
import Tensors

/// Turns the logits of overlapping regions into those of classes, of which each voxel has one.
///
/// Labels are painted in their order where the probability of their region is above ½, so that later ones cover earlier
/// ones. A label is seen where its own logit x is above 0 and those of all later ones are below. Its class logit is half the
/// margin by which this holds, ½ min(x, -(greatest later logit)), and that of background ½ min(-x) over all regions. So
/// the most probable class is the painted label, and the probability of a single region is its sigmoid.
///
/// - Parameters:
///   - logits: Those of region r at r · `stride`, from r = 1 on; class logits are written in their place, those of background
///     at 0.
///   - regionCount: 1 or more.
/// - Complexity: O(regions · count).
func paintRegions(
  at logits: UnsafeMutablePointer<Float>, regionCount: Int, stride: Int, count: Int
) {
  // The memory of background has the greatest logit of later regions.
  logits.update(repeating: -.infinity, count: count)
  for region in (1...regionCount).reversed() {
    let own = logits + region * stride
    for voxel in 0..<count {
      let (logit, later) = (own[voxel], logits[voxel])
      own[voxel] = 0.5 * min(logit, -later)
      logits[voxel] = max(logit, later)
    }
  }
  for voxel in 0..<count { logits[voxel] *= -0.5 }
}

extension Tensor {
  /// The class logits [1, classes, D, H, W] of a head's logits [1, channels, D, H, W]: themselves, or those of painted regions.
  func classLogits(of activation: HeadActivation) -> Tensor {
    guard activation == .sigmoid else { return self }
    let (extent, channels) = (extent, channels)
    let count = extent.product
    precondition(batch == 1, "\(batch) images")
    return Tensor(uninitializedShape: [1, channels + 1, extent.d, extent.h, extent.w]) { classes in
      elements.withUnsafeBufferPointer { regions in
        for index in regions.indices { classes[count + index] = regions[index] }
      }
      paintRegions(at: classes.baseAddress!, regionCount: channels, stride: count, count: count)
    }
  }
}
