import Pictures
import Testing
import Volumes
import Work

/// Images and masks of a few voxels, one pixel for each.
@Suite struct SliceTests {
  /// Intensities 0, 10, 20 and so on in memory order, on a grid whose axes run to the right, the front and the head.
  private func image(_ size: GridSize, spacing: Spacing = Spacing(1)) -> ScalarVolume {
    ScalarVolume(
      grid: VolumeGrid(size: size, affine: Affine(spacing: spacing)),
      voxels: (0..<size.voxelCount).map { Float($0 * 10) })
  }

  private func mask(_ image: ScalarVolume, _ voxels: [UInt16]) -> LabelVolume {
    LabelVolume(grid: image.grid, voxels: voxels)
  }

  private func greys(_ picture: Picture) -> [[UInt8]] {
    (0..<picture.height).map { y in (0..<picture.width).map { picture[$0, y].red } }
  }

  private let window = IntensityWindow(lower: 0, upper: 255)

  @Test("the patient's right is on the left, the front or the head is up, and every voxel is a pixel")
  func orientation() {
    let painter = SlicePainter(image(GridSize(2, 2, 3)), window: window, overlay: .nothing)
    func shown(_ plane: AnatomicalPlane) -> [[UInt8]] {
      greys(painter.picture(plane, through: VoxelIndex(1, 0, 2), millimetresPerPixel: 1))
    }
    // Axial slice k = 2 holds 80 90 / 100 110, i to the right and j to the front.
    #expect(shown(.axial) == [[110, 100], [90, 80]])
    #expect(shown(.coronal) == [[90, 80], [50, 40], [10, 0]])
    // Sagittal slices face left: the front is on the left.
    #expect(shown(.sagittal) == [[110, 90], [70, 50], [30, 10]])
  }

  @Test("pixels are square in millimetres, and planes beside each other have one scale")
  func scale() {
    let painter = SlicePainter(
      image(GridSize(10, 20, 4), spacing: Spacing(2, 1, 5)), window: window, overlay: .nothing)
    let picture = painter.picture(.axial, through: VoxelIndex(0, 0, 0), millimetresPerPixel: 0.5)
    #expect([picture.width, picture.height] == [40, 40])
    // Each plane is 20 mm wide: 3 · 40 pixels and two gaps of 4.
    let three = painter.threePlanes(through: VoxelIndex(0, 0, 0), width: 128)
    #expect([three.width, three.height] == [128, 40])
    // Height is limited like width.
    let one = painter.onePlane(.coronal, through: VoxelIndex(0, 0, 0), width: 60)
    #expect([one.width, one.height] == [60, 60])
  }

