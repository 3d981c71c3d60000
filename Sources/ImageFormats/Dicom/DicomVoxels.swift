import Foundation
import Synchronization
import Volumes
import Work

/// Delivers the slices of an opened series, decoded on all cores.
struct DicomVoxels: VoxelReader {
  /// A slice: the indices of its instance and of its frame there, and the type and scaling of its stored numbers.
  struct Slice: Sendable {
    var instance, frame: Int
    var type: VoxelType
    var scaling: VoxelScaling
  }

  let instances: [FrameReader]
  /// The slices of all volumes, one volume after the other.
  let slices: [Slice]
  let slicesPerVolume: Int
  /// Whether slices differ in their scaling or type, so that scaled values (float32) are delivered instead of stored
  /// numbers.
  let appliesScaling: Bool
  private let inflated = InflatedFile()

  init(
    instances: [FrameReader], slices: [Slice], slicesPerVolume: Int, appliesScaling: Bool
  ) {
    self.instances = instances
    self.slices = slices
    self.slicesPerVolume = slicesPerVolume
    self.appliesScaling = appliesScaling
  }

  func readVoxels(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding] {
    let slices = self.slices[frames.lowerBound * slicesPerVolume..<frames.upperBound * slicesPerVolume]
    let format = instances[0].format
    // A batch has several slices for each thread, so that no thread waits long for the others.
    let batch = max(1, min(slices.count, work.threadCount * 4, (1 << 26) / format.frameByteCount))
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: batch * format.frameByteCount, alignment: 64)
    defer { buffer.deallocate() }
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: appliesScaling ? format.pixelCount : 0)
    defer { values.deallocate() }
    let shared = DisjointBuffer(buffer.bindMemory(to: UInt8.self))
    let used = Set(slices.map(\.instance)).sorted().map { instances[$0] }
    let decoders = try FrameDecoders(for: used, workerCount: min(work.threadCount, batch))
    for start in stride(from: slices.startIndex, to: slices.endIndex, by: batch) {
      let end = min(start + batch, slices.endIndex)
      let failure = Mutex<InputError?>(nil)
      try work.forEach(count: end - start) { index, worker in
        let target = UnsafeMutableRawBufferPointer(
          start: shared.start + index * format.frameByteCount, count: format.frameByteCount)
        do throws(InputError) {
          let slice = slices[start + index]
          let decoder = decoders[worker, instances[slice.instance].syntax]
          try read(slice, into: target, decoder, work.cancellation)
        } catch {
          failure.withLock { $0 = $0 ?? error }
        }
      }
      try work.checkCancellation()
      if let error = failure.withLock(\.self) { throw error }
      for index in 0..<end - start {
        try work.checkCancellation()
        let stored = UnsafeRawBufferPointer(
          start: buffer.baseAddress! + index * format.frameByteCount, count: format.frameByteCount)
        if appliesScaling {
          var loop = ScalingLoop(scaling: slices[start + index].scaling, values: values)
          loop.run(over: stored, type: slices[start + index].type)
          try body(UnsafeRawBufferPointer(values))
        } else {
          try body(stored)
        }
      }
      work.report(Double(end - slices.startIndex) / Double(slices.count))
    }
    return []
  }

  /// Decodes the frame of the slice alone.
  func readSlice(
    _ slice: StoredSlice, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let reader = DicomVoxels(
      instances: instances, slices: [slices[slice.frame * slicesPerVolume + slice.index]],
      slicesPerVolume: 1, appliesScaling: appliesScaling)
    _ = try reader.readVoxels(frames: 0..<1, work: work, body)
  }

  private func read(
    _ slice: Slice, into target: UnsafeMutableRawBufferPointer, _ decoder: FrameDecoder?,
    _ cancellation: Cancellation
  ) throws(InputError) {
    let instance = instances[slice.instance]
    let content =
      instance.syntax.isDeflated
      ? try inflated.content(of: instance.path) : try DicomBytes(path: instance.path)
    try instance.read(
      slice.frame, of: content, into: target, decoder: decoder, cancellation: cancellation)
  }
}

/// The inflated content of the file that was read last, so that a file of many frames is inflated once.
private final class InflatedFile: Sendable {
  private let known = Mutex<(path: String, bytes: [UInt8])?>(nil)

  func content(of path: String) throws(InputError) -> DicomBytes {
    if let bytes = known.withLock({ $0?.path == path ? $0?.bytes : nil }) {
      return DicomBytes(inflated: bytes, path: path)
    }
    let bytes = try DicomParser.inflatedContent(of: path)
    known.withLock { $0 = (path, bytes) }
    return DicomBytes(inflated: bytes, path: path)
  }
}

/// Converts the stored numbers of a slice to values.
private struct ScalingLoop: StoredNumberLoop {
  let scaling: VoxelScaling
  /// Memory for one slice.
  let values: UnsafeMutableBufferPointer<Float>

  func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) {
    for index in 0..<numbers.count { values[index] = scaling.value(numbers[index].double) }
  }
}
