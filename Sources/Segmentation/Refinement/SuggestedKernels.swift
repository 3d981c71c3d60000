import Foundation
import Volumes

extension RefinementSettings {
  /// A start for an image of this contrast and spacing; weights and iterations are the program's defaults.
  ///
  /// θβ is one and a half standard deviations of the noise, so that noise alone makes no voxel look different, but at
  /// most half a typical step at borders, so that the two sides of one do. θα is 4 mm and θγ 2 mm, along an axis of
  /// thicker voxels one voxel.
  package init(suggestedBy contrast: ImageContrast, spacing: Spacing) {
    self.init()
    var width = 1.5 * contrast.noise
    if let edge = contrast.edge, edge > 0 { width = min(width, edge / 2) }
    // Two digits say all that such an estimate knows.
    let unit = pow(10, floor(log10(max(width, 1e-4))) - 1)
    thetaBeta = max(1e-4, (width / unit).rounded() * unit)
    for axis in 0..<3 {
      thetaAlphaMillimetres[axis] = max(4, spacing[axis])
      thetaGammaMillimetres[axis] = max(2, spacing[axis])
    }
  }
}
