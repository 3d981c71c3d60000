import Foundation
import TestSupport
import Testing

/// Labels as their owner wrote them, through every command that reads masks.
@Suite(.serialized)
struct LabelValueTests {
  /// A NIfTI-1 file of 16x16x8 voxels of 1 mm: a cube of each value, beginning at its index along i.
  private func volume(
    _ cubes: [(start: Int, value: Int)], type: (code: Int16, byteCount: Int) = (8, 4), frames: Int = 1,
    background: Int = 0
  ) -> Data {
    var header = [UInt8](repeating: 0, count: 352)
    func put(_ bytes: [UInt8], _ position: Int) {
      header.replaceSubrange(position..<position + bytes.count, with: bytes)
    }
    func put(_ value: some FixedWidthInteger, _ position: Int) {
      put(withUnsafeBytes(of: value.littleEndian) { Array($0) }, position)
    }
    func put(_ value: Float, _ position: Int) { put(value.bitPattern, position) }
    put(Int32(348), 0)
    for (axis, extent) in [Int16(frames > 1 ? 4 : 3), 16, 16, 8, Int16(frames), 1, 1, 1].enumerated() {
      put(extent, 40 + 2 * axis)
    }
    put(type.code, 70)
    put(Int16(8 * type.byteCount), 72)
    for axis in 0..<4 { put(Float(1), 76 + 4 * axis) }
    put(Float(352), 108)
    put(Int16(1), 254)
    for axis in 0..<3 { put(Float(1), 280 + 20 * axis) }
    put([UInt8]("n+1".utf8), 344)
    var data = Data(header)
    for _ in 0..<frames {
      for offset in 0..<16 * 16 * 8 {
        let (i, j, k) = (offset % 16, offset / 16 % 16, offset / 256)
        let cube = cubes.last {
          ($0.start..<$0.start + 6).contains(i) && (4..<12).contains(j) && (1..<7).contains(k)
        }
        withUnsafeBytes(of: Int64(cube?.value ?? background).littleEndian) {
          data += Data($0.prefix(type.byteCount))
        }
      }
    }
    return data
  }

  /// A layer graph of one convolution, which trains within a moment.
  private static let oneConvolution = Data(
    """
    {"inputChannels": 1, "layers": [
    {"name": "conv1", "kind": "convolution", "input": "input", "outputChannels": 2, "kernel": 3, "padding": 1}],
    "heads": [{"name": "main", "layer": "conv1"}]}
    """.utf8)

