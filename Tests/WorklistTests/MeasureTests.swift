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
          dice: 2 * 49 / Double(123 + 50), otherMillilitres: 0.1),
        .init(
          value: 2, name: "label 2", millilitres: 0.004, componentCount: 2, secondComponentMillilitres: 0.002,
          missingSliceCount: 3, missingSlices: [.axial: 3], touchedSides: [.left, .superior], dice: 0,
          otherMillilitres: 0),
        .init(value: 3, name: "label 3", millilitres: 0.002, dice: 0, otherMillilitres: 0),
        .init(value: 4, name: "label 4", millilitres: 0, componentCount: 0, dice: 0, otherMillilitres: 0.2),
      ])
    #expect(found.lowestDice == 0)
    let alone = try CaseMeasures(of: one, work: WorkContext())
    #expect(alone.lowestDice == nil)
    #expect(try CaseMeasures(of: mask { _, _, _ in 0 }, work: WorkContext()).labels == [])
    let speck = try CaseMeasures(
      of: mask { i, j, k in
        (i, j, k) == (0, 0, 0) || (5...8).contains(i) && (5...8).contains(j) && k > 4 ? 1 : 0
      },
      work: WorkContext())
    #expect(
      speck.labels == [
        .init(
          value: 1, name: "label 1", millilitres: 0.162, componentCount: 2, secondComponentMillilitres: 0.002,
          touchedSides: [.right, .anterior, .superior, .inferior])
      ])
    try expectStops(atEachOf: 10) { _ = try CaseMeasures(of: one, comparedWith: other, work: $0) }
  }

  @Test(
    "labels are compared by name where both masks name them, else by value, and contradicting overlaps are reported"
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
        .init(value: $0.value, name: $0.name, millilitres: 1, dice: $0.dice, contradiction: $0.contradiction)
      }
    }
    var (second, third) = (liver, spleen)
    (second.value, third.value) = (7, 1)
    #expect(
      try compared(numbered(7, 1), LabelTable([second, third])) == [
        .init(value: 1, name: "liver", millilitres: 1, dice: 1),
        .init(value: 2, name: "spleen", millilitres: 1, dice: 1),
      ])
    let unnamed = try compared(numbered(2, 1), nil)
    #expect(
      unnamed == [
        .init(
          value: 1, name: "liver", millilitres: 1, dice: 0, contradiction: .init(name: "label 2", dice: 1)),
        .init(
          value: 2, name: "spleen", millilitres: 1, dice: 0, contradiction: .init(name: "label 1", dice: 1)),
      ])
    let pairing = MaskPairing(
      first: .init(mask: "a", labels: [1: "liver", 2: "spleen"]),
      second: .init(mask: "b", labels: [1: "label 1", 2: "label 2"]), partners: [1: 2, 2: 1])
    func paired(_ pairing: MaskPairing, isInherited: Bool = false) throws -> [CaseMeasures.LabelMeasures] {
      try CaseMeasures(
        of: numbered(1, 2), names: LabelTable([liver, spleen]), comparedWith: numbered(2, 1), otherNames: nil,
        pairings: isInherited ? CasePairings(inherited: [pairing]) : CasePairings(own: [pairing]),
        work: WorkContext()
      ).labels.map {
        .init(value: $0.value, name: $0.name, millilitres: 1, dice: $0.dice, contradiction: $0.contradiction)
      }
    }
    #expect(
      try paired(pairing) == [
        .init(value: 1, name: "liver", millilitres: 1, dice: 1),
        .init(value: 2, name: "spleen", millilitres: 1, dice: 1),
      ])
    var partial = pairing
    partial.partners = [1: 2]
    #expect(
      try paired(partial) == [
        .init(value: 1, name: "label 1", millilitres: 1, dice: 0),
        .init(value: 1, name: "liver", millilitres: 1, dice: 1),
        .init(value: 2, name: "spleen", millilitres: 1, dice: 0),
      ])
    // In another case it does not count where labels that it leaves out overlap: there they were only missed.
    #expect(try paired(partial, isInherited: true) == unnamed)
    // A pairing of other labels says nothing about these.
    var other = pairing
    other.first.labels[2] = "kidney"
    #expect(try paired(other).map(\.dice) == [0, 0])
    #expect(try paired(pairing, isInherited: true) == paired(pairing))
    // Pairs of another case that overlaps contradict do not count; those of this case do, and are flagged unless a reader
    // kept them.
    var wrong = pairing
    wrong.partners = [1: 1, 2: 2]
    let contradictions: [CaseMeasures.Contradiction?] = [
      .init(name: "label 2", dice: 1), .init(name: "label 1", dice: 1),
    ]
    #expect(try paired(wrong, isInherited: true) == unnamed)
    #expect(try paired(wrong).map(\.contradiction) == contradictions)
    wrong.isConfirmed = false
    #expect(try paired(wrong).map(\.contradiction) == [nil, nil])
    #expect(try paired(wrong).map(\.dice) == [0, 0])
    var renamed = second
    renamed.name = "Leber"
    #expect(
      try compared(numbered(7, 1), LabelTable([renamed, third])) == [
        .init(value: 1, name: "liver", millilitres: 1, dice: 0, contradiction: .init(name: "Leber", dice: 1)),
        .init(value: 2, name: "spleen", millilitres: 1, dice: 1),
        .init(value: 7, name: "Leber", millilitres: 1, componentCount: 1, dice: 0),
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

  @Test("an unusual volume is reported with the cohort's median and the distance")
  func volumes() {
    #expect(
      texts(cohort([1480, 1390, 1560, 1480, 2310, 1420]))
        == [[], [], [], [], ["liver 2,310 mL, cohort median 1,480 mL, 8.0 robust deviations above"], []])
    #expect(
      texts(cohort([20, 20, 20, 20, 1.5]))
        == [[], [], [], [], ["liver 1.50 mL, cohort median 20.0 mL, 18.5 robust deviations below"]])
    // Two of ten of a narrow cohort differ by less than a quarter of the median.
    #expect(texts(cohort([14, 14.1, 13.9, 14, 14.2, 13.8, 14, 14.1, 16.8, 11.5])).flatMap(\.self) == [])
    // Where more than half are equal, some percent are not flagged; and four cases are too few to compare.
    #expect(texts(cohort([20, 20, 20, 20, 22])).flatMap(\.self) == [])
    #expect(texts(cohort([20, 20, 20, 2000])).flatMap(\.self) == [])
    #expect(texts([]) == [] && texts([nil]) == [[]])
  }

  @Test("components, holes, missing slices, Dice and borders are reported where they are unusual")
  func otherFlags() {
    let volumes = [Double](repeating: 20, count: 6)
    #expect(
      texts(
        cohort(volumes) { index, label in
          if index == 1 { (label.componentCount, label.holeCount, label.missingSlices) = (4, 3, [.axial: 2]) }
          if index == 2 { (label.componentCount, label.secondComponentMillilitres) = (2, 0.1) }
          if index == 3 { (label.dice, label.touchedSides) = (0.42, [.superior]) }
        })
        == [
          [],
          [
            "liver: 4 components, usually 1", "liver: 3 holes, usually 0",
            "liver: 2 axial slices missing inside, usually 0",
          ], [],
          [
            "liver: Dice 0.42, cohort median 0.93, 25.5 robust deviations below",
            "liver touches the image's upper border",
          ], [], [],
        ])
    #expect(
      texts(
        cohort(volumes) { index, label in
          if index == 0 { label.missingSlices = [.axial: 1, .sagittal: 2] }
          if index == 5 { (label.componentCount, label.secondComponentMillilitres) = (2, 5.25) }
        })
        == [
          ["liver: 1 axial slice missing inside, usually 0; 2 sagittal slices missing inside, usually 0"], [],
          [], [], [], ["liver: 2 components, usually 1, the second of 5.25 mL"],
        ])
    // What a third of the cases have is not unusual.
    #expect(
      texts(
        cohort(volumes) { index, label in
          guard index < 2 else { return }
          (label.componentCount, label.secondComponentMillilitres, label.missingSlices) = (
            2, 5, [.coronal: 1]
          )
        }
      ).flatMap(\.self) == [])
  }

  @Test("a label at the border is reported unless the image ends there for half of the cases or most labels")
  func borders() {
    let volumes = [Double](repeating: 20, count: 6)
    #expect(texts(cohort(volumes) { $1.touchedSides = [.inferior] }).flatMap(\.self) == [])
    #expect(
      texts(cohort(volumes) { if $0 < 3 { $1.touchedSides = [.inferior] } }).flatMap(\.self) == [])
    #expect(
      texts(cohort(volumes) { if $0 < 2 { $1.touchedSides = [.left] } }).flatMap(\.self)
        == [String](repeating: "liver touches the image's left border", count: 2))
    // A stack of slices ends within the heart: the one label that rarely reaches its end is not flagged either.
    let stack = (0..<6).map { index in
      CaseMeasures(
        labels: [
          .init(value: 1, name: "RV", millilitres: 90, touchedSides: index == 2 ? [.inferior, .left] : []),
          .init(value: 2, name: "myocardium", millilitres: 100, touchedSides: [.inferior]),
          .init(value: 3, name: "LV", millilitres: 80, touchedSides: index < 4 ? [.inferior] : []),
        ] + (index < 2 ? [.init(value: 4, name: "scar", millilitres: 1, touchedSides: [.inferior])] : []))
    }
    #expect(texts(stack) == [[], [], ["RV touches the image's left border"], [], [], []])
    #expect(
      texts(cohort([20]) { $1.touchedSides = [.inferior] }) == [["liver touches the image's lower border"]])
  }

  @Test("a label that nearly all cases have is reported where it is missing")
  func missingLabel() {
    var cases = cohort([Double](repeating: 20, count: 5))
    cases.append(CaseMeasures(labels: []))
    cases.append(nil)
    #expect(texts(cases) == [[], [], [], [], [], ["no liver, which 5 of 6 cases have"], []])
  }

  @Test("a label that nearly no other case has is reported where it is, from five measured cases on")
  func extraLabel() {
    func texts(of count: Int, with extra: Int) -> [String] {
      var cases = cohort([Double](repeating: 20, count: count))
      for index in 0..<extra {
        cases[index]?.labels.append(.init(value: 9, name: "label 9", millilitres: 0.01))
      }
      return self.texts(cases + [nil]).flatMap(\.self)
    }
    #expect(texts(of: 4, with: 1) == [])
    #expect(texts(of: 5, with: 1) == ["label 9, which 1 of 5 cases has"])
    #expect(texts(of: 5, with: 2) == [])
    #expect(texts(of: 24, with: 2) == [String](repeating: "label 9, which 2 of 24 cases have", count: 2))
    #expect(texts(of: 24, with: 3) == [])
  }

  @Test("a label that only A or only B has is reported, unless that is so in nearly every case of a cohort")
  func oneSidedLabel() {
    func measured(_ ofA: Double, _ ofB: Double) -> CaseMeasures {
      CaseMeasures(labels: [
        .init(value: 1, name: "liver", millilitres: 20, dice: 0.9, otherMillilitres: 20),
        .init(value: 2, name: "label 2", millilitres: ofA, dice: 0, otherMillilitres: ofB),
      ])
    }
    #expect(texts([measured(0, 10.3)]) == [["label 2 is only in B, 10.3 mL"]])
    #expect(texts([measured(0, 0.0007)]) == [["label 2 is only in B, 0.0007 mL"]])
    #expect(texts([measured(1234, 0), nil]) == [["label 2 is only in A, 1,234 mL"], []])
    #expect(texts([measured(3, 4)]) == [[]])
    let usual = [CaseMeasures](repeating: measured(0, 10), count: 5)
    #expect(texts(usual) == [[], [], [], [], []])
    #expect(
      texts(usual.dropLast(2) + [measured(9, 10), measured(9, 10)]).prefix(3)
        == [[String]](repeating: ["label 2 is only in B, 10.0 mL"], count: 3)[...])
  }

  @Test("a mask without any label beside one with several is reported once")
  func emptyMask() {
    func measured(_ volumes: [(Double, Double)]) -> CaseMeasures {
      CaseMeasures(
        labels: volumes.enumerated().map { index, volume in
          .init(
            value: index + 1, name: "label \(index + 1)", millilitres: volume.0, dice: 0,
            otherMillilitres: volume.1)
        })
    }
    #expect(texts([measured([(1, 0), (1234, 0)])]) == [["B is empty; A has 2 labels, 1,235 mL"]])
    #expect(texts([measured([(0, 1), (0, 2), (0, 3)])]) == [["A is empty; B has 3 labels, 6.00 mL"]])
    #expect(texts([measured([(1, 0)])]) == [["label 1 is only in A, 1.00 mL"]])
    #expect(texts([measured([(1, 0), (0, 2)])]).joined().count == 2)
  }

  @Test("a mask that does not fit is reported, also of a case without labels")
  func misfits() {
    let text = "net does not fit the image's grid: other dimensions: found 4x4x4, expected 5x5x5"
    #expect(texts([CaseMeasures(labels: [], misfits: [text]), nil]) == [[text], []])
  }

  @Test("a first mask that cannot be read is reported, and its case lacks no label")
  func unreadMask() {
    let unread = CaseMeasures(unreadMask: "net is not measured: the gzip data are cut off")
    let cases = cohort([Double](repeating: 20, count: 5)) + [unread, CaseMeasures(labels: [])]
    #expect(
      texts(cases).suffix(2) == [
        ["net is not measured: the gzip data are cut off"], ["no liver, which 5 of 6 cases have"],
      ])
  }

  @Test("cached measures apply to unchanged files, and a damaged entry is ignored")
  func cache() throws {
    let folder = try SampleFolder("a.nii", "b.nii")
    let cache = MeasureCache(folder: folder("cache/measures"))
    let measures = CaseMeasures(
      labels: [
        .init(
          value: 1, name: "liver", millilitres: 0.1, missingSlices: [.sagittal: 2], touchedSides: [.left],
          dice: 0.5)
      ], misfits: ["net does not fit"])
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
