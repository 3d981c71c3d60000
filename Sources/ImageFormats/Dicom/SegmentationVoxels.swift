import Foundation
import Synchronization
import Volumes
import Work

/// Delivers the labels of a segmentation, slice by slice.
struct SegmentationVoxels: VoxelReader {
  /// A frame of a slice, and the value of the segment that it shows.
  struct SegmentFrame: Sendable {
    var frame, value: Int
  }

  let frameReader: FrameReader
  let content: SegmentationContent
  /// The frames of each slice; none where all of it is background.
  var planes: [[SegmentFrame]]
  /// The segments that are read.
  let segments: [SegmentationContent.Segment]
  /// The label value of each segment by its number, for label maps.
  var values: [Int: Int] = [:]
  /// uint8, or uint16 where label values exceed 255.
  let type: VoxelType

  /// Two segments that share a voxel.
  private struct Overlap: Hashable {
    var first, second: Int
  }

  /// - Throws: Also an ``InputError`` that names the pairs of segments that overlap.
  func readVoxels(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding] {
    let pixelCount = frameReader.format.pixelCount
    let bytes = try DicomParser.sharedContent(of: frameReader)
    let batch = max(1, min(planes.count, work.threadCount * 4, (1 << 25) / pixelCount))
    var labels = [UInt16](repeating: 0, count: batch * pixelCount)
    var overlaps: Set<Overlap> = []
    let decoders = try FrameDecoders(for: [frameReader], workerCount: min(work.threadCount, batch))
    for start in stride(from: 0, to: planes.count, by: batch) {
      let end = min(start + batch, planes.count)
      let found = Mutex<(overlaps: Set<Overlap>, failure: InputError?)>(([], nil))
      try labels.withUnsafeMutableBufferPointer { labels in
        let shared = DisjointBuffer(labels)
        try work.forEach(count: end - start) { index, worker in
          let plane = UnsafeMutableBufferPointer(start: shared.start + index * pixelCount, count: pixelCount)
          do throws(InputError) {
            let own = try fill(
              plane, planes[start + index], bytes(), decoders[worker, frameReader.syntax], work.cancellation)
            found.withLock { $0.overlaps.formUnion(own) }
          } catch {
            found.withLock { $0.failure = $0.failure ?? error }
          }
        }
        try work.checkCancellation()
        if let failure = found.withLock({ $0.failure }) { throw failure }
        overlaps.formUnion(found.withLock { $0.overlaps })
        if overlaps.isEmpty {
          for index in 0..<end - start {
            try deliver(
              UnsafeBufferPointer(rebasing: labels[index * pixelCount..<(index + 1) * pixelCount]), body)
          }
        }
      }
      work.report(Double(end) / Double(planes.count))
    }
    guard overlaps.isEmpty else { throw overlapping(overlaps) }
    return []
  }

  /// Decodes the frames of the slice alone.
  func readSlice(
    _ slice: StoredSlice, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let reader = SegmentationVoxels(
      frameReader: frameReader, content: content, planes: [planes[slice.index]], segments: segments,
      values: values,
      type: type)
    _ = try reader.readVoxels(frames: 0..<1, work: work, body)
  }

  private func deliver(
    _ labels: UnsafeBufferPointer<UInt16>, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard type == .uint8 else { return try body(UnsafeRawBufferPointer(labels)) }
    try labels.map { UInt8(truncatingIfNeeded: $0) }.withUnsafeBytes { try body($0) }
  }

  /// Writes the labels of a slice; returns the overlaps in it.
  private func fill(
    _ labels: UnsafeMutableBufferPointer<UInt16>, _ parts: [SegmentFrame], _ bytes: DicomBytes,
    _ frameDecoder: FrameDecoder?, _ cancellation: Cancellation
  ) throws(InputError) -> Set<Overlap> {
    labels.update(repeating: 0)
    var overlaps: Set<Overlap> = []
    let format = frameReader.format
    let pixels = UnsafeMutableRawBufferPointer.allocate(byteCount: format.frameByteCount, alignment: 16)
    defer { pixels.deallocate() }
    let isWide = format.frameByteCount > format.pixelCount
    let maximum = content.kind == .fractional ? content.maximumFractionalValue : .max
    let known = Set(content.segments.map(\.number)).union([0, content.paddingValue])
    for part in parts {
      try frameReader.read(
        part.frame, of: bytes, into: pixels, decoder: frameDecoder, cancellation: cancellation)
      if cancellation.isRequested { break }
      for pixel in 0..<format.pixelCount {
        let stored = isWide ? Int(pixels.bindMemory(to: UInt16.self)[pixel]) : Int(pixels[pixel])
        if stored > maximum || content.kind == .labelmap && !known.contains(stored) {
          throw unknown(stored, part.frame)
        }
        guard let label = label(stored, part), label != 0 else { continue }
        if labels[pixel] != 0, labels[pixel] != label {
          let pair = [Int(labels[pixel]), Int(label)].sorted()
          overlaps.insert(Overlap(first: pair[0], second: pair[1]))
        }
        labels[pixel] = label
      }
    }
    return overlaps
  }

  /// The label of a stored number; nil for background.
  private func label(_ stored: Int, _ part: SegmentFrame) -> UInt16? {
    switch content.kind {
    case .binary: return stored != 0 ? UInt16(truncatingIfNeeded: part.value) : nil
    case .fractional:
      return stored * 2 >= max(content.maximumFractionalValue, 1)
        ? UInt16(truncatingIfNeeded: part.value) : nil
    case .labelmap:
      guard stored != content.paddingValue else { return nil }
      // Where one segment was chosen, the others are background.
      guard segments.count == content.segments.count || segments.contains(where: { $0.number == stored })
      else {
        return nil
      }
      return UInt16(truncatingIfNeeded: values[stored] ?? stored)
    }
  }

  /// The error about a pixel's number that no pixel of the segmentation may have.
  private func unknown(_ stored: Int, _ frame: Int) -> InputError {
    content.kind == .fractional
      ? InputError(
        frameReader.path, "frame \(frame) has a pixel above MaximumFractionalValue (0062,000e)",
        found: "\(stored)", expected: "\(content.maximumFractionalValue) or less")
      : InputError(
        frameReader.path,
        "frame \(frame) shows a segment that SegmentSequence (0062,0002) does not describe",
        found: "segment \(stored)", expected: "one of \(counted(content.segments.count, "segment"))")
  }

  private func overlapping(_ overlaps: Set<Overlap>) -> InputError {
    func name(_ number: Int) -> String {
      let name = segments.first { $0.value == number }?.name ?? ""
      return name.isEmpty ? "\(number)" : "\(number) \(name)"
    }
    let sorted = overlaps.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    let pairs = sorted.prefix(8).map { "\(name($0.first)) and \(name($0.second))" }
    let more = sorted.count - pairs.count
    return InputError(
      frameReader.path, SegmentOverlap.ofSegments,
      found: (pairs + (more > 0 ? ["\(more) more pairs"] : [])).joined(separator: ", "),
      expected: "--segment with the name or number of one")
  }
}
