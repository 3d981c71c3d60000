import Foundation
import TestSupport
import Testing

/// `segdeck sweep` as a user runs it: folders, a journal, a preset, and mistakes.
@Suite(.serialized)
struct SweepTests {
  /// A generated patient of 8 mm voxels in `images` and `labels`, and what the liver model says in `probabilities`.
  private static let patient = Result { () throws -> [String: Data] in
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    for name in ["images", "labels", "probabilities"] { try makeFolder(folder(name)) }
    try succeed(
      [
        "phantom", "ct", "--seed", "5", "--size", "40x36x32", "--spacing", "8", "-o", "images/a.nii.gz",
        "--labels", "labels/a.nii.gz",
      ], in: folder.path)
    try succeed(
      ["segment", "images/a.nii.gz", "-o", "m.nii.gz", "--probabilities", "probabilities/a.nii.gz"],
      in: folder.path)
    return try folder.contents().filter { !$0.value.isEmpty }
  }

  private static func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  private func patientFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["images", "labels", "probabilities"] { try Self.makeFolder(folder(name)) }
    for (name, content) in try Self.patient.get() { try content.write(to: URL(filePath: folder(name))) }
    return folder
  }

  private let sweep = [
    "sweep", "--images", "images", "--labels", "labels", "--probabilities", "probabilities", "--finalists",
    "2",
  ]

  @Test("a resumed sweep with more trials gives the report of an uninterrupted one")
  func resumes() throws {
    let folder = try patientFolder()
    defer { folder.remove() }
    func swept(_ trials: Int, _ further: [String]) throws -> String {
      try succeed(sweep + ["--trials", "\(trials)"] + further, in: folder.path)
    }
    func trials(_ name: String) throws -> [Data] {
      Array(try folder.bytes(name).split(separator: 10).dropFirst())
    }
    let whole = try swept(12, ["--resume", "whole.jsonl", "--threads", "1"])
    #expect(whole.contains("12 trials on 1 case") && whole.contains("theta beta, intensity"))
    #expect(try trials("whole.jsonl").count == 12)
    _ = try swept(5, ["--resume", "part.jsonl"])
    // A line that was cut off when the machine went down.
    let part = try folder.bytes("part.jsonl") + Data("{\"numb".utf8)
    try part.write(to: URL(filePath: folder("part.jsonl")))
    #expect(try swept(12, ["--resume", "part.jsonl"]) == whole)
    #expect(try trials("part.jsonl") == trials("whole.jsonl"))
  }

  @Test("the preset and the model are written where the CRF helps, and refine takes the preset")
  func writes() throws {
    let folder = try patientFolder()
    defer { folder.remove() }
    let output = try succeed(
      sweep + ["--trials", "40", "--preset-output", "k.json", "--model-output", "k.safetensors"],
      in: folder.path)
    let exists = ["k.json", "k.safetensors"].map { FileManager.default.fileExists(atPath: folder($0)) }
    guard output.contains("The CRF gains ") else {
      #expect(output.contains("The CRF does not help here") && exists == [false, false])
      return
    }
    #expect(exists == [true, true])
    func refined(_ words: [String], _ name: String) throws -> Data {
      try succeed(
        ["refine", "images/a.nii.gz", "--probabilities", "probabilities/a.nii.gz", "-o", name] + words,
        in: folder.path)
      return try folder.bytes(name)
    }
    #expect(
      try refined(["--preset", "k.json"], "one.nii.gz")
        == refined(["--model", "k.safetensors"], "two.nii.gz"))
  }

  @Test(
    "wrong input ends with exit code 1 and one line",
    arguments: [
      ("--resume images/a.nii.gz", "images/a.nii.gz: cannot be written as JSON lines"),
      ("--resume other.jsonl --seed 2", "other.jsonl: is the journal of another sweep: found seed 1"),
      ("--preset images/a.nii.gz", "images/a.nii.gz: is not a file of CRF settings"),
      ("--preset-output labels/a.nii.gz --force", "labels/a.nii.gz: cannot be written as CRF settings"),
      ("--model-output k.txt", "k.txt: cannot be written as a model"),
      ("--cases b", "--cases: no case has this name: found b"),
      ("--cases ,", "--cases: names no case: expected names separated by commas"),
      ("--label 1=heart", "--label 1=heart: the model has no such structure"),
      ("--theta-beta 0", "theta beta: is unusable: found 0"),
    ])
  func refused(words: String, line: String) throws {
    let folder = try patientFolder()
    defer { folder.remove() }
    if words.contains("other") {
      try succeed(sweep + ["--trials", "1", "--resume", "other.jsonl"], in: folder.path)
    }
    let before = try folder.contents()
    let outcome = try segdeck(
      sweep + ["--trials", "1"] + words.split(separator: " ").map(String.init), in: folder.path)
    #expect(outcome.status == 1)
    let lines = outcome.errors.split(separator: "\n").filter { !$0.hasPrefix("segdeck: note: ") }
    #expect(lines.count == 1 && lines[0].hasPrefix("segdeck: \(line)"), "\(outcome.errors)")
    #expect(try folder.contents() == before)
  }
}
