import Foundation
import Networks
import Segmentation
import Synchronization
import Tensors
import TestSupport
import Testing
import Volumes
import Work

private let golden = checkout.appending(path: "Tests/SegmentationTests/Golden")

/// The patches of nnU-Net along one axis.
private struct GoldenAxis: Decodable {
  var size, extent: Int
  var step: Double
  var weights: PatchTiling.Weights
  var starts: [Int]
  var fractions: [[Float]]
}

@Test("patches begin where nnU-Net's do and contribute what its do to the mean")
func patchesOfAnAxis() throws {
  let file = try Data(contentsOf: golden.appending(path: "patches.json"))
  for expected in try #require(try JSONDecoder().decode([String: [GoldenAxis]].self, from: file)["axes"]) {
    let axis = PatchAxis(
      size: expected.size, extent: expected.extent, step: expected.step, weights: expected.weights)
    #expect(axis.starts == expected.starts)
    #expect(largestDifference(axis.fractions.flatMap { $0 }, expected.fractions.flatMap { $0 }) < 1e-6)
  }
}

@Test("an image smaller than a patch lies in its middle, and the voxels around it contribute nothing")
func patchAroundAnImage() {
  let axis = PatchAxis(size: 3, extent: 8, step: 0.5, weights: .gaussian)
  #expect(axis.starts == [-2])
  #expect(axis.fractions == [[0, 0, 1, 1, 1, 0, 0, 0]])
  #expect(axis.voxels(ofPatch: 0) == 0..<3 && axis.finishedVoxels(ofPatch: 0) == 0..<3)
}

@Test(
  "for every extent and step, fractions add up to 1 in each voxel, and planes are finished once, in order")
func patchesCoverTheAxis() {
  for weights in [PatchTiling.Weights.constant, .gaussian] {
    for size in 1...40 {
      for (extent, step) in [(1, 0.5), (2, 0.1), (7, 0.5), (8, 1), (8, 0.01), (16, 0.3)] {
        let axis = PatchAxis(size: size, extent: extent, step: step, weights: weights)
        var sums = [Float](repeating: 0, count: size)
        var finished: [Int] = []
        for (index, start) in axis.starts.enumerated() {
          for voxel in axis.voxels(ofPatch: index) { sums[voxel] += axis.fractions[index][voxel - start] }
          finished += axis.finishedVoxels(ofPatch: index)
        }
        #expect(sums.allSatisfy { abs($0 - 1) < 1e-5 })
        #expect(finished == Array(0..<size))
        #expect(axis.starts == Set(axis.starts).sorted())
      }
    }
  }
}

/// A network with instance normalisation and total stride 2, and an image of noise.
private struct NormalisingCase {
  var model: SegmentationModel
  let image: ScalarVolume
  let work = WorkContext(threadCount: 2)

