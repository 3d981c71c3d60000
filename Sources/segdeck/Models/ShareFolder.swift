import Foundation
import Work

/// The folder with the bundled models (`models`) and sample cases (`cases`).
///
/// It is searched in this order: `$SEGDECK_SHARE`, `sample-data` beside the resolved executable, `../share/segdeck`
/// from there, `sample-data` in the checkout above it. So a copied program finds its data.
struct ShareFolder {
  let path: String

  /// The first candidate that has a `models` folder.
  /// - Throws: ``InputError`` that lists the candidates when none has.
  static func find() throws(InputError) -> ShareFolder {
    let candidates = candidates()
    for path in candidates where FileSystem.exists(path + "/models") {
      return ShareFolder(path: path)
    }
    throw InputError(
      "bundled models", "not found; set SEGDECK_SHARE to the sample-data folder",
      expected: candidates.map { $0 + "/models" }.joined(separator: " or "))
  }

  /// The bundled models.
  func models() -> [ModelLibrary.Entry] { ModelLibrary.models(in: path + "/models") }

  private static func candidates() -> [String] {
    var candidates: [String] = []
    if let named = ProcessInfo.processInfo.environment["SEGDECK_SHARE"], !named.isEmpty {
      candidates.append(named)
    }
    guard let executable = FileSystem.target(ofLink: "/proc/self/exe") else {
      return candidates
    }
    var folder = FilePath.folder(of: executable)
    candidates.append(folder + "/sample-data")
    candidates.append(FilePath.joined(FilePath.folder(of: folder), "share/segdeck"))
    while folder != "/" && !folder.isEmpty {
      folder = FilePath.folder(of: folder)
      if FileSystem.exists(folder + "/Package.swift") {
        candidates.append(FilePath.joined(folder, "sample-data"))
        break
      }
    }
    return candidates
  }
}
