import ArgumentParser
import DenseCRF
import Foundation
import Volumes
import Work

/// Times one refinement of a generated case, kernel tables and row sums included, and one with them kept.
struct CRFBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crf",
    abstract: "Time the dense CRF: 5 iterations, kernels of 5 and 3 voxels, weights 5 and 3.")

  @Option(help: "Voxels, as XxYxZ.") var shape = "128x128x128"
  @Option(help: "Classes, background included.") var labels = 2
  @Option(help: "Threads.") var threads = WorkContext.coreCount
  @Option(help: "Measurements.") var `repeat` = 7

  func validate() throws {
    guard size != nil else {
      throw ValidationError("--shape is three numbers such as 128x128x128, not \(shape)")
    }
    guard (2...256).contains(labels) else { throw ValidationError("--labels is 2 to 256, not \(labels)") }
    guard `repeat` > 0, threads > 0 else { throw ValidationError("--repeat and --threads are at least 1") }
  }

  private var size: GridSize? {
    let extents = shape.split(separator: "x").compactMap { Int($0) }
    guard extents.count == 3, extents.allSatisfy({ $0 > 0 }) else { return nil }
    return GridSize(extents[0], extents[1], extents[2])
  }

  func run() throws {
    guard let size else { return }
    let (image, probabilities) = Self.generatedCase(size, classCount: labels)
    var settings = RefinementSettings(
      appearanceWeight: 5, thetaAlphaMillimetres: Spacing(5), thetaBeta: 25.5, smoothnessWeight: 3,
      thetaGammaMillimetres: Spacing(3), iterations: 5)
    let work = WorkContext(threadCount: threads)
    var whole: [Double] = []
    var kept: [Double] = []
    for _ in 0..<`repeat` {
      settings.appearanceWeight = 5
      let clock = ContinuousClock()
      let start = clock.now
      let crf = try DenseCRF(
        image: image, size: size, spacing: Spacing(1), intensityRange: 0...255, work: work)
      let unary = try Unary(probabilities: probabilities, classCount: labels, size: size, work: work)
      _ = try crf.refine(unary, settings: settings, work: work)
      let middle = clock.now
      settings.appearanceWeight = 4
      _ = try crf.refine(unary, settings: settings, work: work)
      whole.append((middle - start) / .seconds(1))
      kept.append((clock.now - middle) / .seconds(1))
    }
    for (what, seconds) in [("crf", whole.sorted()), ("crf, kernels kept", kept.sorted())] {
      let line: [String: Any] = [
        "what": what, "shape": shape, "labels": labels, "threads": threads, "isa": DenseCRF.instructionSet,
        "median_s": seconds[seconds.count / 2], "min_s": seconds[0], "peak_mb": Measurement.peakMegabytes,
      ]
      let json = try JSONSerialization.data(withJSONObject: line, options: [.sortedKeys])
      print(String(decoding: json, as: UTF8.self))
    }
  }

  /// Noisy intensities of nested shells, and probabilities that follow them with errors.
  private static func generatedCase(_ size: GridSize, classCount: Int) -> (
    image: [Float], probabilities: [Float]
  ) {
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
