import Foundation
import Journal
import Testing
import Work
import Worklist

/// Lines as ``LineFile`` writes them.
enum LineFileSample {
  static func line(_ record: Data) -> Data {
    let checksum = String(format: "%08x", CRC32.checksum(of: record))
    return Data("{\"crc32\":\"\(checksum)\",\"record\":".utf8) + record + Data("}\n".utf8)
  }
}

@Suite struct ProcessTests {
  /// The program beside the tests.
  private static func program() throws -> URL {
    var folder = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    for _ in 0..<6 {
      let candidate = folder.appending(path: "RecordWriterProcess")
      if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
      folder.deleteLastPathComponent()
    }
    throw InputError("RecordWriterProcess", "was not built")
  }

  private static func start(_ folder: SampleFolder, _ reader: String, count: Int) throws -> (Process, Pipe) {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = try program()
    process.arguments = [folder.path, reader, "\(count)"]
    process.standardOutput = pipe
    try process.run()
    return (process, pipe)
  }

  @Test(
    "of two concurrent writers, one killed, every verdict whose write had returned is in the records"
  )
  func killedWriter() throws {
    let folder = try SampleFolder()
    let (whole, wholePipe) = try Self.start(folder, "ann", count: 1000)
    let (killed, killedPipe) = try Self.start(folder, "bob", count: 1000)
    var printed = Data()
    while printed.count(where: { $0 == 10 }) < 300 {
      let more = killedPipe.fileHandleForReading.availableData
      guard !more.isEmpty else { break }
      printed += more
    }
    kill(killed.processIdentifier, SIGKILL)
    printed += try killedPipe.fileHandleForReading.readToEnd() ?? Data()
    _ = try wholePipe.fileHandleForReading.readToEnd()
    whole.waitUntilExit()
    killed.waitUntilExit()
    #expect(whole.terminationStatus == 0)
    let written = printed.count(where: { $0 == 10 })
    #expect((300..<1000).contains(written))
    var records = ReviewRecords(folders: [folder.path])
    records.poll()
    let readers = (1...1000).map { records.reviews["case\($0)"]?.decisions ?? [:] }
    #expect(readers.allSatisfy { $0["ann"]?.verdict == .accepted })
    #expect(readers.prefix(written).allSatisfy { $0["bob"]?.comment.hasPrefix("case number") == true })
    // The one that was being written when the signal came may be there too.
    #expect((written...written + 1).contains(readers.count { $0["bob"] != nil }))
    #expect(records.notes == [])
  }
}
