import Foundation
import Work

/// Reads the structure of a DICOM file up to its pixels.
///
/// Every length is compared with the number of remaining bytes before anything is read or allocated. Only attributes
/// of ``DicomDictionary`` are kept.
struct DicomParser {
  /// The pixel data element, whose value the parser does not read.
  struct PixelElement: Sendable {
    let tag: DicomTag
    /// The offset of the first byte of the value.
    let position: Int
    /// nil for encapsulated pixels, which follow as fragments.
    let byteCount: Int?
    /// Whether 8-bit pixels are stored in 16-bit words.
    let isWords: Bool
  }

  /// The attributes before the pixels, and the location of the pixels.
  struct Content {
    let dataSet: DicomDataSet
    let syntax: TransferSyntax
    let pixels: PixelElement?
    /// The bytes in which ``PixelElement/position`` is an offset: those of the file, or of its inflated content.
    let bytes: DicomBytes
  }

  private let bytes: DicomBytes
  private let isBigEndian: Bool
  private var pixels: PixelElement?
  private var elementCount = 0
  private var storedByteCount = 0

  // No real file comes near these limits; they bound the time and the memory that a damaged one takes.
  private static let maximumNesting = 16
  private static let maximumElementCount = 20_000_000
  private static let maximumStoredBytes = 64 << 20
  private static let maximumValueByteCount = 1 << 20

  /// Reads a file.
  /// - Throws: ``InputError`` where it is not DICOM, an element is cut off or nested too deep, or it has too many.
  static func read(_ path: String) throws(InputError) -> Content {
    try read(DicomBytes(path: path))
  }

  /// The SeriesInstanceUID of a damaged file; nil where it cannot be read.
  static func seriesInstanceUID(ofDamaged path: String) -> String? {
    try? read(DicomBytes(path: path), upTo: .seriesInstanceUID).dataSet.text(.seriesInstanceUID)
  }

  /// - Parameter last: The attribute after which reading ends; nil to read up to the pixels.
  private static func read(
    _ file: DicomBytes, upTo last: DicomTag? = nil
  ) throws(InputError) -> Content {
    guard let start = try start(of: file) else {
      throw InputError(
        file.path, "is not a DICOM file", found: counted(file.count, "byte"), expected: "DICM at byte 128")
    }
    let (information, end) = try fileInformation(file, from: start)
    let stated = information.text(.transferSyntaxUID)
    var syntax = stated.map { TransferSyntax(uid: $0) } ?? .explicitLittleEndian
    var (bytes, first) = (file, end)
    if syntax.isDeflated {
      bytes = DicomBytes(inflated: try DeflatedContent.read(file, from: end), path: file.path)
      first = 0
    }
    var isExplicit = syntax.isExplicit
    if bytes.count - first >= 6 {
      // Some programs state explicit value representations and write implicit ones, or the reverse.
      let vr = try bytes.bytes(at: first + 4, count: 2)
      let hasVR = vr.allSatisfy { isCapital($0) }
      if isExplicit != hasVR, !syntax.isBigEndian { isExplicit = hasVR }
      if stated == nil, !hasVR { syntax = .implicitLittleEndian }
    }
    var parser = DicomParser(bytes: bytes, isBigEndian: syntax.isBigEndian)
    let (dataSet, _) = try parser.dataSet(
      from: first, limits: Limits(end: bytes.count, isExplicit: isExplicit, last: last))
    return Content(dataSet: dataSet, syntax: syntax, pixels: parser.pixels, bytes: bytes)
  }

  /// The inflated content of a deflated file, in which ``PixelElement/position`` is an offset.
  /// - Throws: ``InputError`` where the file changed.
  static func inflatedContent(of path: String) throws(InputError) -> [UInt8] {
    let file = try DicomBytes(path: path)
    guard let start = try start(of: file) else { throw InputError(path, "is no longer a DICOM file") }
    return try DeflatedContent.read(file, from: fileInformation(file, from: start).end)
  }

