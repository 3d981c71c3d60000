import Foundation
import Journal
import Testing
import Work

/// A folder of its own for one test.
private final class Folder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "segdeck-journal-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { path + "/" + name }

  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

private func record(_ number: Int) -> JournalRecord {
  JournalRecord(
    text: Data("{\"number\":\(number)}".utf8),
    voxels: Data((0..<number * 3).map { UInt8(truncatingIfNeeded: $0 * 7 + number) }))
}

private func texts(_ contents: JournalFile.Contents) -> [String] {
  contents.entries.map { $0.text.map { String(decoding: $0, as: UTF8.self) } ?? "lost" }
}

/// Bytes of a record in a file: a header, the text, the voxels, the text again.
private func size(_ number: Int) -> Int {
  24 + 2 * record(number).text.count + record(number).voxels.count
}

private func text(_ number: Int) -> String { String(decoding: record(number).text, as: UTF8.self) }

/// A journal of five records, closed.
private func written(_ path: String) throws {
  let (file, contents) = try #require(try JournalFile.openForWriting(path))
  #expect(contents.entries == [])
  try file.append((0..<3).map(record))
  try file.append((3..<5).map(record))
}

@Test("records are read in order with their voxels, and a reopened journal is appended to")
func recordsComeBack() throws {
  let folder = try Folder()
  try written(folder("a.journal"))
  do {
    let (file, contents) = try #require(try JournalFile.openForWriting(folder("a.journal")))
    #expect(texts(contents) == (0..<5).map(text))
    #expect(contents.entries.map { file.voxels(of: $0) } == (0..<5).map { record($0).voxels })
    try file.append([record(5)])
  }
  let (_, contents) = try JournalFile.openForReading(folder("a.journal"))
  #expect(texts(contents) == (0..<6).map(text))
  #expect(folder.names == ["a.journal"])
}

@Test("a journal truncated at any byte keeps the records before, and can be appended to")
func cutAnywhere() throws {
  let folder = try Folder()
  try written(folder("whole"))
  let whole = try Data(contentsOf: URL(filePath: folder("whole")))
  // Where each record ends after the first line.
  var ends = [whole.firstIndex(of: 10)! + 1]
  for number in 0..<5 { ends.append(ends[number] + size(number)) }
  #expect(ends[5] == whole.count)
  for count in 0...whole.count {
    try whole.prefix(count).write(to: URL(filePath: folder("cut")))
    let intact = ends.dropFirst().count { $0 <= count }
    do {
      let (file, contents) = try #require(try JournalFile.openForWriting(folder("cut")))
      #expect(texts(contents) == (0..<intact).map(text), "cut at \(count)")
      // The number of lost bytes is exact.
      let known = ends.last { $0 <= count } ?? 0
      #expect(contents.unfinishedByteCount == count - known, "cut at \(count)")
      #expect(contents.isEmpty == (count == 0))
      #expect(contents.unreadableByteCount == 0)
      try file.append([record(9)])
    }
    let (file, contents) = try JournalFile.openForReading(folder("cut"))
    #expect(texts(contents) == (0..<intact).map(text) + [text(9)], "cut at \(count)")
    #expect(file.voxels(of: try #require(contents.entries.last)) == record(9).voxels)
  }
  #expect(folder.names == ["cut", "whole"])
}

@Test(
  "a flipped bit loses at most the records after it; damaged voxels are refused, and writing continues")
