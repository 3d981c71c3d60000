import Foundation
import Volumes
import Work

/// A DICOM segmentation as a mask: the value of a voxel is that of its segment.
enum SegmentationImage {
  /// The maximum number of slices, above that of any image.
  private static let maximumSliceCount = 65535

  /// Opens a segmentation on the grid that its frames span; slices without a frame are background.
  ///
  /// - Parameters:
  ///   - choice: The label value or name of the only segment that is read; nil for all of them.
  /// - Throws: ``InputError`` where the frames are not on a regular grid, or there is no such segment.
  static func open(
    _ instance: DicomInstance, path: String, segment choice: String? = nil
  ) throws(InputError) -> ImageFile {
    guard let content = instance.segmentation, let frameReader = FrameReader(instance) else {
      throw InputError(path, "is no segmentation")
    }
    // A folder was read without registering its segmentations.
    try ReadFiles.register(instance.path)
    try frameReader.check()
    let type = try frameReader.format.voxelType(path: path)
    guard type == .uint8 || type == .uint16 else {
      throw InputError(
        path, "its pixels are no labels", found: type.rawValue, expected: "1, 8 or 16 bits without a sign")
    }
    let (grid, sliceIndices) = try slices(of: instance, path: path)
    let segments = try chosen(choice, content, path)
    let values = Dictionary(segments.map { ($0.number, $0.value) }, uniquingKeysWith: { first, _ in first })
    var planes = [[SegmentationVoxels.SegmentFrame]](repeating: [], count: grid.size.k)
    for (frame, sliceIndex) in zip(instance.frames, sliceIndices) {
      guard content.kind == .labelmap || frame.segmentNumber != nil else {
        throw InputError(path, "frame \(frame.number) does not say which segment it shows")
      }
      let number = frame.segmentNumber ?? 0
      if content.kind == .labelmap || values[number] != nil {
        planes[sliceIndex].append(
          SegmentationVoxels.SegmentFrame(frame: frame.number, value: values[number] ?? number))
      }
    }
    guard let largest = content.segments.map(\.value).max(), (0...65535).contains(largest),
      content.segments.allSatisfy({ $0.value >= 0 })
    else {
      throw InputError(path, "has no usable segments", found: counted(content.segments.count, "segment"))
    }
    let reader = SegmentationVoxels(
      frameReader: frameReader, content: content, planes: planes, segments: segments,
      values: values, type: largest < 256 ? .uint8 : .uint16)
    return image(of: instance, content, on: grid, reader, path: path)
  }

  /// The mask whose slices `reader` delivers on a grid.
  private static func image(
    of instance: DicomInstance, _ content: SegmentationContent, on grid: VolumeGrid,
    _ reader: SegmentationVoxels, path: String
  ) -> ImageFile {
    ImageFile(
      path: path,
      storage: "DICOM segmentation, \(content.kind.rawValue), \(counted(content.segments.count, "segment"))",
      source: ImageSource(grid: grid), voxelType: reader.type, scaling: VoxelScaling(), frameSizes: [],
      files: [instance.path], labelNames: names(reader.segments), dicomSubject: DicomSubject(instance),
      withSliceStep: { step in
        moved(reader, on: grid, by: step).map { image(of: instance, content, on: $0, $1, path: path) }
      }, reader: reader, findings: instance.findings + findings(content))
  }

  /// The grid and the slices with another step from slice to slice: frames say where they lie, and the slices without one
  /// between them follow from a distance that is not always stated.
  /// - Returns: nil where slices with frames would not lie in slices of the grid.
  private static func moved(
    _ reader: SegmentationVoxels, on grid: VolumeGrid, by step: WorldPoint
  ) -> (VolumeGrid, SegmentationVoxels)? {
    let (own, new) = (grid.affine.stepK.lps, step.lps)
    let distance = length(new)
    guard distance > 0 else { return nil }
    var positions: [Int: Int] = [:]
    for index in reader.planes.indices where !reader.planes[index].isEmpty {
      let place = own * Double(index)
      let count = (dot(place, new) / (distance * distance)).rounded()
      guard (0..<Double(maximumSliceCount)).contains(count),
        length(place - new * count) <= GridFit.toleranceVoxels * distance
      else { return nil }
      guard positions.updateValue(index, forKey: Int(count)) == nil else { return nil }
    }
    var moved = reader
    moved.planes = (0...(positions.keys.max() ?? 0)).map { positions[$0].map { reader.planes[$0] } ?? [] }
    var affine = grid.affine
    affine.stepK = step
    let size = GridSize(grid.size.i, grid.size.j, moved.planes.count)
    return (VolumeGrid(size: size, affine: affine), moved)
  }

  private static func findings(_ content: SegmentationContent) -> [Finding] {
    content.kind == .fractional
      ? [
        Finding(
          "segments are fractional, 0 to \(content.maximumFractionalValue)",
          repair: "voxels with at least half of that belong to a segment")
      ] : []
  }

