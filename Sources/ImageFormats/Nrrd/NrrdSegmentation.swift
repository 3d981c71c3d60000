import Foundation
import Volumes
import Work

/// What 3D Slicer states of the segments in a `.seg.nrrd`: their names, colours, label values and layers.
struct NrrdSegmentation {
  /// A segment.
  struct Segment {
    var name: String
    var identifier: String
    var colour: RGBColour?
    /// Its layer, counted from 0.
    var layer: Int
    /// The value of its voxels in its layer.
    var value: Int
    /// Slicer's tags: the terminology codes of its anatomy, and its status; nil where there are none.
    var tags: String?
  }

  let segments: [Segment]
  private let path: String
  private let layerCount: Int

  private static let segmentLimit = 65535

  /// Reads the segments of a header; nil where it has none.
  /// - Throws: ``InputError`` for an invalid layer, label value or colour.
  init?(_ header: NrrdHeader, layerCount: Int) throws(InputError) {
    var segments: [Segment] = []
    let hasLayers = header.keyValues.keys.contains { $0.hasPrefix("Segment") && $0.hasSuffix("_Layer") }
    while segments.count < Self.segmentLimit {
      let prefix = "Segment\(segments.count)_"
      func text(_ name: String) -> HeaderValue? {
        header.keyValues[prefix + name].map { HeaderValue($0, path: header.path, name: prefix + name) }
      }
      guard let identifier = text("ID") ?? text("Name") else { break }
      // Older versions of Slicer state no layers; there, every segment is a layer of its own.
      let layer =
        try text("Layer")?.integer(in: 0...layerCount - 1)
        ?? (hasLayers || segments.count >= layerCount ? 0 : segments.count)
      segments.append(
        Segment(
          name: text("Name")?.text ?? identifier.text, identifier: identifier.text,
          colour: try text("Color").map(Self.colour), layer: layer,
          value: try text("LabelValue")?.integer(in: 1...Int(UInt32.max)) ?? 1, tags: text("Tags")?.text))
    }
    guard !segments.isEmpty else { return nil }
    guard layerCount <= Self.segmentLimit else {
      throw InputError(
        header.path, "has too many layers", found: "\(layerCount)", expected: "\(Self.segmentLimit) or fewer")
    }
    self.segments = segments
    self.layerCount = layerCount
    path = header.path
  }

  private static func colour(_ text: HeaderValue) throws(InputError) -> RGBColour {
    let parts = try text.numbers(3).map { UInt8(saturating: ($0 * 255).rounded()) }
    return RGBColour(parts[0], parts[1], parts[2])
  }

  /// The image of the segments that were chosen, or of all of them.
  /// - Throws: ``InputError`` for a segment or layer that does not exist.
  func image(
    _ stored: ImageFile, reader: any VoxelReader, _ options: ImageReadingOptions
  ) throws(InputError) -> ImageFile {
    var chosen = segments
    if let layer = options.layer {
      guard (0..<layerCount).contains(layer) else {
        throw InputError(
          path, "has no such layer", found: "--layer \(layer)",
          expected: layerCount == 1 ? "0, the only one" : "0 to \(layerCount - 1)")
      }
      chosen = segments.filter { $0.layer == layer }
    }
    if let choice = options.segment { chosen = [try segment(choice, of: options.layer)] }
    let values = renumbered(chosen)
    var findings = stored.findings
    if values != chosen.map(\.value) {
      findings.append(
        Finding(
          "segments of several layers have the same label value",
          repair: "they are numbered from 1 in their order in the file"))
    }
    let names = LabelNames(
      entries: zip(chosen, values).map { .init(value: $1, name: $0.name, colour: $0.colour) })
    let isMerged = layerCount > 1 && options.layer == nil && options.segment == nil
    let isWhole = layerCount == 1 && options.segment == nil
    let merged = MergedLayers(
      stored: reader, type: stored.voxelType, path: path, voxelCount: stored.grid.size.voxelCount,
      segments: chosen, values: values, layers: options.layer.map { $0..<$0 + 1 } ?? 0..<layerCount,
      keepsOthers: options.segment == nil)
    return ImageFile(
      path: path, storage: stored.storage,
      source: ImageSource(grid: stored.grid, header: NrrdSegmentTags(segments)),
      voxelType: isWhole ? stored.voxelType : .uint32, scaling: VoxelScaling(), frameSizes: [],
      files: stored.files, labelNames: names, layers: isMerged ? layers : [],
      // Slicer may write only the box of the segments; the slices in it are complete.
      withSliceStep: { _ in nil }, reader: isWhole ? reader : merged, findings: findings)
  }

