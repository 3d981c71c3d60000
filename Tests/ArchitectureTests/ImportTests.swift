import Foundation
import TestSupport
import Testing

/// What each target may import besides the Swift standard modules; docs/architecture.md explains the layers.
private let permittedImports: [String: Set<String>] = [
  "Work": [],
  "Volumes": ["Work"],
  "Tensors": ["Work", "CKernels", "CBLAS"],
  "Screen": [],
  "ImageFormats": ["Work", "Volumes", "CZlib"],
  "Metrics": ["Work", "Volumes"],
  "Journal": ["Work", "CZlib"],
  "DenseCRF": ["Work", "Volumes", "CKernels"],
  "Networks": ["Work", "Tensors"],
  "CursesTerminal": ["Work", "Screen", "CTerminal"],
  "Segmentation": ["Work", "Volumes", "Tensors", "Networks", "DenseCRF", "Metrics"],
  "Review": ["Work", "Volumes", "Metrics", "Screen"],
  "RefinementAnswers": ["Work", "Volumes", "Segmentation", "Review"],
  "segdeck": [
    "Work", "Volumes", "Tensors", "Screen", "ImageFormats", "Metrics", "DenseCRF", "Networks",
    "CursesTerminal", "Journal",
    "Segmentation", "Review", "RefinementAnswers", "ArgumentParser", "CCrypto",
  ],
  "segdeck-bench": [
    "Work", "Volumes", "Tensors", "Screen", "ImageFormats", "Metrics", "DenseCRF", "Networks", "Segmentation",
    "Review", "RefinementAnswers", "ArgumentParser", "CZlib",
  ],
]

private let systemModules: Set<String> = ["Foundation", "Dispatch", "Glibc", "Synchronization"]
private let withoutFoundation: Set<String> = ["Screen"]

/// The breaches of the table in one file's text.
private func breaches(target: String, text: String) -> [String] {
  let permitted = permittedImports[target] ?? []
  return text.split(separator: "\n").compactMap { line in
    var words = line.split(separator: " ")
    while let first = words.first, first.hasPrefix("@") || ["package", "public", "internal"].contains(first) {
      words.removeFirst()
    }
    guard words.first == "import", let last = words.last else { return nil }
    let module = String(last.split(separator: ".")[0])
    if permitted.contains(module) { return nil }
    if systemModules.contains(module), !withoutFoundation.contains(target) { return nil }
    return "\(target) must not import \(module)"
  }
}

@Test("every target imports only what its layer allows")
func importsFollowTheLayers() throws {
  let sources = checkout.appending(path: "Sources")
  var found: [String] = []
  var filesRead = 0
  for (target, _) in permittedImports {
    let folder = sources.appending(path: target)
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      filesRead += 1
      found += breaches(target: target, text: try String(contentsOf: file, encoding: .utf8))
    }
  }
  #expect(found == [])
  #expect(filesRead >= permittedImports.count)
}

@Test("files are read only where reading is noted, so that none of them becomes an output")
func readingIsNoted() throws {
  let sources = checkout.appending(path: "Sources")
  var found: [String] = []
  let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
  while let file = files?.nextObject() as? URL {
    guard file.pathExtension == "swift", !file.path.contains("/segdeck-bench/") else { continue }
    let text = try String(contentsOf: file, encoding: .utf8)
    let reads = ["contents(atPath:", "contentsOfFile:", "Data(contentsOf:", "O_RDONLY", "forReadingAtPath:"]
    guard reads.contains(where: text.contains), !text.contains("ReadFiles.note(") else { continue }
    found.append(file.lastPathComponent)
  }
  // Checksums are taken of files that are outputs as well; the others read what the kernel offers, or nothing.
  #expect(
    Set(found) == [
      "Checksum.swift", "AvailableMemory.swift", "ProgramStart.swift", "FileLock.swift",
    ])
}

@Test("a planted breach is seen")
func breachIsSeen() {
  #expect(breaches(target: "Tensors", text: "import Volumes") == ["Tensors must not import Volumes"])
  #expect(breaches(target: "Screen", text: "import Foundation") == ["Screen must not import Foundation"])
  #expect(breaches(target: "Review", text: "package import Screen\nimport struct Volumes.Label") == [])
}

@Test("every Swift target of the package stands in the table")
func tableIsComplete() throws {
  let folders = try FileManager.default.contentsOfDirectory(atPath: checkout.appending(path: "Sources").path)
  let c: Set<String> = ["CTerminal", "CKernels", "CBLAS", "CZlib", "CCrypto"]
  #expect(Set(folders).subtracting(c) == Set(permittedImports.keys))
}
