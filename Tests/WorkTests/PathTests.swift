import Foundation
import Testing
import Work

/// Names on a disk, on a terminal, and while they are unfinished.
struct PathTests {
  private func text(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { FilePath.text($0) } }

  @Test(
    "any bytes are a path and are restored exactly; those that are not UTF-8 are shown escaped",
    arguments: [
      (Array("scan.nii".utf8), "scan.nii"), (Array("é/日本.nii".utf8), "é/日本.nii"),
      ([0x63, 0xE9, 0x2E, 0x6E, 0x69, 0x69], "c\\xE9.nii"), ([0xFF, 0xC3], "\\xFF\\xC3"),
      // The scalar that stands for the byte 0xE9, as UTF-8 of its own.
      ([0xF4, 0x8F, 0xBF, 0xA9], "\\xF4\\x8F\\xBF\\xA9"), ([0xED, 0xA0, 0x80], "\\xED\\xA0\\x80"),
    ] as [([UInt8], String)])
  func bytes(_ bytes: [UInt8], shown: String) {
    #expect(FilePath.bytes(of: text(bytes)) == bytes)
    #expect(text(bytes).printableLine == shown)
  }

  @Test("a folder is listed, and a file written, read, renamed and removed, under a name that is not UTF-8")
  func disk() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try FileSystem.makeFolder(folder + "/a/b/")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let name = text([0x63, 0xE9])
    let path = FilePath.joined(folder, name)
    try AtomicFile.write(Data("x".utf8), to: path)
    #expect(try FileSystem.names(in: folder) == ["a", name])
    #expect(try FileSystem.read(path) == Data("x".utf8))
    #expect(FileSystem.rename(path, path + "2") == 0 && !FileSystem.exists(path))
    #expect(try FileSystem.readIfPresent(path) == nil)
    #expect(FileSystem.remove(path + "2") == 0)
    #expect(throws: InputError(folder, "cannot be read", found: "a folder", expected: "a file")) {
      try FileSystem.readIfPresent(folder)
    }
  }

  @Test(
    "no control, bidirectional or invisible character stays in a printed line",
    arguments: [
      ("a\u{1b}[31mb", "a [31mb"), ("a\nb\r\tc", "a b  c"), ("a\u{7f}\u{9b}b", "a  b"),
      ("a\u{202e}b\u{2066}\u{200f}", "ab"), ("a\u{2028}\u{2029}b", "a  b"),
      ("a\u{200b}\u{feff}\u{e0041}b", "ab"),
      ("Leber ä 日本", "Leber ä 日本"),
    ])
  func printable(text: String, shown: String) {
    #expect(text.printableLine == shown)
  }

  @Test(
    "parts of paths",
    arguments: [
      ("p", "", "p", "p"), ("a/b/c.nii.gz", "a/b", "c.nii.gz", "c.nii"), ("/c.nii", "/", "c.nii", "c"),
      ("a/.c", "a", ".c", ".c"), ("a/\u{301}b", "a", "\u{301}b", "\u{301}b"), ("", "", "", ""),
    ])
  func parts(path: String, folder: String, name: String, stem: String) {
    #expect(FilePath.folder(of: path).unicodeScalars.elementsEqual(folder.unicodeScalars))
    #expect(FilePath.name(of: path).unicodeScalars.elementsEqual(name.unicodeScalars))
    #expect(FilePath.stem(of: path).unicodeScalars.elementsEqual(stem.unicodeScalars))
  }

  @Test("a lock has one holder at a time, and leaves no file when it is released")
  func lock() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try FileSystem.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/log"
    do {
      let first = try FileLock(path, owner: "training")
      #expect(throws: InputError(path, "is in use by another training that runs")) {
        try FileLock(path, owner: "training")
      }
      withExtendedLifetime(first) {}
    }
    _ = try FileLock(path, owner: "training")
    #expect(try FileSystem.names(in: folder) == [])
    // Another name of the same file is no other file.
    try Data().write(to: URL(filePath: path))
    try FileManager.default.createSymbolicLink(atPath: folder + "/soft", withDestinationPath: "log")
    try FileManager.default.linkItem(atPath: path, toPath: folder + "/hard")
    let first = try FileLock(path, owner: "training")
    for name in ["/soft", "/hard"] {
      #expect(throws: InputError(folder + name, "is in use by another training that runs")) {
        try FileLock(folder + name, owner: "training")
      }
    }
    withExtendedLifetime(first) {}
  }
}

@Test(
  "an absolute path has no dots where they lead nowhere else, and keeps those after links and missing folders"
)
func absolutePaths() throws {
  let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  let folder = FilePath.absolute(url.path)
  try FileManager.default.createDirectory(atPath: folder + "/sub/deep", withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "sub/deep")
  let here = FileSystem.currentFolder
  let cases = [
    ("/a//b/./c.nii", "/a/b/c.nii"), ("c.nii", here + "/c.nii"), ("./c.nii", here + "/c.nii"),
    ("/../c.nii", "/c.nii"), ("/", "/"), ("/..", "/"), ("/a/", "/a/"),
    (folder + "/sub/../c.nii", folder + "/c.nii"), (folder + "/sub/deep/../../c.nii", folder + "/c.nii"),
    (folder + "/./sub/.././c.nii", folder + "/c.nii"),
    (folder + "/link/../c.nii", folder + "/link/../c.nii"),
    (folder + "/none/../c.nii", folder + "/none/../c.nii"),
    (folder + "/none/../../c.nii", folder + "/none/../../c.nii"),
  ]
  for (path, absolute) in cases { #expect(FilePath.absolute(path) == absolute) }
}

@Test("the home folder is written as people write it")
func tilde() {
  let home = ["HOME": "/home/reader"]
  for (path, short) in [
    ("/home/reader/a", "~/a"), ("/home/reader", "~"), ("/home/reader2/a", "/home/reader2/a"), ("/a", "/a"),
  ] {
    #expect(FilePath.withTilde(path, environment: home) == short)
  }
  #expect(FilePath.withTilde("/a", environment: ["HOME": "/"]) == "/a")
}
