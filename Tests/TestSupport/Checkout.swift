import Foundation

/// The folder that holds Package.swift.
package let checkout: URL = {
  var folder = URL(filePath: #filePath).deletingLastPathComponent()
  while !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
    precondition(folder.path != "/", "the tests run from a checkout")
    folder.deleteLastPathComponent()
  }
  return folder
}()
