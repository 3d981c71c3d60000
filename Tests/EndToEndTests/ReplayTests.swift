import Foundation
import TestSupport
import Testing

/// Records, and `segdeck replay`, which carries them out again.
@Suite(.serialized)
struct ReplayTests {
  /// An image of 24x20x16 voxels with labels 1 and 3, a mask stored in another order of the axes with 0 and 255, and
  /// what commands made of them.
  private static let files = Result { () throws -> [String: Data] in
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try succeed(
      [
        "phantom", "ct", "--seed", "3", "--size", "40x36x32", "--spacing", "8", "-o", "image.nii",
        "--labels", "mask.nii",
      ], in: folder.path)
    for words in [
      "segment image.nii -o network.nii.gz --probabilities p.nii.gz",
      "segment image.nii -o image-grid.nii --grid image --threads 1",
      "refine image.nii --probabilities p.nii.gz -o refined.nii.gz --theta-beta 20",
      "refine image.nii --mask mask.nii -o from-mask.nii.gz --mask-confidence 0.7 --only-labels 6 --iterations 3",
      "refine image.nii --mask mask.nii --further-image image.nii --theta-beta 20,30 -o two.nii",
      "refine image.nii --mask mask.nii --model liver -o model.nii",
    ] {
      try succeed(words.split(separator: " ").map(String.init), in: folder.path)
    }
    return try folder.contents()
  }

