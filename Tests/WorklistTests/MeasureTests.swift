import Foundation
import TestSupport
import Testing
import Volumes
import Work
import Worklist

@Suite struct MeasureTests {
  /// A mask of 10x10x10 voxels of 1x1x2 mm, i to the left, j to the back, k to the head.
  private func mask(_ label: (Int, Int, Int) -> UInt16) -> LabelVolume {
    let grid = VolumeGrid(
      size: GridSize(10, 10, 10),
      affine: Affine(
        stepI: WorldPoint(-1, 0, 0), stepJ: WorldPoint(0, -1, 0), stepK: WorldPoint(0, 0, 2),
        origin: WorldPoint(0, 0, 0)))
    var voxels: [UInt16] = []
    for k in 0..<10 { for j in 0..<10 { for i in 0..<10 { voxels.append(label(i, j, k)) } } }
    return LabelVolume(grid: grid, voxels: voxels)
  }

  @Test("labels are measured: volume, components, holes, missing slices, sides, and Dice with the other mask")
  func measures() throws {
    let one = mask { i, j, k in
      // A box with a hole, and with another label inside that is none.
      if (2...6).contains(i), (2...6).contains(j), (2...6).contains(k) {
        if (i, j, k) == (4, 4, 4) { return 0 }
        return (i, j, k) == (3, 3, 3) ? 3 : 1
      }
      // Two slices with three between them that lack the label, at the left and the upper side.
      if i == 9, j == 1, [5, 9].contains(k) { return 2 }
      return 0
    }
    let other = mask { i, j, k in
      (2...6).contains(i) && (2...6).contains(j) && (2...3).contains(k) ? 1 : k == 0 ? 4 : 0
    }
    let names = LabelTable([Label(value: 1, name: "liver", colour: RGBColour(0, 0, 0))])
    let found = try CaseMeasures(of: one, names: names, comparedWith: other, work: WorkContext())
    #expect(
      found.labels == [
        .init(
          value: 1, name: "liver", millilitres: 0.246, componentCount: 1, holeCount: 1,
          dice: 2 * 49 / Double(123 + 50)),
        .init(
          value: 2, name: "label 2", millilitres: 0.004, componentCount: 2, missingSliceCount: 3,
          touchedSides: [.left, .superior], dice: 0),
        .init(value: 3, name: "label 3", millilitres: 0.002, dice: 0),
        .init(value: 4, name: "label 4", millilitres: 0, componentCount: 0, dice: 0),
      ])
    #expect(found.lowestDice == 0)
    let alone = try CaseMeasures(of: one, work: WorkContext())
    #expect(alone.lowestDice == nil)
    #expect(try CaseMeasures(of: mask { _, _, _ in 0 }, work: WorkContext()).labels == [])
    try expectStops(atEachOf: 20) { _ = try CaseMeasures(of: one, comparedWith: other, work: $0) }
  }

  @Test(
    "labels are compared by name where both masks name them, else by value, and what contradicts that is said"
  )
  func comparesByName() throws {
    let liver = Label(value: 1, name: "liver", colour: RGBColour(0, 0, 0))
    let spleen = Label(value: 2, name: "spleen", colour: RGBColour(0, 0, 0))
    func numbered(_ liver: UInt16, _ spleen: UInt16) -> LabelVolume {
      mask { i, j, k in (2...5).contains(k) && (2...7).contains(j) ? i < 4 ? liver : i > 5 ? spleen : 0 : 0 }
    }
    func compared(_ other: LabelVolume, _ table: LabelTable?) throws -> [CaseMeasures.LabelMeasures] {
      let first = LabelTable([liver, spleen])
      return try CaseMeasures(
        of: numbered(1, 2), names: first, comparedWith: other, otherNames: table, work: WorkContext()
      ).labels.map {
        .init(value: $0.value, name: $0.name, millilitres: 0, dice: $0.dice, contradiction: $0.contradiction)
      }
    }
    var (second, third) = (liver, spleen)
    (second.value, third.value) = (7, 1)
    #expect(
      try compared(numbered(7, 1), LabelTable([second, third])) == [
        .init(value: 1, name: "liver", millilitres: 0, dice: 1),
        .init(value: 2, name: "spleen", millilitres: 0, dice: 1),
      ])
    let unnamed = try compared(numbered(2, 1), nil)
    #expect(
      unnamed == [
        .init(
          value: 1, name: "liver", millilitres: 0, dice: 0, contradiction: .init(name: "label 2", dice: 1)),
        .init(
          value: 2, name: "spleen", millilitres: 0, dice: 0, contradiction: .init(name: "label 1", dice: 1)),
      ])
    var renamed = second
    renamed.name = "Leber"
    #expect(
      try compared(numbered(7, 1), LabelTable([renamed, third])) == [
        .init(value: 1, name: "liver", millilitres: 0, dice: 0, contradiction: .init(name: "Leber", dice: 1)),
        .init(value: 2, name: "spleen", millilitres: 0, dice: 1),
        .init(value: 7, name: "Leber", millilitres: 0, componentCount: 1, dice: 0),
      ])
    #expect(
      CohortFlags.flags(of: [CaseMeasures(labels: unnamed)])[0].map(\.text).first
        == "liver lies where label 2 of the other mask lies (Dice 1.00), and is not compared with it")
  }

  private func cohort(
    _ volumes: [Double], _ change: (Int, inout CaseMeasures.LabelMeasures) -> Void = { _, _ in }
  )
    -> [CaseMeasures?]
  {
    volumes.enumerated().map { index, volume in
      var label = CaseMeasures.LabelMeasures(value: 6, name: "liver", millilitres: volume, dice: 0.93)
      change(index, &label)
      return CaseMeasures(labels: [label])
    }
  }

  private func texts(_ cases: [CaseMeasures?]) -> [[String]] {
    CohortFlags.flags(of: cases).map { $0.map(\.text) }
  }

  @Test("an unusual volume is said with the cohort's median and the distance")
  func volumes() {
    #expect(
      texts(cohort([1480, 1390, 1560, 1480, 2310, 1420]))
        == [[], [], [], [], ["liver 2,310 mL, cohort median 1,480 mL, 8.0 robust deviations above"], []])
    #expect(
      texts(cohort([20, 20, 20, 20, 1.5]))
        == [[], [], [], [], ["liver 1.50 mL, cohort median 20.0 mL, 18.5 robust deviations below"]])
    // Where more than half are equal, some percent are no finding; and four cases are no cohort.
    #expect(texts(cohort([20, 20, 20, 20, 22])).flatMap(\.self) == [])
    #expect(texts(cohort([20, 20, 20, 2000])).flatMap(\.self) == [])
    #expect(texts([]) == [] && texts([nil]) == [[]])
  }

  @Test("components, holes, missing slices, Dice and borders are said where the cohort has none")
  func otherFlags() {
    let volumes = [Double](repeating: 20, count: 6)
    #expect(
      texts(
        cohort(volumes) { index, label in
          if index == 1 { (label.componentCount, label.holeCount, label.missingSliceCount) = (4, 3, 2) }
          if index == 2 { label.componentCount = 2 }
          if index == 3 { (label.dice, label.touchedSides) = (0.42, [.superior]) }
        })
        == [
          [],
          [
            "liver: 4 components, usually 1", "liver: 3 holes, usually 0",
            "liver: 2 slices missing inside, usually 0",
          ], [],
          [
            "liver: Dice 0.42, cohort median 0.93, 25.5 robust deviations below",
            "liver touches the image's upper border",
          ], [], [],
        ])
    #expect(texts(cohort(volumes) { $1.touchedSides = [.inferior] }).flatMap(\.self) == [])
    #expect(
      texts(cohort([20]) { $1.touchedSides = [.inferior] }) == [["liver touches the image's lower border"]])
  }

  @Test("a label that nearly all cases have is missed where it is not")
  func missingLabel() {
    var cases = cohort([Double](repeating: 20, count: 5))
    cases.append(CaseMeasures(labels: []))
    cases.append(nil)
    #expect(texts(cases) == [[], [], [], [], [], ["no liver, which 5 of 6 cases have"], []])
  }

  @Test("measures are kept for files in one state, and a damaged entry counts as none")
  func cache() throws {
    let folder = try SampleFolder("a.nii", "b.nii")
    let cache = MeasureCache(folder: folder("cache/measures"))
    let measures = CaseMeasures(
      labels: [.init(value: 1, name: "liver", millilitres: 0.1, touchedSides: [.left], dice: 0.5)])
    let key = try #require(MeasureCache.Key(files: [folder("a.nii"), folder("b.nii")]))
    #expect(cache.measures(for: key) == nil)
    try cache.store(measures, for: key)
    #expect(cache.measures(for: key) == measures)
    #expect(MeasureCache.Key(files: [folder("a.nii"), folder("b.nii")]) == key)
    try folder.write("longer", to: "b.nii")
    let later = try #require(MeasureCache.Key(files: [folder("a.nii"), folder("b.nii")]))
    #expect(later != key && cache.measures(for: later) == nil)
    #expect(MeasureCache.Key(files: [folder("missing.nii")]) == nil)
    let names = try FileSystem.names(in: cache.folder)
    try folder.write("{", to: "cache/measures/" + names[0])
    #expect(cache.measures(for: key) == nil)
    try cache.store(measures, for: key)
    #expect(cache.measures(for: key) == measures)
  }

  @Test("the older half of too many entries is removed")
  func pruning() throws {
    let folder = try SampleFolder("a.nii")
    let cache = MeasureCache(folder: folder("cache"))
    let files = (0..<6).map { "mask\($0).nii" }
    for (number, file) in files.enumerated() {
      try folder.write("mask", to: file)
      let key = try #require(MeasureCache.Key(files: [folder(file)]))
      try cache.store(CaseMeasures(labels: []), for: key)
      let entries = try FileSystem.names(in: cache.folder).map { FilePath.joined(cache.folder, $0) }
      let newest = try #require(entries.max { modified($0) < modified($1) })
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1_000_000 + Double(number))], ofItemAtPath: newest)
    }
    func known() throws -> [Bool] {
      try files.map { cache.measures(for: try #require(MeasureCache.Key(files: [folder($0)]))) != nil }
    }
    cache.prune(maximumEntryCount: 7)
    #expect(try known() == [true, true, true, true, true, true])
    cache.prune(maximumEntryCount: 6)
    #expect(try known() == [false, false, false, true, true, true])
    MeasureCache(folder: folder("none")).prune()
  }

  private func modified(_ path: String) -> Int { FileSystem.status(path)?.st_mtim.tv_sec ?? 0 }
}
