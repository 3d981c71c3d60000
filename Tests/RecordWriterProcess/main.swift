import Foundation
import Work
import Worklist

// RecordWriterProcess FOLDER READER COUNT: writes verdicts about COUNT cases and prints the number of each one as soon
// as its writing has returned.

let arguments = CommandLine.arguments
guard arguments.count == 4, let count = Int(arguments[3]) else { exit(64) }
let writer = RecordWriter(folders: [arguments[1]], reader: arguments[2])
var records = ReviewRecords(folders: [arguments[1]])
for number in 1...max(1, count) {
  if number % 50 == 0 { records.poll() }
  let decision = CaseDecision(verdict: .accepted, score: number % 5 + 1, comment: "case number \(number)")
  do {
    try writer.append(
      .decided, caseName: "case\(number)", image: "images/case\(number).nii.gz", decision: decision,
      after: records.highestSequence)
  } catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
  }
  let line = "\(number)\n"
  _ = line.withCString { write(STDOUT_FILENO, $0, strlen($0)) }
}