  init(size: GridSize) throws {
    let same = ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1))
    let graph = NetworkGraph(
      inputChannels: 1,
      layers: [
        Layer("conv", from: NetworkGraph.inputName, .convolution(same, outputChannels: 4, hasBias: false)),
        Layer("norm", from: "conv", .instanceNormalisation(epsilon: 1e-5)),
        Layer("relu", from: "norm", .relu),
        Layer("pool", from: "relu", .maxPooling(PoolingGeometry(kernel: Extent3(2), stride: Extent3(2)))),
        Layer(
          "up", from: "pool",
          .transposedConvolution(
            TransposedConvolutionGeometry(kernel: Extent3(2), stride: Extent3(2)), outputChannels: 3,
            hasBias: true)),
        Layer("aux", from: "norm", .convolution(same, outputChannels: 3, hasBias: true)),
      ], heads: [Head("main", layer: "up", lossWeight: 1), Head("aux", layer: "aux", lossWeight: 1)])
    model = SegmentationModel(
      name: "normalising", graph: graph,
      parameters: Parameters(initialising: try graph.resolved(), seed: 5),
      labels: [1, 2].map { Label(value: $0, name: "class \($0)", colour: RGBColour(1, 2, 3)) },
      preprocessing: Preprocessing(
        spacingMillimetres: Spacing(1), normalisation: .window(lower: 0, upper: 1)))
    var generator = SplitMix64(seed: 9)
    let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1)))
    image = ScalarVolume(
      grid: grid,
      voxels: (0..<size.voxelCount).map { offset in
        let voxel = size.index(offset: offset)
        return Float(voxel.i + voxel.j + voxel.k) / 100 + Float(generator.uniform(0...0.5))
      })
  }

  func segmenter(_ patches: PatchTiling?) throws -> Segmenter {
    var model = model
    model.tiling = patches
    return try Segmenter(model: model, usesAuxiliaryHeads: true, work: work)
  }

  func heads(_ patches: PatchTiling?) throws -> [ProbabilityVolume] {
    try segmenter(patches).prediction(for: [image], grid: .image, work: work).heads
  }

  /// The class probabilities of each head in double precision: the whole procedure voxel by voxel, but for the network on one
  /// patch.
  func definition(_ patches: PatchTiling) throws -> [[Double]] {
    let size = image.grid.size
    let own = [size.k, size.j, size.i]
    let extent = [patches.extent.d, patches.extent.h, patches.extent.w]
    let padded = zip(own, extent).map { max($0, $1) }
    let before = zip(padded, own).map { ($0 - $1) / 2 }
    let voxels = try image.voxels.floats(work: work)
    let network = try Network(graph: model.graph, parameters: model.parameters)
    func starts(_ axis: Int) -> [Int] {
      let margin = Double(padded[axis] - extent[axis])
      let count = Int((margin / (Double(extent[axis]) * patches.step)).rounded(.up)) + 1
      return (0..<count).map {
        count == 1 ? 0 : Int((Double($0) * margin / Double(count - 1)).rounded(.toNearestOrEven))
      }
    }
    func weight(_ offsets: [Int]) -> Double {
      guard patches.weights == .gaussian else { return 1 }
      let squares = (0..<3).map { axis in
        pow(Double(offsets[axis] - extent[axis] / 2) / (Double(extent[axis]) / 8), 2)
      }
      return exp(-squares.reduce(0, +) / 2)
    }
    let mirrored = [Axis.d, .h, .w].map { patches.mirroredAxes.contains($0) }
    let combinations = (0..<8).filter { bits in
      (0..<3).allSatisfy { axis in mirrored[axis] || (bits >> axis) & 1 == 0 }
    }
    let classes = 3
    let count = padded.reduce(1, *)
    var sums = [[Double]](repeating: [Double](repeating: 0, count: classes * count), count: 2)
    var weights = [Double](repeating: 0, count: count)
    for z in starts(0) {
      for y in starts(1) {
        for x in starts(2) {
          let start = [z, y, x]
          for bits in combinations {
            /// The place in the padded image of a voxel of the mirrored patch, and its place in the patch.
            func place(_ offset: Int) -> (image: [Int], patch: [Int]) {
              let plane = extent[1] * extent[2]
              let offsets: [Int] = [offset / plane, offset % plane / extent[2], offset % extent[2]]
              let patch = (0..<3).map { axis -> Int in
                let isMirrored = (bits >> axis) & 1 == 1
                return isMirrored ? extent[axis] - 1 - offsets[axis] : offsets[axis]
              }
              return (zip(start, patch).map { $0 + $1 }, patch)
            }
            let patch = (0..<patches.extent.product).map { offset -> Float in
              let voxel = zip(place(offset).image, before).map { $0 - $1 }
              guard (0..<3).allSatisfy({ (0..<own[$0]).contains(voxel[$0]) }) else { return patches.padding }
              return min(max(voxels[(voxel[0] * own[1] + voxel[1]) * own[2] + voxel[2]], 0), 1)
            }
            let logits = try network.logits(
              of: Tensor(shape: [1, 1] + extent, elements: patch), heads: [0, 1], work: work)
            for offset in 0..<patches.extent.product {
              let (voxel, inside) = place(offset)
              let target = (voxel[0] * padded[1] + voxel[1]) * padded[2] + voxel[2]
              let weight = weight(inside)
              weights[target] += weight
              for head in 0..<2 {
                for index in 0..<classes {
                  sums[head][index * count + target] +=
                    weight * Double(logits[head].elements[index * patches.extent.product + offset])
                }
              }
            }
          }
        }
      }
    }
    return sums.map { sums in
      var probabilities = [Double](repeating: 0, count: classes * size.voxelCount)
      for offset in 0..<size.voxelCount {
        let voxel = size.index(offset: offset)
        let source =
          ((voxel.k + before[0]) * padded[1] + voxel.j + before[1]) * padded[2] + voxel.i + before[2]
        let exponentials = (0..<classes).map { exp(sums[$0 * count + source] / weights[source]) }
        for index in 0..<classes {
          probabilities[index * size.voxelCount + offset] = exponentials[index] / exponentials.reduce(0, +)
        }
      }
      return probabilities
    }
  }
}

@Test(
  "probabilities in patches are those of the definition in double precision",
  arguments: [
    PatchTiling(extent: Extent3(8, 6, 10)),
    PatchTiling(extent: Extent3(8, 6, 10), step: 0.7, weights: .constant, mirroredAxes: [.w]),
    // Larger than the image along x and z.
    PatchTiling(extent: Extent3(16, 8, 24), step: 0.4, mirroredAxes: [.d, .h, .w], padding: 0.25),
    PatchTiling(extent: Extent3(32), weights: .constant, mirroredAxes: [.h, .d], padding: -1),
  ])
