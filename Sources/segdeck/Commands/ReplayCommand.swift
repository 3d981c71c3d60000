import ArgumentParser
import Foundation
import ImageFormats
import Volumes
import Work

/// `segdeck replay`: reproduces a mask from its record.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Reproduce a mask from its record.",
    discussion: """
      RECORD is the NAME.json that lies beside a mask which segment, refine or a review wrote. Its inputs are looked \
      for where they were, from the folder where the program runs, and beside the record, and must have the content \
      that the record states. Its commands run inside this program, never in a shell. --verify prints "same" when \
      the result, and the mask that lies beside the record with its names, are what the record describes, whatever \
      they are called now and however they are compressed. Else it fails and says what differs: the result or the \
      mask, in how many voxels or its geometry, the names, or that the mask is gone.
      """)

  @Argument(help: "The record, or the mask that it lies beside.", completion: .file())
  var record: String

  @Option(
    name: .shortAndLong, help: "Mask file to write, with its names and its record.", completion: .file())
  var output: String?

  @Flag(help: "Compare the result, and the mask beside the record, with the record.")
  var verify = false

  @Flag(help: "Replace existing files.")
  var force = false

  @OptionGroup var threads: WorkOptions

  func validate() throws {
    guard output != nil || verify else {
      throw InputError("replay", "would do nothing with the mask", expected: "-o, --verify or both")
    }
  }

  func run() throws {
    let work = threads.context("replaying").withoutProgress
    let outputPath = try output.map {
      try OutputPath(
        $0, kind: .image, isForced: force, companions: MaskRecord.companions(ofMask: $0))
    }
    let replay = try RecordReplay(naming: record, output: output, work: work)
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let mask: String
    do { mask = try replay.run(in: folder, work: work) } catch let error as InputError
      where error.subject.hasPrefix(folder.path)
    {
      // The name of a temporary file would not help the user.
      throw InputError(
        output ?? replay.path,
        output == nil ? "its mask cannot be written, to be compared" : error.problem, found: error.found,
        expected: error.expected)
    }
    let difference = verify ? try replay.difference(of: mask, work: work) : nil
    if let outputPath { try replay.write(mask, to: outputPath, work: work) }
    guard verify else { return }
    guard let difference else { return try Console.print("same") }
    throw difference
  }
}
