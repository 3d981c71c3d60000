import Foundation
import TestSupport
import Testing

/// segdeck as a command: what it refuses, what it leaves alone, what it finds.
@Suite(.serialized)
struct CommandTests {
  /// A generated image and labels of a few thousand voxels, labels on another grid, and damaged files.
  private static let caseFiles = Result { () throws -> [String: Data] in
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    for (size, image, labels) in [("40x36x32", "i.nii", "l.nii.gz"), ("40x36x30", "i2.nii.gz", "l2.nii.gz")] {
      try succeed(
        ["phantom", "ct", "--seed", "5", "--size", size, "--spacing", "8", "-o", image, "--labels", labels],
        in: folder.path)
    }
    func write(_ data: Data, _ name: String) throws { try data.write(to: URL(filePath: folder(name))) }
    try write(folder.bytes("i2.nii.gz").prefix(2000), "cut.nii.gz")
    // NIfTI-1 headers: no qform, and srow_x[0] is not a number; dim[1] negative; dim[3] more slices than the file has.
    for (name, offset, bytes) in [
      ("nan.nii", 252, [0, 0, 1, 0] + [UInt8](repeating: 0, count: 24) + [0, 0, 0xC0, 0x7F]),
      ("negative.nii", 42, [0xFD, 0xFF]), ("short.nii", 46, [60, 0]),
    ] as [(String, Int, [UInt8])] {
      var data = try folder.bytes("i.nii")
      data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
      try write(data, name)
    }
    let model = try Data(contentsOf: checkout.appending(path: "sample-data/models/liver.safetensors"))
    try write(model.prefix(100_000), "cut.safetensors")
    try write(model.prefix(60) + [0xFF] + model.dropFirst(61), "damaged.safetensors")
    return try folder.contents()
  }

