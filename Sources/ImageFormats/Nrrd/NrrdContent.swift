import Volumes
import Work

/// The location and the encoding of the voxels of an NRRD file.
struct NrrdContent {
  /// "NRRD, gzip, little-endian".
  let storage: String
  /// The header and the files with the voxels.
  let files: [String]
  /// A reader of the stored voxels, for which the files are large enough.
  let reader: any VoxelReader

  private enum Encoding: String {
    case raw, gzip, bzip2, ascii, hex
  }

  private static let encodings: [String: Encoding] = [
    "raw": .raw, "gzip": .gzip, "gz": .gzip, "bzip2": .bzip2, "bz2": .bzip2, "ascii": .ascii, "text": .ascii,
    "txt": .ascii, "hex": .hex,
  ]

  /// Finds the voxels.
  /// - Parameter voxelsPerFrame: Numbers of one frame: voxels times the components of each.
  /// - Throws: ``InputError`` for an unknown encoding, a missing byte order, files that are missing or too small.
  init(_ header: NrrdHeader, type: VoxelType, voxelsPerFrame: Int, frameCount: Int) throws {
    let text = try header.required("encoding")
    guard let encoding = Self.encodings[text.text.lowercased()] else {
      throw text.refusal("raw, gzip, bzip2, ascii or hex")
    }
    let isBigEndian = try Self.isBigEndian(header, type, encoding)
    let sizes = try header.required("sizes").integers(in: 1...Int.max)
    let other = try Self.dataFiles(header, sizes)
    let paths = other ?? [header.path]
    files = [header.path] + (other ?? [])
    let partBytes = voxelsPerFrame * frameCount * type.byteCount / paths.count
    var parts: [VoxelBytes] = []
    for path in paths {
      parts.append(
        try Self.part(
          header, path: path, from: other == nil ? header.byteOffset : 0, encoding, byteCount: partBytes))
    }
    storage = [
      "NRRD" + (parts.count > 1 ? ", \(parts.count) files" : ""), encoding == .raw ? nil : encoding.rawValue,
      type.byteCount == 1 || encoding == .ascii ? nil : isBigEndian ? "big-endian" : "little-endian",
    ].compactMap(\.self).joined(separator: ", ")
    if encoding == .ascii {
      guard parts.count == 1 else {
        throw InputError(header.path, "has voxels as text in several files", expected: "one file")
      }
      let voxels = TextVoxelFile(
        path: parts[0].path, from: parts[0].fileOffset, type: type, voxelsPerFrame: voxelsPerFrame,
        frameCount: frameCount)
      try voxels.checkSize()
      reader = voxels
    } else {
      let voxels = RawVoxelFile(
        parts, type: type, isByteSwapped: isBigEndian, voxelsPerFrame: voxelsPerFrame, frameCount: frameCount)
      try voxels.checkSize()
      reader = voxels
    }
  }

  private static func isBigEndian(
    _ header: NrrdHeader, _ type: VoxelType, _ encoding: Encoding
  ) throws(InputError) -> Bool {
    guard let text = header.text("endian") else {
      guard type.byteCount == 1 || encoding == .ascii else { throw header.missing("endian") }
      return false
    }
    switch text.text.lowercased() {
    case "little": return false
    case "big": return true
    default: throw text.refusal("little or big")
    }
  }

  /// The files with the voxels, all with equally many of them; nil where the voxels follow the header.
  private static func dataFiles(_ header: NrrdHeader, _ sizes: [Int]) throws(InputError) -> [String]? {
    guard let text = header.text("data file") else { return nil }
    let named = NamedFiles(header: header.path)
    let words = text.words
    guard let first = words.first else { throw text.refusal("a file") }
    func axes(_ word: String?) throws(InputError) -> Int {
      try word.map { word throws(InputError) in
        try HeaderValue(word, path: header.path, name: text.name).integer(in: 1...sizes.count)
      } ?? max(1, sizes.count - 1)
    }
    var names = [text.text]
    if first == "LIST", words.count <= 2 {
      let count = sizes.dropFirst(try axes(words.dropFirst().first)).reduce(1, *)
      names = header.listedFiles
      guard names.count == count else {
        throw InputError(
          header.path, "lists another number of files than its sizes need", found: "\(names.count)",
          expected: counted(count, "file"))
      }
    } else if first.contains("%") {
      let numbers = try HeaderValue(
        words.dropFirst().joined(separator: " "), path: header.path, name: text.name
      ).integers(in: -(1 << 30)...1 << 30)
      guard (3...4).contains(numbers.count) else {
        throw text.refusal("a pattern with first, last and step")
      }
      let count = sizes.dropFirst(try axes(words.dropFirst(4).first)).reduce(1, *)
      names = try named.names(
        pattern: first, from: numbers[0], to: numbers[1], step: numbers[2], expected: count)
    }
    return try names.map { name throws(InputError) in try named.path(name) }
  }

  /// The voxels of one file, after the lines and bytes that `line skip` and `byte skip` state.
  private static func part(
    _ header: NrrdHeader, path: String, from offset: Int, _ encoding: Encoding, byteCount: Int
  ) throws -> VoxelBytes {
    var part = VoxelBytes(path: path, fileOffset: offset)
    switch encoding {
    case .raw, .ascii: part.encoding = .raw
    case .gzip: part.encoding = .gzip
    case .bzip2: part.encoding = .bzip2
    case .hex: part.encoding = .hexadecimal
    }
    let lineCount = try header.text("line skip")?.integer(in: 0...1 << 20) ?? 0
    if lineCount > 0 {
      var lines = try HeaderLines(path: path, from: part.fileOffset)
      for _ in 0..<lineCount { _ = try lines.next() }
      part.fileOffset = lines.byteOffset
    }
    guard let text = header.text("byte skip") else { return part }
    let skipped = try text.integer(in: -1...1 << 40)
    switch encoding {
    case .raw where skipped == -1:
      // The voxels are the end of the file, after a header of another format with any length.
      part.fileOffset = max(0, try ByteStream(path: path, .none).fileByteCount - byteCount)
    case .raw, .ascii, .hex:
      guard skipped >= 0 else { throw text.refusal("0 or more, as the voxels are not raw") }
      part.fileOffset += skipped
    case .gzip, .bzip2:
      guard skipped >= 0 else { throw text.refusal("0 or more, as the voxels are not raw") }
      part.offset = skipped
    }
    return part
  }
}
