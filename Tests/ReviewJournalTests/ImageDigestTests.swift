import Testing
import Volumes
import Work
import segdeck

@Test("the digest that names an image's journal is that of its values, in whatever type they are stored")
func digestOfStoredIntegers() throws {
  let grid = VolumeGrid(
    size: GridSize(4, 3, 2),
    affine: Affine(spacing: Spacing(1.5, 2, 2.5), origin: WorldPoint(-10, 20, 5.5)))
  let numbers = (0..<24).map { Int16($0 * 2731 + 7 - 32768) }
  let scaling = VoxelScaling(slope: Double(Float(0.1)), intercept: Double(Float(-1024.3)))
  let stored = ScalarVolume(grid: grid, voxels: IntensityVoxels(numbers, scaling: scaling))
  let floats = ScalarVolume(grid: grid, voxels: Array(stored.voxels))
  for image in [stored, floats] {
    // Journals of earlier releases have this name.
    #expect(
      try ContentDigest.sha256(of: image, WorkContext())
        == "fbd9b70b42db6c81444f06ea72f6d345fd73e3f53678606b9a100998239ea472")
  }
}
