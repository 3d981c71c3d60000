import Foundation
import TestSupport
import Testing

/// The output of `segdeck info --plan --json`.
private struct PrintedPlan: Decodable {
  struct Step: Decodable {
    var layers: [String]
    var inputs: [String]
    var kernel: String
    var output: [Int]
    var gflop: Double
    var weightMb: Double
    var bufferMb: Double?
    var offsetMb: Double?
    var heldPlanes: Int
  }

  struct Patches: Decodable {
    var count: Int
    var runs: Int
    var sumsMb: Double
  }

  var shape: [Int]
  var paddedShape: [Int]
  var patches: Patches?
  var heads: [String]
  var threads: Int
  var slabs: Int
  var slabPlanes: Int
  var steps: [Step]
  var gflop: Double
  var arenaMb: Double
  var scratchMb: Double
  var weightMb: Double
  var peakMb: Double
}

/// The plan of a network as segdeck prints it, and its runs on large images.
@Suite struct PlanCommandTests {
  /// Layers of the bundled liver model's main branch, in order.
  private let layers = [
    "conv1a", "bn1a", "relu1a", "conv1b", "bn1b", "relu1b", "pool1", "conv2a", "bn2a", "relu2a", "conv2b",
    "bn2b", "relu2b", "pool2", "conv3a", "bn3a", "relu3a", "conv3b", "bn3b", "relu3b", "deconv1", "deconv2",
  ]

  private func plan(_ words: [String], of model: String = "liver") throws -> PrintedPlan {
    let printed = try succeed(["info", model, "--json", "--threads", "2"] + words, in: "/")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(PrintedPlan.self, from: Data(printed.utf8))
  }

