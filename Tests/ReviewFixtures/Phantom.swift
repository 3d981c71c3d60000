import Review
import Volumes

/// A grid whose voxel axes run along the given directions, its spacing following the anatomy.
package func grid(_ size: GridSize, _ orientation: Orientation = .ras, spacing: Double = 1) -> VolumeGrid {
  var affine = Affine(spacing: Spacing(1))
  for axis in 0..<3 {
    let direction = orientation[axis]
    var step = [0.0, 0.0, 0.0]
    step[direction.worldAxis] = direction.isPositive ? spacing : -spacing
    affine[axis] = WorldPoint(step[0], step[1], step[2])
  }
  return VolumeGrid(size: size, affine: affine)
}

/// A dark image of 24 x 20 x 16 voxels with a mask of two boxes: liver (6) and a smaller spleen (1).
package func phantomCase(_ grid: VolumeGrid = grid(GridSize(24, 20, 16)), withMask: Bool = true) -> ReviewCase
{
  let size = grid.size
  var intensities = [Float](repeating: -100, count: size.voxelCount)
  var labels = [UInt16](repeating: 0, count: size.voxelCount)
  for offset in 0..<size.voxelCount {
    let index = size.index(offset: offset)
    if (4..<14).contains(index.i), (5..<15).contains(index.j), (3..<12).contains(index.k) {
      intensities[offset] = 100
      labels[offset] = 6
    }
    if (17..<21).contains(index.i), (6..<10).contains(index.j), (5..<9).contains(index.k) {
      intensities[offset] = 120
      labels[offset] = 1
    }
  }
  let table = LabelTable([
    Label(value: 6, name: "liver", colour: RGBColour(230, 159, 0)),
    Label(value: 1, name: "spleen", colour: RGBColour(86, 180, 233)),
  ])
  let mask = LoadedMask(
    name: "manual.nii.gz", path: "/cases/manual.nii.gz",
    labels: ChunkedLabels(LabelVolume(grid: grid, voxels: labels)), table: table)
  return ReviewCase(
    name: "case-1", imagePath: "/cases/case-1.nii.gz", image: ScalarVolume(grid: grid, voxels: intensities),
    masks: withMask ? [mask] : [], exportPath: "/cases/case-1_seg.nii.gz")
}

extension ChunkedLabels {
  /// The labels that `label` gives each voxel, from its index in memory and its present label.
  package func relabelled(_ label: (Int, UInt16) -> UInt16) -> ChunkedLabels {
    let voxels = voxels.enumerated().map { label($0.offset, $0.element) }
    return ChunkedLabels(LabelVolume(grid: grid, voxels: voxels, coding: coding))
  }
}

/// Two readers' masks of nine organs; the second is shifted by a voxel along i.
package func twoReaders() -> ReviewCase {
  var content = phantomCase(grid(GridSize(40, 40, 40), spacing: 4))
  let size = content.image.grid.size
  let names = [
    "spleen", "right kidney", "left kidney", "gallbladder", "oesophagus", "liver", "stomach", "aorta",
    "inferior vena cava",
  ]
  let table = LabelTable(
    names.enumerated().map {
      Label(value: UInt16($0 + 1), name: $1, colour: RGBColour(UInt8($0 * 20), 100, 200))
    })
  func mask(_ reader: String, _ shift: Int) -> LoadedMask {
    let voxels = (0..<size.voxelCount).map { offset -> UInt16 in
      let index = size.index(offset: offset)
      let value = index.k * 9 / size.k + 1
      let extent = value == 6 ? 38 : value == 4 ? 2 : 12
      return (1..<1 + extent).contains(index.i - shift) && (1..<1 + extent).contains(index.j)
        ? UInt16(value) : 0
    }
    return LoadedMask(
      name: "seg.nii.gz", path: "/cases/\(reader)/seg.nii.gz",
      labels: ChunkedLabels(LabelVolume(grid: content.image.grid, voxels: voxels)), table: table)
  }
  content.masks = [mask("reader_one", 0), mask("reader_two", 1)]
  return content
}
