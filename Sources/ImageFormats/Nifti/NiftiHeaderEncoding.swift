import Foundation
import Volumes

/// A header to be written: single file, little-endian, no extension.
struct NiftiHeaderEncoding {
  var geometry: NiftiGeometry
  var size: GridSize
  /// Extents beyond i, j, k.
  var frameSizes: [Int] = []
  var type: VoxelType
  var scaling = VoxelScaling()

  /// The header and the four bytes that say "no extension"; voxels follow at once.
  ///
  /// NIfTI-2 is used where the source was NIfTI-2, so that its 64-bit numbers stay exact, and where an extent does not
  /// fit NIfTI-1's 16 bits. Texts, dates and everything that the voxels do not need stay empty.
  func bytes() -> [UInt8] {
    var dimensions = [size.i, size.j, size.k]
    dimensions.removeLast(frameSizes.isEmpty ? 3 - geometry.axisCount : 0)
    dimensions += frameSizes
    let axisCount = dimensions.count
    dimensions = [axisCount] + dimensions + [Int](repeating: 1, count: 7 - axisCount)
    let isSecond = geometry.version == 2 || dimensions.contains { $0 > Int(Int16.max) }
    var header = HeaderWriter(byteCount: NiftiHeader.byteCount(version: isSecond ? 2 : 1) + 4)
    if isSecond { encodeSecond(&header, dimensions) } else { encodeFirst(&header, dimensions) }
    return header.bytes
  }

  private func encodeFirst(_ header: inout HeaderWriter, _ dimensions: [Int]) {
    header.put(Int32(348), at: 0)
    header.put(UInt8(ascii: "r"), at: 38)
    for (index, value) in dimensions.enumerated() { header.put(Int16(value), at: 40 + 2 * index) }
    header.put(Int16(code), at: 70)
    header.put(Int16(type.byteCount * 8), at: 72)
    header.put(geometry.pixdim.map(Float.init), at: 76)
    header.put([Float(352), Float(scaling.slope), Float(scaling.intercept)], at: 108)
    header.put(UInt8(truncatingIfNeeded: geometry.xyztUnits), at: 123)
    header.put(Int16(geometry.qformCode), at: 252)
    header.put(Int16(geometry.sformCode), at: 254)
    header.put((geometry.quaternion + geometry.qoffset + geometry.srow).map(Float.init), at: 256)
    header.put([UInt8]("n+1".utf8), at: 344)
  }

  private func encodeSecond(_ header: inout HeaderWriter, _ dimensions: [Int]) {
    header.put(Int32(540), at: 0)
    header.put([UInt8]("n+2\0\r\n\u{1a}\n".utf8), at: 4)
    header.put(Int16(code), at: 12)
    header.put(Int16(type.byteCount * 8), at: 14)
    for (index, value) in dimensions.enumerated() { header.put(Int64(value), at: 16 + 8 * index) }
    header.put(geometry.pixdim, at: 104)
    header.put(Int64(544), at: 168)
    header.put([scaling.slope, scaling.intercept], at: 176)
    header.put(Int32(geometry.qformCode), at: 344)
    header.put(Int32(geometry.sformCode), at: 348)
    header.put(geometry.quaternion + geometry.qoffset + geometry.srow, at: 352)
    header.put(Int32(geometry.xyztUnits), at: 500)
  }

  private var code: Int { NiftiHeader.datatypes.first { $0.value == type }!.key }
}

/// Bytes of a header, little-endian, zero where nothing was put.
private struct HeaderWriter {
  var bytes: [UInt8]

  init(byteCount: Int) { bytes = [UInt8](repeating: 0, count: byteCount) }

  mutating func put(_ value: some FixedWidthInteger, at position: Int) {
    withUnsafeBytes(of: value.littleEndian) {
      bytes.replaceSubrange(position..<position + $0.count, with: $0)
    }
  }

  mutating func put(_ values: [UInt8], at position: Int) {
    bytes.replaceSubrange(position..<position + values.count, with: values)
  }

  mutating func put(_ values: [Float], at position: Int) {
    for (index, value) in values.enumerated() { put(value.bitPattern, at: position + 4 * index) }
  }

  mutating func put(_ values: [Double], at position: Int) {
    for (index, value) in values.enumerated() { put(value.bitPattern, at: position + 8 * index) }
  }
}
