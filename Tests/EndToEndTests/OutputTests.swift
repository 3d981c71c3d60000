import Foundation
import ImageFormats
import TestSupport
import Testing

/// Outputs of commands: never onto their inputs, never half a set, never without a question.
@Suite(.serialized)
struct OutputTests {
  /// Cases, a model, settings and probabilities of a few thousand voxels.
  private static let files = Result { () throws -> [String: Data] in
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try folder.make("images", "labels")
    for number in 1...2 {
      try succeed(
        [
          "phantom", "mr", "--seed", "\(number)", "--size", "20x20x12", "--spacing", "6", "-o",
          "images/c\(number).nii", "--labels", "labels/c\(number).nii",
        ], in: folder.path)
    }
    try succeed(["convert", "images/c1.nii", "image.nii"], in: folder.path)
    try succeed(["convert", "labels/c1.nii", "mask.nii"], in: folder.path)
    try folder.bytes("labels/c1.labels.json").write(to: URL(filePath: folder("mask.labels.json")))
    let network = """
      {"inputChannels": 1, "layers": [
      {"name": "conv1", "kind": "convolution", "input": "input", "outputChannels": 2, "kernel": 3, "padding": 1}],
      "heads": [{"name": "main", "layer": "conv1"}]}
      """
    try Data(network.utf8).write(to: URL(filePath: folder("net.json")))
    try Data("{}".utf8).write(to: URL(filePath: folder("card.json")))
    try succeed(
      [
        "train", "--images", "images", "--labels", "labels", "--network", "net.json", "--iterations", "2",
        "--validation", "c2", "-o", "model.safetensors", "--log", "log.jsonl",
      ], in: folder.path)
    try succeed(
      [
        "segment", "image.nii", "--model", "./model.safetensors", "-o", "seg.nii", "--probabilities",
        "prob.nii",
      ], in: folder.path)
    let record = try folder.bytes("seg.json")
    let settings = try #require(
      try JSONSerialization.jsonObject(with: folder.bytes("prob.json")) as? [String: Any])
    let refinement = try JSONSerialization.data(
      withJSONObject: try #require(settings["refinement"]), options: .sortedKeys)
    try refinement.write(to: URL(filePath: folder("preset.json")))
    try record.write(to: URL(filePath: folder("seg.json")))
    return try folder.contents().filter { !$0.value.isEmpty }
  }

