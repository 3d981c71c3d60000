import ArgumentParser
import DenseCRF
import Tensors
import Volumes
import Work

/// The options of every bench, and how it prints.
struct BenchOptions: ParsableArguments {
  @Option(help: "Threads; by default all cores.") var threads = WorkContext.coreCount

  func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads is 1 to 1024, not \(threads)")
    }
  }

  /// The work context of the bench.
  var work: WorkContext { WorkContext(threadCount: threads) }

  /// Prints `line` with the keys that every line ends with.
  /// - Parameter peakMegabytes: The peak memory; nil for the peak since the last ``PeakMemory/reset()``.
  func print(_ line: JSONLine, peakMegabytes: Double? = nil) {
    var line = line
    line.add("peak_mb", peakMegabytes ?? PeakMemory.megabytes)
    line.add("threads", threads)
    line.add("isa", DenseCRF.instructionSet)
    Swift.print(line.text)
  }
}

/// The option for the number of measurements.
struct RepeatOption: ParsableArguments {
  @Option(name: .customLong("repeat"), help: "Measurements after the first run.") var count = 7

  func validate() throws {
    guard (1...100_000).contains(count) else {
      throw ValidationError("--repeat is 1 to 100000, not \(count)")
    }
  }
}

/// Reads "160x160x72", voxels along x, y and z.
/// - Throws: `ValidationError` unless it is three whole numbers whose product is at most 2^31.
func voxelShape(_ text: String) throws -> GridSize {
  let parts = text.split(separator: "x", omittingEmptySubsequences: false)
  let extents = parts.compactMap { Int($0) }
  guard parts.count == 3, extents.count == 3, extents.allSatisfy({ (1...65_536).contains($0) }),
    extents[0] * extents[1] * extents[2] <= 1 << 31
  else {
    throw ValidationError("a shape is voxels along x, y and z such as 160x160x72, at least 1, not '\(text)'")
  }
  return GridSize(extents[0], extents[1], extents[2])
}

extension GridSize {
  /// The same extents as tensors name them.
  var extent: Extent3 { Extent3(k, j, i) }
}

extension Extent3 {
  /// The same extents as commands write them.
  var shapeText: String { "\(w)x\(h)x\(d)" }
}

extension Tensor {
  /// Uniform noise in -1...1, the same for the same seed.
  init(noise shape: [Int], seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let count = shape.reduce(1, *)
    self.init(shape: shape, elements: (0..<count).map { _ in Float(generator.uniform(-1...1)) })
  }

  /// One image of noise.
  init(noiseImage size: GridSize, channels: Int = 1) {
    self.init(noise: [1, channels, size.k, size.j, size.i], seed: 7)
  }
}
