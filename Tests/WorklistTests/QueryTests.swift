import Foundation
import Metrics
import Testing
import Volumes
import Work
import Worklist

@Suite struct QueryTests {
  /// A case with what readers decided.
  private static func row(
    _ name: String, _ decisions: [String: CaseDecision?] = [:], values: [String: String] = [:],
    liver: Double? = nil, dice: Double? = nil, isFlagged: Bool = false, missing: [String] = []
  ) -> CaseRow {
    var review: CaseReview?
    for (index, reader) in decisions.keys.sorted().enumerated() {
      let decision = decisions[reader] ?? nil
      let event = CaseRecord(
        sequence: index + 1, time: "2026-01-01T00:00:0\(index).000Z", reader: reader, host: "h",
        caseName: name,
        image: "", kind: decision == nil ? .opened : .decided, decision: decision ?? CaseDecision())
      review = review ?? CaseReview()
      review?.add(event, order: .init(event, file: "f", line: index))
    }
    let measures = liver.map {
      CaseMeasures(labels: [.init(value: 6, name: "liver", millilitres: $0, dice: dice)])
    }
    let item = WorklistCase(
      name: name, images: ["i.nii"], masks: [.init(name: "seg", path: "s.nii")], values: values,
      missingFiles: missing)
    let flags = isFlagged ? CohortFlags.flags(of: [measures]).flatMap(\.self) : []
    return CaseRow(item, review: review, measures: measures, flags: flags)
  }

  @Test(
    "masks are measured for a filter only where measures decide",
    arguments: [
      ("", false), ("accepted and not (score<3 or ann)", false), ("site=Bonn", false),
      ("verdict=rejected", false),
      ("dice<0.8", true), ("not (unread or outlier)", true), ("flags>0", true), ("status~changed", true),
    ])
  func neededMeasures(filter: String, isNeeded: Bool) throws {
    #expect(try CaseQuery(filter, columns: ["site"]).needsMeasures == isNeeded)
  }

  private static let rows = [
    row(
      "case1", ["ann": CaseDecision(verdict: .accepted, score: 5, comment: "clean", seconds: 60)],
      values: ["site": "Bonn", "age": "61"], liver: 1600, dice: 0.95),
    row(
      "case2",
      [
        "ann": CaseDecision(verdict: .rejected, score: 2, tags: ["motion"]),
        "bob": CaseDecision(verdict: .accepted),
      ],
      values: ["site": "Berlin", "age": "9"], liver: 900, dice: 0.7),
    row("case3", ["bob": nil], values: ["site": "Bonn"]),
    row("case4", ["cy": CaseDecision(isFlagged: true, comment: "see dome of LIVER")]),
    row("case5", missing: ["i.nii"]),
    row("left kidney 10", ["ann": CaseDecision(verdict: .needsWork, isFlagged: true, score: 3)], dice: 0.8),
    row("case7"),
  ]

  private func found(_ text: String) throws -> [String] {
    let query = try CaseQuery(text, columns: ["site", "age"])
    return Self.rows.filter(query.matches).map(\.item.name)
  }

