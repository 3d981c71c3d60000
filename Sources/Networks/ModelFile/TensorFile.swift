import Foundation
import Tensors
import Work

/// A safetensors file: named tensors and a table of texts.
///
/// Eight bytes (little endian) give the length of a JSON header {name: {dtype, shape, data_offsets}}, in which
/// `__metadata__` maps names to texts; the tensors' bytes follow, without gaps. Every length is checked against
/// the bytes that are really there before anything is allocated for it.
package struct TensorFile: Sendable {
  /// The position of a tensor in the file.
  private struct Entry: Decodable {
    let dtype: String
    let shape: [Int]
    let data_offsets: [Int]
  }

  /// The file's path, for messages.
  package let path: String
  package let metadata: [String: String]
  private let entries: [String: Entry]
  private let content: Data
  private let dataStart: Int

  /// Reads the header and maps the rest.
  /// - Throws: ``InputError`` when the file cannot be read, is truncated, or does not add up.
  package init(path: String) throws(InputError) {
    try self.init(FileSystem.read(path, limit: AvailableMemory.byteCount), path: path)
  }

  /// Reads the header of `content`; `path` names it in messages.
  package init(_ content: Data, path: String) throws(InputError) {
    guard content.count >= 8 else {
      throw InputError(
        path, "not a safetensors file: ends in its length", found: counted(content.count, "byte"),
        expected: "at least 8")
    }
    let headerLength = content.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard headerLength <= UInt64(content.count - 8) else {
      throw InputError(
        path, "not a safetensors file, or truncated: header length", found: "\(headerLength)",
        expected: "at most the \(counted(content.count - 8, "byte that follows", "bytes that follow"))")
    }
    dataStart = 8 + Int(headerLength)
    let header = content.subdata(in: content.startIndex + 8..<content.startIndex + dataStart)
    try JSONValue.requireSingleKeys(
      String(decoding: header, as: UTF8.self), subject: "\(path): safetensors header")
    let items: [String: HeaderItem]
    do {
      items = try JSONDecoder().decode([String: HeaderItem].self, from: header)
    } catch let error as DecodingError {
      throw InputError(path, "safetensors header: " + error.fieldAndProblem)
    } catch {
      throw InputError(path, "safetensors header: not readable as JSON")
    }
    var metadata: [String: String] = [:]
    var entries: [String: Entry] = [:]
    for (name, item) in items {
      switch item {
      case .metadata(let texts): metadata = texts
      case .tensor(let entry): entries[name] = entry
      }
    }
    for (name, text) in metadata.sorted(by: { $0.key < $1.key }) {
      try JSONValue.requireSingleKeys(text, subject: "\(path): metadata \"\(name)\"")
    }
    self.path = path
    self.content = content
    self.metadata = metadata
    self.entries = entries
    try checkLayout()
  }

  private enum HeaderItem: Decodable {
    case metadata([String: String])
    case tensor(Entry)

    init(from decoder: any Decoder) throws {
      if decoder.codingPath.last?.stringValue == "__metadata__" {
        self = .metadata(try [String: String](from: decoder))
      } else {
        self = .tensor(try Entry(from: decoder))
      }
    }
  }

  /// Names of the tensors, sorted.
  package var names: [String] { entries.keys.sorted() }

  /// The shape that the header gives a tensor; nil when there is none of that name.
  package func shape(of name: String) -> [Int]? { entries[name]?.shape }

  /// Reads one tensor.
  /// - Throws: ``InputError`` when it is missing, has another shape, or is not stored as F32, F16 or BF16.
  package func tensor(_ name: String, shape: [Int]) throws(InputError) -> Tensor {
    guard let entry = entries[name] else {
      throw InputError(path, "tensor \(name): missing", expected: "shape \(shape)")
    }
    guard entry.shape == shape else {
      throw InputError(path, "tensor \(name): shape", found: "\(entry.shape)", expected: "\(shape)")
    }
    guard let format = ElementFormat(rawValue: entry.dtype) else {
      throw InputError(
        path, "tensor \(name): element type", found: entry.dtype, expected: "F32, F16 or BF16")
    }
    let offsets = entry.data_offsets
    return content.withUnsafeBytes { bytes in
      let stored = bytes[dataStart + offsets[0]..<dataStart + offsets[1]]
      return Tensor(shape: shape, elements: format.decode(UnsafeRawBufferPointer(rebasing: stored)))
    }
  }

  /// Offsets must be in order, without gap or overlap, end with the file, and fit shape and element type.
  private func checkLayout() throws(InputError) {
    let available = content.count - dataStart
    var end = 0
    let ordered = entries.sorted { a, b in
      let (x, y) = (a.value.data_offsets, b.value.data_offsets)
      return x == y ? a.key < b.key : x.lexicographicallyPrecedes(y)
    }
    for (name, entry) in ordered {
      let offsets = entry.data_offsets
      guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0] else {
        throw InputError(path, "tensor \(name): data offsets", found: "\(offsets)", expected: "[begin, end]")
      }
      guard offsets[1] <= available else {
        throw InputError(
          path, "tensor \(name): the file is truncated",
          found: counted(available, "byte of tensors", "bytes of tensors"),
          expected: "\(offsets[1])")
      }
      guard offsets[0] == end else {
        throw InputError(
          path, "tensor \(name): data starts in the wrong place", found: "\(offsets[0])", expected: "\(end)")
      }
      end = offsets[1]
      guard let width = Self.bitWidths[entry.dtype] else {
        throw InputError(path, "tensor \(name): unknown element type", found: entry.dtype)
      }
      var bits = width
      for extent in entry.shape {
        let (product, overflow) = bits.multipliedReportingOverflow(by: extent)
        bits = overflow || extent < 0 ? -1 : product
        if bits < 0 { break }
      }
      guard bits >= 0, bits % 8 == 0, bits / 8 == end - offsets[0] else {
        throw InputError(
          path, "tensor \(name): \(entry.dtype) of shape \(entry.shape) does not fit its data",
          found: counted(end - offsets[0], "byte"))
      }
    }
    guard end == available else {
      throw InputError(
        path, "bytes after the last tensor",
        found: counted(available, "byte of tensors", "bytes of tensors"), expected: "\(end)")
    }
  }

  /// Bits of every element type that a safetensors file may hold; only the float types are ever decoded.
  private static let bitWidths = [
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64,
  ]
}

