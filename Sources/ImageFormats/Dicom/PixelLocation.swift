import Foundation
import Work

/// The positions of a file's frames.
enum PixelLocation: Sendable {
  /// Uncompressed frames, one after the other from the byte `position` on; `isWords` where 8-bit pixels are in words.
  case native(position: Int, isWords: Bool)
  /// The fragments of each frame, in the order in which they are joined.
  case fragments([[Fragment]])

  /// A range of bytes of a file.
  struct Fragment: Hashable, Sendable {
    var position, byteCount: Int
  }

  /// The maximum number of fragments, above the number of frames of any series.
  private static let maximumFragmentCount = 1 << 20

  /// Finds the frames and compares their sizes with the file.
  /// - Throws: ``InputError`` where there are fewer bytes or fragments than frames need.
  static func locate(
    _ element: DicomParser.PixelElement, _ content: DicomParser.Content, format: PixelFormat, frameCount: Int
  ) throws(InputError) -> (PixelLocation, [Finding]) {
    let path = content.bytes.path
    guard element.byteCount == nil else { return try native(element, content, format, frameCount) }
    let items = try fragments(element, content.bytes)
    guard let first = items.first else { throw InputError(path, "has no pixels", found: "no fragment") }
    let fragments = Array(items.dropFirst())
    let frames = try frames(of: fragments, offsetTable: first, content, frameCount)
    let encodedByteCount = fragments.reduce(0) { $0 + $1.byteCount }
    try checkExpansion(encodedByteCount, format, frameCount, path)
    return (.fragments(frames), [])
  }

  private static func native(
    _ element: DicomParser.PixelElement, _ content: DicomParser.Content, _ format: PixelFormat,
    _ frameCount: Int
  ) throws(InputError) -> (PixelLocation, [Finding]) {
    let path = content.bytes.path
    let bits = checkedProduct(format.pixelCount, format.samplesPerPixel, format.bitsAllocated, frameCount)
    let stated = element.byteCount ?? 0
    let available = content.bytes.count - element.position
    // A frame of YBR_FULL_422 has two thirds of the bytes; colour is refused later, by its name.
    let needed = bits.flatMap { checkedSum($0, 7) }.map { $0 / 8 }
    guard content.syntax.pixels == .native || format.samplesPerPixel > 1 else {
      throw InputError(
        path, "has compressed pixels that are not in fragments", found: counted(stated, "byte"),
        expected: "fragments, as \(content.syntax.name) has")
    }
    guard let needed, needed <= min(stated, available) || format.samplesPerPixel > 1 else {
      throw InputError(
        path, stated > available ? "the pixels are cut off" : "holds fewer pixels than its header states",
        found: counted(min(stated, available), "byte"),
        expected: needed.map {
          "\($0) (\(format.columns)x\(format.rows)x\(frameCount) of \(format.bitsAllocated) bits)"
        } ?? "a size that can be counted")
    }
    var findings: [Finding] = []
    if stated > needed + 1 {
      findings.append(
        Finding(
          "\(counted(stated - needed, "byte follows", "bytes follow")) the last pixel",
          repair: "they are not read"))
    }
    return (.native(position: element.position, isWords: element.isWords), findings)
  }

  /// The fragments of an element; the first is the basic offset table.
  private static func fragments(
    _ element: DicomParser.PixelElement, _ bytes: DicomBytes
  ) throws(InputError) -> [Fragment] {
    var fragments: [Fragment] = []
    var position = element.position
    while bytes.count - position >= 8 {
      let group = try bytes.uint16(at: position)
      let number = try bytes.uint16(at: position + 2)
      let byteCount = Int(try bytes.uint32(at: position + 4))
      let tag = DicomTag(group, number)
      if tag == .sequenceDelimiter { return fragments }
      guard fragments.count < maximumFragmentCount else {
        throw InputError(
          bytes.path, "its pixels have too many fragments", found: "more than \(maximumFragmentCount)",
          expected: "one or a few for each frame")
      }
      guard tag == .item else {
        throw InputError(
          bytes.path, "the fragments of its pixels are damaged at byte \(position)", found: "\(tag)",
          expected: "an item (fffe,e000)")
      }
      guard byteCount <= bytes.count - position - 8 else {
        throw InputError(
          bytes.path, "the pixels are cut off", found: counted(bytes.count - position - 8, "byte"),
          expected: "\(byteCount) of fragment \(fragments.count)")
      }
      fragments.append(Fragment(position: position + 8, byteCount: byteCount))
      position += 8 + byteCount
    }
    // Some programs leave out the end of the last sequence of a file.
    guard position == bytes.count, !fragments.isEmpty else {
      throw InputError(bytes.path, "the pixels are cut off", found: counted(bytes.count, "byte"))
    }
    return fragments
  }

