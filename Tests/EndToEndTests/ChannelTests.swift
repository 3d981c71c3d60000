import Foundation
import TestSupport
import Testing

/// Networks that read several images of a case, as a user trains and runs them.
@Suite(.serialized)
struct ChannelTests {
  /// Generated hearts of 28x22x13 voxels in `t1`, their atrium in `labels`, and other hearts on the same grid in `t2`; in
  /// `nnunet` the same images as files of channels.
  private func heartFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.make("t1", "t2", "labels", "unused", "nnunet", "nnunet/imagesTr")
    for seed in 1...4 {
      for (images, labels, own) in [("t1", "labels", seed), ("t2", "unused", seed + 10)] {
        try succeed(
          [
            "phantom", "mr", "--seed", "\(own)", "--size", "28x22x13", "--spacing", "5", "-o",
            "\(images)/heart_\(seed).nii", "--labels", "\(labels)/heart_\(seed).nii",
          ], in: folder.path)
      }
      for (channel, images) in ["t1", "t2"].enumerated() {
        try folder.bytes("\(images)/heart_\(seed).nii")
          .write(to: URL(filePath: folder("nnunet/imagesTr/heart_\(seed)_000\(channel).nii")))
      }
    }
    try Data(#"{"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "atrium": 1}}"#.utf8)
      .write(to: URL(filePath: folder("nnunet/dataset.json")))
    return folder
  }

  private static let quick = [
    "--labels", "labels", "--network", "small-heart", "--iterations", "4", "--validate-every", "2", "--crop",
    "16x16x8", "--batch", "1", "--threads", "2",
  ]
  private static let twoFolders = ["--images", "t1", "--images", "t2"]

  @Test(
    "two folders and one of nnU-Net's with the same files train the same weights, which segment, evaluate and replay"
  )
  func journey() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    let trained = try segdeck(
      ["train"] + Self.twoFolders + Self.quick + ["-o", "two.safetensors"], in: folder.path)
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(
      trained.errors.contains("segdeck: channels: t1, t2 (2 images of each case)\n"), "\(trained.errors)")
    try succeed(
      ["train", "--images", "nnunet/imagesTr"] + Self.quick + ["-o", "nnunet.safetensors"], in: folder.path)
    func weights(_ name: String) throws -> Data {
      let file = try folder.bytes(name)
      let length = file.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
      return file.dropFirst(8 + length)
    }
    #expect(try weights("two.safetensors") == weights("nnunet.safetensors"))
    let information = try succeed(["info", "nnunet.safetensors"], in: folder.path)
    #expect(information.contains("intensities of T1: ") && information.contains("intensities of T2: "))

