import Foundation

/// An array that numpy's `save` wrote (format 1.0 to 3.0, little-endian, C order), for reference data of tests.
package struct NumpyArray: Sendable {
  /// Extents, slowest first.
  package let shape: [Int]
  /// The element type as numpy writes it: "<f4", "<f8", "|u1", "<i4", "<i8".
  package let type: String
  private let bytes: Data

  /// A file that cannot be read as an array.
  package struct Unreadable: Error, CustomStringConvertible {
    /// The file and the reason.
    package let description: String
  }

  /// Reads `file`.
  /// - Throws: ``Unreadable``, or what reading the file throws.
  package init(_ file: URL) throws {
    let data = try Data(contentsOf: file)
    func fail(_ why: String) -> Unreadable { Unreadable(description: "\(file.path): \(why)") }
    guard data.count > 10, data.prefix(6) == Data([0x93] + Array("NUMPY".utf8)) else {
      throw fail("no numpy array")
    }
    let lengthBytes = data[6] == 1 ? 2 : 4
    let length = (0..<lengthBytes).reduce(0) { $0 | Int(data[8 + $1]) << (8 * $1) }
    let start = 8 + lengthBytes + length
    guard start <= data.count else { throw fail("header ends early") }
    let header = String(decoding: data[(8 + lengthBytes)..<start], as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr': '([^']+)'/)?.1,
      let shape = header.firstMatch(of: /'shape': \(([^)]*)\)/)?.1, header.contains("'fortran_order': False")
    else { throw fail("unknown header \(header)") }
    self.type = String(type)
    self.shape = shape.split(separator: ",").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    bytes = Data(data[start...])
    guard let size = type.last?.wholeNumberValue, bytes.count == size * self.shape.reduce(1, *) else {
      throw fail("\(bytes.count) bytes for shape \(self.shape) of \(type)")
    }
  }

  /// The elements as floats, last axis fastest.
  package var floats: [Float] { elements() }

  /// The elements as doubles, last axis fastest.
  package var doubles: [Double] { elements() }

  private func elements<Result: BinaryFloatingPoint>() -> [Result] {
    bytes.withUnsafeBytes { raw in
      func read<Stored>(_: Stored.Type, _ convert: (Stored) -> Result) -> [Result] {
        (0..<raw.count / MemoryLayout<Stored>.stride).map {
          convert(raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Stored>.stride, as: Stored.self))
        }
      }
      switch type {
      case "<f4": return read(Float.self) { Result($0) }
      case "<f8": return read(Double.self) { Result($0) }
      case "|u1": return read(UInt8.self) { Result($0) }
      case "|i1": return read(Int8.self) { Result($0) }
      case "<i2": return read(Int16.self) { Result($0) }
      case "<u2": return read(UInt16.self) { Result($0) }
      case "<i4": return read(Int32.self) { Result($0) }
      case "<i8": return read(Int64.self) { Result($0) }
      default: preconditionFailure("element type \(type) is not one that reference data uses")
      }
    }
  }
}
