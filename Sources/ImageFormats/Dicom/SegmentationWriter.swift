import Foundation
import Volumes
import Work

/// Writes a mask of a DICOM image as a segmentation (BINARY): for each segment, a frame for each slice with its voxels.
final class SegmentationWriter: ImageWriter {
  /// A frame: pixels of one segment in one slice, a bit each.
  struct Frame {
    /// The index of its segment in ``SegmentationDataSet/segments``, and its slice (k).
    var segment, slice: Int
    var bits: [UInt8]
  }

  private let path: String
  private let image: WrittenImage
  private let reference: DicomReference
  private let work: WorkContext
  private let segments: [SegmentationContent.Segment]
  /// The index of the segment of each label value.
  private let positions: [Int: Int]
  private let pixelCount: Int
  private var frames: [Frame] = []
  /// Bytes of the voxels of a slice that is not complete yet.
  private var pending: [UInt8] = []
  private var slice = 0

  init(path: String, image: WrittenImage, work: WorkContext) throws(InputError) {
    guard let reference = image.source.header(DicomReference.self) else {
      throw InputError(
        path, "can only be written for a mask of a DICOM image", found: "an image of another format",
        expected: "another suffix, or --like with a DICOM image")
    }
    guard let labels = image.labels, image.frameSizes.isEmpty else {
      throw InputError(path, "can only hold a mask", found: "an image", expected: "another suffix")
    }
    let names = Dictionary(labels.names.entries.map { ($0.value, $0) }, uniquingKeysWith: { _, last in last })
    segments = labels.values.enumerated().map { index, value in
      SegmentationContent.Segment(
        number: index + 1, value: value, name: names[value]?.name ?? "label \(value)",
        colour: names[value]?.colour ?? LabelTable.colour(ofValue: UInt16(truncatingIfNeeded: value)))
    }
    guard let first = segments.first, let last = segments.last, first.value > 0, last.value <= 65535 else {
      throw InputError(
        path, "cannot hold these labels as segments",
        found: segments.isEmpty ? "no label" : "\(segments.last?.value ?? 0)",
        expected: "labels from 1 to 65535")
    }
    positions = Dictionary(
      segments.enumerated().map { ($1.value, $0) }, uniquingKeysWith: { first, _ in first })
    (self.path, self.image, self.reference, self.work) = (path, image, reference, work)
    pixelCount = image.source.grid.size.i * image.source.grid.size.j
  }

  func write(_ voxels: UnsafeRawBufferPointer) throws {
    try work.checkCancellation()
    pending += voxels
    let byteCount = pixelCount * image.voxelType.byteCount
    var start = 0
    while pending.count - start >= byteCount {
      pending[start..<start + byteCount].withUnsafeBytes { addSlice($0) }
      start += byteCount
    }
    pending.removeFirst(start)
  }

  /// Adds the frames of a slice, in the order of the segments.
  private func addSlice(_ bytes: UnsafeRawBufferPointer) {
    var bits: [Int: [UInt8]] = [:]
    var last = (value: 0, segment: Int?.none)
    for pixel in 0..<pixelCount {
      let value =
        image.voxelType == .uint8
        ? Int(bytes[pixel]) : Int(bytes.loadUnaligned(fromByteOffset: 2 * pixel, as: UInt16.self))
      guard value != 0 else { continue }
      if value != last.value { last = (value, positions[value]) }
      guard let segment = last.segment else { continue }
      bits[segment, default: [UInt8](repeating: 0, count: (pixelCount + 7) / 8)][pixel >> 3] |=
        1 << UInt8(pixel & 7)
    }
    for (segment, bits) in bits { frames.append(Frame(segment: segment, slice: slice, bits: bits)) }
    slice += 1
  }

  func complete() throws -> [PendingFile] {
    frames.sort { ($0.segment, $0.slice) < ($1.segment, $1.slice) }
    let pixelByteCount = (frames.count * pixelCount + 7) / 8
    guard pixelByteCount < Int(UInt32.max) - 1 else {
      throw InputError(
        path, "has more pixels than a DICOM file holds", found: counted(frames.count, "frame"),
        expected: "fewer labels or slices")
    }
    let content = SegmentationDataSet(
      image: image, reference: reference, segments: segments, frames: frames.map { ($0.segment, $0.slice) })
    let stream = try OutputStream(path: path, compression: nil, work: work)
    try stream.writeStored(content.bytes(pixelByteCount: pixelByteCount + pixelByteCount % 2))
    try write(to: stream)
    return [try stream.complete()]
  }

  /// Writes the bits of all frames without padding, so that a frame may begin within a byte.
  private func write(to stream: OutputStream) throws {
    var piece: [UInt8] = []
    var (carriedBits, carriedBitCount) = (UInt8(0), 0)
    for frame in frames {
      try work.checkCancellation()
      let (whole, rest) = (pixelCount / 8, pixelCount % 8)
      for byte in frame.bits[..<whole] {
        piece.append(carriedBitCount == 0 ? byte : carriedBits | byte << UInt8(carriedBitCount))
        if carriedBitCount > 0 { carriedBits = byte >> UInt8(8 - carriedBitCount) }
      }
      if rest > 0 {
        let byte = frame.bits[whole]
        carriedBits |= byte << UInt8(carriedBitCount)
        if carriedBitCount + rest >= 8 {
          piece.append(carriedBits)
          carriedBits = carriedBitCount == 0 ? 0 : byte >> UInt8(8 - carriedBitCount)
          carriedBitCount = carriedBitCount + rest - 8
        } else {
          carriedBitCount += rest
        }
      }
      if piece.count > 1 << 20 {
        try stream.writeStored(piece)
        piece = []
      }
    }
    if carriedBitCount > 0 { piece.append(carriedBits) }
    let byteCount = (frames.count * pixelCount + 7) / 8
    if byteCount % 2 == 1 { piece.append(0) }
    try stream.writeStored(piece)
  }
}