  private func filledFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.make("images", "labels")
    for (name, content) in try Self.files.get() { try content.write(to: URL(filePath: folder(name))) }
    return folder
  }

  private static let train =
    "train --images images --labels labels --network net.json --iterations 2 --validation c2"

  /// A command with `OUT` for its output, its inputs, and valid names of its output.
  private static let commands: [(command: String, read: [String], ending: String)] = [
    ("convert image.nii OUT", ["image.nii"], ".nii"),
    ("convert model.safetensors OUT --card card.json", ["model.safetensors", "card.json"], ".safetensors"),
    ("convert mask.nii OUT --like image.nii", ["mask.nii", "image.nii"], ".nii"),
    (
      "segment image.nii --model ./model.safetensors -o OUT", ["image.nii", "model.safetensors"], ".nii"
    ),
    (
      "segment image.nii --model ./model.safetensors -o o.nii --probabilities OUT",
      ["image.nii", "model.safetensors"], ".nii"
    ),
    (
      "refine image.nii --mask mask.nii --further-image images/c1.nii --preset preset.json -o OUT",
      ["image.nii", "mask.nii", "images/c1.nii", "preset.json", "mask.labels.json"], ".nii"
    ),
    (
      "refine image.nii --probabilities prob.nii -o OUT", ["prob.nii", "prob.json"], ".nii"
    ),
    ("curves log.jsonl -o OUT", ["log.jsonl"], ".svg"),
    (
      "\(train) -o OUT --card card.json --preset preset.json --initial model.safetensors",
      [
        "images/c1.nii", "images/c2.nii", "labels/c1.nii", "labels/c2.nii", "net.json", "card.json",
        "preset.json", "model.safetensors", "labels/c1.labels.json",
      ], ".safetensors"
    ),
    ("\(train) -o o.safetensors --log OUT", ["images/c1.nii", "labels/c2.nii", "net.json"], ".jsonl"),
    (
      "sweep --images images --labels labels --model ./model.safetensors --trials 1 --preset-output OUT",
      ["images/c1.nii", "labels/c1.nii", "model.safetensors"], ".json"
    ),
    (
      "sweep --images images --labels labels --model ./model.safetensors --trials 1 --model-output OUT",
      ["images/c1.nii", "model.safetensors"], ".safetensors"
    ),
    (
      "sweep --images images --labels labels --model ./model.safetensors --trials 1 --resume OUT",
      ["images/c1.nii", "labels/c2.nii"], ".jsonl"
    ),
    ("replay seg.json -o OUT", ["image.nii", "model.safetensors", "seg.json"], ".nii"),
    ("worklist images --labels labels -o OUT", ["images/c1.nii", "labels/c2.nii"], ".csv"),
    ("phantom mr --seed 1 -o OUT --labels o.nii", [], ".nii"),
    ("phantom mr --seed 1 -o o.nii --labels OUT", [], ".nii"),
  ]

  @Test(
    "no command writes onto a file that it reads, by its name, a symbolic link or a hard link, not even with --force",
    arguments: commands.indices)
  func neverOntoInputs(row: Int) throws {
    let (command, read, ending) = Self.commands[row]
    let folder = try filledFolder()
    defer { folder.remove() }
    let before = try folder.contents()
    for file in read {
      var names = [file]
      symlink(file, folder("symbolic\(ending)"))
      link(folder(file), folder("hard\(ending)"))
      // A name with the wrong ending is refused for that; links bring the right one.
      if !file.hasSuffix(ending) { names = [] }
      for name in names + ["symbolic\(ending)", "hard\(ending)", "images/../hard\(ending)"] {
        let words = command.replacingOccurrences(of: "OUT", with: name).split(separator: " ").map(String.init)
        let isForced = words[0] != "sweep" || !words.contains("--resume")
        let outcome = try segdeck(words + (isForced ? ["--force"] : []), in: folder.path)
        #expect(outcome.status == 1, "\(words.joined(separator: " ")): \(outcome.errors)")
        #expect(
          // A link to an input with a record of its own is refused for that record, before the input is read.
          ["is the file that is read", "never replaced", "leads to a mask with a record of its own"]
            .contains { outcome.errors.contains($0) },
          "\(words.joined(separator: " ")): \(outcome.errors)")
      }
      unlink(folder("symbolic\(ending)"))
      unlink(folder("hard\(ending)"))
    }
    #expect(try folder.contents() == before)
  }

  @Test("a mask with a record of its own is not replaced through a link, which would part the two")
  func keepsRecordWithMask() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    try folder.make("links")
    symlink("../seg.nii", folder("links/other.nii"))
    let before = try folder.contents()
    let outcome = try segdeck(
      ["refine", "image.nii", "--mask", "mask.nii", "-o", "links/other.nii", "--force"], in: folder.path)
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.contains("links/other.nii: leads to a mask with a record of its own: found "),
      "\(outcome.errors)")
    #expect(try folder.contents() == before)
  }

  @Test(
    "an unusable output path is refused before any work, with the reason",
    arguments: [
      ("segment image.nii -o o.jpg", "o.jpg: cannot be written as an image"),
      ("segment image.nii -o o.nii --probabilities p.txt", "p.txt: cannot be written as an image"),
      ("segment image.nii -o \(String(repeating: "n", count: 250)).nii", "nnn"),
      ("refine image.nii --mask mask.nii -o o", "o: cannot be written as an image"),
      ("refine image.nii --mask mask.nii -o mask.nii.gz --force", "mask.labels.json: is the file that is"),
      ("refine image.nii --probabilities prob.nii -o prob.nii.gz --force", "prob.json: is the file that is"),
      ("convert image.nii dangling.nii", "dangling.nii: cannot be written: found a link that leads to no"),
      ("convert image.nii dangling.nii --force", "dangling.nii: cannot be written: found a link that leads"),
      ("convert image.nii locked.nii --force", "locked.nii: cannot be written: found a read-only file"),
      ("segment image.nii -o o.nii --probabilities hard.nii --force", "hard.nii: is the file that is read"),
      ("phantom mr --seed 1 -o a.nii --labels a.nii", "a.nii: is also the path of another output (a.nii)"),
      ("phantom mr --seed 1 -o a.txt --labels b.nii", "a.txt: cannot be written as an image"),
      (
        "\(train) -o ck/best.safetensors --checkpoints ck --force",
        "ck/best.safetensors: is also the path of another output"
      ),
      ("convert image.nii p", "p: cannot be written as an image"),
      ("segment image.nii -o \u{e9}", "\u{e9}: cannot be written as an image"),
    ])
  func wrongPlaces(command: String, line: String) throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    try folder.make("ck")
    symlink("nowhere.nii", folder("dangling.nii"))
    link(folder("image.nii"), folder("hard.nii"))
    try folder.bytes("mask.nii").write(to: URL(filePath: folder("locked.nii")))
    chmod(folder("locked.nii"), 0o444)
    let before = try folder.contents()
    let outcome = try segdeck(command.split(separator: " ").map(String.init), in: folder.path)
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("segdeck: \(line)"), "\(outcome.errors)")
    #expect(outcome.errors.count(where: \.isNewline) == 1)
    #expect(try folder.contents() == before)
  }

  @Test("an output follows a link to its target, and a replaced file keeps its mode")
  func linksAndModes() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    try folder.bytes("mask.nii").write(to: URL(filePath: folder("target.nii")))
    chmod(folder("target.nii"), 0o600)
    symlink("target.nii", folder("link.nii"))
    try succeed(["convert", "image.nii", "link.nii", "--force"], in: folder.path)
    #expect(try folder.bytes("target.nii") == folder.bytes("image.nii"))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder("link.nii")) == "target.nii")
    var status = stat()
    #expect(stat(folder("target.nii"), &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test(
    "an output without the right suffix is refused before any work", arguments: commands.indices)
  func wrongEndings(row: Int) throws {
    let (command, _, ending) = Self.commands[row]
    let folder = try filledFolder()
    defer { folder.remove() }
    let before = try folder.contents()
    for name in ["o", "o.txt", "o\(ending).bak", ending == ".json" ? "o.jsonl" : "o.json"] {
      let words = command.replacingOccurrences(of: "OUT", with: name).split(separator: " ").map(String.init)
      let outcome = try segdeck(words, in: folder.path)
      #expect(outcome.status == 1 && outcome.output == "", "\(name): \(outcome)")
      #expect(outcome.errors.hasPrefix("segdeck: \(name): cannot be written as "), "\(outcome)")
      #expect(
        outcome.errors.hasSuffix(
          "expected a name that ends in "
            + "\([".nii": ImageName.writtenSuffixList, ".csv": ".csv or .tsv"][ending] ?? ending)\n"
        ), "\(outcome)")
      #expect(outcome.errors.count(where: \.isNewline) == 1, "\(outcome)")
    }
    #expect(try folder.contents() == before)
  }

  @Test("a name of one character before its ending is written, in capital letters too")
  func oneCharacter() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    try succeed(["curves", "log.jsonl", "-o", "p.SVG"], in: folder.path)
    try succeed(
      Self.train.split(separator: " ").map(String.init) + ["-o", "m.safetensors", "--log", "l.jsonl"],
      in: folder.path)
    #expect(try folder.bytes("p.SVG").starts(with: Data("<svg".utf8)))
    #expect(try !folder.bytes("m.safetensors").isEmpty && !folder.bytes("l.jsonl").isEmpty)
  }

  @Test(
    "when the record does not fit on the disk, the old mask, names and record are restored")
  func together() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    for name in ["o.nii.gz", "o.json", "o.labels.json"] {
      try Data(name.utf8).write(to: URL(filePath: folder(name)))
    }
    let before = try folder.contents()
    // Mask and names of this case stay below the limit of 1 KiB on the size of files, the record does not.
    let outcome = try segdeck(
      ["refine", "image.nii", "--mask", "mask.nii", "-o", "o.nii.gz", "--force"], in: folder.path,
      shell: "trap '' XFSZ; ulimit -f 2")
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasSuffix("segdeck: o.json: cannot be written: found File too large\n"))
    #expect(try folder.contents() == before)
  }
}
