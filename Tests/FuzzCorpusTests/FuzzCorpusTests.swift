import Foundation
import FuzzTargets
import TestSupport
import Testing

private let corpus = checkout.appending(path: "Tests/Fuzzing/corpus")
private let outcomeFile = corpus.appending(path: "outcomes.txt")

/// The names of a target's inputs.
private func inputs(of target: FuzzTarget) -> [String] {
  let folder = corpus.appending(path: target.name)
  return ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
}

/// "nifti/huge: refused: input.nii: holds fewer voxels", a line for each input of a target.
private func outcomes(of target: FuzzTarget) throws -> [String] {
  let folder = FileManager.default.temporaryDirectory.appending(path: "segdeck-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try inputs(of: target).map { name in
    let input = corpus.appending(path: target.name).appending(path: name)
    let outcome = try target.outcome(of: [UInt8](try Data(contentsOf: input)), in: folder.path)
    let text =
      switch outcome {
      case .read: "read"
      case .refused(let line): "refused: " + line
      case .fault(let fault): "FAULT: " + fault
      }
    return "\(target.name)/\(name): \(text)"
  }
}

@Test("every input of the corpus is read, or refused with its line")
func corpusIsReadAgain() throws {
  let found = try FuzzTarget.all.flatMap(outcomes)
  if ProcessInfo.processInfo.environment["SEGDECK_REWRITE_OUTCOMES"] != nil {
    try Data((found.joined(separator: "\n") + "\n").utf8).write(to: outcomeFile)
  }
  let expected = try String(contentsOf: outcomeFile, encoding: .utf8).split(separator: "\n").map(String.init)
  #expect(found == expected)
  #expect(!found.contains { $0.contains("FAULT") })
}

@Test("decoders of damaged frames leave no copy of them in the folder for temporary files")
func decodersLeaveNothing() throws {
  let targets = FuzzTarget.all.filter { $0.name.hasPrefix("dicom-") }
  var frames: Set<Data> = []
  for target in targets {
    for name in inputs(of: target) {
      frames.insert(try Data(contentsOf: corpus.appending(path: target.name).appending(path: name)))
    }
    _ = try outcomes(of: target)
  }
  let folder = FileManager.default.temporaryDirectory
  let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("gdcm") }
  let copies = names.filter { name in
    (try? Data(contentsOf: folder.appending(path: name))).map(frames.contains) ?? false
  }
  #expect(copies == [])
}

@Test("every target has an input to begin with, and every folder of the corpus is a target's")
func corpusIsComplete() throws {
  let without = FuzzTarget.all.filter { inputs(of: $0).isEmpty && $0.seeds(of: checkout).isEmpty }
  #expect(without.map(\.name) == [])
  let folders = try FileManager.default.contentsOfDirectory(atPath: corpus.path).filter {
    $0 != "outcomes.txt"
  }
  #expect(Set(folders).subtracting(FuzzTarget.all.map(\.name)) == [])
}

@Test("what a parser leaves behind or throws is a fault")
func faults() throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "segdeck-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let careless = FuzzTarget(name: "careless", fileName: "input") { path in
    try Data().write(to: URL(filePath: path + ".tmp"))
  }
  #expect(try careless.outcome(of: [1], in: folder.path) == .fault("leaves input.tmp"))
  let rude = FuzzTarget(name: "rude", fileName: "input.tmp") { _ in throw CancellationError() }
  try FileManager.default.removeItem(at: folder.appending(path: "input"))
  #expect(try rude.outcome(of: [1], in: folder.path) == .fault("throws CancellationError()"))
}
