import Foundation
import ImageFormats
import ONNX
import TestSupport
import Testing
import Volumes
import Work

/// ONNX files as a user brings them.
@Suite struct ImportCommandTests {
  /// A folder with `shift.onnx`, a network that marks the voxel after each bright one along its first axis, and `scan.nrrd`, an
  /// image of 8x9x10 voxels along R, A and S with a bright one at (2, 3, 4).
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    var graph = GraphProto()
    graph.nodes = [
      NodeProto(
        "Conv", name: "shift", ["image", "shift.weight", "shift.bias"], ["scores"],
        attributes: ["pads": .integers([1, 0, 0, 1, 0, 0])])
    ]
    graph.initializers = [
      TensorProto("shift.weight", shape: [2, 1, 3, 1, 1], [0, 0, 0, 1, 0, 0]),
      TensorProto("shift.bias", shape: [2], [0, -0.5]),
    ]
    graph.inputs = [ValueInfoProto(name: "image", shape: [1, 1, nil, nil, nil])]
    graph.outputs = [ValueInfoProto(name: "scores")]
    try ModelProto(opset: 17, graph: graph).write(to: folder("shift.onnx"))
    var scan = Data(
      """
      NRRD0004
      type: uint8
      dimension: 3
      sizes: 8 9 10
      encoding: raw
      space: right-anterior-superior
      space directions: (1,0,0) (0,1,0) (0,0,1)
      space origin: (0,0,0)


      """.utf8)
    scan.append(contentsOf: (0..<720).map { $0 == 2 + 8 * (3 + 9 * 4) ? 1 : 0 })
    try scan.write(to: URL(filePath: folder("scan.nrrd")))
    return folder
  }

  private let facts = ["--orientation", "RAS", "--spacing", "1", "--normalise", "none", "--label", "7=spot"]

  @Test(
    "the first axis of a network is z of nnU-Net and x of MONAI, as --axes says, also where the image lies otherwise",
    arguments: [("zyx", [2, 3, 5]), ("xyz", [3, 3, 4]), ("yzx", [2, 4, 4])])
  func axes(_ axes: String, marked: [Int]) throws {
    let folder = try folder()
    defer { folder.remove() }
    try succeed(
      ["import", "shift.onnx", "-o", "m.safetensors", "--axes", axes] + facts, in: folder.path)
    let printed = try succeed(
      ["import", "shift.onnx", "-o", "n.safetensors", "--axes", axes, "--check", "scan.nrrd"] + facts,
      in: folder.path)
    #expect(printed == "7 spot: 0.0 mL\n")
    try succeed(["segment", "scan.nrrd", "--model", "m.safetensors", "-o", "mask.nii"], in: folder.path)
    let labels = try ImageFile.open(folder("mask.nii")).labelVolume(work: WorkContext(threadCount: 1))
    let position = marked[0] + 8 * (marked[1] + 9 * marked[2])
    #expect(labels.values() == [0, 7] || labels.values() == [7])
    #expect(labels.voxels.enumerated().filter { $0.element == 7 }.map(\.offset) == [position])
  }

  @Test(
    "nnU-Net's files say axes, spacing, patches, intensities and labels; only the orientation is an option")
  func nnunet() throws {
    let folder = try folder()
    defer { folder.remove() }
    let plans = """
      {"transpose_forward": [2, 0, 1],
       "foreground_intensity_properties_per_channel":
         {"0": {"mean": 99.5, "std": 37.5, "percentile_00_5": -25, "percentile_99_5": 212, "median": 100}},
       "configurations": {
         "3d_base": {"spacing": [3, 1, 2], "patch_size": [16, 32, 48], "use_mask_for_norm": [false]},
         "3d_fullres": {"inherits_from": "3d_base", "normalization_schemes": ["CTNormalization"]}}}
      """
    let dataset = """
      {"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 6}, "file_ending": ".nii.gz"}
      """
    try Data(plans.utf8).write(to: URL(filePath: folder("plans.json")))
    try Data(dataset.utf8).write(to: URL(filePath: folder("dataset.json")))
    let words =
      "import shift.onnx -o m.safetensors --plans plans.json --dataset dataset.json --configuration 3d_fullres"
      .split(separator: " ").map(String.init)
    let unoriented = try segdeck(words, in: folder.path)
    #expect(unoriented.status == 1)
    #expect(unoriented.errors.contains("segdeck: --orientation: is not stated"))
    try succeed(words + ["--orientation", "LPS"], in: folder.path)
    let info = try succeed(["info", "m.safetensors"], in: folder.path)
    // The network's axes are x, z, y: its last axis is y.
    #expect(info.contains("labels: 6 liver\n"))
    #expect(info.contains("heads: main\n"))
    #expect(info.contains("working grid: PSL, 2.0 x 1.0 x 3.0 mm\n"), "\(info)")
    #expect(info.contains("intensities: clipped to -25 to 212, then less 99.5, divided by 37.5\n"))
    #expect(info.contains("patches: 48x32x16 voxels, step 0.5, gaussian weights\n"))
  }

  @Test("a MONAI bundle says everything; a transform that has no equal is refused")
  func bundle() throws {
    let folder = try folder()
    defer { folder.remove() }
    try folder.make("b", "b/configs")
    let metadata = """
      {"network_data_format": {
        "inputs": {"image": {"num_channels": 1, "channel_def": {"0": "image"}}},
        "outputs": {"pred": {"channel_def": {"0": "background", "1": "spleen"}}}}}
      """
    func inference(_ further: String) -> String {
      """
      {"preprocessing": {"_target_": "Compose", "transforms": [
         {"_target_": "LoadImaged", "keys": "image"},
         {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
         {"_target_": "Spacingd", "keys": "image", "pixdim": [1.5, 1.5, 2.0], "mode": "bilinear"},
         {"_target_": "ScaleIntensityRanged", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": true}\(further)]},
       "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [96, 64, 32], "overlap": 0.25}}
      """
    }
    try Data(metadata.utf8).write(to: URL(filePath: folder("b/configs/metadata.json")))
    try Data(inference("").utf8).write(to: URL(filePath: folder("b/configs/inference.json")))
    try succeed(["import", "shift.onnx", "-o", "m.safetensors", "--bundle", "b"], in: folder.path)
    let info = try succeed(["info", "m.safetensors"], in: folder.path)
    #expect(info.contains("labels: 1 spleen\n"))
    #expect(info.contains("working grid: SAR, 2.0 x 1.5 x 1.5 mm\n"), "\(info)")
    #expect(info.contains("intensities: -57 to 164 become 0 to 1\n"))
    #expect(info.contains("patches: 32x64x96 voxels, step 0.75, constant weights\n"))
    let other = inference(#", {"_target_": "CropForegroundd", "keys": "image"}"#)
    try Data(other.utf8).write(to: URL(filePath: folder("b/configs/inference.json")))
    let refused = try segdeck(
      ["import", "shift.onnx", "-o", "n.safetensors", "--bundle", "b"], in: folder.path)
    #expect(refused.status == 1)
    #expect(
      refused.errors
        == "segdeck: b/configs/inference.json: preprocessing.transforms[4]: is a transform without an equal here: "
        + "found CropForegroundd, expected options instead of --bundle, if the network can do without it\n")
    #expect(!FileManager.default.fileExists(atPath: folder("n.safetensors")))
  }

  @Test("what is not stated, and a file that is none, end with one line and nothing written")
  func refusals() throws {
    let folder = try folder()
    defer { folder.remove() }
    try Data("no model".utf8).write(to: URL(filePath: folder("bad.onnx")))
    let before = try folder.contents()
    func refusal(_ words: [String]) throws -> String {
      let outcome = try segdeck(["import"] + words + ["-o", "m.safetensors"], in: folder.path)
      #expect(outcome.status == 1)
      #expect(try folder.contents() == before)
      return outcome.errors
    }
    #expect(
      try refusal(["shift.onnx"])
        == "segdeck: --axes: is not stated: expected zyx (nnU-Net, SimpleITK) or xyz (MONAI, nibabel), which no file says\n"
    )
    #expect(
      try refusal([
        "shift.onnx", "--axes", "zyx", "--orientation", "RAS", "--spacing", "1", "--normalise", "score",
      ])
        == "segdeck: --label: is not stated: expected VALUE=NAME for each class but the background, in their order\n"
    )
    #expect(
      try refusal(["shift.onnx", "--axes", "zzz"] + facts)
        == "segdeck: --axes: no order of axes: found zzz, expected zyx (nnU-Net, SimpleITK), xyz (MONAI, nibabel) or another order; yx or xy of a 2D network\n"
    )
    #expect(
      try refusal(["bad.onnx"])
        == "segdeck: bad.onnx: is damaged or no ONNX file: byte 0: a field of the wire type 6\n")
  }

  @Test("a model in the user's folder has a name, as bundled ones have")
  func ownModels() throws {
    let folder = try folder()
    defer { folder.remove() }
    try folder.make("data", "data/segdeck", "data/segdeck/models")
    try succeed(
      ["import", "shift.onnx", "-o", "data/segdeck/models/mine.safetensors", "--axes", "zyx"] + facts,
      in: folder.path)
    let environment = ["XDG_DATA_HOME": folder("data")]
    #expect(
      try succeed(["info", "mine"], in: folder.path, environment: environment).contains("labels: 7 spot\n"))
    let unknown = try segdeck(
      ["segment", "scan.nrrd", "--model", "other", "-o", "m.nii"], in: folder.path, environment: environment)
    #expect(
      unknown.errors
        == "segdeck: --model other: no such model: expected hippocampus, left-atrium, liver, mine, or the path of a model file\n"
    )
  }

  @Test("an exported model is imported as it was, and not over itself")
  func export() throws {
    let folder = try folder()
    defer { folder.remove() }
    try succeed(
      ["convert", checkout.appending(path: "sample-data/models/liver.safetensors").path, "a.safetensors"],
      in: folder.path)
    try succeed(["export", "a.safetensors", "-o", "a.onnx"], in: folder.path)
    try succeed(["import", "a.onnx", "-o", "b.safetensors"], in: folder.path)
    #expect(try folder.bytes("a.safetensors") == folder.bytes("b.safetensors"))
    let again = try segdeck(["export", "a.safetensors", "-o", "a.onnx"], in: folder.path)
    #expect(again.errors == "segdeck: a.onnx: exists: expected another name, or --force to replace it\n")
  }
}