  @Test("a plan names every layer once, counts its operations, and adds up its memory")
  func plan() throws {
    let plan = try plan(["--plan", "160x160x72"])
    #expect(plan.shape == [160, 160, 72] && plan.heads == ["main"] && plan.threads == 2)
    #expect(plan.slabs == 1 && plan.slabPlanes == 72)
    #expect(plan.steps.flatMap(\.layers) == layers)
    #expect(plan.steps.map(\.inputs) == [["input"]] + plan.steps.dropLast().map { [$0.layers.last ?? ""] })
    #expect(plan.steps.allSatisfy { $0.heldPlanes == 0 })
    #expect(plan.steps.last?.output == [2, 160, 160, 72])
    // As the paper's network needs: 228.4 GFLOP.
    #expect(abs(plan.gflop / 228.4 - 1) < 1e-3)
    #expect(abs(plan.steps.reduce(0) { $0 + $1.gflop } - plan.gflop) < 1e-6)
    #expect(abs(plan.steps.reduce(0) { $0 + $1.weightMb } - plan.weightMb) < 1e-6)
    #expect(abs(plan.arenaMb + plan.weightMb - plan.peakMb) < 1e-6)
    for step in plan.steps {
      let (size, offset) = (try #require(step.bufferMb), try #require(step.offsetMb))
      #expect(size > 0 && offset + size <= plan.arenaMb)
    }
    #expect(plan.peakMb <= 300)
  }

  @Test("a plan is that of the image padded to whole strides, as it runs")
  func padding() throws {
    let (odd, whole) = (try plan(["--plan", "157x160x69"]), try plan(["--plan", "160x160x72"]))
    #expect(odd.shape == [157, 160, 69] && odd.paddedShape == [160, 160, 72])
    #expect(odd.steps.map(\.output) == whole.steps.map(\.output))
    #expect(odd.arenaMb == whole.arenaMb)
  }

  @Test("the text of a plan has a row for every kernel call and the totals")
  func text() throws {
    let plan = try plan(["--plan", "96x80x64", "--heads", "all"])
    let text = try succeed(
      ["info", "liver", "--plan", "96x80x64", "--heads", "all", "--threads", "2"], in: "/")
    let path = checkout.appending(path: "sample-data/models/liver.safetensors").path
    func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
    var cells = [["layers", "kernel", "output", "GFLOP", "weights MB", "buffer MB", "at MB"]]
    for step in plan.steps {
      let extents = step.output.dropFirst().map(String.init).joined(separator: "x")
      cells.append([
        step.layers.joined(separator: " "), step.kernel, "\(step.output[0]) x \(extents)",
        number(step.gflop, 2), number(step.weightMb, 2), number(try #require(step.bufferMb), 1),
        number(try #require(step.offsetMb), 1),
      ])
    }
    let widths = (0..<7).map { column in cells.map { $0[column].count }.max() ?? 0 }
    let rows = cells.map { row in
      row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return column < 2 ? row[column] + padding : padding + row[column]
      }.joined(separator: "  ")
    }
    let expected =
      ["\(path): 96x80x64 voxels, heads main, aux1, aux2, 2 threads, all planes at once"] + rows + [
        "operations   \(number(plan.gflop, 1)) GFLOP, counted as direct sums",
        "activations  \(number(plan.arenaMb, 1)) MB in one arena, of which at most \(number(plan.scratchMb, 1)) MB scratch",
        "weights      \(number(plan.weightMb, 1)) MB prepared",
        "peak         \(number(plan.peakMb, 1)) MB beside image and logits",
      ]
    #expect(text == expected.joined(separator: "\n") + "\n")
    #expect(plan.steps.flatMap(\.layers).sorted() == (layers + ["aux1", "aux2a", "aux2b"]).sorted())
  }

  @Test("a model with patches is described with them and planned for one of them")
  func patches() throws {
    let model = checkout.appending(path: "Tests/SegmentationTests/Golden/patches.safetensors").path
    let described = try succeed(["info", model], in: "/")
    #expect(described.contains("\npatches: 12x8x16 voxels, step 0.5, gaussian weights\n"))
    let words = ["--plan", "11x23x20"]
    let plan = try plan(words, of: model)
    let patches = try #require(plan.patches)
    // Two begin along z, five along y; along x one is larger than the image.
    #expect(patches.count == 10 && patches.runs == 10)
    #expect(plan.shape == [11, 23, 20] && plan.paddedShape == [12, 8, 16])
    // Planes of the image and of three classes; a patch and its logits.
    let floats = (sums: 16 * 23 * 11 * 4, patch: 16 * 8 * 12 * 4)
    #expect(abs(patches.sumsMb - Double(4 * floats.sums) / 1e6) < 1e-9)
    let bytes = Double(4 * (floats.sums + floats.patch))
    #expect(abs(plan.arenaMb + plan.weightMb + bytes / 1e6 - plan.peakMb) < 1e-6)
    let text = try succeed(["info", model, "--threads", "2"] + words, in: "/")
    #expect(
      text.hasPrefix(
        "\(model): 11x23x20 voxels, heads main, 2 threads, 10 runs in 10 patches of 12x8x16 voxels, step 0.5, gaussian weights, each all planes at once\n"
      ))
  }

  @Test("a whole CT passes in slabs whose activations and weights take less than a gigabyte")
  func wholeScan() throws {
    let plan = try plan(["--plan", "512x512x300"])
    #expect(plan.slabs > 1)
    // The convolutions of the first level have seven taps along depth.
    #expect(plan.steps[0].heldPlanes >= 6)
    #expect(plan.arenaMb <= 672)
    #expect(plan.peakMb <= 1000)
    let half = try self.plan(["--plan", "512x512x300", "--memory", "320"])
    #expect(half.slabs > plan.slabs && half.arenaMb <= 336)
  }

  @Test(
    "a plan that cannot be made is refused with one line",
    arguments: [
      ("info liver --plan 160x160", "--plan: not a size: found 160x160, expected XxYxZ"),
      ("info liver --plan 64x64x64 --heads some", "--heads: unknown: found some, expected main or all"),
      ("info nothing --plan 64x64x64", "--model nothing: no such model: expected "),
    ])
  func refused(command: String, line: String) throws {
    let outcome = try segdeck(command.split(separator: " ").map(String.init), in: "/")
    #expect(outcome.status == 1)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("segdeck: \(line)"), "\(outcome.errors)")
  }

  @Test("an image of the model's spacing gets the same mask on its own grid as on the model's")
  func ownGrid() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try succeed(
      ["phantom", "ct", "--seed", "8", "--spacing", "2.5x2.5x3", "-o", "i.nii.gz", "--labels", "l.nii.gz"],
      in: folder.path)
    try succeed(["segment", "i.nii.gz", "-o", "m.nii.gz"], in: folder.path)
    try succeed(["segment", "i.nii.gz", "-o", "own.nii.gz", "--grid", "image"], in: folder.path)
    #expect(try folder.bytes("m.nii.gz") == folder.bytes("own.nii.gz"))
  }
}
