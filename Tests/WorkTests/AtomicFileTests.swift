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
  #expect(throws: InputError("/nonexistent/a.txt", "cannot be written", found: "no folder /nonexistent")) {
    try AtomicFile.write(Data(), to: "/nonexistent/a.txt")
  }
}

/// An empty folder that is removed after `body`.
private func inFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}

private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

private func mode(_ path: String) -> mode_t {
  var status = stat()
  return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
}

@Test("a link stays and what it points to is replaced; links that lead nowhere or in a circle are refused")
func linksAreFollowed() throws {
  try inFolder { folder in
    try AtomicFile.write(Data("old".utf8), to: folder + "/target")
    symlink("target", folder + "/link")
    try AtomicFile.write(Data("new".utf8), to: folder + "/link")
    #expect(try text(folder + "/target") == "new")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/link") == "target")
    symlink("nowhere", folder + "/dangling")
    symlink("circle", folder + "/circle")
    for (name, found) in [
      ("dangling", "a link that leads to no file"), ("circle", "links that lead in a circle"),
    ] {
      let path = folder + "/" + name
      #expect(throws: InputError(path, "cannot be written", found: found, expected: "a file name")) {
        try AtomicFile.write(Data(), to: path)
      }
    }
    #expect(
      try Set(FileManager.default.contentsOfDirectory(atPath: folder))
        == ["target", "link", "dangling", "circle"])
  }
}

@Test(
  "a replaced file keeps its mode, and a read-only one is refused", arguments: [0o600, 0o640, 0o664, 0o755])
func modesStay(permissions: Int) throws {
  try inFolder { folder in
    let path = folder + "/a"
    try AtomicFile.write(Data("old".utf8), to: path)
    chmod(path, mode_t(permissions))
    try AtomicFile.write(Data("new".utf8), to: path)
    #expect(mode(path) == mode_t(permissions))
    chmod(path, 0o444)
    #expect(
      throws: InputError(path, "cannot be written", found: "a read-only file", expected: "another name")
    ) { try AtomicFile.write(Data(), to: path) }
    #expect(try text(path) == "new")
  }
}

@Test("a name as long as the file system takes is written, a longer one is refused")
func longNames() throws {
  try inFolder { folder in
    try AtomicFile.write(Data("a".utf8), to: folder + "/" + String(repeating: "n", count: 255))
    let path = folder + "/" + String(repeating: "n", count: 256)
    #expect(throws: InputError(path, "cannot be written", found: "File name too long")) {
      try AtomicFile.write(Data(), to: path)
    }
  }
}

@Test("several files are committed together, or the old ones are restored")
func togetherOrNotAtAll() throws {
  try inFolder { folder in
    try AtomicFile.write(Data("old".utf8), to: folder + "/a")
    func pending(_ names: [String]) throws -> [PendingFile] {
      try names.map { try AtomicFile.pending(Data("new".utf8), for: folder + "/" + $0) }
    }
    do {
      let files = try pending(["a", "b", "c"])
      // A file that another process creates meanwhile is not replaced.
      try Data("theirs".utf8).write(to: URL(filePath: folder + "/c"))
      #expect(
        throws: InputError(folder + "/c", "cannot be written", found: "a file that appeared there meanwhile")
      ) { try PendingFile.commit(files) }
    }
    #expect(try text(folder + "/a") == "old")
    #expect(try text(folder + "/c") == "theirs")
    #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder)) == ["a", "c"])
    try PendingFile.commit(pending(["a", "b"]))
    #expect(try ["a", "b"].map { try text(folder + "/" + $0) } == ["new", "new"])
    #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder)) == ["a", "b", "c"])
  }
}

