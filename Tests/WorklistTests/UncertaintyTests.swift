import Metrics
import Testing
import Work
import Worklist

@Suite("Uncertainty of networks in a cohort")
struct UncertaintyTests {
  private func uncertainty(
    _ inside: Double?, near: Double? = 0.4, label: String = "liver", network: String = "net",
    classCount: Int = 2
  ) -> LabelUncertainty {
    LabelUncertainty(
      label: label, network: network, classCount: classCount,
      entropy: ClassEntropy(nearBorder: near, inside: inside))
  }

  private func texts(_ cases: [[LabelUncertainty]]) -> [[String]] {
    CohortFlags.flags(of: cases).map { $0.map(\.text) }
  }

  @Test("from five cases on an entropy far above the cohort's median is unusual, one far below is not")
  func cohort() {
    let usual = [0.03, 0.05, 0.04, 0.02, 0.06]
    #expect(texts(usual.map { [uncertainty($0)] }) == [[], [], [], [], []])
    #expect(
      texts((usual + [0.24]).map { [uncertainty($0)] }).last
        == [
          "liver: net is uncertain inside, entropy 0.24 of 1, cohort median 0.04, 8.8 robust deviations above"
        ])
    let border = [0.40, 0.42, 0.38, 0.41, 0.39, 0.7, 0.05]
    #expect(
      texts(border.map { [uncertainty(0.03, near: $0)] })
        == [
          [], [], [], [], [],
          [
            "liver: net is uncertain near the border, entropy 0.70 of 1, cohort median 0.40, 10.1 robust deviations above"
          ], [],
        ])
  }

  @Test("a case alone is judged by a limit that depends on the number of classes")
  func alone() {
    #expect(texts([[uncertainty(0.28)]]) == [[]])
    #expect(
      texts([[uncertainty(0.41, network: "")]])
        == [
          [
            "liver: the network is uncertain inside, entropy 0.41 of 1, above 0.29, that of probabilities 0.95 and 0.05"
          ]
        ])
    #expect(texts([[uncertainty(0.12, classCount: 5)], []]) == [[], []])
    #expect(
      texts([[uncertainty(0.13, classCount: 5)]])
        == [
          [
            "liver: net is uncertain inside, entropy 0.13 of 1, above 0.12, that of probabilities 0.95 and 0.05"
          ]
        ])
    // A thin label has a border alone, which is always uncertain.
    #expect(texts([[uncertainty(nil, near: 0.9)]]) == [[]])
  }

  @Test("a case is compared only with cases of the same network and label")
  func groups() {
    let cases = (0..<5).map { _ in [uncertainty(0.02), uncertainty(0.5, label: "tumour")] }
    let other = [uncertainty(0.25, network: "other"), uncertainty(0.5, label: "Tumour")]
    #expect(texts(cases + [other]) == [[], [], [], [], [], []])
  }

  @Test("later uncertainties replace those of the same network")
  func merging() {
    let one = [uncertainty(0.1), uncertainty(0.2, network: "other")]
    #expect(
      one.merged(with: [uncertainty(0.3), uncertainty(0.4, label: "tumour")])
        == [uncertainty(0.2, network: "other"), uncertainty(0.3), uncertainty(0.4, label: "tumour")])
    #expect(one.merged(with: []) == one)
  }

  @Test("filters and orders know the highest entropy inside a label")
  func column() throws {
    var row = CaseRow(WorklistCase(name: "a", images: ["a.nii"]))
    let all = try #require(CaseColumn("entropy", columns: []))
    let liver = try #require(CaseColumn("entropy(Liver)", columns: []))
    #expect(row.value(of: all) == .missing)
    row.uncertainties = [
      uncertainty(0.1), uncertainty(0.3, label: "tumour"), uncertainty(nil, label: "vein"),
    ]
    #expect(row.value(of: all) == .number(0.3))
    #expect(row.value(of: liver) == .number(0.1))
    #expect(try CaseQuery("entropy>0.2", columns: []).matches(row))
  }

  @Test("uncertainties are kept until their files change, apart from the measures of the same files")
  func cache() throws {
    let folder = try SampleFolder("a.nii")
    let cache = MeasureCache(folder: folder("cache"))
    let files = [folder("a.nii")]
    let runs = try #require(MeasureCache.Key(files: files, content: .networkRuns))
    let masks = try #require(MeasureCache.Key(files: files))
    try cache.store([uncertainty(0.125)], for: runs)
    try cache.store(CaseMeasures(labels: []), for: masks)
    #expect(cache.uncertainties(for: runs) == [uncertainty(0.125)])
    #expect(cache.measures(for: masks) == CaseMeasures(labels: []))
    #expect(cache.uncertainties(for: masks) == nil && cache.measures(for: runs) == nil)
    #expect(
      cache.uncertainties(for: try #require(MeasureCache.Key(files: files, content: .probabilities))) == nil)
    try folder.write("longer", to: "a.nii")
    #expect(
      cache.uncertainties(for: try #require(MeasureCache.Key(files: files, content: .networkRuns))) == nil)
  }
}
