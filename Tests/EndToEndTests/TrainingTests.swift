import Foundation
import TestSupport
import Testing
import Work

/// Training as a user does it: two folders, a terminal, interruptions, and mistakes.
@Suite(.serialized)
struct TrainingTests {
  /// Generated hearts of 28x22x13 voxels of 5 mm with their atrium, in `images` and `labels`.
  private static let hearts = Result { () throws -> [String: Data] in
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try makeHearts(5, size: "28x22x13", spacing: "5", in: folder)
    try succeed(
      ["phantom", "mr", "--seed", "6", "--size", "20x22x13", "-o", "image.nii", "--labels", "other.nii"],
      in: folder.path)
    return try folder.contents().filter { !$0.value.isEmpty }
  }

  /// Generates hearts of the seeds from 1 on, with their atrium, in `images` and `labels`.
  private static func makeHearts(_ count: Int, size: String, spacing: String, in folder: TemporaryFolder)
    throws
  {
    try folder.make("images", "labels")
    for seed in 1...count {
      try succeed(
        [
          "phantom", "mr", "--seed", "\(seed)", "--size", size, "--spacing", spacing, "-o",
          "images/heart_\(seed).nii", "--labels", "labels/heart_\(seed).nii",
        ], in: folder.path)
    }
  }

  private func heartFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.make("images", "labels")
    for (name, content) in try Self.hearts.get() { try content.write(to: URL(filePath: folder(name))) }
    // Two convolutions, a pooling and an auxiliary head: quick to train.
    let network = """
      {"inputChannels": 1, "layers": [
      {"name": "conv1", "kind": "convolution", "input": "input", "outputChannels": 4, "kernel": 3, "padding": 1},
      {"name": "bn1", "kind": "batchNormalisation", "input": "conv1"},
      {"name": "relu1", "kind": "relu", "input": "bn1"},
      {"name": "pool1", "kind": "maxPooling", "input": "relu1", "kernel": 2},
      {"name": "conv2", "kind": "convolution", "input": "pool1", "outputChannels": 8, "kernel": 3, "padding": 1},
      {"name": "relu2", "kind": "relu", "input": "conv2"},
      {"name": "up", "kind": "transposedConvolution", "input": "relu2", "outputChannels": 7, "kernel": 2},
      {"name": "side", "kind": "transposedConvolution", "input": "pool1", "outputChannels": 7, "kernel": 2}],
      "heads": [{"name": "main", "layer": "up"}, {"name": "aux", "layer": "side", "lossWeight": 0.3}]}
      """
    try Data(network.utf8).write(to: URL(filePath: folder("tiny.json")))
    return folder
  }

  private static let folders = ["--images", "images", "--labels", "labels"]
  private static let quick =
    ["train"] + folders + [
      "--network", "tiny.json", "--iterations", "12", "--validate-every", "4", "--crop", "16x16x8",
      "--batch", "1", "--threads", "2",
    ]

  @Test("a model trained on two folders states its defaults, its command and its validation results")
  func defaults() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    let trained = try segdeck(
      ["train"] + Self.folders + [
        "-o", "m.safetensors", "--iterations", "20", "--validate-every", "10", "--log", "l.jsonl",
        "--data-description", "five generated hearts", "--data-licence", "none needed", "--threads", "2",
      ], in: folder.path)
    #expect(trained.status == 0, "\(trained.errors)")
    for line in [
      "structures: 1=left atrium (all values that occur)",
      "spacing: 5 x 5 x 5 mm (median of 5 cases of about 28x22x13 voxels)",
      "intensities: standard score of voxels above 0 (5 of 5 sampled images are not in Hounsfield units)",
      "network: small-heart (a typical case has only 28x22x13 voxels)", "crop: 28x24x16 (whole images)",
      "batch: 8 (crops are small)", "validation: 1 of 5 cases (every fifth)",
    ] {
      #expect(trained.errors.contains("segdeck: \(line)\n"), "\(line)\n\(trained.errors)")
    }
    #expect(trained.output.hasPrefix("m.safetensors: validation Dice 0."))
    let information = try succeed(["info", "m.safetensors"], in: folder.path)
    for line in [
      "training data: five generated hearts", "licence of the training data: none needed",
      "cases for training: 4: heart_1, heart_2, heart_3, heart_4", "cases for validation: 1: heart_5",
      "validation Dice on the working grid (left atrium):\n  heart_5  0.",
      "command: segdeck train --images images",
    ] {
      #expect(information.contains(line), "\(line)\n\(information)")
    }
    let curves = try succeed(["curves", "l.jsonl", "both=l.jsonl,l.jsonl"], in: folder.path)
    #expect(curves.contains("training loss") && curves.contains("± 0.0000"), "\(curves)")
    try succeed(["curves", "l.jsonl", "-o", "c.svg"], in: folder.path)
    #expect(String(decoding: try folder.bytes("c.svg"), as: UTF8.self).contains("<polyline"))
  }

  @Test("the small network learns the atrium from eight generated hearts: Dice above 0.7 on two others")
  func learnsFromGeneratedCases() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try Self.makeHearts(10, size: "40x32x18", spacing: "3.5", in: folder)
    let printed = try succeed(
      ["train"] + Self.folders + [
        "-o", "m.safetensors", "--iterations", "150", "--validate-every", "25", "--batch", "2", "--log",
        "l.jsonl",
      ], in: folder.path)
    let dice = try #require(printed.firstMatch(of: /validation Dice ([0-9.]+) after/)?.1)
    #expect(try #require(Double(dice)) > 0.7, "\(printed)")
  }

  @Test("a planned U-Net says how it was planned, trains, resumes and segments")
  func plannedNetwork() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    let command =
      ["train"] + Self.folders + [
        "--network", "auto", "--channels", "4", "--iterations", "4", "--validate-every", "2", "--batch", "1",
        "--threads", "2", "--checkpoints", "checkpoints", "-o", "m.safetensors",
      ]
    let trained = try segdeck(command, in: folder.path)
    #expect(trained.status == 0, "\(trained.errors)")
    for line in [
      "network: U-Net of 3 stages from 4 channels, strides 2x2x2 2x2x1 (spacing, crop and memory)",
      "crop: 28x24x14 (whole images)",
    ] {
      #expect(trained.errors.contains("segdeck: \(line)\n"), "\(line)\n\(trained.errors)")
    }
    try succeed(command + ["--resume"], in: folder.path)
    let wider = try segdeck(command + ["--resume", "--channels", "8"], in: folder.path)
    #expect(wider.status == 1)
    #expect(wider.errors.contains("--network: --resume continues with the settings of its checkpoint"))
    let other = try segdeck(
      ["train"] + Self.folders + ["--channels", "8", "-o", "n.safetensors"], in: folder.path)
    #expect(other.status == 1)
    #expect(other.errors.contains("--channels: is for --network auto"))
    try succeed(
      ["segment", "images/heart_1.nii", "--model", "m.safetensors", "-o", "mask.nii.gz"], in: folder.path)
  }

  @Test("weights of 16 bits halve the file, keep the card, and change few voxels of the mask")
  func narrowWeights() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    try succeed(Self.quick + ["-o", "m.safetensors"], in: folder.path)
    func dice(_ model: String) throws -> Double {
      let printed = try succeed(
        ["evaluate"] + Self.folders + ["--model", model, "--cases", "heart_5", "--json"], in: folder.path)
      return try JSONDecoder().decode(PrintedEvaluation.self, from: Data(printed.utf8)).cases[0].measures.dice
    }
    let exact = try dice("m.safetensors")
    for format in ["f16", "bf16"] {
      try succeed(
        ["convert", "m.safetensors", "\(format).safetensors", "--weights", format], in: folder.path)
      let weights = try dataSection(folder.bytes("\(format).safetensors"))
      #expect(try 2 * weights.count == dataSection(folder.bytes("m.safetensors")).count)
      #expect(abs(try dice("\(format).safetensors") - exact) < 0.01)
      let information = try succeed(["info", "\(format).safetensors"], in: folder.path)
      #expect(information.contains("cases for validation: 1: heart_5"))
    }
  }

  private struct PrintedEvaluation: Decodable {
    struct Case: Decodable {
      struct Measures: Decodable { var dice: Double }
      var measures: Measures
    }
    var cases: [Case]
  }

  @Test("evaluate prints the tables of both challenges with a line per case and the mean")
  func challengeTables() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    try succeed(Self.quick + ["-o", "m.safetensors"], in: folder.path)
    let printed = try succeed(
      ["evaluate"] + Self.folders + [
        "--model", "m.safetensors", "--cases", "heart_4,heart_5", "--tables", "sliver07,hvsmr",
      ], in: folder.path)
    let words = printed.split(separator: "\n").map {
      $0.split(separator: " ").prefix(4).joined(separator: " ")
    }
    #expect(words.first == "SLIVER07, left atrium")
    #expect(words.contains("case VOE % score"))
    #expect(words.contains("HVSMR 2016"))
    #expect(
      words.filter { $0.hasPrefix("heart_4") }.count == 2 && words.filter { $0.hasPrefix("mean") }.count == 2)
  }

  @Test("a run that was interrupted ends with the same weights as one that was not, and prints how to resume")
  func resumed() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    let words = Self.quick + ["--iterations", "60"]
    try succeed(words + ["-o", "whole.safetensors", "--log", "whole.jsonl"], in: folder.path)
    let part = words + ["-o", "part.safetensors", "--log", "part.jsonl", "--checkpoints", "c"]
    // The interruption comes as soon as there is a checkpoint.
    let stopped = try segdeck(
      part, in: folder.path,
      shell: "(until [ -e c/last.safetensors ]; do sleep 0.02; done; kill -INT $$) >/dev/null 2>&1 & :")
    if stopped.status != 0 {
      #expect(stopped.errors.contains("training: stopped after iteration "), "\(stopped.errors)")
      #expect(stopped.errors.hasSuffix("expected --resume to continue from c\n"), "\(stopped.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder("part.safetensors")))
    }
    try succeed(part + ["--resume", "--threads", "1"], in: folder.path)
    #expect(
      try dataSection(folder.bytes("part.safetensors")) == dataSection(folder.bytes("whole.safetensors")))
    #expect(try losses(folder("part.jsonl")) == losses(folder("whole.jsonl")))
    // The checkpoint is a model too.
    try succeed(
      ["segment", "images/heart_1.nii", "-o", "o.nii", "--model", "c/last.safetensors"], in: folder.path)
    let again = try segdeck(part + ["--resume", "--seed", "9"], in: folder.path)
    #expect(again.status == 1)
    #expect(
      again.errors
        == "segdeck: --seed: --resume continues with the settings of its checkpoint: found 9, expected 1, or no option\n"
    )
    let other = try segdeck(
      words + ["-o", "o.safetensors", "--checkpoints", "c"], in: folder.path)
    #expect(
      other.errors
        == "segdeck: c: holds another run: found last.safetensors, expected --resume to continue it, --force to "
        + "replace it, or another folder\n")
  }

  @Test("loss, optimiser, schedule and frozen layers are kept by a checkpoint, and others are refused")
  func resumedOptions() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    let options = [
      "--loss", "focal + 0.5*tversky(beta=0.8)", "--optimiser", "adamw", "--schedule", "cosine(warmup=3)",
      "--class-weights", "inverse", "--freeze", "conv1,bn*", "--layer-rate", "up=2,side=0.5",
    ]
    try succeed(Self.quick + options + ["-o", "start.safetensors"], in: folder.path)
    let words = Self.quick + ["--checkpoints", "c", "-o", "m.safetensors"]
    try succeed(words + ["--initial", "start.safetensors"] + options, in: folder.path)
    let model = try dataSection(folder.bytes("m.safetensors"))
    try succeed(words + ["--initial", "start.safetensors"] + options + ["--resume"], in: folder.path)
    #expect(try dataSection(folder.bytes("m.safetensors")) == model)
    try succeed(words + ["--resume"], in: folder.path)
    #expect(try dataSection(folder.bytes("m.safetensors")) == model)
    for (option, value, found, expected) in [
      ("--loss", "focal", "focal(gamma=2)", "focal(gamma=2) + 0.5*tversky(alpha=0.3,beta=0.8)"),
      ("--optimiser", "sgd", "sgd(momentum=0.9)", "adamw(beta1=0.9,beta2=0.999,epsilon=1e-08)"),
      ("--freeze", "conv1", "[\"conv1\"]", "[\"bn1\", \"conv1\"]"),
      ("--initial", "m.safetensors", "m.safetensors", "the same value"),
    ] {
      let refused = try segdeck(words + ["--resume", option, value], in: folder.path)
      #expect(refused.status == 1)
      #expect(
        refused.errors
          == "segdeck: \(option): --resume continues with the settings of its checkpoint: found \(found), "
          + "expected \(expected), or no option\n")
    }
  }

  /// Step, loss and validation of each line.
  private func losses(_ path: String) throws -> [String] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
      let record = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      return "\(record["iteration"] ?? "") \(record["loss"] ?? "") \(record["validationDice"] ?? "")"
    }
  }

  /// The bytes after the header of a safetensors file.
  private func dataSection(_ file: Data) throws -> Data {
    let length = file.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    return file.dropFirst(8 + length)
  }

  @Test(
    "unusable training data are refused with one line, and nothing is written",
    arguments: [
      ("rm labels/heart_2.nii", "", "images: images without labels in labels: found 1: heart_2"),
      ("rm images/heart_2.nii", "", "labels: labels without an image in images: found 1: heart_2"),
      ("cp other.nii labels/heart_2.nii", "", "labels/heart_2.nii: does not fit the image: other dimensions"),
      ("rm */heart_[2-5].nii", "", "--images: one case cannot both train and measure: found heart_1"),
      ("rm labels/*", "", "images: no image has labels of the same name in labels"),
      ("true", "--validation heart_9", "--validation: no case has this name: found heart_9"),
      (
        "true", "--validation heart_1,heart_2,heart_3,heart_4,heart_5",
        "--validation: leaves no case to train on"
      ),
      ("true", "--label 1=atrium --label 2=ventricle", "--label ventricle: occurs in no training case"),
      ("true", "--label 2=ventricle", "labels: no voxel of any file has any of the labels: found 1, "),
      (
        "true", "--label 1=a --label 1=b",
        "--label 1=b: value 1 belongs to another structure already: found a"
      ),
      ("true", "--network heart --spacing 10", "heart_1: too small for the network on the working grid"),
      ("true", "--crop 15x16x8", "--crop: is not a multiple of the network's total stride: found 15x16x8"),
      ("true", "--network enormous", "--network enormous: no such network: expected liver, heart, "),
      (
        "true", "--class-weights 1,2,3",
        "--class-weights: one for each class, background first: found 3, expected 2"
      ),
      ("true", "--class-weights 1,1e-50", "--class-weights: too close to 0: found \"1e-50\""),
      ("true", "--learning-rate 1e-50", "--learning-rate: cannot train: found 1e-50, expected 1e-30 to "),
      ("true", "--dice-weight=-1", "--dice-weight: is not a weight: found -1.0, expected 0 or more"),
      ("true", "--loss hinge", "--loss: unknown: found hinge, expected cross-entropy, "),
      (
        "true", "--loss focal(gamma=-1)",
        "--loss: cannot train: found focal(gamma=-1), expected gamma of 0 to"
      ),
      (
        "true", "--class-weights effective(beta=2)",
        "--class-weights: cannot balance classes: found effective"
      ),
      (
        "true", "--optimiser sgd(momentum=1)",
        "--optimiser: cannot train: found sgd(momentum=1), expected mom"
      ),
      ("true", "--schedule steps(every=0)", "--schedule: every is not a number of iterations: found 0"),
      (
        "true", "--freeze relu1",
        "--freeze: names no layer with weights: found relu1, expected one of conv1, "
      ),
      ("true", "--freeze *", "--freeze: leaves nothing to train: found *"),
      (
        "true", "--layer-rate up", "--layer-rate: is not a factor of layers: found up, expected LAYERS=FACTOR"
      ),
      ("true", "--layer-rate up=0", "--layer-rate: is not a factor of layers: found up=0"),
      ("true", "--window 0,1e39", "--window: too large: found \"1e39\""),
      ("true", "--weights f8", "--weights: unknown: found f8, expected f32, f16 or bf16"),
      ("true", "--window 5,4", "--window: intensities: found 5,4, expected LOWER,UPPER or score"),
      ("true", "--resume", "--resume: needs --checkpoints"),
      ("true", "--initial tiny.json", "tiny.json: "),
      ("echo '{\"iteration\":1}' >l.jsonl", "--log l.jsonl", "l.jsonl: line 1 is not a training record"),
      ("true", "--card images", "images: cannot be read: found a folder"),
    ])
  func refused(preparation: String, options: String, line: String) throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    try run(["sh", "-c", "cd '\(folder.path)' && { \(preparation); }"])
    let before = try folder.contents()
    let outcome = try segdeck(
      Self.quick + ["-o", "m.safetensors"]
        + options.split(separator: " ").map(String.init), in: folder.path)
    #expect(outcome.status == 1)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("segdeck: \(line)"), "\(outcome.errors)")
    #expect(outcome.errors.count(where: \.isNewline) == 1, "\(outcome.errors)")
    #expect(try folder.contents() == before)
  }

  @Test(
    "resuming before the first checkpoint starts again with a note; a folder in use is refused")
  func beforeTheFirstCheckpoint() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    let words = Self.quick + ["-o", "m.safetensors", "--checkpoints", "c", "--resume"]
    let outcome = try segdeck(words, in: folder.path)
    #expect(outcome.status == 0)
    #expect(
      outcome.errors.contains(
        "segdeck: note: c: holds no checkpoint yet; the training starts from the beginning\n"),
      "\(outcome.errors)")
    for (path, options) in [
      ("c/last.safetensors", ["--resume"]), ("m.safetensors", ["--resume"]),
      ("l.jsonl", ["--resume", "--log", "l.jsonl"]),
    ] {
      let (parent, name) = (FilePath.folder(of: path), FilePath.name(of: path))
      let lock = FilePath.joined(parent, ".\(name).lock")
      let refused = try segdeck(
        Self.quick + ["-o", "m.safetensors", "--checkpoints", "c"] + options, in: folder.path,
        shell: "exec 9>'\(lock)'; flock -n 9")
      #expect(refused.status == 1)
      #expect(
        refused.errors.hasSuffix("segdeck: \(path): is in use by another training that runs\n"), "\(refused)")
    }
  }

  @Test(
    "a log and checkpoints that cannot be written do not end a training, and its model is saved elsewhere"
  )
  func fullDisk() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    // Eight blocks hold the model but no checkpoint, and no long log.
    let run = try segdeck(
      Self.quick + ["-o", "m.safetensors", "--checkpoints", "c"], in: folder.path, shell: "ulimit -f 24")
    #expect(run.status == 0, "\(run)")
    #expect(try folder.bytes("m.safetensors").count > 1000)
    #expect(
      run.errors.components(separatedBy: "note: the checkpoint cannot be written, the training continues: ")
        .count == 2,
      "\(run.errors)")
    let moved = try segdeck(
      Self.quick + ["-o", "gone/m.safetensors"], in: folder.path,
      shell: "mkdir gone; (while [ ! -e gone/.m.safetensors.lock ]; do sleep 0.01; done; rm -r gone) & true")
    #expect(moved.status == 1)
    #expect(moved.errors.contains("the model was written to "), "\(moved.errors)")
  }

  @Test("an image with a voxel that is not a number is refused by name")
  func notFinite() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    // The image as 32-bit floats, one of them NaN.
    var data = try folder.bytes("images/heart_3.nii").prefix(352)
    data.replaceSubrange(70..<74, with: [16, 0, 32, 0])
    for _ in 1..<28 * 22 * 13 { data += withUnsafeBytes(of: Float(3).bitPattern.littleEndian) { Data($0) } }
    data += withUnsafeBytes(of: Float.nan.bitPattern.littleEndian) { Data($0) }
    try data.write(to: URL(filePath: folder("images/heart_3.nii")))
    let outcome = try segdeck(Self.quick + ["-o", "m.safetensors"], in: folder.path)
    #expect(outcome.status == 1)
    #expect(
      outcome.errors
        == "segdeck: images/heart_3.nii: cannot serve for training: found 1 voxel is not finite, expected "
        + "finite intensities\n")
  }
}
