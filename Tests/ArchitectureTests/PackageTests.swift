import Foundation
import TestSupport
import Testing

/// The dependencies of each Swift target of Package.swift, by the names that files import.
private func declaredDependencies(_ manifest: String) -> [String: Set<String>] {
  // A target is `library("A", ["B"])`, `tests("A", ["B"])` or `.target(name: "A", dependencies: ["B"])`.
  let target = /(?:library|tests|[tT]arget)\(\s*(?:name: )?"([\w-]+)"(?:,\s*(?:dependencies: )?\[([^\]]*)\])?/
  // Products are constants of the manifest.
  let products = ["arguments": "ArgumentParser", "customDump": "CustomDump"]
  var declared: [String: Set<String>] = [:]
  for match in manifest.matches(of: target) {
    let names = (match.2 ?? "").split(separator: ",").map {
      $0.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    declared[String(match.1)] = Set(
      names.filter { !$0.isEmpty }.map { products[$0] ?? $0.trimmingCharacters(in: ["\""]) })
  }
  return declared
}

/// A target's folder.
private func folder(of target: String) -> URL {
  let source = checkout.appending(path: "Sources/\(target)")
  return FileManager.default.fileExists(atPath: source.path)
    ? source : checkout.appending(path: "Tests/\(target)")
}

@Test("every dependency that the package declares is imported, and every import is declared")
func dependenciesAreUsed() throws {
  let manifest = try String(contentsOf: checkout.appending(path: "Package.swift"), encoding: .utf8)
  let declared = declaredDependencies(manifest)
  // What tests start as a program must be built before them.
  let started = ["EndToEndTests": Set(["segdeck"]), "WorklistTests": Set(["RecordWriterProcess"])]
  var found: [String] = []
  var targetCount = 0
  for (target, dependencies) in declared {
    let (imported, fileCount) = try importedModules(below: folder(of: target))
    guard fileCount > 0 else { continue }
    targetCount += 1
    let modules = imported.subtracting(systemModules).subtracting(["Testing"])
    found += dependencies.subtracting(modules).subtracting(started[target] ?? []).sorted().map {
      "\(target) never imports \($0)"
    }
    found += modules.subtracting(dependencies).sorted().map { "\(target) does not declare \($0)" }
  }
  #expect(found == [])
  #expect(targetCount > 30)
}

@Test("dependencies are read from every way to write a target")
func manifestIsRead() {
  let manifest = """
    library("Volumes", ["Work"]), library("Screen"),
    .executableTarget(
      name: "segdeck-bench",
      dependencies: [
        "Work", arguments,
      ], swiftSettings: strict),
    tests(
      "ImageFormatsTests", ["Work", "Volumes"], resources: [.copy("Fixtures")]),
    """
  #expect(
    declaredDependencies(manifest) == [
      "Volumes": ["Work"], "Screen": [], "segdeck-bench": ["Work", "ArgumentParser"],
      "ImageFormatsTests": ["Work", "Volumes"],
    ])
}