  /// A folder with ``caseFiles`` and an empty folder called `folder`.
  private func caseFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, content) in try Self.caseFiles.get() { try content.write(to: URL(filePath: folder(name))) }
    try FileManager.default.createDirectory(atPath: folder("folder"), withIntermediateDirectories: false)
    return folder
  }

  @Test(
    "wrong input ends with exit code 1 and one line, and writes nothing",
    arguments: [
      ("segment missing.nii.gz -o o.nii.gz", "missing.nii.gz: cannot be opened"),
      ("segment folder -o o.nii.gz", "folder: cannot be read: found a folder"),
      ("segment cut.nii.gz -o o.nii.gz", "cut.nii.gz: the gzip data are cut off"),
      ("segment nan.nii -o o.nii.gz", "nan.nii: sform (byte 280) is no affine map: found nan"),
      ("segment negative.nii -o o.nii.gz", "negative.nii: dim[1] (byte 42) is wrong: found -3"),
      ("segment short.nii -o o.nii.gz", "short.nii: holds fewer voxels than its header states"),
      ("segment i.nii -o i.nii --force", "i.nii: is the file that is read"),
      ("segment i.nii -o folder/../i.nii --force", "folder/../i.nii: is the file that is read"),
      ("segment i.nii -o l.nii.gz", "l.nii.gz: exists"),
      ("segment i.nii -o o.nii.gz --probabilities l.nii.gz", "l.nii.gz: exists"),
      ("segment i.nii -o o.nii.gz --probabilities o.nii.gz", "o.nii.gz: is another output's place too"),
      ("segment i.nii -o o.nii.gz --probabilities o.nii", "o.json: is another output's place too"),
      ("segment i.nii -o folder --force", "folder: cannot be written as an image"),
      ("segment i.nii -o nowhere/o.nii.gz", "nowhere/o.nii.gz: cannot be written: found no folder nowhere"),
      // Not even root writes there.
      ("segment i.nii -o /proc/o.nii.gz", "/proc/o.nii.gz: cannot be written"),
      ("segment i.nii -o /dev/null --force", "/dev/null: cannot be written as an image"),
      ("segment i.nii -o o.txt", "o.txt: cannot be written as an image"),
      ("segment i.nii -o o.nii.gz --model cut.safetensors", "cut.safetensors: tensor "),
      ("segment i.nii -o o.nii.gz --model damaged.safetensors", "damaged.safetensors: safetensors header"),
      ("segment i.nii -o o.nii.gz --model nothing", "--model nothing: no such model: expected "),
      ("segment i.nii -o o.nii.gz --frame 1", "i.nii: "),
      ("refine i.nii --mask l2.nii.gz -o o.nii.gz", "l2.nii.gz: does not fit the image: other dimensions"),
      ("refine i.nii --mask i.nii -o o.nii.gz", "i.nii: is no mask: voxel (0, 0, 0) is no label"),
      ("refine i.nii --mask l.nii.gz -o l.nii.gz --force", "l.nii.gz: is the file that is read"),
      ("refine i.nii --probabilities l.nii.gz -o o.nii.gz", "l.nii.gz: holds no class probabilities"),
      ("refine i.nii --mask l.nii.gz -o o.nii.gz --theta-alpha 0", "--theta-alpha: "),
      ("compare l.nii.gz l2.nii.gz", "l2.nii.gz: does not fit the image: other dimensions"),
      ("compare l.nii.gz missing.nii.gz", "missing.nii.gz: cannot be opened"),
      ("info l.labels.json", "l.labels.json: is no image that can be read"),
      ("info cut.safetensors", "cut.safetensors: tensor "),
      ("convert cut.nii.gz o.nii", "cut.nii.gz: the gzip data are cut off"),
      ("convert i.nii i.nii", "i.nii: "),
      ("phantom ct --seed 1 -o i.nii --labels o.nii.gz", "i.nii: exists"),
      ("phantom ct --seed 1 -o o.nii --labels l.nii", "l.labels.json: exists"),
      ("segment i.nii -o l.nii", "l.labels.json: exists"),
      ("refine i.nii --mask l.nii.gz -o l.nii", "l.labels.json: is the file that is read"),
      (
        "refine i.nii --mask l.nii.gz -o o.nii --only-labels 1.5",
        "--only-labels: is no label there: found \"1.5\""
      ),
      (
        "convert l.nii.gz o.nii --like i.nii --label 1,2=a --label 2=b",
        "--label 2=b: value 2 belongs to another structure already: found a"
      ),
      ("help segmnt", "segmnt: no such command; did you mean `segdeck help segment`?"),
      ("evalaute --help", "evalaute: no such file and no such command; did you mean `segdeck evaluate`?"),
      ("journal exprot x", "exprot: no such command; did you mean `segdeck journal export`?"),
      ("display i.nii", "display: no such file and no such command: expected a file, or a command"),
      ("foo", "foo: no such file and no such command: expected a file, or a command"),
      ("foo --help", "foo: no such file and no such command: expected a file, or a command"),
      ("train-model --help", "train-model: no such file and no such command"),
      ("display -h", "display: no such file and no such command"),
      ("foo.nii --help", "foo.nii: cannot be opened: found No such file or directory"),
      ("help segment foo", "foo: no such command: expected `segdeck help segment` alone"),
      ("help journal list foo", "foo: no such command: expected `segdeck help journal list` alone"),
      ("help journal lst", "lst: no such command; did you mean `segdeck help journal list`?"),
      ("foo.nii", "foo.nii: cannot be opened: found No such file or directory"),
      (
        "segment i.nii",
        "segment: lacks an argument: expected --output <output>; see `segdeck segment --help`"
      ),
      ("segment i.nii -o o.nii.gz --nonsense", "--nonsense: no such option; see `segdeck segment --help`"),
      (
        "refine i.nii -o o.nii.gz --mask l.nii.gz --probabilities l.nii.gz",
        "refine: has no single start: found --probabilities and --mask, expected either"
      ),
      (
        "refine i.nii -o o.nii.gz --probabilities l.nii.gz --mask-confidence 0.8",
        "--mask-confidence: is about a mask: expected --mask with it; see `segdeck refine --help`"
      ),
    ])
  func refused(command: String, line: String) throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let before = try folder.contents()
    let outcome = try segdeck(command.split(separator: " ").map(String.init), in: folder.path)
    #expect(outcome.status == 1)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("segdeck: \(line)"), "\(outcome.errors)")
    #expect(
      outcome.errors.hasSuffix("\n") && outcome.errors.count(where: \.isNewline) == 1, "\(outcome.errors)")
    #expect(try folder.contents() == before)
  }

  @Test("a full disk leaves the old file and no temporary file")
  func fullDisk() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let before = try folder.contents()
    // A limit on the size of files fails a write as a full disk does.
    let outcome = try segdeck(
      ["convert", "i2.nii.gz", "i.nii", "--force"], in: folder.path, shell: "trap '' XFSZ; ulimit -f 16")
    #expect(outcome.status == 1)
    #expect(outcome.errors == "segdeck: i.nii: cannot be written: found File too large\n")
    #expect(try folder.contents() == before)
  }

  @Test("a folder that may not be written is refused before any work", .enabled(if: geteuid() != 0))
  func readOnlyFolder() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    chmod(folder("folder"), 0o555)
    let outcome = try segdeck(["segment", "i.nii", "-o", "folder/o.nii.gz"], in: folder.path)
    #expect(outcome.status == 1)
    #expect(outcome.errors == "segdeck: folder/o.nii.gz: cannot be written: found Permission denied\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("folder")) == [])
  }

  @Test(
    "the bundled model finds the liver of generated cases that it never saw, at Dice 0.85 or more",
    arguments: [31, 4711, 500_003])
  func generatedCase(seed: Int) throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try succeed(
      ["phantom", "ct", "--seed", "\(seed)", "-o", "i.nii.gz", "--labels", "l.nii.gz"], in: folder.path)
    try succeed(["segment", "i.nii.gz", "-o", "m.nii.gz"], in: folder.path)
    let printed = try succeed(
      ["compare", "l.nii.gz", "m.nii.gz", "--label", "6=liver", "--json"], in: folder.path)
    let report = try JSONDecoder().decode(PrintedComparison.self, from: Data(printed.utf8))
    #expect(report.structures.map(\.name) == ["liver"])
    #expect(try #require(report.structures.first).dice >= 0.85)
  }

  /// The fields of `compare --json` that the test needs.
  private struct PrintedComparison: Decodable {
    struct Structure: Decodable {
      var name: String
      var dice: Double
    }
    var structures: [Structure]
  }

  @Test("a copied program finds its models in ../share/segdeck, wherever it is started")
  func copiedProgram() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let files = FileManager.default
    for name in ["bin", "share"] {
      try files.createDirectory(atPath: folder(name), withIntermediateDirectories: false)
    }
    try files.copyItem(atPath: try BuiltProgram.path(), toPath: folder("bin/segdeck"))
    func segment() throws -> CommandOutcome {
      try segdeck(
        ["segment", folder("i.nii"), "-o", folder("m.nii.gz")], in: "/", environment: ["SEGDECK_SHARE": ""],
        program: folder("bin/segdeck"))
    }
    let without = try segment()
    #expect(without.status == 1)
    #expect(
      without.errors.hasPrefix(
        "segdeck: bundled models: not found; set SEGDECK_SHARE to the sample-data folder"))
    #expect(without.errors.contains(folder("share/segdeck/models")))
    try files.copyItem(atPath: checkout.appending(path: "sample-data").path, toPath: folder("share/segdeck"))
    let with = try segment()
    #expect(with.status == 0, "\(with.errors)")
    #expect(files.fileExists(atPath: folder("m.nii.gz")))
  }
}