  /// The segment that `--segment` chooses.
  /// - Parameter layer: The layer of the segment; nil for any.
  /// - Throws: As ``SegmentChoice/position(among:of:path:)``.
  private func segment(_ choice: String, of layer: Int?) throws(InputError) -> Segment {
    let candidates = zip(renumbered(segments), segments).filter { _, segment in
      segment.layer == layer ?? segment.layer
    }
    let position = try SegmentChoice(text: choice).position(
      among: candidates.map { .init(number: $0, name: $1.name, identifier: $1.identifier) },
      of: layer == nil ? "file" : "layer", path: path)
    return candidates[position].1
  }

  /// The labels of each layer, with the numbers that `--segment` takes.
  private var layers: [LabelNames] {
    let ofLayer = Dictionary(grouping: zip(segments, renumbered(segments)), by: { $0.0.layer })
    return (0..<layerCount).map { layer in
      LabelNames(
        entries: (ofLayer[layer] ?? []).map { .init(value: $1, name: $0.name, colour: $0.colour) })
    }
  }

  /// The label values of the merged mask: those of the segments, or numbers from 1 on where two layers share a value.
  private func renumbered(_ chosen: [Segment]) -> [Int] {
    let values = chosen.map(\.value)
    let layers = Dictionary(zip(values, chosen.map { Set([$0.layer]) }), uniquingKeysWith: { $0.union($1) })
    return layers.values.contains { $0.count > 1 } ? Array(1...chosen.count) : values
  }
}

/// The tags of a segmentation's segments by name, which a copy writes again for labels of the same names.
///
/// These are the terminology and the status. Modules of Slicer add others, which may tell where the segment comes from.
struct NrrdSegmentTags: StatedHeader {
  private let ofName: [String: String]

  init(_ segments: [NrrdSegmentation.Segment]) {
    let stated = segments.compactMap { segment in segment.tags.map { (segment.name.nameKey, Self.kept($0)) } }
    ofName = Dictionary(stated.filter { !$0.1.isEmpty }) { first, _ in first }
  }

  private static let keptKeys = ["TerminologyEntry:", "Segmentation.Status:"]

  /// Those of the tags, each of which ends with a bar, that a copy has too.
  private static func kept(_ tags: String) -> String {
    tags.split(separator: "|").filter { tag in keptKeys.contains(where: tag.hasPrefix) }.map { $0 + "|" }
      .joined()
  }

  /// The tags of the segment with a name; nil where it has none.
  subscript(name: String) -> String? { ofName[name.nameKey] }
}

/// Merges the segments of several layers into the labels of one frame.
struct MergedLayers: VoxelReader {
  /// The layers, a frame each.
  let stored: any VoxelReader
  let type: VoxelType
  let path: String
  let voxelCount: Int
  let segments: [NrrdSegmentation.Segment]
  /// The label value of each segment in the merged frame.
  let values: [Int]
  /// The layers that are read.
  let layers: Range<Int>
  /// Whether values without a segment are kept; otherwise they become 0.
  let keepsOthers: Bool

  /// The maximum number of overlapping pairs that an error names.
  private static let namedPairs = 4

