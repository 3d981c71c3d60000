import ArgumentParser
import DenseCRF
import Foundation
import ImageFormats
import Volumes
import Work

/// `segdeck-bench crf`: one refinement with all of its kernels, and one with cached kernel tables and row sums.
struct CRFBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crf",
    abstract: "Time the dense CRF: 5 iterations, kernels of 5 and 3 voxels, sigma 25.5, weights 5 and 3.")

  @Option(help: "Voxels, as XxYxZ.", transform: voxelShape) var shape = GridSize(128, 128, 128)
  @Option(help: "Classes, background included.") var labels = 2
  @Option(
    help: "Image file: one byte per voxel, x fastest; by default a generated case.", completion: .file())
  var image: String?
  @Option(
    help: "Probabilities of the image file: one float32 per class and voxel, class slowest.",
    completion: .file())
  var probabilities: String?
  @Option(
    help: ArgumentHelp(
      "A label map, refined like a mask, instead of probabilities.",
      discussion: "--image is then an image of any format on its grid, and voxels and classes are theirs."),
    completion: .file())
  var map: String?
  @Option(help: "Images in the image file, one after the other, that are compared together.")
  var modalities = 1
  @OptionGroup var repeats: RepeatOption
  @OptionGroup var bench: BenchOptions

  func validate() throws {
    guard (2...256).contains(labels) else { throw ValidationError("--labels is 2 to 256, not \(labels)") }
    guard (1...5).contains(modalities), modalities == 1 || image != nil else {
      throw ValidationError("--modalities is 1 to 5, and above 1 only with --image")
    }
    guard map == nil || image != nil && probabilities == nil && modalities == 1 else {
      throw ValidationError("--map needs --image, one modality and no --probabilities")
    }
    guard map != nil || (image == nil) == (probabilities == nil) else {
      throw ValidationError("--image and --probabilities, or --map, belong together")
    }
  }

  func run() throws {
    let work = bench.work
    let subject = try map.map { try mapSubject($0) } ?? arraySubject()
    var settings = subject.settings
    var whole: [Double] = []
    var kept: [Double] = []
    PeakMemory.reset()
    for _ in 0...repeats.count {
      settings.appearanceWeight = 5
      let clock = ContinuousClock()
      let start = clock.now
      let crf = try DenseCRF(images: subject.images, size: subject.size, spacing: Spacing(1), work: work)
      let unary = try subject.unary(work)
      _ = try crf.refine(unary, settings: settings, work: work)
      let middle = clock.now
      settings.appearanceWeight = 4
      _ = try crf.refine(unary, settings: settings, work: work)
      whole.append((middle - start) / .seconds(1))
      kept.append((clock.now - middle) / .seconds(1))
    }
    for (what, seconds) in [("crf", whole), ("crf, kernels kept", kept)] {
      var line = JSONLine(what)
      line.add("shape", "\(subject.size)")
      line.add("labels", subject.classCount)
      line.add("modalities", modalities)
      line.add(Measurement(seconds))
      bench.print(line)
    }
  }

  /// What is refined.
  private struct Subject {
    var images: [DenseCRF.Image]
    var size: GridSize
    var classCount: Int
    var settings: RefinementSettings
    var unary: (WorkContext) throws -> Unary
  }

  private func arraySubject() throws -> Subject {
    let (image, probabilities) = try arrays()
    var settings = RefinementSettings.bench
    settings.furtherThetaBetas = Array(repeating: settings.thetaBeta, count: modalities - 1)
    return Subject(
      images: (0..<modalities).map { index in
        DenseCRF.Image(
          voxels: Array(image[index * shape.voxelCount..<(index + 1) * shape.voxelCount]),
          intensityRange: 0...255)
      }, size: shape, classCount: labels, settings: settings
    ) { [shape, labels] work in
      try Unary(probabilities: probabilities, classCount: labels, size: shape, work: work)
    }
  }

  /// A map whose labels have probability 0.9 in their voxels, with a tenth of the image's usual range as θβ.
  private func mapSubject(_ map: String) throws -> Subject {
    let work = bench.work
    let volume = try ImageFile.open(image ?? "").scalarVolume(work: work)
    let labels = try ImageFile.open(map).labelVolume(work: work)
      .fitted(to: volume.grid, subject: map, work: work)
    let values = Set(labels.voxels).union([0]).sorted()
    guard (2...Unary.maximumClassCount).contains(values.count) else {
      throw InputError(map, "labels", found: "\(values.count - 1)", expected: "1 to 255")
    }
    guard let ends = try volume.percentiles([0.005, 0.995], work: work), ends[0] < ends[1] else {
      throw InputError(image ?? "", "has one intensity")
    }
    var settings = RefinementSettings.bench
    settings.thetaBeta = Double(ends[1] - ends[0]) / 10
    var kindOfValue = [UInt16](repeating: 0, count: 65536)
    for (kind, value) in values.enumerated() { kindOfValue[Int(value)] = UInt16(kind) }
    let (count, size) = (values.count, volume.grid.size)
    var rows = [Float](repeating: 0.1 / Float(count - 1), count: count * count)
    for kind in 0..<count { rows[kind * count + kind] = 0.9 }
    let kinds = try Unary(probabilities: rows, classCount: count, size: GridSize(count, 1, 1))
    let voxels = try volume.voxels.cropped(to: VoxelBounds(size), size: size, work: work)
    return Subject(
      images: [DenseCRF.Image(voxels: voxels, intensityRange: ends[0]...ends[1])], size: size,
      classCount: count, settings: settings
    ) { [kindOfValue] work in
      try Unary(
        kinds: kinds, values: labels.voxels, kindOfValue: kindOfValue, of: size, in: VoxelBounds(size),
        work: work)
    }
  }

  private func arrays() throws -> (image: [Float], probabilities: [Float]) {
    guard let image, let probabilities else { return Self.generatedCase(shape, classCount: labels) }
    let grey: [UInt8] = try rawNumbers(image, count: shape.voxelCount * modalities)
    return (grey.map(Float.init), try rawNumbers(probabilities, count: shape.voxelCount * labels))
  }

  /// Noisy intensities of nested shells, and probabilities that follow them with errors.
  static func generatedCase(_ size: GridSize, classCount: Int) -> (image: [Float], probabilities: [Float]) {
    var random = SplitMix64(seed: 7)
    var image = [Float](repeating: 0, count: size.voxelCount)
    var probabilities = [Float](repeating: 0, count: size.voxelCount * classCount)
    for offset in image.indices {
      let index = size.index(offset: offset)
      let radius = (0..<3).reduce(0.0) { sum, axis in
        let x = (Double(index[axis]) + 0.5) / Double(size[axis]) * 2 - 1
        return sum + x * x
      }
      let label = max(0, Int((1 - radius) * Double(classCount)))
      image[offset] = Float(
        (60 + 140 * Double(label) / Double(classCount) + random.uniform(-30...30)).rounded())
      let scores = (0..<classCount).map { exp(($0 == label ? 1.5 : 0) + random.uniform(-2...2)) }
      let sum = scores.reduce(0, +)
      for other in 0..<classCount {
        probabilities[other * size.voxelCount + offset] = Float(scores[other] / sum)
      }
    }
    return (image, probabilities)
  }
}

extension RefinementSettings {
  /// Kernels of 5 and 3 voxels of 1 mm, a tenth of 0...255 as the intensity's width, 5 iterations.
  static let bench = RefinementSettings(
    appearanceWeight: 5, thetaAlphaMillimetres: Spacing(5), thetaBeta: 25.5, smoothnessWeight: 3,
    thetaGammaMillimetres: Spacing(3), iterations: 5)
}

/// The numbers of a file that holds nothing else, in this machine's byte order.
/// - Throws: `InputError` when it cannot be read or does not hold exactly `count`.
private func rawNumbers<Number: BitwiseCopyable>(_ path: String, count: Int) throws -> [Number] {
  guard let data = FileManager.default.contents(atPath: path) else {
    throw InputError(path, "cannot be read")
  }
  let expected = count * MemoryLayout<Number>.stride
  guard data.count == expected else {
    throw InputError(path, "size", found: "\(data.count) bytes", expected: "\(expected) bytes for this shape")
  }
  return [Number](unsafeUninitializedCapacity: count) { numbers, written in
    written = data.copyBytes(to: UnsafeMutableRawBufferPointer(numbers)) / MemoryLayout<Number>.stride
  }
}