    try succeed(
      [
        "segment", "t1/heart_4.nii", "--further-image", "t2/heart_4.nii", "--model", "two.safetensors", "-o",
        "a.nii.gz",
      ], in: folder.path)
    let found = try segdeck(
      ["segment", "nnunet/imagesTr/heart_4_0000.nii", "--model", "nnunet.safetensors", "-o", "b.nii.gz"],
      in: folder.path)
    #expect(found.status == 0)
    #expect(
      found.errors.contains(
        "note: nnunet/imagesTr/heart_4_0000.nii: channels T1 heart_4_0000.nii, T2 heart_4_0001.nii\n"),
      "\(found.errors)")
    #expect(try folder.bytes("a.nii.gz") == folder.bytes("b.nii.gz"))
    for mask in ["a", "b"] {
      #expect(try succeed(["replay", "\(mask).json", "--verify"], in: folder.path).contains("same"))
    }
    let printed = try succeed(
      ["evaluate"] + Self.twoFolders + ["--labels", "labels", "--model", "two.safetensors", "--refine"],
      in: folder.path)
    #expect(printed.contains("heart_4"))
  }

  @Test("a training on several images resumes with the same weights, and other images are refused")
  func resumed() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    let words =
      Self.quick + ["--network", "auto", "--channels", "4", "--checkpoints", "c", "-o", "m.safetensors"]
    try succeed(["train"] + Self.twoFolders + words, in: folder.path)
    try succeed(["train"] + Self.twoFolders + words + ["--resume"], in: folder.path)
    let other = try segdeck(["train", "--images", "t1"] + words + ["--resume"], in: folder.path)
    #expect(other.status == 1)
    #expect(
      other.errors
        == "segdeck: --images: --resume continues with the images of its checkpoint: found image, expected t1, t2\n"
    )
  }

  @Test(
    "images that do not make a case are refused with one line, and nothing is written",
    arguments: [
      (
        "train --images t1 --images t2", "rm t2/heart_2.nii",
        "t1, t2: cases without an image for each channel: found 1: heart_2"
      ),
      (
        "train --images nnunet/imagesTr", "rm nnunet/imagesTr/heart_2_0001.nii",
        "nnunet/imagesTr: cases without an image for each channel: found 1: heart_2_0000"
      ),
      (
        "train --images t1 --images t2", "cp other.nii t2/heart_2.nii",
        "t2/heart_2.nii: does not fit t1/heart_2.nii: other dimensions: found 20x22x13, expected 28x22x13"
      ),
      (
        "train --images t1 --images t2 --generated-cases 2", "true",
        "--generated-cases: have one image each: found 2 images of a case, expected no generated cases"
      ),
      (
        "train --images t1 --images t2 --window score --window score --window score", "true",
        "--window: once for all channels, or once for each: found 3, expected 2"
      ),
    ])
  func refused(command: String, preparation: String, line: String) throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    try succeed(
      ["phantom", "mr", "--seed", "6", "--size", "20x22x13", "-o", "other.nii", "--labels", "mask.nii"],
      in: folder.path)
    try run(["sh", "-c", "cd '\(folder.path)' && \(preparation)"])
    let before = try folder.contents()
    let outcome = try segdeck(
      command.split(separator: " ").map(String.init) + Self.quick + ["-o", "m.safetensors"], in: folder.path)
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("segdeck: \(line)"), "\(outcome.errors)")
    #expect(outcome.errors.count(where: \.isNewline) == 1, "\(outcome.errors)")
    #expect(try folder.contents() == before)
  }

  @Test("a model gets as many images as it has channels, on one grid, or says which it takes")
  func numberOfImages() throws {
    let folder = try heartFolder()
    defer { folder.remove() }
    try succeed(["train"] + Self.twoFolders + Self.quick + ["-o", "two.safetensors"], in: folder.path)
    try succeed(
      ["phantom", "mr", "--seed", "6", "--size", "20x22x13", "-o", "other.nii", "--labels", "mask.nii"],
      in: folder.path)
    for (words, line) in [
      (
        "segment t1/heart_1.nii --model two.safetensors",
        "two.safetensors: takes several images of a case: t1, t2: found 1, expected 2, with --further-image or as "
          + "CASE_0000, CASE_0001 in one folder"
      ),
      (
        "segment t1/heart_1.nii --further-image other.nii --model two.safetensors",
        "other.nii: does not fit t1/heart_1.nii: other dimensions: found 20x22x13, expected 28x22x13"
      ),
      (
        "evaluate --images t1 --labels labels --model two.safetensors",
        "two.safetensors: takes several images of a case: t1, t2: found 1, expected 2, in a folder for each with "
          + "--images, or as CASE_0000, CASE_0001 in one"
      ),
    ] {
      let output = words.hasPrefix("segment") ? ["-o", "o.nii"] : []
      let outcome = try segdeck(words.split(separator: " ").map(String.init) + output, in: folder.path)
      #expect(outcome.status == 1)
      #expect(outcome.errors == "segdeck: \(line)\n")
    }
    let one = try segdeck(
      [
        "segment", "t1/heart_1.nii", "--further-image", "t2/heart_1.nii", "--model", "left-atrium", "-o",
        "o.nii",
      ],
      in: folder.path)
    #expect(one.errors.hasSuffix(": takes one image of a case: found 2, expected 1\n"), "\(one.errors)")
  }
}
