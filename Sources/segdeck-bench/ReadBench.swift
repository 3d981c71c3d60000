import ArgumentParser
import CZlib
import Foundation
import ImageFormats
import Work

/// `segdeck-bench read`: an image file, as stored and as intensities, beside zlib alone on the same file.
struct ReadBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read", abstract: "Time reading an image file beside plain zlib inflation of the same bytes."
  )

  @Argument(help: "The image.", completion: .file()) var file: String
  @OptionGroup var repeats: RepeatOption
  @OptionGroup var bench: BenchOptions

  func run() throws {
    let work = bench.work
    let opened = try ImageFile.open(file)
    let voxelCount = opened.source.grid.size.voxelCount
    let frameBytes = voxelCount * opened.voxelType.byteCount
    let subjects: [(String, () throws -> Int)] = [
      (
        "read, as stored",
        {
          var count = 0
          try ImageFile.open(file).readStoredVoxels(frames: 0..<1, work: work) { count += $0.count }
          return count
        }
      ),
      (
        "read, intensities",
        {
          _ = try ImageFile.open(file).scalarVolume(work: work)
          return frameBytes
        }
      ),
      ("zlib", { try Self.inflate(file) }),
    ]
    var seconds = subjects.map { _ in [Double]() }
    var peaks = subjects.map { _ in 0.0 }
    var byteCounts = subjects.map { _ in 0 }
    // In turn, so that a disturbance meets all of them.
    for _ in 0...repeats.count {
      for (index, subject) in subjects.enumerated() {
        PeakMemory.reset()
        seconds[index].append(try Measurement.seconds { byteCounts[index] = try subject.1() })
        peaks[index] = max(peaks[index], PeakMemory.megabytes)
      }
    }
    let zlibMedian = Measurement(seconds[2]).median
    for (index, subject) in subjects.enumerated() {
      let measurement = Measurement(seconds[index])
      var line = JSONLine(subject.0)
      line.add("file", file)
      line.add("storage", opened.storage)
      line.add("shape", "\(opened.source.grid.size)")
      line.add(measurement)
      line.add("mb_per_s", Double(byteCounts[index]) / 1e6 / measurement.median)
      line.add("times_zlib", measurement.median / zlibMedian)
      line.add("voxel_mb", Double(voxelCount * opened.intensityByteCount) / 0x1p20)
      bench.print(line, peakMegabytes: peaks[index])
    }
  }

  /// Reads the file through zlib's own file interface, which passes on what is not compressed; returns the bytes.
  private static func inflate(_ path: String) throws -> Int {
    guard let stream = gzopen(path, "rb") else { throw InputError(path, "cannot be opened") }
    defer { gzclose(stream) }
    gzbuffer(stream, 1 << 18)
    let size = 1 << 20
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    defer { buffer.deallocate() }
    var total = 0
    while true {
      let count = gzread(stream, buffer, UInt32(size))
      guard count >= 0 else { throw InputError(path, "cannot be inflated") }
      if count == 0 { return total }
      total += Int(count)
    }
  }
}