@Test("a file that was read is never written, under whatever name, nor read once it is an output")
func readFilesAreNeverWritten() throws {
  try inFolder { folder in
    let path = folder + "/a"
    try AtomicFile.write(Data("old".utf8), to: path)
    _ = try FileSystem.read(path)
    symlink("a", folder + "/symbolic")
    link(path, folder + "/hard")
    for other in [
      path, folder + "/symbolic", folder + "/hard",
      folder + "/../\((folder as NSString).lastPathComponent)/a",
    ] {
      #expect(throws: InputError(other, "is the file that is read (\(path)) and is never replaced")) {
        try AtomicFile.write(Data(), to: other)
      }
      #expect(throws: InputError.self) { try OutputClaim(FileDestination(other)) }
    }
    // Renamed, it is still the file that was read; a new file of its name is not written either.
    rename(path, folder + "/renamed")
    #expect(throws: InputError.self) { try AtomicFile.write(Data(), to: folder + "/renamed") }
    #expect(throws: InputError.self) { try AtomicFile.write(Data(), to: path) }
    #expect(try text(folder + "/hard") == "old")

    let output = folder + "/output"
    let claim = try OutputClaim(FileDestination(output))
    try Data("x".utf8).write(to: URL(filePath: output))
    #expect(throws: InputError(output, "is the file that is read (\(output)) and is never replaced")) {
      try FileSystem.read(output)
    }
    #expect(
      throws: InputError(output, "is also the path of another output (\(output))", expected: "another name")
    ) {
      try OutputClaim(FileDestination(output))
    }
    withExtendedLifetime(claim) {}
    let journal = folder + "/journal"
    try AtomicFile.write(Data("1".utf8), to: journal)
    let own = try OutputClaim(FileDestination(journal))
    _ = try ReadFiles.withoutRegistering { () throws(InputError) in try FileSystem.read(journal) }
    try AtomicFile.write(Data("2".utf8), to: journal)
    withExtendedLifetime(own) {}
  }
}

@Test("a tilde is expanded as in a shell")
func tildes() {
  let environment = ["HOME": "/home/me"]
  for (path, expanded) in [
    ("~", "/home/me"), ("~/a.nii", "/home/me/a.nii"), ("a~b", "a~b"), ("./~/a", "./~/a"),
    ("~root/a", "/root/a"), ("~nobody-has-this-name/a", "~nobody-has-this-name/a"), ("", ""),
  ] {
    #expect(FilePath.expandingTilde(path, environment: environment) == expanded)
  }
}

@Test("an input error is one line with what, found and expected, without control characters")
func inputErrorIsOneLine() {
  let error = InputError("a\u{1b}.nii", "header ends early\nat byte 120", found: "120 bytes", expected: "348")
  #expect(error.description == "a .nii: header ends early at byte 120: found 120 bytes, expected 348")
}

@Test("a temporary folder is removed with what was written in it")
func temporaryFolder() throws {
  let (path, file) = try { () throws -> (String, String) in
    let folder = try TemporaryFolder()
    let file = folder.file("mask.nii")
    try AtomicFile.write(Data("x".utf8), to: file)
    #expect(FileSystem.exists(file))
    return (folder.path, file)
  }()
  #expect(!FileSystem.exists(path) && !FileSystem.exists(file))
}

@Test(
  "temporary files of killed programs are removed by the next writer; those in use stay")
func abandonedFiles() throws {
  try inFolder { folder in
    // Named as this machine names them: what a process wrote that is gone, and what one still writes.
    var unfinished = try AtomicFile(path: folder + "/a.txt")
    try unfinished.write(Data("half".utf8))
    let own = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
    let gone = own.replacing(/-[0-9]+\.part$/, with: "-7.part")
    let names = [own, gone, ".segdeck.elsewhere-1-7.part", "a.part"]
    func lay(in folder: String) throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for name in names { try Data("half".utf8).write(to: URL(filePath: folder + "/" + name)) }
    }
    #expect(own.hasPrefix(".segdeck.") && own != gone)
    // Each folder is searched once, so the next is another one.
    try lay(in: folder + "/next")
    let held = open(folder + "/next/" + own, O_RDONLY | O_CLOEXEC)
    defer { close(held) }
    #expect(flock(held, LOCK_EX | LOCK_NB) == 0)
    try AtomicFile.write(Data("whole".utf8), to: folder + "/next/b.txt")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder + "/next").sorted()
        == [own, ".segdeck.elsewhere-1-7.part", "a.part", "b.txt"].sorted())
    // No process holds the lock of a committed file.
    let written = open(folder + "/next/b.txt", O_RDONLY | O_CLOEXEC)
    defer { close(written) }
    #expect(flock(written, LOCK_EX | LOCK_NB) == 0)
    try unfinished.commit()
    #expect(try String(contentsOfFile: folder + "/a.txt", encoding: .utf8) == "half")
  }
}
