import ArgumentParser
import DenseCRF
import Foundation
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
  @Option(help: "Images in the image file, one after the other, that are compared together.")
  var modalities = 1
  @OptionGroup var repeats: RepeatOption
  @OptionGroup var bench: BenchOptions

  func validate() throws {
    guard (2...256).contains(labels) else { throw ValidationError("--labels is 2 to 256, not \(labels)") }
    guard (1...5).contains(modalities), modalities == 1 || image != nil else {
      throw ValidationError("--modalities is 1 to 5, and above 1 only with --image")
    }
    guard (image == nil) == (probabilities == nil) else {
      throw ValidationError("--image and --probabilities belong together")
    }
  }

  func run() throws {
    let work = bench.work
    let (image, probabilities) = try subject()
    let images = (0..<modalities).map { index in
      DenseCRF.Image(
        voxels: Array(image[index * shape.voxelCount..<(index + 1) * shape.voxelCount]),
        intensityRange: 0...255)
    }
    var settings = RefinementSettings.bench
    settings.furtherThetaBetas = Array(repeating: settings.thetaBeta, count: modalities - 1)
    var whole: [Double] = []
    var kept: [Double] = []
    PeakMemory.reset()
    for _ in 0...repeats.count {
      settings.appearanceWeight = 5
      let clock = ContinuousClock()
      let start = clock.now
      let crf = try DenseCRF(images: images, size: shape, spacing: Spacing(1), work: work)
      let unary = try Unary(
        probabilities: probabilities, classCount: labels, size: shape, work: work)
      _ = try crf.refine(unary, settings: settings, work: work)
      let middle = clock.now
      settings.appearanceWeight = 4
      _ = try crf.refine(unary, settings: settings, work: work)
      whole.append((middle - start) / .seconds(1))
      kept.append((clock.now - middle) / .seconds(1))
    }
    for (what, seconds) in [("crf", whole), ("crf, kernels kept", kept)] {
      var line = JSONLine(what)
      line.add("shape", "\(shape)")
      line.add("labels", labels)
      line.add("modalities", modalities)
      line.add(Measurement(seconds))
      bench.print(line)
    }
  }

  private func subject() throws -> (image: [Float], probabilities: [Float]) {
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