func patchesByDefinition(tiling: PatchTiling) throws {
  let example = try NormalisingCase(size: GridSize(17, 19, 13))
  let heads = try example.heads(tiling)
  let expected = try example.definition(tiling)
  #expect(heads.count == 2)
  for (head, expected) in zip(heads, expected) {
    #expect(head.grid == example.image.grid)
    #expect(largestDifference(head.values, expected.map { Float($0) }) < 1e-5)
  }
}

@Test("a patch of the image's extents is the whole image, and smaller ones are not")
func patchOfTheWholeImage() throws {
  let example = try NormalisingCase(size: GridSize(16, 12, 10))
  let whole = try example.heads(nil)
  for (one, other) in zip(try example.heads(PatchTiling(extent: Extent3(10, 12, 16))), whole) {
    #expect(largestDifference(one.values, other.values) < 1e-6)
  }
  let smaller = try example.heads(PatchTiling(extent: Extent3(8)))
  #expect(largestDifference(smaller[0].values, whole[0].values) > 1e-3)
}

@Test("labels in patches are the most probable classes, for any memory, threads and way of storing the image")
func labelsInPatches() throws {
  let example = try NormalisingCase(size: GridSize(21, 18, 27))
  let tiling = PatchTiling(extent: Extent3(8, 10, 12), mirroredAxes: [.d])
  var segmenter = try example.segmenter(tiling)
  let prediction = try segmenter.prediction(for: [example.image], grid: .image, work: example.work)
  let expected = try segmenter.labels(of: prediction, auxiliaryHeadWeights: [0.3], work: example.work).labels
  #expect(Set(expected.voxels) == [0, 1, 2])
  segmenter.memoryLimit = 0
  let axes = ReorientedGrid(example.image.grid, orientation: try #require(Orientation(code: "SPL")))
  let moved = try axes.reoriented(example.image, work: example.work)
  for threads in [1, 3] {
    let found = try segmenter.labels(
      of: [moved], auxiliaryHeadWeights: [0.3], work: WorkContext(threadCount: threads)
    ).labels
    let restored = try axes.restored(found, work: example.work)
    #expect(zip(restored.voxels, expected.voxels).count { $0 != $1 } <= expected.voxels.count / 1000)
  }
}

@Test(
  "labels of a model with patches are those of nnU-Net's predictor",
  arguments: ["gaussian", "constant mirrored"])
func labelsOfNnUNet(name: String) throws {
  let path = golden.appending(path: "patches.safetensors").path
  var model = try SegmentationModel(path: path)
  var tiling = try #require(model.tiling)
  #expect(tiling == PatchTiling(extent: Extent3(16, 8, 12)))
  if name == "constant mirrored" {
    tiling.weights = .constant
    tiling.mirroredAxes = Axis.allCases
  }
  model.tiling = tiling
  let file = try TensorFile(path: path)
  let image = try file.tensor("image", shape: [20, 23, 11])
  let grid = VolumeGrid(size: GridSize(11, 23, 20), affine: Affine(spacing: Spacing(1)))
  let work = WorkContext(threadCount: 2)
  let found = try Segmenter(model: model, usesAuxiliaryHeads: false, work: work)
    .labels(of: [ScalarVolume(grid: grid, voxels: image.elements)], work: work).labels
  let expected = try file.tensor("labels/\(name)", shape: [20, 23, 11]).elements
  let differing = zip(found.voxels, expected).count { Float($0) != $1 }
  #expect(differing <= expected.count / 1000)
  #expect(Set(found.voxels) == [0, 1, 2])
}

@Test("a cancelled run in patches stops, and progress never falls")
func patchesAreCancelled() throws {
  let example = try NormalisingCase(size: GridSize(20, 20, 20))
  let segmenter = try example.segmenter(PatchTiling(extent: Extent3(8)))
  let cancellation = Cancellation()
  let reported = Mutex<[Double]>([])
  let work = WorkContext(threadCount: 2, cancellation: cancellation) { fraction in
    reported.withLock { $0.append(fraction) }
    if fraction > 0.5 { cancellation.request() }
  }
  #expect(throws: Cancelled.self) { try segmenter.labels(of: [example.image], work: work) }
  let fractions = reported.withLock { $0 }
  #expect(fractions == fractions.sorted() && fractions.count > 2)
}

@Test("a plan counts patches, runs and memory before anything runs")
func planOfPatches() throws {
  let example = try NormalisingCase(size: GridSize(1, 1, 1))
  let network = try Network(graph: example.model.graph, parameters: example.model.parameters)
  let tiling = PatchTiling(extent: Extent3(8, 16, 32), mirroredAxes: [.h, .w])
  let size = GridSize(100, 10, 20)
  let plan = try PatchPlan(
    tiling, size: size, network: network, heads: [0, 1], memoryLimit: Network.memoryLimit,
    subject: "network", work: example.work)
  // 4 starts along z, 1 along y, 6 along x.
  #expect(plan.patchCount == 4 * 1 * 6 && plan.runCount == 4 * plan.patchCount)
  #expect(tiling.computedVoxels(of: size) == Double(plan.runCount * 8 * 16 * 32))
  // Eight planes of the image and of three classes of two heads.
  #expect(plan.sumByteCount == 4 * 8 * 10 * 100 * (1 + 6))
  #expect(
    plan.byteCount == 4 * 8 * 10 * 100 * 7 + 4 * 8 * 16 * 32 * 7 + plan.network.arenaBytes)
}

