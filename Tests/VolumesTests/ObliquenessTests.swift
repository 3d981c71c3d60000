import Foundation
import Testing
import Volumes

private func grid(_ i: WorldPoint, _ j: WorldPoint, _ k: WorldPoint) -> VolumeGrid {
  VolumeGrid(
    size: GridSize(4, 4, 4), affine: Affine(stepI: i, stepJ: j, stepK: k, origin: WorldPoint(0, 0, 0)))
}

@Test("a grid knows how oblique and how sheared it is, whatever its spacing and the order of its axes")
func obliquenessIsMeasured() {
  let straight = grid(WorldPoint(0, -2, 0), WorldPoint(0.7, 0, 0), WorldPoint(0, 0, 5))
  #expect(straight.obliqueDegrees == 0)
  #expect(straight.shearDegrees == 0)
  let (c, s) = (cos(Double.pi / 9), sin(Double.pi / 9))
  let turned = grid(WorldPoint(2 * c, 2 * s, 0), WorldPoint(-3 * s, 3 * c, 0), WorldPoint(0, 0, 1))
  #expect(abs(turned.obliqueDegrees - 20) < 1e-9)
  #expect(turned.shearDegrees < 1e-9)
  let sheared = grid(WorldPoint(1, 0, 0), WorldPoint(2 * s, 2 * c, 0), WorldPoint(0, 0, 1))
  #expect(abs(sheared.obliqueDegrees - 20) < 1e-9)
  #expect(abs(sheared.shearDegrees - 20) < 1e-9)
}