  private func folder(_ files: [String: Data]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, data) in files {
      try FileManager.default.createDirectory(
        at: URL(filePath: folder(name)).deletingLastPathComponent(), withIntermediateDirectories: true)
      try data.write(to: URL(filePath: folder(name)))
    }
    return folder
  }

  /// Dice of each structure by name.
  private func dice(_ words: String, in folder: TemporaryFolder) throws -> [String: Double] {
    let outcome = try segdeck(
      ["compare", "--json"] + words.split(separator: " ").map(String.init), in: folder.path)
    #expect(outcome.status == 0, "\(words): \(outcome.errors)")
    let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    let structures = report?["structures"] as? [[String: Any]] ?? []
    return Dictionary(
      uniqueKeysWithValues: structures.map { ($0["name"] as? String ?? "", $0["dice"] as? Double ?? -1) })
  }

  @Test("255 is label 1 where nothing else occurs in either mask, and 255 in both where something does")
  func compared() throws {
    let folder = try folder([
      "a.nii": volume([(2, 255)]), "b.nii": volume([(5, 255)]), "c.nii": volume([(2, 255), (9, 1)]),
      "large.nii": volume([(2, 614_454_277), (9, 7)]),
      "large.nii.txt": Data("\u{feff}614454277 VISp\n997 root\n614454278 other\n".utf8),
      "plain.nii": volume([(2, 614_454_277), (9, 7)]),
      "frames.nii": volume([(2, 1)], frames: 2),
    ])
    defer { folder.remove() }
    #expect(try dice("a.nii b.nii", in: folder) == ["label 1": 0.5])
    #expect(try dice("a.nii b.nii --label 255=tumour", in: folder) == ["tumour": 0.5])
    #expect(try dice("a.nii b.nii --label 1=tumour", in: folder) == ["tumour": 0.5])
    #expect(try dice("a.nii c.nii", in: folder) == ["label 1": 0, "label 255": 1])
    #expect(try dice("plain.nii plain.nii", in: folder) == ["label 7": 1, "label 614454277": 1])
    #expect(try dice("large.nii plain.nii", in: folder) == ["label 7": 1, "VISp": 1])
    #expect(
      try dice("plain.nii plain.nii --label 614454277,7=both", in: folder) == ["both": 1])
    #expect(
      try dice("c.nii c.nii --label 255=part --label 1,255=whole", in: folder) == ["part": 1, "whole": 1])
    let shared = try segdeck(
      ["compare", "a.nii", "b.nii", "--label", "255=x", "--label", "1=y"], in: folder.path)
    #expect(shared.status == 1)
    #expect(
      shared.errors.hasSuffix("segdeck: --label: has two names for the same values: found x and y\n"))
    let refused = try segdeck(["compare", "a.nii", "frames.nii"], in: folder.path)
    #expect(refused.status == 1)
    #expect(
      refused.errors.hasPrefix(
        "segdeck: frames.nii: is not a mask of labels: found 2 frames, expected one frame"))
  }

  @Test("in a mask of only 0 and 255 the name of 1 names 255, whatever it is compared with")
  func namesOfOne() throws {
    func names(_ json: String) -> Data { Data("{\"labels\": \(json)}".utf8) }
    let folder = try folder([
      "a.nii": volume([(2, 255)]), "a.labels.json": names(#"{"liver": 1}"#),
      "b.nii": volume([(2, 1), (9, 2)]), "b.labels.json": names(#"{"liver": 1, "tumour": 2}"#),
      "c.nii": volume([(2, 255)]), "c.labels.json": names(#"{"Liver": 255, "spleen": 1}"#),
    ])
    defer { folder.remove() }
    #expect(try dice("a.nii b.nii", in: folder) == ["liver": 1, "tumour": 0])
    #expect(try dice("b.nii a.nii", in: folder) == ["liver": 1, "tumour": 0])
    #expect(try dice("a.nii c.nii", in: folder) == ["liver": 1])
    #expect(
      try segdeck(["compare", "a.nii", "c.nii"], in: folder.path).errors.contains(
        "note: c.nii: label 1 is called spleen and label 255 Liver; of masks that hold only 0 and 255 the name of 255 "
          + "counts\n"))
    #expect(
      try segdeck(["compare", "b.nii", "b.nii", "--label", "1,9=x"], in: folder.path).errors
        == "segdeck: note: --label 1,9=x: no voxel of either mask has 9\n")
  }

  @Test("a model is measured by all values that each of its structures was trained on")
  func mergedStructures() throws {
    var files: [String: Data] = [
      "net.json": Self.oneConvolution
    ]
    for number in 0..<3 {
      files["images/c\(number).nii"] = volume([(0, 900), (5, 300), (10, 500)], type: (4, 2), background: 100)
      files["labels/c\(number).nii"] = volume([(0, 614_454_277), (5, 7), (10, 2)])
      files["only/c\(number).nii"] = volume([(1 + number, 255)])
    }
    let folder = try folder(files)
    defer { folder.remove() }
    func segdeckOnCases(_ command: String, _ labels: String = "labels", _ further: String...) throws
      -> CommandOutcome
    {
      let words =
        [command, "--images", "images", "--labels", labels]
        + further.flatMap { $0.split(separator: " ") }.map(String.init)
      return try segdeck(words, in: folder.path)
    }
    func train(_ labels: String, _ further: String...) throws -> CommandOutcome {
      try segdeckOnCases(
        "train", labels,
        "-o m.safetensors --force --network net.json --iterations 2 --validation c2 --threads 2",
        further.joined(separator: " "))
    }
    /// Millilitres that the label files have of each structure, by the report.
    func measured(_ outcome: CommandOutcome) throws -> [String] {
      #expect(outcome.status == 0, "\(outcome.errors)")
      let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      let measures = (report?["cases"] as? [[String: Any]] ?? []).map {
        $0["measures"] as? [String: Any] ?? [:]
      }
      return Set(
        measures.map {
          String(format: "%@ %.3f", $0["name"] as? String ?? "", $0["reference_ml"] as? Double ?? 0)
        }
      )
      .sorted()
    }
    #expect(try train("labels", "--label 7,614454277=x --label 2=y --checkpoints k").status == 0)
    let info = try succeed(["info", "m.safetensors"], in: folder.path)
    #expect(info.contains("labels: 7 x (trained on 7,614454277), 2 y\n"))
    let all = try segdeckOnCases("evaluate", "labels", "--model m.safetensors --json")
    let chosen = try segdeckOnCases(
      "evaluate", "labels", "--model m.safetensors --json --label 7,614454277=x --label 2=y")
    #expect(all.output == chosen.output)
    #expect(try measured(all) == ["x 0.480", "y 0.288"])
    let part = try segdeckOnCases(
      "evaluate", "labels", "--model m.safetensors --json --label 7=x --label 2=y")
    #expect(part.output != all.output)
    let resumed = try train("labels", "--label 7=x --label 2=y --checkpoints k --resume")
    #expect(
      resumed.errors.hasSuffix(
        "segdeck: --label: --resume continues with the values of its checkpoint: found 7=x 2=y, "
          + "expected 7,614454277=x 2=y\n"))
    try Data(#"{"labels": {"core": 7, "rim": 614454277, "rest": 2}}"#.utf8)
      .write(to: URL(filePath: folder("dataset.json")))
    #expect(
      try segdeckOnCases("evaluate", "labels", "--model m.safetensors").errors.hasSuffix(
        "segdeck: labels: no structure has a name of the model: found 2=rest 7=core 614454277=rim, "
          + "expected 7,614454277=x 2=y, or --label to say which values are which\n"))
    // Values beyond 16 bits stay what they are, from the training to the masks and what is made of them.
    unlink(folder("dataset.json"))
    #expect(try train("labels", "--iterations 30").status == 0)
    #expect(
      try succeed(["info", "m.safetensors"], in: folder.path).contains(
        "labels: 2 label 2, 7 label 7, 614454277 label 614454277\n"))
    for words in [
      "segment images/c0.nii --model m.safetensors -o s.nii --probabilities p.nii",
      "segment images/c0.nii --model m.safetensors -o g.nii --grid image",
      "refine images/c0.nii --probabilities p.nii -o r.nii --only-labels 614454277",
      "refine images/c0.nii --mask s.nii --model m.safetensors -o t.nii",
    ] {
      try succeed(words.split(separator: " ").map(String.init), in: folder.path)
    }
    for name in ["s", "g", "r", "t"] {
      #expect(try succeed(["replay", "\(name).json", "--verify"], in: folder.path) == "same\n")
      let found = try dice("labels/c0.nii \(name).nii", in: folder)
      #expect(found["label 614454277"] ?? 0 > 0.5, "\(name): \(found)")
      let stated =
        try JSONSerialization.jsonObject(with: folder.bytes("\(name).labels.json")) as? [String: Any]
      #expect((stated?["labels"] as? [[String: Any]] ?? []).contains { $0["value"] as? Int == 614_454_277 })
    }
    let only = try segdeckOnCases("evaluate", "labels", "--model m.safetensors --refine --only-labels 65535")
    #expect(
      only.errors
        == "segdeck: --only-labels: is not a label there: found \"65535\", expected 2, 7, 614454277\n")
    // Labels of 0 and 255 take the names of 1, and what is called ignore there is none.
    for (names, line) in [
      (#"{"background": 0, "tumour": 1}"#, "structures: 255=tumour (all values that occur)\n"),
      (#"{"background": 0, "tumour": 255}"#, "structures: 255=tumour (all values that occur)\n"),
      (#"{"0": "background", "1": "tumour"}"#, "structures: 255=tumour (all values that occur)\n"),
      (
        #"{"ignore": 1}"#,
        "only: every label that occurs means ignore: found 255, expected one that is a structure, or --label to say so\n"
      ),
    ] {
      try Data("{\"labels\": \(names)}".utf8).write(to: URL(filePath: folder("dataset.json")))
      let outcome = try train("only")
      #expect(outcome.errors.contains("segdeck: " + line), "\(outcome.errors)")
    }
    // A model of 255 alone is measured on files of 1 alone.
    for number in 0..<3 {
      try volume([(1 + number, 1)]).write(to: URL(filePath: folder("only/c\(number).nii")))
    }
    unlink(folder("dataset.json"))
    #expect(
      try measured(segdeckOnCases("evaluate", "only", "--model m.safetensors --json")) == ["tumour 0.288"])
    for number in 0..<3 {
      try volume([(1 + number, 255)]).write(to: URL(filePath: folder("only/c\(number).nii")))
    }
    for value in ["1", "255"] {
      let refined = try segdeckOnCases(
        "evaluate", "only", "--model m.safetensors --refine --label 255=tumour --only-labels \(value)")
      #expect(refined.status == 0, "\(refined.errors)")
    }
  }

  @Test("a converted mask keeps the names of its labels, under the rules of every output")
  func convertedNames() throws {
    let names = Data(#"{"labels": {"liver": 1, "tumour": 2, "ignore": 3}}"#.utf8)
    let folder = try folder([
      "b.nii": volume([(2, 1), (9, 2)]), "b.labels.json": names, "plain.nii": volume([(2, 1), (9, 2)]),
    ])
    defer { folder.remove() }
    func labels(_ name: String) throws -> [String] {
      let json = try JSONSerialization.jsonObject(with: folder.bytes(name)) as? [String: Any]
      return (json?["labels"] as? [[String: Any]] ?? []).map { "\($0["value"] ?? "") \($0["name"] ?? "")" }
    }
    for (words, expected) in [
      ("b.nii o1.nii", ["1 liver", "2 tumour", "3 ignore"]),
      ("b.nii o2.nii.gz --like plain.nii", ["1 liver", "2 tumour", "3 ignore"]),
      ("b.nii o3.nii --like plain.nii --label 2,1=whole", ["2 whole", "3 ignore"]),
      ("plain.nii o4.nii --like b.nii --label 1=a", ["1 a"]),
      ("plain.nii o5.nii --like b.nii --label 1,9=a", ["1 a"]),
    ] {
      let words = words.split(separator: " ").map(String.init)
      let outcome = try segdeck(["convert"] + words, in: folder.path)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try labels(words[1].prefix(2) + ".labels.json") == expected)
      #expect(
        outcome.errors
          == (words.contains("1,9=a") ? "segdeck: note: --label 1,9=a: no voxel of plain.nii has 9\n" : ""))
    }
    #expect(try dice("b.nii o3.nii", in: folder) == ["liver": 0, "tumour": 0, "whole": 0])
    #expect(try dice("o1.nii o2.nii.gz", in: folder) == ["liver": 1, "tumour": 1])
    // One file of names serves a.nii and a.nii.gz.
    try succeed(["convert", "b.nii", "b.nii.gz"], in: folder.path)
    #expect(try folder.bytes("b.labels.json") == names)
    unlink(folder("o1.nii"))
    let standing = try segdeck(["convert", "b.nii", "o1.nii"], in: folder.path)
    #expect(
      standing.errors == "segdeck: o1.labels.json: exists: expected another name, or --force to replace it\n")
    let nameless = try segdeck(["convert", "plain.nii", "o1.nii"], in: folder.path)
    #expect(
      nameless.errors
        == "segdeck: note: o1.labels.json: names the labels of what is written, though plain.nii has no names\n"
    )
  }

  @Test("a refined mask holds the values of the mask that it started from")
  func refined() throws {
    let folder = try folder([
      "image.nii": volume([(2, 100), (9, 200)], type: (4, 2)), "a.nii": volume([(2, 255)]),
      "large.nii": volume([(2, 614_454_277), (9, 7)]),
      "frames.nii": volume([(2, 100), (9, 200)], type: (4, 2), frames: 2),
    ])
    defer { folder.remove() }
    for (mask, values) in [("a.nii", [255]), ("large.nii", [7, 614_454_277])] {
      let outcome = try segdeck(
        ["refine", "image.nii", "--mask", mask, "-o", "out.nii", "--force"], in: folder.path)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let names = try JSONSerialization.jsonObject(with: folder.bytes("out.labels.json")) as? [String: Any]
      let labels = names?["labels"] as? [[String: Any]] ?? []
      #expect(labels.map { $0["value"] as? Int } == values)
      let compared = try dice("\(mask) out.nii", in: folder)
      #expect(compared.count == values.count)
      #expect(compared.values.allSatisfy { $0 > 0.9 }, "\(compared)")
      let only = try segdeck(
        [
          "refine", "image.nii", "--mask", mask, "-o", "only.nii", "--force", "--only-labels",
          "\(values.last!)",
        ],
        in: folder.path)
      #expect(only.status == 0, "\(only.errors)")
    }
    let outcome = try segdeck(
      ["refine", "frames.nii", "--mask", "a.nii", "-o", "frames_out.nii", "--frame", "1"], in: folder.path)
    #expect(outcome.status == 0)
    #expect(!outcome.errors.contains("frame 0"))
  }

  @Test("a trained model keeps the values of its label files, cases without a structure are negatives")
  func trained() throws {
    var files: [String: Data] = [
      "dataset.json": Data(#"{"labels": {"background": 0, "lesion": 11, "organ": 6, "ignore": 3}}"#.utf8)
    ]
    for number in 0..<4 {
      files["images/c\(number).NII"] = volume([(1 + number, 500), (9, 900)], type: (4, 2), background: 100)
      files["labels/c\(number).Nii"] = volume(
        number == 1 ? [] : [(1 + number, 6), (9, number == 2 ? 3 : 11)], type: (2, 1))
    }
    let folder = try folder(files)
    defer { folder.remove() }
    let words = [
      "train", "--images", "images", "--labels", "labels", "-o", "m.safetensors", "--network", "small-heart",
      "--iterations", "2", "--validate-every", "2", "--threads", "2", "--validation", "c3",
    ]
    let outcome = try segdeck(words, in: folder.path)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("label 3 means ignore"))
    #expect(outcome.errors.contains("1 of 4 cases have no voxel of any structure and serve as negatives: c1"))
    let info = try segdeck(["info", "m.safetensors", "--json"], in: folder.path)
    let labels = try #require(
      try JSONSerialization.jsonObject(with: Data(info.output.utf8)) as? [String: Any])["labels"]
    #expect((labels as? [[String: Any]] ?? []).map { $0["value"] as? Int } == [6, 11])
    // The model is measured by the names of the files, and a note reports what only one of them has.
    let measuring = "evaluate --images images --labels labels --model m.safetensors --cases c0 --threads 2"
      .split(separator: " ").map(String.init)
    try Data(#"{"labels": {"background": 0, "cyst": 11, "Organ": 6, "ignore": 3}}"#.utf8)
      .write(to: URL(filePath: folder("dataset.json")))
    let part = try segdeck(measuring, in: folder.path)
    #expect(part.status == 0, "\(part.errors)")
    #expect(
      part.errors.contains(
        "note: m.safetensors: not measured, because the label files have no such structure: lesion\n"))
    #expect(
      part.errors.contains("note: labels: not measured, because the model has no such structure: cyst\n"))
    #expect(!part.errors.contains("has no name"))
    try Data(#"{"labels": {"background": 0, "cyst": 11, "spleen": 6, "ignore": 3}}"#.utf8)
      .write(to: URL(filePath: folder("dataset.json")))
    for words in [measuring, ["sweep"] + measuring.dropFirst() + ["--trials", "2", "--finalists", "1"]] {
      let other = try segdeck(words, in: folder.path)
      #expect(other.status == 1)
      #expect(
        other.errors.hasSuffix(
          "segdeck: labels: no structure has a name of the model: found 6=spleen 11=cyst, "
            + "expected 6=organ 11=lesion, or --label to say which values are which\n"), "\(other.errors)")
    }
    for words in [
      measuring + ["--refine"], ["sweep"] + measuring.dropFirst() + ["--trials", "2", "--finalists", "1"],
    ] {
      let none = try segdeck(words + ["--only-labels", "99"], in: folder.path)
      #expect(none.status == 1)
      #expect(
        none.errors == "segdeck: --only-labels: is not a label there: found \"99\", expected 6, 11\n")
    }
    let merged = try segdeck(
      words + ["--force", "--label", "11,6=both", "--label", "3=rest", "--allow-empty"], in: folder.path)
    #expect(merged.status == 0, "\(merged.errors)")
    #expect(!merged.errors.contains("negatives"))
    #expect(!merged.errors.contains("means ignore"))
    let second = try segdeck(["info", "m.safetensors", "--json"], in: folder.path)
    #expect(second.output.contains("\"value\" : 11") && !second.output.contains("\"value\" : 6"))
    try volume([(2, 500)], type: (4, 2), frames: 2).write(to: URL(filePath: folder("images/c0.NII")))
    let frames = try segdeck(words + ["--force"], in: folder.path)
    #expect(frames.status == 1)
    #expect(frames.errors.contains("images/c0.NII: holds several frames or channels: found 2"))
  }

  @Test("training, evaluation and sweep report each finding of their files once")
  func saidOnce() throws {
    var files: [String: Data] = [
      "net.json": Self.oneConvolution
    ]
    for number in 0..<3 {
      // 32-bit floats by their bits: 200, and 0 around it.
      files["images/c\(number).nii"] = volume([(1 + number, 0x4348_0000)], type: (16, 4))
      files["labels/c\(number).nii"] = volume([(1 + number, 255)], type: (2, 1))
    }
    let folder = try folder(files)
    defer { folder.remove() }
    let folders = ["--images", "images", "--labels", "labels"]
    let trained = try segdeck(
      [
        "train", "-o", "m.safetensors", "--network", "net.json", "--iterations", "2", "--validation", "c2",
        "--threads", "2",
      ] + folders, in: folder.path)
    #expect(trained.status == 0, "\(trained.errors)")
    let finding = "stored as 255, its only value besides 0; read as label 1 and written as 255\n"
    let sets = "segdeck: note: labels/c0.nii, labels/c1.nii, labels/c2.nii: "
    #expect(trained.errors.hasPrefix(sets + finding))
    #expect(trained.errors.components(separatedBy: "255, ").count == 2, "\(trained.errors)")
    #expect(trained.errors.contains("structures: 255=label 1 "))
    // Of the middle case two cubes, of which one holds NaN.
    try volume([(2, 0x4348_0000), (9, 0x7fc0_0000)], type: (16, 4))
      .write(to: URL(filePath: folder("images/c1.nii")))
    let expected =
      sets + finding
      + "segdeck: note: images/c1.nii: 288 voxels are not finite; NaN and -Inf are read as 0.0, the smallest "
      + "value, +Inf as 200.0, the largest\n"
    for words in [
      ["evaluate", "--model", "m.safetensors"],
      ["sweep", "--model", "m.safetensors", "--trials", "2", "--finalists", "1"],
    ] {
      let outcome = try segdeck(words + folders, in: folder.path)
      #expect(outcome.status == 0)
      let notes = outcome.errors.split(separator: "\n").filter {
        $0.contains("255,") || $0.contains("finite")
      }
      #expect(Set(notes) == Set(expected.split(separator: "\n")), "\(outcome.errors)")
      #expect(notes.count == 2)
    }
    for (file, line) in [
      ("images/c1.nii", "288 voxels are not finite; they are copied as they are\n"),
      ("labels/c1.nii", "as a mask: " + finding),
    ] {
      let copied = try segdeck(["convert", file, "copy.nii", "--force"], in: folder.path)
      #expect(copied.errors == "segdeck: note: \(file): \(line)")
    }
    #expect(
      try succeed(["info", "labels/c0.nii"], in: folder.path)
        .hasSuffix("finding      as a mask: " + finding))
  }
}
