import Foundation
import TestSupport
import Testing

/// `evaluate`, `sweep` and `compare` of structures that one mask, or both, do not have.
struct MissedStructureTests {
  private struct Evaluation: Decodable {
    struct Case: Decodable {
      struct Measures: Decodable {
        var found_in: String
        var dice: Double?
        var assd_mm, missed_mm: Double?
      }
      var name: String
      var measures: Measures
    }
    struct Summary: Decodable {
      var measure: String
      var mean: Double
      var cases, missed: Int
    }
    var cases: [Case]
    var summaries: [Summary]
  }

  /// Overwrites all voxels of an uncompressed NIfTI file.
  private func fill(_ path: String, with value: UInt8) throws {
    var bytes = try Data(contentsOf: URL(filePath: path))
    for index in 352..<bytes.count { bytes[index] = value }
    try bytes.write(to: URL(filePath: path))
  }

  @Test(
    "evaluate and sweep count a missed structure by one rule, and say over how many cases their means are")
  func oneRule() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    for name in ["images", "labels"] {
      try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: false)
    }
    for seed in 4...6 {
      try succeed(
        [
          "phantom", "mr", "--seed", "\(seed)", "--size", "28x22x13", "--spacing", "5", "-o",
          "images/heart_\(seed).nii", "--labels", "labels/heart_\(seed).nii",
        ], in: folder.path)
    }
    // The labels of one case are empty; in the image of another there is nothing to see.
    try fill(folder("labels/heart_5.nii"), with: 0)
    try fill(folder("images/heart_6.nii"), with: 1)
    let cases = ["--images", "images", "--labels", "labels", "--model", "left-atrium"]
    let printed = try succeed(["evaluate"] + cases + ["--json"], in: folder.path)
    let evaluation = try JSONDecoder().decode(Evaluation.self, from: Data(printed.utf8))
    let measures = evaluation.cases.map(\.measures)
    #expect(measures.map(\.found_in) == ["both", "other", "reference"])
    #expect(measures.map { $0.missed_mm == nil } == [true, false, false])
    #expect(measures.dropFirst().allSatisfy { $0.dice == 0 && $0.assd_mm == nil })
    let dice = measures.reduce(0) { $0 + ($1.dice ?? .nan) } / 3
    let distance = measures.reduce(0) { $0 + ($1.assd_mm ?? $1.missed_mm ?? .nan) } / 3
    for (name, mean) in [("Dice", dice), ("ASSD mm", distance)] {
      let summary = try #require(evaluation.summaries.first { $0.measure == name })
      #expect(abs(summary.mean - mean) < 1e-9)
      #expect(summary.cases == 3 && summary.missed == 2)
    }
    let tables = try succeed(["evaluate"] + cases, in: folder.path)
    #expect(tables.contains("\nmean of 3  left atrium"))
    #expect(tables.contains("Only in the labels, missed by the model: heart_6 (left atrium)."))
    #expect(tables.contains("Only in the model's mask, missed by the labels: heart_5 (left atrium)."))
    let swept = try succeed(["sweep"] + cases + ["--trials", "1", "--finalists", "1"], in: folder.path)
    let row = try #require(swept.split(separator: "\n").first { $0.hasPrefix("mean of 3 ") })
    let numbers = row.split(separator: " ").dropFirst(3)
    #expect(numbers.first == String(format: "%.4f", dice)[...])
    #expect(numbers.dropFirst(2).first == String(format: "%.2f", distance)[...])
    // A case of which neither the labels nor any mask has a structure is no case.
    try fill(folder("labels/heart_6.nii"), with: 0)
    #expect(try succeed(["evaluate"] + cases, in: folder.path).contains("\nmean of 2  left atrium"))
    let fewer = try succeed(["sweep"] + cases + ["--trials", "1", "--finalists", "1"], in: folder.path)
    #expect(fewer.contains("\nmean of 2 "))
    for (words, line) in [
      (["--cases", ""], "--cases: names no case"), (["--tables", ","], "--tables: names no table"),
    ] {
      let refused = try segdeck(["evaluate"] + cases + words, in: folder.path)
      #expect(refused.status == 1 && refused.output == "")
      #expect(refused.errors.hasPrefix("segdeck: \(line): expected "), "\(refused.errors)")
    }
    // Two empty masks agree about nothing.
    let compared = try segdeck(
      ["compare", "labels/heart_5.nii", "labels/heart_5.nii", "--label", "1=atrium", "--json"],
      in: folder.path)
    #expect(compared.status == 0)
    #expect(compared.output.contains("\"found_in\" : \"neither\"") && !compared.output.contains("dice"))
    #expect(compared.errors.contains("note: neither mask has a voxel of atrium\n"))
  }
}
