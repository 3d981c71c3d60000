import ArgumentParser
import Foundation
import ImageFormats
import Volumes
import Work

/// `segdeck replay`: makes a mask again from its record.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Make a mask again from the record beside it.",
    discussion: """
      RECORD is the NAME.json that lies beside a mask which segment, refine or a review wrote. Its inputs are looked \
      for where they were, from the folder where the program runs, and beside the record, and must have the content \
      that the record states. Its commands run inside this program, never in a shell. --verify compares the result \
      with the mask that the record describes and prints "same", or how many voxels differ, which fails.
      """)

  @Argument(help: "The record, or the mask that it lies beside.", completion: .file())
  var record: String

  @Option(
    name: .shortAndLong, help: "Mask file to write, with its names and its record.", completion: .file())
  var output: String?

  @Flag(help: "Compare with the mask that the record describes.")
  var verify = false

  @Flag(help: "Replace existing files.")
  var force = false

  @OptionGroup var threads: CommandWork

  func validate() throws {
    guard output != nil || verify else { throw ValidationError("-o, --verify or both are needed") }
  }

  func run() throws {
    let work = threads.context("replaying").silent
    let replay = try RecordReplay(path: RecordReplay.recordPath(record), work: work)
    let place = try output.map {
      try OutputPlace(
        $0, isForced: force, companions: MaskRecord.companions(ofMask: $0), kind: .image)
    }
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let mask = try replay.run(in: folder, work: work)
    let difference = verify ? try replay.difference(of: mask, work: work) : nil
    if let place { try replay.write(mask, to: place, work: work) }
    guard verify else { return }
    guard let difference else { return try Console.print("same") }
    throw InputError(replay.path, difference)
  }
}