func flippedBits() throws {
  let folder = try Folder()
  try written(folder("whole"))
  let whole = try Data(contentsOf: URL(filePath: folder("whole")))
  var ends = [whole.firstIndex(of: 10)! + 1]
  for number in 0..<5 { ends.append(ends[number] + size(number)) }
  for position in 0..<whole.count {
    var damaged = whole
    damaged[position] ^= UInt8(1 << (position % 8))
    try damaged.write(to: URL(filePath: folder("flipped")))
    let before = ends.dropFirst().count { $0 <= position }
    let isInHeader = position >= ends[0] && position - ends[before] < 24
    do {
      let (file, contents) = try #require(try JournalFile.openForWriting(folder("flipped")))
      #expect(contents.hadDamagedFirstLine == (position < ends[0]), "bit at \(position)")
      if !isInHeader { #expect(texts(contents) == (0..<5).map(text), "bit at \(position)") }
      #expect(Array(texts(contents).prefix(before)) == (0..<before).map(text), "bit at \(position)")
      for entry in contents.entries {
        let number = try #require((0..<5).first { Data(text($0).utf8) == entry.text })
        let voxels = file.voxels(of: entry)
        #expect(voxels == record(number).voxels || voxels == nil && number == before, "bit at \(position)")
      }
      try file.append([record(9)])
    }
    let (_, contents) = try JournalFile.openForReading(folder("flipped"))
    #expect(texts(contents).last == text(9), "bit at \(position)")
    #expect(Array(texts(contents).prefix(before)) == (0..<before).map(text), "bit at \(position)")
  }
}

@Test(
  "an unreadable end is reported in bytes and copied beside the journal before it is truncated")
func damageIsKept() throws {
  let folder = try Folder()
  try written(folder("whole"))
  let whole = try Data(contentsOf: URL(filePath: folder("whole")))
  let first = whole.firstIndex(of: 10)! + 1
  let third = first + size(0) + size(1)
  func changed(_ position: Int) -> Data {
    var bytes = whole
    bytes[position] ^= 1
    return bytes
  }
  // The damaged file, the records that are left, and the bytes that are lost.
  let cases: [(String, Data, Int, Int)] = [
    ("first header", changed(first), 0, whole.count - first),
    ("third header", changed(third + 21), 2, whole.count - third),
    ("first line", changed(3), 5, 0),
    ("first line and header", changed(3).prefix(first) + changed(first)[first...], 0, whole.count),
    ("a byte less", whole.dropFirst(), 0, whole.count - 1),
    ("another version without checksum", Data("segdeck journal 9\n".utf8), 0, 18),
    ("a text", Data("hello".utf8), 0, 5),
    ("noise", Data((0..<100).map { UInt8(truncatingIfNeeded: $0 * 37) }), 0, 100),
    ("noise after the last", whole + Data(repeating: 7, count: 30), 5, 30),
    ("part of a header", whole + Data(repeating: 7, count: 20), 5, 0),
    ("part of a record", whole.dropLast(3), 4, 0),
    ("part of the first line", whole.prefix(first - 1), 0, 0),
    ("nothing", Data(), 0, 0),
  ]
  for (number, (name, bytes, leftCount, lostCount)) in cases.enumerated() {
    let path = folder("\(number)")
    try Data(bytes).write(to: URL(filePath: path))
    let (_, seen) = try JournalFile.openForReading(path)
    #expect(texts(seen) == (0..<leftCount).map(text), "\(name)")
    #expect(seen.unreadableByteCount == lostCount, "\(name)")
    #expect(seen.copyName == nil, "\(name)")
    let (file, contents) = try #require(try JournalFile.openForWriting(path))
    #expect(texts(contents) == (0..<leftCount).map(text), "\(name)")
    #expect(contents.unreadableByteCount == lostCount, "\(name)")
    #expect(contents.copyName == (lostCount > 0 ? "\(number).damaged" : nil), "\(name)")
    if lostCount > 0 {
      #expect(try Data(contentsOf: URL(filePath: path + ".damaged")) == Data(bytes), "\(name)")
    }
    try file.append([record(9)])
    let (_, repaired) = try JournalFile.openForReading(path)
    #expect(texts(repaired) == (0..<leftCount).map(text) + [text(9)], "\(name)")
    #expect(repaired.unreadableByteCount == 0, "\(name)")
  }
}

@Test("a text is lost only when both copies are damaged; whether voxels are lost with it is known")
func bothCopies() throws {
  let folder = try Folder()
  try written(folder("whole"))
  let whole = try Data(contentsOf: URL(filePath: folder("whole")))
  let start = whole.firstIndex(of: 10)! + 1
  for (number, hasVoxels) in [(0, false), (3, true)] {
    var damaged = whole
    let text = start + (0..<number).reduce(0) { $0 + size($1) } + 24
    for copy in [text, text + record(number).text.count + record(number).voxels.count] {
      damaged[copy + 2] ^= 4
    }
    try damaged.write(to: URL(filePath: folder("damaged")))
    let (_, contents) = try JournalFile.openForReading(folder("damaged"))
    #expect(contents.entries.map { $0.text == nil } == (0..<5).map { $0 == number })
    #expect(contents.entries[number].hasVoxels == hasVoxels)
  }
}

@Test("records of older journals, which state their text once, are read, and new ones come after them")
func olderRecords() throws {
  let folder = try Folder()
  try written(folder("whole"))
  let whole = try Data(contentsOf: URL(filePath: folder("whole")))
  var older = Data(whole.prefix(through: whole.firstIndex(of: 10)!))
  func put(_ number: UInt32) { withUnsafeBytes(of: number.littleEndian) { older.append(contentsOf: $0) } }
  for number in 0..<3 {
    let (text, voxels) = (record(number).text, record(number).voxels)
    let start = older.count
    put(UInt32(text.count))
    put(crc(text))
    put(UInt32(voxels.count))
    put(0)
    put(crc(voxels))
    put(crc(older[start...]))
    older += text + voxels
  }
  try older.write(to: URL(filePath: folder("older")))
  let (file, _) = try #require(try JournalFile.openForWriting(folder("older")))
  try file.append([record(3)])
  let (read, contents) = try JournalFile.openForReading(folder("older"))
  #expect(texts(contents) == (0..<4).map(text))
  #expect(contents.entries.map { read.voxels(of: $0) } == (0..<4).map { record($0).voxels })
  #expect(contents.unfinishedByteCount == 0 && contents.unreadableByteCount == 0)
}

@Test("one program writes a journal; another one reads it")
func oneWriter() throws {
  let folder = try Folder()
  try written(folder("a"))
  let first = try #require(try JournalFile.openForWriting(folder("a")))
  #expect(try JournalFile.openForWriting(folder("a")) == nil)
  #expect(JournalFile.isInUse(folder("a")))
  #expect(texts(try JournalFile.openForReading(folder("a")).contents) == (0..<5).map(text))
  try first.file.append([record(5)])
  #expect(texts(try JournalFile.openForReading(folder("a")).contents) == (0..<6).map(text))
}

@Test("a journal that is removed while it is written is restored whole and locked")
func removedJournal() throws {
  let folder = try Folder()
  try written(folder("a"))
  let (file, _) = try #require(try JournalFile.openForWriting(folder("a")))
  for number in 5...6 {
    try FileManager.default.removeItem(atPath: folder("a"))
    try file.append([record(number)])
    let (read, contents) = try JournalFile.openForReading(folder("a"))
    #expect(texts(contents) == (0...number).map(text))
    #expect(contents.entries.map { read.voxels(of: $0) } == (0...number).map { record($0).voxels })
    #expect(try JournalFile.openForWriting(folder("a")) == nil)
  }
  // Files that another program put there are not touched.
  try FileManager.default.removeItem(atPath: folder("a"))
  try Data("other".utf8).write(to: URL(filePath: folder("a")))
  #expect(throws: InputError(folder("a"), "cannot be written", found: "another file in its place")) {
    try file.append([record(7)])
  }
  #expect(try Data(contentsOf: URL(filePath: folder("a"))) == Data("other".utf8))
}