  /// - Complexity: O(voxels · layers); 4 bytes per voxel.
  func readVoxels(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding] {
    try AvailableMemory.require(
      voxelCount * MemoryLayout<UInt32>.stride, subject: path, "its content")
    // Zeros of calloc take no memory until they are written, so a size that a header only claims costs none.
    guard let zeros = calloc(voxelCount, MemoryLayout<UInt32>.stride) else {
      throw AvailableMemory.shortage
    }
    defer { free(zeros) }
    let merged = UnsafeMutableBufferPointer(
      start: zeros.bindMemory(to: UInt32.self, capacity: voxelCount), count: voxelCount)
    let codes = mergedValuesByLayer
    var loop = MergeLoop(keepsOthers: keepsOthers, merged: merged)
    var done = 0
    let findings = try stored.readVoxels(frames: layers, work: work) { piece in
      var rest = piece
      while !rest.isEmpty {
        let (number, voxel) = done.quotientAndRemainder(dividingBy: voxelCount)
        let layer = layers.lowerBound + number
        if voxel == 0 { loop.beginLayer(codes[layer] ?? [:]) }
        let count = min(rest.count / type.byteCount, voxelCount - voxel)
        if let position = loop.run(over: .init(rebasing: rest[..<(count * type.byteCount)]), type: type) {
          throw InputError(path, "voxel \(position) of layer \(layer) is not a label")
        }
        rest = .init(rebasing: rest[(count * type.byteCount)...])
        done += count
      }
    }
    guard loop.overlaps.isEmpty else { throw overlapping(loop.overlaps) }
    try body(UnsafeRawBufferPointer(merged))
    return findings
  }

  /// For each layer, the merged label value of each of its stored values.
  private var mergedValuesByLayer: [Int: [Int: UInt32]] {
    Dictionary(grouping: zip(segments, values), by: { $0.0.layer }).mapValues { own in
      Dictionary(own.map { ($0.0.value, UInt32($0.1)) }, uniquingKeysWith: { first, _ in first })
    }
  }

  private func overlapping(_ pairs: Set<[UInt32]>) -> InputError {
    func name(_ value: UInt32) -> String {
      zip(segments, values).first { $0.1 == Int(value) }?.0.name ?? "label \(value)"
    }
    let named = pairs.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }.prefix(Self.namedPairs)
      .map { "\(name($0[0])) and \(name($0[1]))" }
    let more = pairs.count > Self.namedPairs ? ", and \(pairs.count - Self.namedPairs) more pairs" : ""
    return InputError(
      path, SegmentOverlap.ofLayers, found: named.joined(separator: ", ") + more,
      expected: "one of them, with --segment NAME or --layer 0 to \(segments.map(\.layer).max() ?? 0)")
  }
}

/// Writes the labels of one layer over those of the layers before it, and collects overlaps.
private struct MergeLoop: StoredNumberLoop {
  let keepsOthers: Bool
  let merged: UnsafeMutableBufferPointer<UInt32>
  /// Pairs of values that a voxel has in two layers.
  private(set) var overlaps: Set<[UInt32]> = []
  /// The value in the frame of each value of the layer.
  private var values: [Int: UInt32] = [:]
  private var position = 0
  private var last: (stored: Int, value: UInt32) = (0, 0)

  init(keepsOthers: Bool, merged: UnsafeMutableBufferPointer<UInt32>) {
    self.keepsOthers = keepsOthers
    self.merged = merged
  }

  mutating func beginLayer(_ values: [Int: UInt32]) {
    (self.values, position, last) = (values, 0, (0, 0))
  }

  /// Returns the first voxel that is not a label, if any.
  mutating func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) -> Int? {
    for number in numbers {
      guard let stored = number.integer ?? Int(exactly: number.double), (0...Int(UInt32.max)).contains(stored)
      else { return position }
      if stored != last.stored {
        last = (stored, values[stored] ?? (keepsOthers ? UInt32(stored) : 0))
      }
      if last.value != 0 {
        if merged[position] != 0, overlaps.count < 1000 { overlaps.insert([merged[position], last.value]) }
        merged[position] = last.value
      }
      position += 1
    }
    return nil
  }
}
