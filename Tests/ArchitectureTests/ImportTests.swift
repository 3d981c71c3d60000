import Foundation
import TestSupport
import Testing

/// The modules that each target may import, and does, besides the Swift standard modules; docs/architecture.md explains
/// the layers.
private let permittedImports: [String: Set<String>] = [
  "Work": ["CMemory"],
  "Volumes": ["Work"],
  "Tensors": ["Work", "CKernels", "CBLAS"],
  "Screen": [],
  "ImageFormats": ["Work", "Volumes", "CZlib", "CBZip2", "CIgzip", "CDicom"],
  "Metrics": ["Work", "Volumes"],
  "Journal": ["Work", "CZlib"],
  "Pictures": ["Work", "Volumes", "CPNG"],
  "DenseCRF": ["Work", "Volumes", "CMemory", "CKernels"],
  "Networks": ["Work", "Tensors"],
  "TerminalPictures": ["Work", "Screen", "CZlib"],
  "CursesTerminal": ["Work", "Screen", "TerminalPictures", "CTerminal"],
  "Segmentation": ["Work", "Volumes", "Tensors", "Networks", "DenseCRF", "Metrics"],
  "ONNX": ["Work", "Tensors", "Networks"],
  "Review": ["Work", "Volumes", "Metrics", "Screen", "Worklist"],
  "Worklist": ["Work", "Volumes", "ImageFormats", "Metrics", "Journal"],
  "RefinementAdapter": ["Work", "Volumes", "Segmentation", "Review"],
  "Report": ["Work", "Worklist", "CCrypto"],
  "Cohort": ["Work", "Journal", "Worklist"],
  "segdeck": [
    "Work", "Volumes", "Tensors", "Screen", "ImageFormats", "Metrics", "DenseCRF", "Networks",
    "CursesTerminal", "Journal",
    "Segmentation", "Review", "Worklist", "RefinementAdapter", "Pictures", "Report", "ONNX", "Cohort",
    "ArgumentParser", "CCrypto",
  ],
  "segdeck-bench": [
    "Work", "Volumes", "Tensors", "Screen", "TerminalPictures", "ImageFormats", "DenseCRF", "Networks",
    "Segmentation", "Review", "RefinementAdapter", "ArgumentParser", "CZlib",
  ],
]

let systemModules: Set<String> = ["Foundation", "Dispatch", "Glibc", "Synchronization"]
private let withoutFoundation: Set<String> = ["Screen"]

/// The modules that a file's text imports.
private func imports(_ text: String) -> [String] {
  text.split(separator: "\n").compactMap { line in
    var words = line.split(separator: " ")
    while let first = words.first, first.hasPrefix("@") || ["package", "public", "internal"].contains(first) {
      words.removeFirst()
    }
    guard words.first == "import", let last = words.last else { return nil }
    return String(last.split(separator: ".")[0])
  }
}

/// The modules that the Swift files below a folder import, and how many files there are.
func importedModules(below folder: URL) throws -> (modules: Set<String>, fileCount: Int) {
  var (modules, fileCount) = (Set<String>(), 0)
  let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
  while let file = files?.nextObject() as? URL {
    guard file.pathExtension == "swift" else { continue }
    fileCount += 1
    modules.formUnion(imports(try String(contentsOf: file, encoding: .utf8)))
  }
  return (modules, fileCount)
}

/// Modules that a target imports and may not.
private func breaches(target: String, imported: Set<String>) -> [String] {
  let system = withoutFoundation.contains(target) ? [] : systemModules
  return imported.subtracting(permittedImports[target] ?? []).subtracting(system).sorted().map {
    "\(target) must not import \($0)"
  }
}

@Test("every target imports what its layer allows, and nothing is allowed that no file imports")
func importsFollowTheLayers() throws {
  let sources = checkout.appending(path: "Sources")
  var found: [String] = []
  var filesRead = 0
  for (target, permitted) in permittedImports {
    let (imported, fileCount) = try importedModules(below: sources.appending(path: target))
    filesRead += fileCount
    found += breaches(target: target, imported: imported)
    found += permitted.subtracting(imported).map { "\(target) never imports \($0)" }
  }
  #expect(found == [])
  #expect(filesRead >= permittedImports.count)
}

@Test("files are read only where they are registered, so that none of them becomes an output")
func readingIsNoted() throws {
  let sources = checkout.appending(path: "Sources")
  var found: [String] = []
  let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
  while let file = files?.nextObject() as? URL {
    guard file.pathExtension == "swift", !file.path.contains("/segdeck-bench/") else { continue }
    let text = try String(contentsOf: file, encoding: .utf8)
    let reads = ["contents(atPath:", "contentsOfFile:", "Data(contentsOf:", "O_RDONLY", "forReadingAtPath:"]
    guard reads.contains(where: text.contains), !text.contains("ReadFiles.register(") else { continue }
    found.append(file.lastPathComponent)
  }
  // Checksums are taken of files that are outputs as well; the others read what the kernel offers, or nothing.
  #expect(
    Set(found) == [
      "Checksum.swift", "AvailableMemory.swift", "ProgramStart.swift", "FileLock.swift",
    ])
}

@Test("a planted breach is found")
func breachIsSeen() {
  func found(_ target: String, _ text: String) -> [String] {
    breaches(target: target, imported: Set(imports(text)))
  }
  #expect(found("Tensors", "import Volumes") == ["Tensors must not import Volumes"])
  #expect(found("Screen", "import Foundation") == ["Screen must not import Foundation"])
  #expect(found("Review", "package import Screen\nimport struct Volumes.Label") == [])
}

@Test("every Swift target of the package is in the table")
func tableIsComplete() throws {
  let folders = try FileManager.default.contentsOfDirectory(atPath: checkout.appending(path: "Sources").path)
  let c: Set<String> = [
    "CTerminal", "CMemory", "CKernels", "CBLAS", "CZlib", "CBZip2", "CCrypto", "CPNG", "CIgzip", "CDicom",
  ]
  #expect(Set(folders).subtracting(c) == Set(permittedImports.keys))
}