  @Test(
    "filters are what a person types",
    arguments: [
      ("", ["case1", "case2", "case3", "case4", "case5", "left kidney 10", "case7"]),
      ("unread", ["case5", "case7"]), ("opened", ["case1", "case2", "case3", "case4", "left kidney 10"]),
      ("accepted", ["case1", "case2"]), ("not accepted and decided", ["left kidney 10"]),
      ("needs-work", ["left kidney 10"]), ("needswork", ["left kidney 10"]),
      ("flagged", ["case4", "left kidney 10"]), ("missing", ["case5"]), ("disputed", ["case2"]),
      ("commented", ["case1", "case4"]), ("status=missing", ["case5"]), ("status=unread", ["case7"]),
      ("status=\"needs work\"", ["left kidney 10"]), ("status=flagged", ["case4", "left kidney 10"]),
      ("verdict=accepted", ["case1", "case2"]),
      ("verdict!=accepted", ["case3", "case4", "case5", "left kidney 10", "case7"]),
      ("score>=3", ["case1", "left kidney 10"]), ("score>=3 score<5", ["left kidney 10"]),
      ("score==5 or score=2", ["case1"]), ("reader=ann", ["case1", "case2", "left kidney 10"]),
      ("reader=ANN and !reader=bob", ["case1", "left kidney 10"]), ("open=bob", ["case3"]),
      ("tag=motion", ["case2"]), ("dice<0.8", ["case2"]), ("dice < 0.8 and unread", []),
      ("volume(liver)>1500", ["case1"]), ("VOLUME(Liver)<=1600", ["case1", "case2"]),
      ("volume(6)>0", ["case1", "case2"]),
      ("volume>1500", ["case1"]), ("components=1", ["case1", "case2"]), ("liver", ["case4"]),
      ("kidney", ["left kidney 10"]), ("\"left kidney\"", ["left kidney 10"]), ("'dome of'", ["case4"]),
      ("bonn", ["case1", "case3"]), ("site=bonn not accepted", ["case3"]),
      ("site~b", ["case1", "case2", "case3"]),
      ("age<10", ["case2"]), ("age>=9 and age<62", ["case1", "case2"]), ("site<bo", ["case2"]),
      ("case=case2", ["case2"]), ("name~kidney", ["left kidney 10"]),
      ("masks>=1 and mask=seg and case~7", ["case7"]),
      ("(accepted or flagged) and not (disputed or commented)", ["left kidney 10"]),
      ("not not accepted", ["case1", "case2"]), ("seconds>30", ["case1"]), ("motion", ["case2"]),
      ("'unread'", []), ("or", nil), ("accepted and", nil),
    ] as [(String, [String]?)])
  func filters(text: String, expected: [String]?) throws {
    guard let expected else {
      #expect(throws: CaseQuery.Fault.self) { try found(text) }
      return
    }
    // The case with a review of bob after ann's counts bob's verdict.
    #expect(try found(text) == expected)
  }