@Test(
  "a journal whose folder is moved or removed while it is written is restored, with a private folder"
)
func movedJournal() throws {
  let folder = try Folder()
  let state = folder("state/journals")
  try FileSystem.makeFolder(state)
  try written(state + "/a")
  let (file, _) = try #require(try JournalFile.openForWriting(state + "/a"))
  try FileManager.default.moveItem(atPath: folder("state"), toPath: folder("aside"))
  try file.append([record(5)])
  #expect(texts(try JournalFile.openForReading(state + "/a").contents) == (0...5).map(text))
  #expect(texts(try JournalFile.openForReading(folder("aside/journals/a")).contents) == (0..<5).map(text))
  #expect(try #require(FileSystem.status(state)).st_mode & 0o777 == 0o700)
  #expect(try JournalFile.openForWriting(state + "/a") == nil)
  try FileManager.default.removeItem(atPath: folder("state"))
  try file.append([record(6)])
  #expect(texts(try JournalFile.openForReading(state + "/a").contents) == (0...6).map(text))
}

@Test("a journal that another program cut off is not written after the cut", arguments: [0, 30, 100])
func cutOffJournal(left: Int) throws {
  let folder = try Folder()
  try written(folder("a"))
  let (file, _) = try #require(try JournalFile.openForWriting(folder("a")))
  try file.append([record(5)])
  let whole = try Data(contentsOf: URL(filePath: folder("a")))
  try #require(truncate(folder("a"), left) == 0)
  let error = InputError(
    folder("a"), "was cut off by another program", found: "\(left) bytes", expected: "at least \(whole.count)"
  )
  #expect(throws: error) { try file.append([record(6)]) }
  #expect(try Data(contentsOf: URL(filePath: folder("a"))) == whole.prefix(left))
}