extension TensorFile {
  /// Writes tensors and texts; a file at `path` is replaced only when everything is written.
  /// - Throws: ``InputError`` when the file cannot be written.
  package static func write(
    _ tensors: [String: Tensor], metadata: [String: String], format: ElementFormat = .f32, to path: String
  ) throws(InputError) {
    struct Header: Encodable {
      let metadata: [String: String]
      let entries: [(name: String, shape: [Int], range: Range<Int>)]
      let dtype: String

      struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
      }

      struct Item: Encodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
      }

      func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(metadata, forKey: Key(stringValue: "__metadata__"))
        for entry in entries {
          try values.encode(
            Item(
              dtype: dtype, shape: entry.shape,
              data_offsets: [entry.range.lowerBound, entry.range.upperBound]),
            forKey: Key(stringValue: entry.name))
        }
      }
    }
    var end = 0
    let entries = tensors.keys.sorted().map { name in
      let tensor = tensors[name]!
      let start = end
      end += tensor.elements.count * format.byteCount
      return (name: name, shape: tensor.shape, range: start..<end)
    }
    var header = finiteJSON(Header(metadata: metadata, entries: entries, dtype: format.rawValue))
    // The header ends on a multiple of eight bytes, as the format's own writer leaves it.
    header.append(Data(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
    var file = try AtomicFile(path: path)
    var length = Data()
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { length.append(contentsOf: $0) }
    try file.write(length)
    try file.write(header)
    for entry in entries { try file.write(Data(format.encode(tensors[entry.name]!.elements))) }
    try file.commit()
  }
}