  @Test(
    "an invalid filter is refused with the position",
    arguments: [
      ("dice<", "at 6: a value is missing after <"), ("score>=good", "at 8: score is compared with a number"),
      ("a and (b or c", "at 7: the parenthesis is not closed"),
      ("a )", "at 3: a parenthesis closes that none opens"),
      ("\"left", "at 1: the quote is not closed"), ("< 3", "at 1: a column is missing before <"),
      ("a or or b", "at 6: a term is missing before or"), ("not", "at 4: a term is missing"),
      ("()", "at 2: a term is missing before the parenthesis"),
      ("a = = b", "at 5: a value is missing after ="),
      ("a volume(left", "at 9: the parenthesis is not closed"),
      ("volume(\"left)>1", "at 8: the quote is not closed"),
      ("volume(liver) and a", "at 15: a comparison is missing after volume(liver)"),
      ("dice<<1", "at 6: a value is missing after <"), ("score>nan", "at 7: score is compared with a number"),
    ])
  func faults(text: String, message: String) {
    do throws(CaseQuery.Fault) {
      _ = try CaseQuery(text, columns: ["a"])
      Issue.record("\(text) was read")
    } catch { #expect(error.description == message) }
  }

  /// Names of labels, and ways to write each in a filter.
  static let labelNames: [(name: String, written: [String])] = [
    ("left kidney", ["left kidney", "\"left kidney\"", "'left kidney'", " \"Left Kidney\" ", "LEFT_KIDNEY"]),
    ("Left-Lobe", ["left lobe", "\"Left-Lobe\""]), ("liver", ["liver", "\"liver\"", "LIVER", "3"]),
    ("kidney (left)", ["kidney (left)", "\"Kidney (left)\""]), ("kidney (left", ["\"kidney (left\""]),
    ("kidney)", ["'kidney)'"]), ("Ammon's horn", ["Ammon's horn", "\"ammon's horn\"", "'Ammon''s horn'"]),
    ("the \"big\" one", ["the \"big\" one", "'the \"big\" one'", "\"the \"\"big\"\" one\""]),
    ("\"a\" and \"b\"", ["\"a\" and \"b\"", "\"\"\"a\"\" and \"\"b\"\"\""]),
    ("a<b and c", ["a<b and c", "\"A<b and c\""]),
  ]

  @Test(
    "every measure takes names of labels with blanks, quotes, parentheses and upper case",
    arguments: QueryTests.labelNames, CaseColumn.LabelMeasure.allCases)
  func takesLabelNames(label: (name: String, written: [String]), measure: CaseColumn.LabelMeasure) throws {
    func row(_ value: Int, _ name: String, _ number: Int) -> CaseRow {
      CaseRow(
        WorklistCase(name: name, images: ["i.nii"]),
        measures: CaseMeasures(labels: [
          .init(
            value: value, name: name, millilitres: Double(number), componentCount: number, holeCount: number,
            missingSliceCount: number, dice: Double(number))
        ]),
        uncertainties: [
          LabelUncertainty(
            label: name, network: "net", classCount: 2,
            entropy: ClassEntropy(nearBorder: nil, inside: Double(number)))
        ])
    }
    let rows = [row(3, label.name, 1), row(9, "label 9", 1)]
    for written in label.written {
      let column = "\(measure.rawValue)(\(written))"
      let query = try CaseQuery("\(column)>0.5 and \(column)<2")
      #expect(rows.filter(query.matches).map(\.item.name) == [label.name], "\(column)")
      #expect(query.unknownLabel(in: rows) == nil)
      let sorted = CaseOrder(try #require(CaseColumn(column, columns: []))).sorted(rows.reversed())
      #expect(sorted.map(\.item.name) == [label.name, "label 9"], "\(column)")
    }
  }

  @Test("a label that no case has is named with its position and the labels there are")
  func unknownLabel() throws {
    var rows = [Self.row("a", liver: 1), Self.row("b")]
    rows[1].measures = CaseMeasures(labels: [
      .init(value: 1, name: "spleen", millilitres: 2), .init(value: 6, name: "Liver", millilitres: 2),
    ])
    rows[1].uncertainties = [
      LabelUncertainty(
        label: "tumour", network: "net", classCount: 2, entropy: ClassEntropy(nearBorder: nil, inside: 0.1))
    ]
    func problem(_ text: String, _ rows: [CaseRow]) throws -> String? {
      try CaseQuery(text).unknownLabel(in: rows)?.description
    }
    #expect(try problem("volume(spleen)>1 or dice(liver)<1 or entropy(tumour)>0", rows) == nil)
    #expect(
      try problem("unread volume(\"livr x\")>1", rows) == "at 8: no label livr x; there are liver, spleen")
    #expect(try problem("entropy(liver)>1", rows) == "at 1: no label liver; there are tumour")
    // Before anything is measured, nothing is known of labels.
    #expect(try problem("volume(livr)>1", [Self.row("a")]) == nil)
    rows[0].measures = CaseMeasures(labels: (1...10).map { .init(value: $0, name: "L\($0)", millilitres: 1) })
    #expect(
      try problem("volume(x)>1", [rows[0]])
        == "at 1: no label x; there are L1, L2, L3, L4, L5, L6, L7, L8 and 2 more")
  }

  @Test("an unknown column is refused with the known ones")
  func unknownColumn() throws {
    do throws(CaseQuery.Fault) {
      _ = try CaseQuery("unread dicee<1", columns: ["site"])
      Issue.record("read")
    } catch {
      #expect(error.column == 8)
      #expect(error.problem.hasPrefix("no column dicee; there are case, image, "))
      #expect(error.problem.contains("site, volume, volume(LABEL)"))
    }
  }