@Test("journals of a newer program and paths that cannot be written are refused with one line")
func refusals() throws {
  let folder = try Folder()
  // The checksum of "segdeck journal 2", as zlib computes it.
  try Data("segdeck journal 2 \(String(crc(Data("segdeck journal 2".utf8)), radix: 16, padded: 8))\n".utf8)
    .write(
      to: URL(filePath: folder("newer")))
  #expect(
    throws: InputError(
      folder("newer"), "was written by a newer segdeck", expected: "journals of version 1")
  ) { try JournalFile.openForWriting(folder("newer")) }
  #expect(throws: InputError(folder("no/such"), "cannot be written", found: "No such file or directory")) {
    try JournalFile.openForWriting(folder("no/such"))
  }
  #expect(throws: InputError(folder.path, "cannot be written", found: "Is a directory")) {
    try JournalFile.openForWriting(folder.path)
  }
}

/// The CRC-32 of bytes, bit by bit.
private func crc(_ bytes: Data) -> UInt32 {
  var value = ~UInt32(0)
  for byte in bytes {
    value ^= UInt32(byte)
    for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
  }
  return ~value
}

extension String {
  fileprivate init(_ number: UInt32, radix: Int, padded width: Int) {
    let text = String(number, radix: radix)
    self = String(repeating: "0", count: width - text.count) + text
  }
}

@Test("old journals and the oldest beyond the size limit are removed; protected and open ones stay")
func pruning() throws {
  let folder = try Folder()
  let journals = JournalFolder(environment: ["XDG_STATE_HOME": folder.path])
  #expect(journals.path == folder("segdeck/journals"))
  try journals.make()
  #expect(journals.items() == [])
  let now = 1_000_000_000.0
  for (name, days) in [("new", 1.0), ("second", 2), ("kept", 200), ("old", 181), ("open", 300)] {
    try Data(count: 1000).write(to: URL(filePath: journals.file(of: name)))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: now - days * 86400)],
      ofItemAtPath: journals.file(of: name))
  }
  #expect(journals.items().map(\.digest) == ["new", "second", "old", "kept", "open"])
  let descriptor = open(journals.file(of: "open"), O_RDONLY)
  defer { close(descriptor) }
  #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
  let removed = journals.prune(nowSeconds: now) { $0.digest == "kept" }
  #expect(removed.map(\.digest) == ["old"])
  #expect(
    journals.prune(nowSeconds: now, byteCount: 1500) { $0.digest == "kept" }.map(\.digest) == ["second"])
  #expect(journals.items().map(\.digest) == ["new", "kept", "open"])
}

@Test("copies of damaged journals count and are removed with their journal")
func copiesGo() throws {
  let folder = try Folder()
  let journals = JournalFolder(environment: ["XDG_STATE_HOME": folder.path])
  try journals.make()
  for name in ["a.journal", "a.journal.damaged", "a.journal.damaged-2", "b.journal", "ab.journal"] {
    try Data(count: 1000).write(to: URL(filePath: journals.path + "/" + name))
  }
  let items = journals.items()
  #expect(
    items.map { "\($0.digest) \($0.byteCount) \($0.copies.count)" }.sorted() == [
      "a 3000 2", "ab 1000 0", "b 1000 0",
    ])
  try journals.remove(try #require(items.first { $0.digest == "a" }))
  #expect(
    try FileManager.default.contentsOfDirectory(atPath: journals.path).sorted() == [
      "ab.journal", "b.journal",
    ])
  #expect(journals.prune(nowSeconds: 4e9) { _ in false }.count == 2)
  #expect(try FileManager.default.contentsOfDirectory(atPath: journals.path) == [])
}

@Test("a folder that cannot be made is refused with the reason of the system")
func folderRefusals() throws {
  let folder = try Folder()
  try Data().write(to: URL(filePath: folder("state")))
  #expect(throws: InputError(folder("state"), "cannot be made a folder", found: "File exists")) {
    try JournalFolder(environment: ["XDG_STATE_HOME": folder("state")]).make()
  }
  #expect(throws: InputError("/proc/nowhere", "cannot be made a folder", found: "No such file or directory"))
  {
    try JournalFolder(environment: ["XDG_STATE_HOME": "/proc/nowhere"]).make()
  }
}

@Test("the folder is the user's, and a relative XDG_STATE_HOME does not count")
func folders() {
  #expect(
    JournalFolder(environment: ["XDG_STATE_HOME": "state", "HOME": "/home/reader"]).path
      == "/home/reader/.local/state/segdeck/journals")
  #expect(
    JournalFolder(environment: ["HOME": "/home/reader"]).path == "/home/reader/.local/state/segdeck/journals")
  #expect(JournalFolder(environment: ["XDG_STATE_HOME": "/state/"]).path == "/state/segdeck/journals")
}