  /// A function with which each thread opens the content of a file for itself; a deflated file is inflated only once.
  static func sharedContent(
    of reader: FrameReader
  ) throws(InputError) -> @Sendable () throws(InputError) -> DicomBytes {
    let path = reader.path
    guard reader.syntax.isDeflated else { return { () throws(InputError) in try DicomBytes(path: path) } }
    let inflated = try inflatedContent(of: path)
    return { () throws(InputError) in DicomBytes(inflated: inflated, path: path) }
  }

  /// The file meta information (group 2), and the position after it.
  private static func fileInformation(
    _ file: DicomBytes, from start: Int
  ) throws(InputError) -> (elements: DicomDataSet, end: Int) {
    var parser = DicomParser(bytes: file, isBigEndian: false)
    return try parser.dataSet(
      from: start, limits: Limits(end: file.count, isExplicit: true, onlyGroup: 0x0002))
  }

  private init(bytes: DicomBytes, isBigEndian: Bool) {
    self.bytes = bytes
    self.isBigEndian = isBigEndian
  }

  /// Whether bytes are the beginning of a DICOM file: "DICM" after a preamble of 128 bytes, or a data set without it.
  static func recognises(_ beginning: [UInt8]) -> Bool {
    if beginning.count >= 132, Array(beginning[128..<132]) == Array("DICM".utf8) { return true }
    return startsWithElement(beginning) || lacksPreamble(beginning)
  }

  /// Whether a file begins with "DICM" and the elements after it, without the preamble of 128 bytes.
  private static func lacksPreamble(_ beginning: [UInt8]) -> Bool {
    beginning.starts(with: "DICM".utf8) && startsWithElement(Array(beginning.dropFirst(4)))
  }

  /// The position of the first element; nil for a file that is not DICOM.
  private static func start(of file: DicomBytes) throws(InputError) -> Int? {
    let beginning = try file.bytes(at: 0, count: min(file.count, 132))
    guard recognises(beginning) else { return nil }
    return startsWithElement(beginning) ? 0 : lacksPreamble(beginning) ? 4 : 132
  }

  /// Whether the first bytes are an element of group 2 or 8 that a data set can begin with.
  private static func startsWithElement(_ bytes: [UInt8]) -> Bool {
    guard bytes.count >= 12, bytes[1] == 0, bytes[3] == 0 else { return false }
    let (group, element) = (bytes[0], bytes[2])
    guard group == 2 && element < 3 || group == 8 && [0, 1, 5, 8, 16, 18, 22].contains(element) else {
      return false
    }
    if isCapital(bytes[4]), isCapital(bytes[5]) { return true }
    let length = bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    return length > 0 && length < 256
  }