  @Test("no text stops the reading, however deep or odd")
  func totality() {
    var texts = [
      String(repeating: "(", count: 10_000), String(repeating: "not ", count: 10_000) + "a",
      String(repeating: "a or ", count: 5_000) + "a", "volume(", "volume(x", "volume()>1", "\u{0}", "=", "!",
      "!=",
      "a\u{301}\"", "((((a))))", String(repeating: "a ", count: 5_000),
    ]
    var random = SplitMix64(seed: 1)
    let pieces = [
      "(", ")", "and", "or", "not", "dice", "<", "=", "!", "\"", "'", "0.5", "volume(", "a", " ", "\u{1f600}",
    ]
    for _ in 0..<2000 {
      texts.append((0..<12).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }.joined())
    }
    for text in texts {
      guard let query = try? CaseQuery(text) else { continue }
      for row in Self.rows { _ = query.matches(row) }
    }
  }

  @Test(
    "rows are sorted by any column, missing values last in both directions, and equal ones keep their order")
  func sorting() throws {
    func names(_ column: String, isDescending: Bool = false) throws -> [String] {
      let column = try #require(CaseColumn(column, columns: ["site", "age"]))
      return CaseOrder(column, isDescending: isDescending).sorted(Self.rows).map(\.item.name)
    }
    #expect(
      try names("score") == ["left kidney 10", "case1", "case2", "case3", "case4", "case5", "case7"])
    #expect(
      try names("score", isDescending: true)
        == ["case1", "left kidney 10", "case2", "case3", "case4", "case5", "case7"])
    #expect(
      try names("age") == ["case2", "case1", "case3", "case4", "case5", "left kidney 10", "case7"])
    #expect(
      try names("site", isDescending: true)
        == ["case1", "case3", "case2", "case4", "case5", "left kidney 10", "case7"])
    #expect(
      try names("case", isDescending: true)
        == ["left kidney 10", "case7", "case5", "case4", "case3", "case2", "case1"])
    #expect(CaseColumn("nothing", columns: []) == nil)
  }

  @Test("natural order puts 2 before 10 and does not depend on the order before")
  func naturalOrder() {
    let names = ["a", "A1", "a01", "a1", "a2", "a10", "a10b", "a/b", "a-b", "b"]
    let sorted = names.sorted { NaturalOrder($0) < NaturalOrder($1) }
    #expect(sorted == ["a", "a/b", "a-b", "A1", "a01", "a1", "a2", "a10", "a10b", "b"])
    #expect(names.reversed().sorted { NaturalOrder($0) < NaturalOrder($1) } == sorted)
  }

  @Test("a mask with other labels than the one that was accepted is said, where it was measured")
  func replacedMask() throws {
    func status(_ name: String, _ accepted: String?, measured: [String]) -> String {
      let version = CaseDecision.Version(name: name, fingerprint: accepted)
      var row = Self.row("case", ["ann": CaseDecision(verdict: .accepted, version: version)], liver: 900)
      row.item.masks = [.init(name: "net", path: "/a/x.nii"), .init(name: "seg", path: "/b/y.nii")]
      row.measures?.fingerprints = measured
      return row.statusText
    }
    let changed = "accepted, mask changed since it was accepted"
    #expect(status("net", "1", measured: ["1", "2"]) == "accepted")
    #expect(status("net", "2", measured: ["1", "2"]) == changed)
    #expect(status("seg", "1", measured: ["1", "2"]) == changed)
    #expect(status("y.nii", "1", measured: ["1", "2"]) == changed)
    // Not measured, an edited version, and a record of an earlier program.
    #expect(status("seg", "1", measured: ["1"]) == "accepted")
    #expect(status("seg edited", "1", measured: ["1", "2"]) == "accepted")
    #expect(status("seg", nil, measured: ["1", "2"]) == "accepted")
  }

  @Test("the fingerprint of a mask is that of the extents of its labels")
  func fingerprint() {
    let size = GridSize(4, 3, 2)
    var voxels = [UInt16](repeating: 0, count: size.voxelCount)
    for voxel in [VoxelIndex(1, 0, 0), VoxelIndex(3, 2, 1)] { voxels[size.offset(voxel)] = 6 }
    voxels[size.offset(VoxelIndex(0, 1, 1))] = 2
    let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1)))
    #expect(
      LabelVolume(grid: grid, voxels: voxels).fingerprint
        == CaseDecision.Version.fingerprint(of: [
          .init(
            value: 2, voxelCount: 1,
            bounds: VoxelBounds(lower: VoxelIndex(0, 1, 1), upper: VoxelIndex(0, 1, 1))),
          .init(
            value: 6, voxelCount: 2,
            bounds: VoxelBounds(lower: VoxelIndex(1, 0, 0), upper: VoxelIndex(3, 2, 1))),
        ]))
    #expect(
      LabelVolume(grid: grid, voxels: [UInt16](repeating: 0, count: size.voxelCount)).fingerprint
        == CaseDecision.Version.fingerprint(of: []))
  }
}