  @Test("a part of the image is shown alone, enlarged and interpolated")
  func part() {
    let painter = SlicePainter(
      image(GridSize(4, 4, 1)), window: window, overlay: .nothing,
      box: VoxelBounds(lower: VoxelIndex(1, 2, 0), upper: VoxelIndex(2, 3, 0)))
    let picture = painter.picture(.axial, through: VoxelIndex(1, 2, 0), millimetresPerPixel: 0.5)
    // Pixels lie a quarter of a voxel beside its centre; beyond the outermost centres intensities do not change.
    #expect(
      greys(picture) == [
        [142, 138, 132, 128], [132, 128, 122, 118], [112, 108, 102, 98], [92, 88, 82, 78],
      ])
  }

  @Test("labels are outlined or filled in their colours, and of two in a pixel the smaller is on top")
  func labels() throws {
    let image = ScalarVolume(
      grid: VolumeGrid(size: GridSize(5, 5, 1), affine: Affine(spacing: Spacing(1))),
      voxels: [Float](repeating: 0, count: 25))
    var voxels = [UInt16](repeating: 1, count: 25)
    voxels[12] = 2
    let table = LabelTable([
      Label(value: 1, name: "liver", colour: RGBColour(200, 0, 0)),
      Label(value: 2, name: "lesion", colour: RGBColour(0, 0, 200)),
    ])
    let drawn = try DrawnMask(mask(image, voxels), name: "m", names: table, work: WorkContext())
    #expect(drawn.labelsBySize.map(\.name) == ["liver", "lesion"])
    // The middle of the liver is its lesion; of the voxels beside that the first in memory.
    #expect(drawn.centre == VoxelIndex(2, 1, 0))
    func shown(_ overlay: MaskOverlay) -> [String] {
      let picture = SlicePainter(image, window: window, overlay: overlay)
        .picture(.axial, through: VoxelIndex(0, 0, 0), millimetresPerPixel: 1)
      return drawing(
        picture,
        [
          black: ".", RGBColour(200, 0, 0): "L", RGBColour(0, 0, 200): "T", RGBColour(80, 0, 0): "l",
          RGBColour(0, 0, 80): "t",
        ])
    }
    // At the edge of the picture, a label has no border.
    #expect(shown(drawn.overlay(.outline)) == [".....", "..L..", ".LTL.", "..L..", "....."])
    #expect(shown(drawn.overlay(.fill)) == ["lllll", "lllll", "lltll", "lllll", "lllll"])
    let lesion = try DrawnMask(mask(image, voxels), name: "m", names: table, only: [2], work: WorkContext())
    #expect(shown(lesion.overlay(.fill)) == [".....", ".....", "..t..", ".....", "....."])
    #expect(lesion.bounds == VoxelBounds(lower: VoxelIndex(2, 2, 0), upper: VoxelIndex(2, 2, 0)))
  }

  @Test(
    "a difference shows what only one mask has, what they call otherwise, and the outline of what both have")
  func difference() throws {
    let image = ScalarVolume(
      grid: VolumeGrid(size: GridSize(7, 3, 1), affine: Affine(spacing: Spacing(1))),
      voxels: [Float](repeating: 0, count: 21))
    func drawn(_ rows: [String], _ name: String) throws -> DrawnMask {
      // Rows from the front, columns from the right: memory runs the other way.
      let voxels = rows.reversed().flatMap { row in row.reversed().map { UInt16($0.wholeNumberValue ?? 0) } }
      return try DrawnMask(mask(image, voxels), name: name, names: nil, work: WorkContext())
    }
    let a = try drawn(["1111000", "1111020", "1111003"], "A")
    let b = try drawn(["0111100", "0111110", "0111100"], "B")
    let found = try DrawnMask.difference(
      a, b, structures: [([1], [1]), ([2], [2]), ([3], [])], work: WorkContext())
    let picture = SlicePainter(image, window: window, overlay: found.overlay)
      .picture(.axial, through: VoxelIndex(0, 0, 0), millimetresPerPixel: 1)
    func mixed(_ colour: RGBColour) -> RGBColour {
      func part(_ value: UInt8) -> UInt8 { UInt8((0.6 * Double(value)).rounded()) }
      return RGBColour(part(colour.red), part(colour.green), part(colour.blue))
    }
    let characters: [RGBColour: Character] = [
      black: ".", white: "o", mixed(MaskAgreement.colour(MaskAgreement.onlyA)): "a",
      mixed(MaskAgreement.colour(MaskAgreement.onlyB)): "b",
      mixed(MaskAgreement.colour(MaskAgreement.conflict)): "x",
    ]
    // Only A has label 3.
    #expect(drawing(picture, characters) == ["ao.ob..", "ao.obx.", "ao.ob.a"])
    // The largest components have three voxels; the first in memory is B's.
    #expect(found.centre == VoxelIndex(2, 1, 0))
    let same = try DrawnMask.difference(a, a, structures: [([1], [1])], work: WorkContext())
    #expect(same.centre == nil)
  }

  @Test("where masks have no label in common, all labels are one structure")
  func noCommonLabel() throws {
    let image = image(GridSize(3, 1, 1))
    let a = try DrawnMask(mask(image, [1, 1, 0]), name: "A", names: nil, work: WorkContext())
    let b = try DrawnMask(mask(image, [0, 7, 7]), name: "B", names: nil, work: WorkContext())
    let found = try DrawnMask.difference(a, b, structures: [([1], []), ([], [7])], work: WorkContext())
    #expect(found.centre == VoxelIndex(0, 0, 0))
  }

  @Test("slices of a plane are numbered tiles in a grid, and drawing them can be stopped")
  func montage() throws {
    let painter = SlicePainter(image(GridSize(40, 40, 6)), window: window, overlay: .nothing)
    let sheet = try painter.montage(.axial, slices: [0, 2, 5], width: 84, columns: 2, work: WorkContext())
    #expect([sheet.width, sheet.height] == [84, 84])
    var second = painter.picture(.axial, through: VoxelIndex(0, 0, 2), millimetresPerPixel: 1)
    #expect(sheet[44 + 20, 20] == second[20, 20])
    second.write("2", x: 2, y: 0, colour: white)
    let changed = (0..<13).flatMap { y in (2..<8).map { (x: $0, y: y) } }.filter {
      sheet[44 + $0.x, $0.y] == white
    }
    #expect(changed.count >= 8)
    let stopped = WorkContext(cancellation: Cancellation(atPoll: 2))
    #expect(throws: Cancelled.self) {
      try painter.montage(.axial, slices: [0, 2, 5], width: 84, work: stopped)
    }
  }

  @Test("slices that would make too high a picture are refused before any is drawn")
  func tooHigh() {
    let painter = SlicePainter(image(GridSize(4, 4, 2)), window: window, overlay: .nothing)
    #expect(
      throws: InputError(
        "--columns", "the picture of 400 slices would be too high", found: "41600 pixels",
        expected: "more columns, or fewer slices")
    ) {
      try painter.montage(
        .axial, slices: Array(repeating: 0, count: 400), width: 100, columns: 1, work: WorkContext())
    }
  }
}