  private static func isCapital(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) }

  /// The end of a data set and its encoding.
  private struct Limits {
    var end: Int
    var isExplicit: Bool
    /// The only group that is read: the data set ends before an element of another one; nil for all groups.
    var onlyGroup: UInt16?
    /// The attribute of the outermost data set after which reading ends; nil to read all.
    var last: DicomTag?
    /// Whether an item delimiter (fffe,e00d) ends it.
    var hasItemEnd = false
    var depth = 0
    /// Whether values are stored; otherwise elements are only checked and skipped.
    var storesValues = true
  }

  /// The header of an element.
  private struct Header {
    var tag: DicomTag
    /// The two letters of the value representation (VR); nil in implicit encoding.
    var vr: [UInt8]?
    /// nil for an undefined length.
    var byteCount: Int?
    var position: Int
  }

  /// Reads elements up to the end of the data set, or up to the pixels; returns the position there.
  private mutating func dataSet(from start: Int, limits: Limits) throws(InputError) -> (DicomDataSet, Int) {
    var dataSet = DicomDataSet()
    dataSet.isBigEndian = isBigEndian
    var position = start
    while position < limits.end {
      if let group = limits.onlyGroup, limits.end - position >= 2,
        try bytes.uint16(at: position, isBigEndian: isBigEndian) != group
      {
        break
      }
      let header = try header(at: position, limits)
      if header.tag == .itemDelimiter, limits.hasItemEnd { return (dataSet, header.position) }
      if limits.depth == 0, limits.onlyGroup == nil, recordPixels(header) { return (dataSet, position) }
      position = try read(header, limits, into: &dataSet)
      if limits.depth == 0, header.tag == limits.last { return (dataSet, position) }
    }
    guard !limits.hasItemEnd else { throw truncated("an item", at: start) }
    return (dataSet, position)
  }

  private mutating func recordPixels(_ header: Header) -> Bool {
    guard [.pixelData, .floatPixelData, .doublePixelData].contains(header.tag) else { return false }
    let isWords = header.vr.map { $0 == Array("OW".utf8) } ?? true
    pixels = PixelElement(
      tag: header.tag, position: header.position, byteCount: header.byteCount, isWords: isWords)
    return true
  }

  private mutating func header(at position: Int, _ limits: Limits) throws(InputError) -> Header {
    elementCount += 1
    guard elementCount <= Self.maximumElementCount else {
      throw InputError(
        bytes.path, "has too many elements", found: "more than \(Self.maximumElementCount)",
        expected: "an image")
    }
    guard limits.end - position >= 8 else { throw truncated("an element", at: position) }
    let tag = DicomTag(
      try bytes.uint16(at: position, isBigEndian: isBigEndian),
      try bytes.uint16(at: position + 2, isBigEndian: isBigEndian))
    let vr = try bytes.bytes(at: position + 4, count: 2)
    // An element without a VR in an explicit file is read as in an implicit one, with a length of four bytes.
    guard tag.group != 0xfffe, limits.isExplicit, vr.allSatisfy(Self.isCapital) else {
      let length = try bytes.uint32(at: position + 4, isBigEndian: isBigEndian)
      return Header(tag: tag, byteCount: defined(length), position: position + 8)
    }
    guard Self.longRepresentations.contains(vr) else {
      let length = try bytes.uint16(at: position + 6, isBigEndian: isBigEndian)
      return Header(tag: tag, vr: vr, byteCount: Int(length), position: position + 8)
    }
    guard limits.end - position >= 12 else { throw truncated("\(tag)", at: position) }
    let length = try bytes.uint32(at: position + 8, isBigEndian: isBigEndian)
    return Header(tag: tag, vr: vr, byteCount: defined(length), position: position + 12)
  }

  private func defined(_ length: UInt32) -> Int? { length == .max ? nil : Int(length) }

  /// The value representations whose lengths have four bytes in explicit encoding.
  private static let longRepresentations = Set(
    ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"].map { Array($0.utf8) })

  /// Reads or skips an element; returns the position of the next one.
  private mutating func read(
    _ header: Header, _ limits: Limits, into dataSet: inout DicomDataSet
  ) throws(InputError) -> Int {
    let representation = limits.storesValues ? DicomDictionary.representations[header.tag] : nil
    let isSequence = representation == .sequence || header.vr == Array("SQ".utf8)
    guard let byteCount = header.byteCount else {
      // An icon, and private pixels, may be compressed too: fragments within a sequence, or before the image's own.
      if [Array("OB".utf8), Array("OW".utf8)].contains(header.vr) {
        return try endOfFragments(from: header.position, limits, header.tag)
      }
      // Only a sequence may have an undefined length; one of unknown VR (UN) is encoded as implicit (PS3.5 6.2.2).
      let isUnknown = header.vr == Array("UN".utf8)
      guard header.vr == nil || isSequence || isUnknown, header.tag.group != 0xfffe else {
        throw InputError(
          bytes.path, "\(header.tag) at byte \(header.position) has no length", expected: "a sequence")
      }
      var inner = limits
      inner.isExplicit = limits.isExplicit && !isUnknown
      inner.storesValues = representation == .sequence
      let (items, end) = try items(from: header.position, inner, hasEnd: true, header.tag)
      if inner.storesValues { dataSet.values[header.tag] = .items(items) }
      return end
    }
    guard byteCount <= limits.end - header.position else {
      throw InputError(
        bytes.path, "\(header.tag) at byte \(header.position) is cut off",
        found: counted(limits.end - header.position, "byte"), expected: "\(byteCount)")
    }
    let end = header.position + byteCount
    guard let representation else { return end }
    if representation == .sequence {
      var inner = limits
      inner.end = end
      let isUnknown = header.vr == Array("UN".utf8)
      inner.isExplicit = limits.isExplicit && !isUnknown
      let (items, _) = try items(from: header.position, inner, hasEnd: false, header.tag)
      dataSet.values[header.tag] = .items(items)
    } else {
      storedByteCount += byteCount + 64
      guard byteCount <= Self.maximumValueByteCount, storedByteCount <= Self.maximumStoredBytes else {
        throw InputError(
          bytes.path, "\(header.tag) at byte \(header.position) is too long",
          found: counted(byteCount, "byte"), expected: "\(Self.maximumValueByteCount) or fewer")
      }
      dataSet.values[header.tag] = .bytes(
        try bytes.bytes(at: header.position, count: byteCount),
        Self.representation(of: header.vr) ?? representation)
    }
    return end
  }

  /// Skips the fragments of compressed pixels that are not those of the image; returns the position after them.
  private mutating func endOfFragments(
    from start: Int, _ limits: Limits, _ tag: DicomTag
  ) throws(InputError) -> Int {
    var position = start
    while position < limits.end {
      let header = try header(at: position, limits)
      if header.tag == .sequenceDelimiter { return header.position }
      guard header.tag == .item, let byteCount = header.byteCount else {
        throw InputError(
          bytes.path, "\(tag) at byte \(start) has no length", found: "\(header.tag) at byte \(position)",
          expected: "fragments (fffe,e000), or a sequence")
      }
      guard byteCount <= limits.end - header.position else {
        throw truncated("a fragment of \(tag)", at: position)
      }
      position = header.position + byteCount
    }
    throw truncated("\(tag)", at: start)
  }

  /// The representation that a VR determines; nil for a VR that leaves it to the attribute's entry in the dictionary.
  private static func representation(of vr: [UInt8]?) -> DicomDictionary.Representation? {
    switch vr.map({ String(decoding: $0, as: UTF8.self) }) {
    case "DS", "IS": .decimalText
    case "US": .unsignedShort
    case "SS": .signedShort
    case "FL": .float
    case "FD": .double
    case "UL", "SL": .unsignedLong
    default: nil
    }
  }

  /// Reads the items of a sequence; returns the position after it.
  private mutating func items(
    from start: Int, _ limits: Limits, hasEnd: Bool, _ tag: DicomTag
  ) throws(InputError) -> ([DicomDataSet], Int) {
    guard limits.depth < Self.maximumNesting else {
      throw InputError(
        bytes.path, "\(tag) at byte \(start) is nested too deep",
        found: "\(Self.maximumNesting + 1) sequences",
        expected: "\(Self.maximumNesting) or fewer")
    }
    var items: [DicomDataSet] = []
    var position = start
    while position < limits.end {
      var inner = limits
      inner.depth += 1
      inner.onlyGroup = nil
      let header = try header(at: position, inner)
      if header.tag == .sequenceDelimiter, hasEnd { return (items, header.position) }
      guard header.tag == .item else {
        throw InputError(
          bytes.path, "\(tag) at byte \(start) is damaged", found: "\(header.tag) at byte \(position)",
          expected: "an item (fffe,e000)")
      }
      if let byteCount = header.byteCount {
        guard byteCount <= limits.end - header.position else {
          throw truncated("an item of \(tag)", at: position)
        }
        inner.end = header.position + byteCount
        inner.hasItemEnd = false
      } else {
        inner.hasItemEnd = true
      }
      let (item, end) = try dataSet(from: header.position, limits: inner)
      storedByteCount += 64
      if limits.storesValues, storedByteCount <= Self.maximumStoredBytes { items.append(item) }
      position = end
    }
    guard !hasEnd else { throw truncated("\(tag)", at: start) }
    return (items, position)
  }

  private func truncated(_ part: String, at position: Int) -> InputError {
    InputError(
      bytes.path, "ends inside \(part) that begins at byte \(position)", found: counted(bytes.count, "byte"))
  }
}