  /// Assigns fragments to frames: one each, all to a single frame, or by an offset table, else by codestream headers.
  private static func frames(
    of fragments: [Fragment], offsetTable: Fragment, _ content: DicomParser.Content, _ frameCount: Int
  ) throws(InputError) -> [[Fragment]] {
    if fragments.count == frameCount { return fragments.map { [$0] } }
    if frameCount == 1, !fragments.isEmpty { return [fragments] }
    guard fragments.count > frameCount else {
      throw InputError(
        content.bytes.path, "holds fewer frames than its header states", found: "\(fragments.count)",
        expected: "\(frameCount), as NumberOfFrames says")
    }
    let stated = try starts(offsetTable, content, frameCount)
    let starts = if let stated { stated } else { try startsOfImages(fragments, content.bytes) }
    var frames: [[Fragment]] = []
    for fragment in fragments {
      if starts.contains(fragment.position - 8) { frames.append([]) }
      if !frames.isEmpty { frames[frames.count - 1].append(fragment) }
    }
    guard frames.count == frameCount else {
      throw InputError(
        content.bytes.path, "its fragments cannot be assigned to frames",
        found: "\(fragments.count) fragments and \(frames.count) beginnings", expected: "\(frameCount) frames"
      )
    }
    return frames
  }

  /// The positions of the items that begin frames, as the basic or extended offset table states them; nil where there is
  /// no table.
  private static func starts(
    _ table: Fragment, _ content: DicomParser.Content, _ frameCount: Int
  ) throws(InputError) -> Set<Int>? {
    let first = table.position + table.byteCount
    if table.byteCount == 4 * frameCount {
      var starts: Set<Int> = []
      for index in 0..<frameCount {
        starts.insert(first + Int(try content.bytes.uint32(at: table.position + 4 * index)))
      }
      return starts
    }
    guard case .bytes(let bytes, _)? = content.dataSet.values[.extendedOffsetTable],
      bytes.count == 8 * frameCount
    else { return nil }
    var reader = LittleEndianReader(bytes)
    return Set((0..<frameCount).compactMap { _ in checkedSum(first, reader.number(8)) })
  }

  /// The positions of the items that begin with the marker of a JPEG or JPEG 2000 image.
  private static func startsOfImages(
    _ fragments: [Fragment], _ bytes: DicomBytes
  ) throws(InputError) -> Set<Int> {
    var starts: Set<Int> = []
    for fragment in fragments where fragment.byteCount >= 4 {
      let beginning = try bytes.bytes(at: fragment.position, count: 4)
      if beginning.starts(with: [0xff, 0xd8, 0xff]) || beginning == [0xff, 0x4f, 0xff, 0x51] {
        starts.insert(fragment.position - 8)
      }
    }
    return starts
  }

  /// Refuses a stated size that the compressed bytes cannot expand to, before memory is allocated for it.
  private static func checkExpansion(
    _ encodedByteCount: Int, _ format: PixelFormat, _ frameCount: Int, _ path: String
  ) throws(InputError) {
    // Even an empty slice compresses by a far smaller ratio.
    let (alwaysAllowed, largestRatio) = (1 << 28, 4000)
    let decoded = checkedProduct(format.frameByteCount, format.samplesPerPixel, frameCount)
    guard let decoded,
      decoded <= max(alwaysAllowed, encodedByteCount.multipliedReportingOverflow(by: largestRatio).0)
    else {
      throw InputError(
        path, "holds fewer bytes than its pixels can be compressed to",
        found: counted(encodedByteCount, "byte"),
        expected:
          "\((decoded ?? .max) / largestRatio) or more for \(format.columns)x\(format.rows)x\(frameCount)")
    }
  }
}