  /// The names of the segments.
  static func names(_ segments: [SegmentationContent.Segment]) -> LabelNames {
    LabelNames(
      entries: segments.filter { $0.value > 0 }.map {
        LabelNames.Entry(value: $0.value, name: $0.name, colour: $0.colour)
      })
  }

  private static func chosen(
    _ choice: String?, _ content: SegmentationContent, _ path: String
  ) throws(InputError) -> [SegmentationContent.Segment] {
    guard let choice else { return content.segments }
    let candidates = content.segments.map { SegmentChoice.Candidate(number: $0.value, name: $0.name) }
    return [content.segments[try SegmentChoice(text: choice).position(among: candidates, path: path)]]
  }

  /// The grid of the frames, and the slice index (k) of each.
  private static func slices(
    of instance: DicomInstance, path: String
  ) throws(InputError) -> (VolumeGrid, [Int]) {
    guard let format = instance.format, let plane = instance.frames.first?.plane else {
      throw InputError(
        path, "does not say where its frames lie", expected: "PlaneOrientationSequence, PixelSpacing")
    }
    var positions: [SIMD3<Double>] = []
    for frame in instance.frames {
      guard let position = frame.position, frame.plane?.isNear(plane) == true else {
        throw InputError(
          path, "frame \(frame.number) is not parallel to the others, or has no position",
          found: frame.position == nil ? "no ImagePositionPatient" : "another plane",
          expected: "parallel slices")
      }
      positions.append(position)
    }
    let depths = positions.map { dot($0 - positions[0], plane.normal) }
    let lowest = depths.indices.min { depths[$0] < depths[$1] } ?? 0
    let rising = depths.map { $0 - depths[lowest] }
    let (distance, thickness) = (instance.frames[0].sliceDistance, instance.frames[0].sliceThickness)
    let stated = distance ?? thickness
    let sorted = rising.sorted()
    let gaps = zip(sorted, sorted.dropFirst()).map { $1 - $0 }.filter { $0 > 0.001 }
    // The stated spacing may not fit the positions; then the smallest distance between frames is tried. Thickness is no
    // distance: where it alone is stated, three and more frames at one distance are those of neighbouring slices.
    let isEven = gaps.count > 1 && gaps.allSatisfy { abs($0 - gaps[0]) <= 0.01 * gaps[0] }
    let tried = isEven ? [distance, gaps.min(), thickness] : [stated, gaps.min()]
    let spacings = tried.compactMap { $0 }.filter { $0 > 0 }
    let unit = instance.frames.reduce(SIMD3<Double>(repeating: .infinity)) {
      pointwiseMin($0, $1.positionUnit)
    }
    for spacing in spacings.isEmpty ? [1] : spacings {
      let sliceIndices = rising.map { ($0 / spacing).rounded() }
      let isRegular =
        zip(rising, sliceIndices).allSatisfy { abs($0 - $1 * spacing) <= 0.1 * spacing }
        || Set(sliceIndices).count == gaps.count + 1
          && RoundedPositions.explain(positions, at: sliceIndices, unit: unit, spacing: spacing)
      guard isRegular, let last = sliceIndices.max(), last < Double(maximumSliceCount) else { continue }
      let highest = depths.indices.max { depths[$0] < depths[$1] } ?? 0
      let step = last > 0 ? (positions[highest] - positions[lowest]) / last : plane.normal * spacing
      let size = GridSize(format.columns, format.rows, Int(last) + 1)
      let affine = Affine(
        stepI: WorldPoint(lps: plane.rowDirection * plane.columnSpacing),
        stepJ: WorldPoint(lps: plane.columnDirection * plane.rowSpacing), stepK: WorldPoint(lps: step),
        origin: WorldPoint(lps: positions[lowest]))
      return (VolumeGrid(size: size, affine: affine), sliceIndices.map { Int($0) })
    }
    let order = rising.indices.sorted { rising[$0] < rising[$1] }
    let usual = stated ?? (gaps.isEmpty ? 1 : gaps.sorted()[gaps.count / 2])
    func stray(_ pair: (Int, Int)) -> Double {
      let steps = (rising[pair.1] - rising[pair.0]) / usual
      return abs(steps - steps.rounded())
    }
    let pairs = Array(zip(order, order.dropFirst()))
    let worst = pairs.max { stray($0) < stray($1) } ?? (order[0], order[0])
    let gap = significant(rising[worst.1] - rising[worst.0], 4)
    let (frame, other) = (instance.frames[worst.1].number, instance.frames[worst.0].number)
    throw InputError(
      path, "its frames are not evenly spaced: frame \(frame) lies \(gap) mm from frame \(other)",
      found: "\(gap) mm", expected: "\(significant(usual, 4)) mm, or multiples of it")
  }
}
