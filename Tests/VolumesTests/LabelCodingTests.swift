import Testing
import Volumes

@Test("codes are the values themselves, but for 255 alone and for values beyond 16 bits")
func codings() throws {
  #expect(LabelCoding(of: [0, 1, 255, 65535]) == .identity)
  #expect(LabelCoding(of: []) == .identity)
  let only255 = try #require(LabelCoding(of: [0, 255]))
  #expect(only255.code(of: 255) == 1)
  #expect(only255.code(of: 1) == 1)
  #expect(only255.code(of: 2) == 2)
  #expect(only255.value(of: 1) == 255)
  #expect(only255.name(of: 1) == "label 1")
  let large = try #require(LabelCoding(of: [0, 3, 65535, 70_000, 614_454_277]))
  #expect(large.code(of: 614_454_277) == 65534)
  #expect(large.code(of: 70_000) == 65533)
  #expect(large.code(of: 65535) == 65535)
  #expect(large.code(of: 65534) == nil)
  #expect(large.code(of: -1) == nil)
  #expect(large.codes(of: [3, 99_999, 70_000, 3]) == [3, 65533])
  #expect(large.name(of: 65534) == "label 614454277")
  #expect(LabelCoding(of: Set(100_000..<165_535))?.code(of: 100_000) == 1)
  #expect(LabelCoding(of: Set(100_000..<165_536)) == nil)
}

@Test("a mask in another coding has the same values")
func recodedMasks() throws {
  let grid = VolumeGrid(size: GridSize(3, 1, 1), affine: Affine(spacing: Spacing(1)))
  let raw = LabelVolume(grid: grid, voxels: [0, 255, 255])
  let read = raw.recoded(to: try #require(LabelCoding(of: raw.values())))
  #expect(read.voxels == [0, 1, 1])
  #expect(read.values() == [0, 255])
  #expect(read.recoded(to: .identity) == raw)
  #expect(raw.cleared(where: LabelVolume(grid: grid, voxels: [0, 9, 8]), has: [9]).voxels == [0, 0, 255])
}