@Test("patches that a network or a program cannot use are refused when a model is read")
func unusablePatches() throws {
  try withTemporaryFolder { folder in
    // A file that was read is not replaced, so that each case has its own.
    var count = 0
    func newPath() -> String {
      count += 1
      return "\(folder)/\(count).safetensors"
    }
    let model = try NormalisingCase(size: GridSize(1, 1, 1)).model
    let cases: [(PatchTiling, (_ path: String) -> InputError)] = [
      (
        PatchTiling(extent: Extent3(0, 8, 8)),
        { InputError($0, "patch along z is unusable", found: "0 voxels", expected: "1 to 4096") }
      ),
      (
        PatchTiling(extent: Extent3(8, 8, 4098)),
        { InputError($0, "patch along x is unusable", found: "4098 voxels", expected: "1 to 4096") }
      ),
      (
        PatchTiling(extent: Extent3(8, 7, 8)),
        {
          InputError(
            $0, "patches do not fit the strides of its network", found: "8x7x8 voxels (z, y, x)",
            expected: "multiples of 2x2x2")
        }
      ),
      (
        PatchTiling(extent: Extent3(8), step: 0),
        {
          InputError(
            $0, "step of its patches is unusable", found: "0.0", expected: "above 0, at most 1")
        }
      ),
      (
        PatchTiling(extent: Extent3(8), step: 1.5),
        {
          InputError(
            $0, "step of its patches is unusable", found: "1.5", expected: "above 0, at most 1")
        }
      ),
      (
        PatchTiling(extent: Extent3(8), mirroredAxes: [.d, .d]),
        { InputError($0, "mirrored axes of its patches: one occurs twice", found: "z, z") }
      ),
      (
        PatchTiling(extent: Extent3(8), padding: 2e38),
        {
          InputError(
            $0, "padding of its patches is unusable", found: "\(Float(2e38))", expected: "at most 1e+38")
        }
      ),
    ]
    for (tiling, error) in cases {
      let path = newPath()
      var unusable = model
      unusable.tiling = tiling
      try unusable.write(to: path)
      #expect(throws: error(path)) { try SegmentationModel(path: path) }
    }
    for text in [
      #"{"patch": [8, 8]}"#, #"{"patch": [8, 8, 8], "weights": "round"}"#,
      #"{"patch": [8, 8, 8], "mirroredAxes": ["t"]}"#, "[]",
    ] {
      var file = ModelFile(graph: model.graph, parameters: model.parameters, metadata: model.metadata)
      file.metadata["tiling"] = text
      let path = newPath()
      try file.write(to: path)
      #expect(throws: InputError(path, "metadata \"tiling\" cannot be read", found: "\(text.prefix(60))")) {
        try SegmentationModel(path: path)
      }
    }
  }
}

@Test("patches are read back as they were written; without them the text is absent")
func patchesRoundTrip() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.safetensors"
    var model = try NormalisingCase(size: GridSize(1, 1, 1)).model
    #expect(model.metadata["tiling"] == nil)
    model.tiling = PatchTiling(
      extent: Extent3(4, 6, 8), step: 0.25, weights: .constant, mirroredAxes: [.d, .w], padding: -3)
    try model.write(to: path)
    #expect(try SegmentationModel(path: path).tiling == model.tiling)
    #expect(model.tiling?.summary == "8x6x4 voxels, step 0.25, constant weights, mirrored along z x")
  }
}

private func largestDifference(_ one: [Float], _ other: [Float]) -> Float {
  guard one.count == other.count else { return .infinity }
  return zip(one, other).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
