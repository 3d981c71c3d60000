import Foundation
import Volumes
import Work

/// A floating-point array in an archive that `numpy.savez` wrote, read sequentially.
struct NumpyArrayFile {
  /// The type of an element, by its code in the array's header.
  enum Element: String {
    case half = "f2"
    case single = "f4"
    case double = "f8"

    var byteCount: Int {
      switch self {
      case .half: 2
      case .single: 4
      case .double: 8
      }
    }
  }

  let path: String
  /// The name of the array.
  let name: String
  /// Extents, slowest first.
  let shape: [Int]
  private let element: Element
  private let isBigEndian: Bool
  private let archive: ZipArchive
  private let entry: ZipArchive.Entry
  /// Bytes before the first number.
  private let headerByteCount: Int

  private static let headerLimit = 1 << 16

  /// Opens the array with the first of `names` that the archive has; an archive with one array needs no such name.
  /// - Throws: ``InputError`` where there is no such array, or its elements are not floating-point numbers in C order.
  init(_ path: String, named names: [String]) throws(InputError) {
    let archive = try ZipArchive(path)
    let arrays = archive.entries.filter { $0.name.hasSuffix(".npy") }
    let wanted = names.lazy.compactMap { name in arrays.first { $0.name == name + ".npy" } }.first
    guard let entry = wanted ?? (arrays.count == 1 ? arrays[0] : nil) else {
      let found = arrays.prefix(8).map { $0.name.dropLast(4) }.joined(separator: ", ").printableLine
      throw InputError(
        path, "holds no probabilities", found: found.isEmpty ? "no array" : found,
        expected: "an array called \(names.joined(separator: " or "))")
    }
    (self.path, self.archive, self.entry) = (path, archive, entry)
    name = String(entry.name.dropLast(4)).printableLine
    let stream = try archive.stream(entry)
    let header = try Self.header(stream, path: path, name: name)
    headerByteCount = stream.position
    let text = String(decoding: header, as: UTF8.self)
    guard let type = text.firstMatch(of: /'descr':\s*'([<>|=])([a-zA-Z]\d+)'/),
      let order = text.firstMatch(of: /'fortran_order':\s*(True|False)/)?.1,
      let extents = text.firstMatch(of: /'shape':\s*\(([0-9, ]*)\)/)?.1
    else { throw InputError(path, "the header of \(name) cannot be read") }
    guard let element = Element(rawValue: String(type.2)), type.1 != "|" else {
      throw InputError(
        path, "\(name) holds no real numbers", found: "\(type.1)\(type.2)", expected: "f2, f4 or f8")
    }
    guard order == "False" else {
      throw InputError(path, "\(name) is stored in Fortran order", expected: "C order")
    }
    let parts = extents.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let shape = parts.compactMap { Int($0) }
    guard shape.count == parts.count else {
      throw InputError(path, "\(name) has no usable shape", found: "(\(extents))")
    }
    (self.shape, self.element, isBigEndian) = (shape, element, type.1 == ">")
    let (count, isLarge) = shape.reduce((element.byteCount, false)) { product, extent in
      let (next, overflows) = product.0.multipliedReportingOverflow(by: extent)
      return (next, product.1 || overflows)
    }
    guard !isLarge, entry.byteCount - headerByteCount == count else {
      throw InputError(
        path, "\(name) does not hold what its shape says",
        found: counted(entry.byteCount - headerByteCount, "byte"),
        expected: isLarge ? "fewer than 2^63" : "\(count)")
    }
  }

  /// The header of the array: a Python dictionary as text.
  private static func header(
    _ stream: ZipEntryStream, path: String, name: String
  ) throws(InputError) -> [UInt8] {
    func bytes(_ count: Int) throws(InputError) -> [UInt8] {
      try [UInt8](count: count) { buffer throws(InputError) in
        try stream.read(into: buffer)
        return count
      }
    }
    let start = try bytes(8)
    guard start.starts(with: [0x93] + Array("NUMPY".utf8)), (1...3).contains(start[6]) else {
      throw InputError(path, "\(name) is no numpy array")
    }
    var length = LittleEndianReader(try bytes(start[6] == 1 ? 2 : 4))
    let count = length.number(length.remainingByteCount)
    guard count <= headerLimit else {
      throw InputError(path, "the header of \(name) is too long", found: "\(count) bytes")
    }
    return try bytes(count)
  }

  /// Calls `body` with consecutive chunks of the first `count` elements, the last axis fastest, converted to `Float`.
  /// - Throws: ``InputError`` when the archive is damaged; `Cancelled`.
  func read(first count: Int, work: WorkContext, _ body: (UnsafeBufferPointer<Float>) throws -> Void) throws {
    let stream = try archive.stream(entry)
    _ = try Self.header(stream, path: path, name: name)
    let chunkLength = 1 << 18
    let raw = UnsafeMutableRawBufferPointer.allocate(
      byteCount: chunkLength * element.byteCount, alignment: 64)
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: chunkLength)
    defer {
      raw.deallocate()
      values.deallocate()
    }
    var done = 0
    while done < count {
      try work.checkCancellation()
      let part = min(chunkLength, count - done)
      let bytes = UnsafeMutableRawBufferPointer(rebasing: raw[..<(part * element.byteCount)])
      try stream.read(into: bytes)
      if isBigEndian { swapBytes(bytes, width: element.byteCount) }
      convert(bytes, to: values, part)
      try body(UnsafeBufferPointer(rebasing: values[..<part]))
      done += part
      work.report(Double(done) / Double(count))
    }
  }

  private func convert(
    _ bytes: UnsafeMutableRawBufferPointer, to values: UnsafeMutableBufferPointer<Float>, _ count: Int
  ) {
    switch element {
    case .half:
      let halves = bytes.bindMemory(to: UInt16.self)
      for index in 0..<count { values[index] = Float(Float16(bitPattern: halves[index])) }
    case .single:
      let singles = bytes.bindMemory(to: Float.self)
      for index in 0..<count { values[index] = singles[index] }
    case .double:
      let doubles = bytes.bindMemory(to: Double.self)
      for index in 0..<count { values[index] = Float(doubles[index]) }
    }
  }
}
