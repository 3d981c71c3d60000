import Foundation
import Testing
import Work

@Test("an atomic file replaces what was there and leaves nothing else behind")
func atomicFileReplaces() throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let path = folder.appending(path: "a.txt").path
  try AtomicFile.write(Data("old".utf8), to: path)
  try AtomicFile.write(Data("new".utf8), to: path)
  #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
  #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.txt"])
}

@Test("an atomic file that is never committed leaves the old content and no temporary file")
func abandonedAtomicFile() throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let path = folder.appending(path: "a.txt").path
  try AtomicFile.write(Data("old".utf8), to: path)
  do {
    var file = try AtomicFile(path: path)
    try file.write(Data("half".utf8))
  }
  #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
  #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.txt"])
}

@Test("a missing folder is one line that names the file")
func missingFolder() {
  #expect(throws: InputError("/nonexistent/a.txt", "cannot be written", found: "No such file or directory")) {
    try AtomicFile.write(Data(), to: "/nonexistent/a.txt")
  }
}

@Test("an input error is one line with what, found and expected, without control characters")
func inputErrorIsOneLine() {
  let error = InputError("a\u{1b}.nii", "header ends early\nat byte 120", found: "120 bytes", expected: "348")
  #expect(error.description == "a .nii: header ends early at byte 120: found 120 bytes, expected 348")
}