  private func filledFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, content) in try Self.files.get() { try content.write(to: URL(filePath: folder(name))) }
    return folder
  }

  private func outcome(_ words: String, _ folder: TemporaryFolder) throws -> CommandOutcome {
    try segdeck(words.split(separator: " ").map(String.init), in: folder.path)
  }

  private func edited(
    _ name: String, _ folder: TemporaryFolder, _ edit: (inout [String: Any]) throws -> Void
  ) throws {
    var record = try #require(
      try JSONSerialization.jsonObject(with: folder.bytes(name)) as? [String: Any])
    try edit(&record)
    try JSONSerialization.data(withJSONObject: record).write(to: URL(filePath: folder("edited.json")))
  }

  @Test(
    "outputs of segment and refine are reproduced to the byte, even in a moved folder",
    arguments: [
      "network.nii.gz", "image-grid.nii", "refined.nii.gz", "from-mask.nii.gz", "two.nii", "model.nii",
    ])
  func same(mask: String) throws {
    // The files' first folder is gone: they are found beside the record.
    let folder = try filledFolder()
    defer { folder.remove() }
    let before = try folder.contents()
    let stem = mask.split(separator: ".")[0]
    let ending = mask.dropFirst(stem.count)
    #expect(try succeed(["replay", mask, "--verify"], in: folder.path) == "same\n")
    #expect(try folder.contents() == before)
    try succeed(["replay", "\(stem).json", "-o", "again\(ending)"], in: folder.path)
    #expect(try folder.bytes("again\(ending)") == folder.bytes(mask))
    #expect(try folder.bytes("again.labels.json") == folder.bytes("\(stem).labels.json"))
    // The replayed mask has a record that replays.
    #expect(try succeed(["replay", "again.json", "--verify"], in: folder.path) == "same\n")
    // The exported mask itself is replaced only where that is asked for.
    #expect(
      try outcome("replay \(stem).json -o \(mask)", folder).errors == "segdeck: \(mask): exists: "
        + "expected another name, or --force to replace it\n")
    #expect(try outcome("replay \(stem).json -o \(mask) --force", folder).status == 0)
    #expect(try folder.bytes(mask) == before[mask])
  }

  @Test(
    "a record names instruction set, threads, checksums and where its files are, and its output is an argument"
  )
  func recordContent() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    let record = try JSONDecoder().decode(Record.self, from: folder.bytes("image-grid.json"))
    #expect(record.threads == 1)
    #expect(["SSE2", "NEON", "AVX2", "AVX-512"].contains(record.instructionSet))
    #expect(record.commands == ["segdeck segment image.nii --model liver --grid image -o OUTPUT"])
    #expect(record.input.path == "image.nii")
    #expect(record.input.absolutePath?.hasSuffix("/image.nii") == true)
    let sum = try run(["sha256sum", folder("image.nii")]).output.prefix(64)
    #expect(record.input.sha256 == String(sum))
  }

  private struct Record: Decodable {
    struct File: Decodable {
      var path: String
      var absolutePath: String?
      var sha256: String?
    }
    var threads: Int
    var instructionSet: String
    var commands: [String]
    var input: File
  }

  @Test("a mask that differs is counted, voxel by voxel, and fails")
  func different() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    // The record of one mask, with the kernels of another command.
    try edited("from-mask.json", folder) { record in
      record["commands"] = [
        "segdeck refine image.nii --mask mask.nii --mask-confidence 0.7 --only-labels 6 --iterations 3 "
          + "--appearance-weight 0 --smoothness-weight 0 -o OUTPUT"
      ]
    }
    let outcome = try outcome("replay edited.json --verify", folder)
    #expect(outcome.status == 1)
    let line = outcome.errors.split(separator: "\n").last ?? ""
    #expect(line.firstMatch(of: /^segdeck: edited\.json: [1-9]\d* of 46080 voxels differ$/) != nil, "\(line)")
  }

  @Test(
    "verify compares the mask and the names beside a record with it, whatever their file names"
  )
  func maskBesideRecord() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    let original = try folder.bytes("image-grid.nii")
    let names = try folder.bytes("image-grid.labels.json")
    func put(_ data: Data?, _ name: String) throws {
      unlink(folder(name))
      try data?.write(to: URL(filePath: folder(name)))
    }
    func changed(_ count: Int, at offset: Int = 352 + 1000) -> Data {
      var data = original
      for index in offset..<offset + count { data[index] = data[index] &+ 9 }
      return data
    }
    func verification(_ name: String = "image-grid.json", _ further: [String] = []) throws -> String {
      let outcome = try segdeck(["replay", name, "--verify"] + further, in: folder.path)
      #expect(outcome.status == (outcome.output == "same\n" ? 0 : 1))
      return outcome.output
        + outcome.errors.split(separator: "\n").filter { !$0.contains(" CRF: ") }
        .joined(separator: "\n")
    }
    let line = "segdeck: image-grid.nii: was changed since its record was written: "
    try put(changed(3), "image-grid.nii")
    for name in ["image-grid.json", "image-grid.nii"] {
      #expect(try verification(name) == line + "3 of 46080 voxels differ")
    }
    #expect(try verification("image-grid.json", ["-o", "again.nii"]) == line + "3 of 46080 voxels differ")
    #expect(try folder.bytes("again.nii") == original)
    #expect(
      try verification("image-grid.json", ["-o", "image-grid.nii", "--force"]) == line
        + "3 of 46080 voxels differ")
    #expect(try folder.bytes("image-grid.nii") == original)
    // The record that was written with it states the threads of now.
    let record = try folder.bytes("image-grid.json")
    // A checksum that was changed in the record.
    for sum in [String(repeating: "a", count: 64), nil] {
      try edited("image-grid.json", folder) { record in
        var file = try #require(record["output"] as? [String: Any])
        file["sha256"] = sum
        record["output"] = file
      }
      let stated = sum.map { "\($0.prefix(12))..." } ?? "none"
      #expect(
        try verification("edited.json")
          == "same\nsegdeck: note: image-grid.nii: is another file than edited.json states, with the same labels and "
          + "grid: SHA-256 \(try self.sum("image-grid.nii", folder))..., stated \(stated)")
    }
    unlink(folder("edited.json"))
    try put(changed(1), "image-grid.nii")
    #expect(try verification() == line + "1 of 46080 voxels differs")
    // srow_x[3], which is where the voxels lie.
    try put(changed(1, at: 292), "image-grid.nii")
    #expect(try verification() == line + "the geometry differs")
    // sform_code, which says of which space they are.
    try put(changed(1, at: 254), "image-grid.nii")
    #expect(
      try verification() == line + "the header states the grid otherwise (qform, sform, codes or units)")
    try put(original.prefix(5000), "image-grid.nii")
    #expect(
      try verification().hasPrefix(
        "segdeck: image-grid.nii: was changed since its record was written and is no longer a mask"))
    // The same voxels, compressed.
    try put(original, "image-grid.nii")
    let stated = try sum("image-grid.nii", folder)
    _ = try run(["gzip", "-1", folder("image-grid.nii")])
    #expect(
      try verification()
        == "same\nsegdeck: note: image-grid.nii.gz: is another file than image-grid.json states, with the same labels "
        + "and grid: SHA-256 \(try sum("image-grid.nii.gz", folder))..., stated \(stated)...")
    unlink(folder("image-grid.nii.gz"))
    let missing =
      "segdeck: image-grid.nii: is missing; what its record's commands make is the mask that the record describes"
    for name in ["image-grid.json", "image-grid.nii"] { #expect(try verification(name) == missing) }
    try put(original, "image-grid.nii")
    try put(
      Data(String(decoding: names, as: UTF8.self).replacing("liver", with: "spleen").utf8),
      "image-grid.labels.json")
    #expect(
      try verification() == "segdeck: image-grid.labels.json: was changed since the record was written: "
        + "found 1=spleen #e69f00, expected 1=liver #e69f00")
    try put(nil, "image-grid.labels.json")
    #expect(
      try verification()
        == "same\nsegdeck: note: image-grid.labels.json: is missing; the record has the names of the labels too"
    )
    // A limit on the sizes of files is reported for the file that was requested.
    for (words, line) in [
      (["-o", "o.nii"], "o.nii: cannot be written: found File too large"),
      (["--verify"], "image-grid.json: its mask cannot be written, to be compared: found File too large"),
    ] {
      let outcome = try segdeck(
        ["replay", "image-grid.json"] + words, in: folder.path, shell: "trap '' XFSZ; ulimit -f 1")
      #expect(outcome.errors == "segdeck: \(line)\n")
    }
    // Under other names, and with another mask where the record's was.
    try folder.make("other")
    for (data, name) in [(original, "x.nii"), (record, "x.json"), (names, "x.labels.json")] {
      try put(data, "other/" + name)
    }
    try put(changed(5), "image-grid.nii")
    #expect(try verification("other/x.json") == "same\n")
    try put(changed(2), "other/x.nii")
    #expect(
      try verification("other/x.json")
        == "segdeck: other/x.nii: was changed since its record was written: 2 of 46080 voxels differ")
  }

  /// The first digits of a file's SHA-256.
  private func sum(_ name: String, _ folder: TemporaryFolder) throws -> String {
    String(try run(["sha256sum", folder(name)]).output.prefix(12))
  }

  @Test("an input that is missing or changed is named in one line, and nothing is written")
  func inputs() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    try folder.bytes("mask.nii").write(to: URL(filePath: folder("image.nii")))
    var outcome = try outcome("replay from-mask.json --verify", folder)
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.hasPrefix("segdeck: image.nii: is not the file of the record: its content changed"))
    unlink(folder("image.nii"))
    outcome = try self.outcome("replay from-mask.json -o o.nii", folder)
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("segdeck: image.nii: is missing: expected the file with SHA-256 "))
    #expect(!FileManager.default.fileExists(atPath: folder("o.nii")))
  }

  @Test("a record that names anything but ordinary files is refused at once")
  func namedFiles() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    mkfifo(folder("pipe"), 0o600)
    for field in ["input", "output"] {
      for (path, line) in [
        ("/dev/zero", "/dev/zero: cannot be read: found a device or pipe, expected a file"),
        ("pipe", "pipe: cannot be read: found a device or pipe, expected a file"),
        ("", "edited.json: names a file without a path"),
      ] {
        try edited("from-mask.json", folder) { record in
          var file = try #require(record[field] as? [String: Any])
          (file["path"], file["absolutePath"]) = (path, path)
          if field == "output" { file["sha256"] = String(repeating: "0", count: 64) }
          record[field] = file
        }
        let outcome = try outcome("replay edited.json --verify", folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors == "segdeck: \(line)\n")
      }
    }
  }

  @Test("replaying over a reviewed mask keeps the review in its record, or is refused")
  func reviewedMask() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    func review(_ edit: (inout [String: Any]) -> Void) throws {
      try edited("from-mask.json", folder) { record in
        record["review"] = ["reviewer": "A. Reader", "version": "from-mask", "exported": "2026-01-01"]
        edit(&record)
      }
      try folder.bytes("edited.json").write(to: URL(filePath: folder("from-mask.json")))
    }
    try review { _ in }
    #expect(try outcome("replay from-mask.json -o from-mask.nii.gz --force", folder).status == 0)
    #expect(String(decoding: try folder.bytes("from-mask.json"), as: UTF8.self).contains("A. Reader"))
    try review { record in
      record["commands"] = [
        "segdeck refine image.nii --mask mask.nii --appearance-weight 0 --smoothness-weight 0 -o OUTPUT"
      ]
    }
    let before = try folder.contents()
    let outcome = try outcome("replay from-mask.json -o from-mask.nii.gz --force", folder)
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.hasSuffix(
        "segdeck: from-mask.nii.gz: is the reviewed mask, and the replay made a different one: "
          + "expected another name\n"))
    #expect(try folder.contents() == before)
  }

  @Test(
    "a record with anything but commands that make masks of its own inputs is refused in one line",
    arguments: [
      ("commands", ["segdeck train --images . --labels . -o m"], "a command makes no mask: found train"),
      ("commands", ["rm -rf ."], "a command is none of this program: found rm -rf ."),
      ("commands", ["segdeck segment image.nii -o OUTPUT; touch owned"], "a command cannot be read"),
      ("commands", ["segdeck segment $(touch owned) -o OUTPUT"], "a command cannot be read"),
      ("commands", ["segdeck segment 'image.nii -o OUTPUT"], "a command is none of this program"),
      (
        "commands", ["segdeck segment --help"],
        "a command cannot be read: found segment --help, expected one that makes a mask"
      ),
      (
        "commands", ["segdeck refine image.nii --generate-completion-script bash"],
        "a command cannot be read: found refine image.nii --generate-completion-script bash, expected one that"
      ),
      ("commands", [], "its commands: found 0, expected 1 to 64"),
      (
        "commands", Array(repeating: "segdeck segment image.nii -o OUTPUT", count: 65),
        "its commands: found 65"
      ),
      (
        "commands", ["segdeck convert /etc/passwd OUTPUT"],
        "a command reads a file whose content the record does not state: found /etc/passwd"
      ),
      (
        "commands", ["segdeck refine image.nii --mask mask.nii --preset x.json -o OUTPUT"],
        "a command reads a file whose content the record does not state: found x.json"
      ),
      ("model", [], "is not a record of a mask"),
      ("input", [], "is not a record of a mask"),
      ("output", [], "is not a record of a mask"),
    ] as [(String, [String], String)])
  func hostile(field: String, value: [String], line: String) throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    try edited("from-mask.json", folder) { $0[field] = value }
    let before = try folder.contents()
    let outcome = try outcome("replay edited.json -o o.nii.gz", folder)
    #expect(outcome.status == 1)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("segdeck: edited.json: \(line)"), "\(outcome.errors)")
    #expect(outcome.errors.count(where: \.isNewline) == 1)
    #expect(try folder.contents() == before)
  }

  @Test("numbers beyond reason in a record are refused as they are on the command line")
  func absurdNumbers() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    for option in [
      "--frame 9223372036854775807", "--theta-alpha nan", "--mask-confidence 7", "--theta-beta -1",
    ] {
      try edited("from-mask.json", folder) { record in
        record["commands"] = ["segdeck refine image.nii --mask mask.nii \(option) -o OUTPUT"]
      }
      let outcome = try outcome("replay edited.json --verify", folder)
      #expect(outcome.status == 1, "\(option)")
      #expect(outcome.errors.hasPrefix("segdeck: "), "\(option): \(outcome.errors)")
    }
  }

  @Test(
    "an export of a review is reproduced: reordered axes, 0 and 255; changed inputs are reported")
  func reviewExports() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    // The mask stored back to front along x, with an sform that says so.
    try reverseFirstAxis(folder("mask.nii"), to: folder("reversed.nii"))
    let original = try folder.bytes("image.nii")
    let session = try TmuxSession(
      columns: 200, rows: 40,
      environment: [
        "SEGDECK_SHARE": checkout.appending(path: "sample-data").path, "XDG_STATE_HOME": folder("state"),
        "HOME": folder.path,
      ])
    func begin(_ mask: String) throws {
      try session.enter(
        "clear; cd \(folder.path); \(try BuiltProgram.path()) review image.nii --mask \(mask)")
      try session.waitFor("Sagittal", seconds: 60)
      try session.press("y")
      try session.waitFor("accepted")
    }
    func export(_ name: String) throws {
      try session.type(":export \(name)")
      try session.press("Enter")
    }
    try begin("reversed.nii")
    // The command asks about a file of the user beside the mask; the opened mask's names are never replaced.
    try Data("mine".utf8).write(to: URL(filePath: folder("other.json")))
    try export("other.nii.gz")
    try session.waitUntil("asks") { $0.contains("other.json") && $0.contains("Replace it?") }
    try session.press("n")
    try session.waitFor("not exported")
    try export("mask.txt")
    try session.waitFor("cannot be written as an image")
    try export("reversed.nii")
    try session.waitFor("is the file that is read")
    try export("image.nii.gz")
    try session.waitFor("exported")
    // ~ is HOME, as in a shell.
    try export("~/reviewed.nii.gz")
    try session.waitFor("exported \(folder("reviewed.nii.gz"))")
    // The image is replaced by one of another geometry, and the mask deleted, before the next export.
    try folder.bytes("reversed.nii").write(to: URL(filePath: folder("image.nii")))
    unlink(folder("reversed.nii"))
    try export("late.nii.gz")
    try session.waitFor("since it was opened")
    try session.press("q")
    try session.waitFor("ready>")
    #expect(try folder.bytes("other.json") == Data("mine".utf8))
    #expect(try folder.bytes("late.nii.gz") == folder.bytes("reviewed.nii.gz"))

    let late = try JSONDecoder().decode(Record.self, from: folder.bytes("late.json"))
    try original.write(to: URL(filePath: folder("image.nii")))
    #expect(try late.input.sha256 == String(run(["sha256sum", folder("image.nii")]).output.prefix(64)))
    #expect(late.commands.count == 1)
    #expect(late.commands[0].hasSuffix("/reversed.nii OUTPUT --like \(folder("image.nii"))"))
    let missing = try outcome("replay late.json --verify", folder)
    #expect(missing.errors.contains("reversed.nii: is missing"))
    try reverseFirstAxis(folder("mask.nii"), to: folder("reversed.nii"))
    for name in ["late.json", "reviewed.json"] {
      #expect(try succeed(["replay", name, "--verify"], in: folder.path) == "same\n")
    }
  }

  /// Writes a single-byte NIfTI-1 mask with its first axis stored in the other direction, on the same voxels in space.
  private func reverseFirstAxis(_ path: String, to output: String) throws {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    func number<Number>(_ offset: Int, _: Number.Type) -> Number {
      bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
    }
    let count = Int(number(42, Int16.self))
    let start = Int(number(108, Float.self))
    for row in stride(from: start, to: bytes.count, by: count) { bytes[row..<row + count].reverse() }
    for row in 0..<3 {
      let step = number(280 + 16 * row, Float.self)
      let origin = number(280 + 16 * row + 12, Float.self) + Float(count - 1) * step
      for (offset, value) in [(280 + 16 * row, -step), (280 + 16 * row + 12, origin)] {
        withUnsafeBytes(of: value) { bytes.replaceSubrange(offset..<offset + 4, with: $0) }
      }
    }
    // Only the sform speaks.
    bytes.replaceSubrange(252..<254, with: [0, 0])
    try Data(bytes).write(to: URL(filePath: output))
  }
}
