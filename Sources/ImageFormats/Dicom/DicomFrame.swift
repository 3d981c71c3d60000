import Foundation
import Volumes
import Work

/// The orientation and pixel spacing of a frame, in DICOM's patient coordinates (LPS: left, posterior, superior; mm).
struct FramePlane: Hashable, Sendable {
  /// The direction cosines of a row and of a column: unit vectors in which the column index and the row index increase.
  var rowDirection, columnDirection: SIMD3<Double>
  /// The distance between columns and between rows in millimetres.
  var columnSpacing, rowSpacing: Double

  /// The normal of the plane: the cross product of rowDirection and columnDirection.
  var normal: SIMD3<Double> {
    SIMD3(
      rowDirection.y * columnDirection.z - rowDirection.z * columnDirection.y,
      rowDirection.z * columnDirection.x - rowDirection.x * columnDirection.z,
      rowDirection.x * columnDirection.y - rowDirection.y * columnDirection.x)
  }

  /// Whether two planes have the same orientation and pixel spacing, up to the rounding of decimals (1e-3).
  func isNear(_ other: FramePlane) -> Bool {
    func near(_ one: SIMD3<Double>, _ two: SIMD3<Double>) -> Bool { abs(one - two).max() <= 1e-3 }
    func near(_ one: Double, _ two: Double) -> Bool { abs(one - two) <= 1e-3 * max(abs(one), abs(two)) }
    return near(rowDirection, other.rowDirection) && near(columnDirection, other.columnDirection)
      && near(columnSpacing, other.columnSpacing)
      && near(rowSpacing, other.rowSpacing)
  }
}

func dot(_ one: SIMD3<Double>, _ other: SIMD3<Double>) -> Double { (one * other).sum() }
func length(_ vector: SIMD3<Double>) -> Double { dot(vector, vector).squareRoot() }
private func abs(_ vector: SIMD3<Double>) -> SIMD3<Double> {
  SIMD3(Swift.abs(vector.x), Swift.abs(vector.y), Swift.abs(vector.z))
}

/// A frame of an instance: one slice.
struct DicomFrame: Sendable {
  /// The number in its instance, from 0.
  let number: Int
  /// nil where the file does not state orientation and spacing.
  let plane: FramePlane?
  /// The centre of the first pixel (LPS, mm); nil where it is not stated.
  let position: SIMD3<Double>?
  /// The unit of the last stated digit of each coordinate of the position: 0.1 mm for "7.5".
  let positionUnit: SIMD3<Double>
  /// nil where neither RescaleSlope nor RescaleIntercept is stated.
  let scaling: StatedScaling?
  /// The values that distinguish frames at the same position, without those of attributes that the file does not state.
  let attributes: [FrameAttribute: Double]
  /// The attributes that would distinguish frames but are no numbers, with what the file states: "echo time
  /// (0018,0081) is 5,1".
  let unusableAttributes: [String]
  /// The image type as it is stated: "ORIGINAL\PRIMARY\M".
  let imageType: String
  /// The stated spacing between slices, else their thickness, in millimetres; nil where neither is stated.
  let sliceSpacing: Double?
  /// SpacingBetweenSlices and SliceThickness in millimetres, each nil where it is not stated as a length.
  let sliceDistance, sliceThickness: Double?
  /// SliceThickness as it is stated, where it is no length.
  let unusableThickness: String?
  let stackID: String?
  /// The segment that a frame of a segmentation shows.
  let segmentNumber: Int?
}

/// The attributes that can distinguish frames at the same position, in the order in which they are tried.
enum FrameAttribute: Hashable, Comparable, Sendable {
  case temporalPosition, echo, echoTime, bValue, gradient, triggerTime, frameReferenceTime
  case acquisition
  /// The element of DimensionIndexValues with this index.
  case dimension(Int)
  case acquisitionTime, contentTime
  /// The instance number, which distinguishes multi-frame files; files of one frame have a number each.
  case instance

  /// The attribute in messages.
  var name: String {
    switch self {
    case .temporalPosition: "temporal position"
    case .echo: "echo"
    case .echoTime: "echo time"
    case .bValue: "b value"
    case .gradient: "gradient direction"
    case .triggerTime: "trigger time"
    case .frameReferenceTime: "frame reference time"
    case .acquisition: "acquisition"
    case .dimension(let index): "dimension index \(index + 1)"
    case .acquisitionTime: "acquisition time"
    case .contentTime: "content time"
    case .instance: "instance number"
    }
  }
}

extension DicomDataSet {
  /// The numbers of the tags, by attribute; a missing one has no entry.
  fileprivate func attributes(_ tags: [(FrameAttribute, DicomTag)]) -> [FrameAttribute: Double] {
    var attributes: [FrameAttribute: Double] = [:]
    for (attribute, tag) in tags { attributes[attribute] = attributes[attribute] ?? number(tag) }
    return attributes
  }
}

extension DicomDataSet {
  /// The attributes that are stated but are no numbers.
  fileprivate func unusableAttributes(_ tags: [(FrameAttribute, DicomTag)]) -> [String] {
    tags.filter { isStated($0.1) && number($0.1) == nil }.map { "\($0.name) \($1) is \(shown($1))" }
  }
}

extension DicomFrame {
  /// The frames of a data set: one for each item of PerFrameFunctionalGroupsSequence, else `count` frames that
  /// differ in their number alone.
  /// - Throws: ``InputError`` for a position, orientation, spacing or scaling that is stated but not usable.
  static func frames(of dataSet: DicomDataSet, count: Int, path: String) throws(InputError) -> [DicomFrame] {
    let groups = dataSet.items(.perFrameFunctionalGroups)
    var frames: [DicomFrame] = []
    frames.reserveCapacity(count)
    if groups.count == count, count > 0 {
      let shared = dataSet.item(.sharedFunctionalGroups)
      for (number, group) in groups.enumerated() {
        frames.append(try DicomFrame(number: number, of: dataSet, groups: group, shared: shared, path: path))
      }
      return frames
    }
    let offsets = try dataSet.statedNumbers(
      "GridFrameOffsetVector", .gridFrameOffsetVector, count: count, path: path)
    for number in 0..<count {
      frames.append(
        try DicomFrame(number: number, of: dataSet, offsets: offsets ?? [], count: count, path: path))
    }
    return frames
  }

  /// A frame of an instance without functional groups.
  /// - Parameter offsets: GridFrameOffsetVector (RT Dose): millimetres along the normal; empty without one.
  private init(
    number: Int, of dataSet: DicomDataSet, offsets: [Double], count: Int, path: String
  ) throws(InputError) {
    self.number = number
    plane = try dataSet.plane(orientation: nil, measures: nil, path: path)
    let first = count == 1 || !offsets.isEmpty ? try dataSet.point(path: path) : nil
    // The offsets are relative to the first one, which is 0 or the coordinate of the position itself.
    let offset = offsets.isEmpty ? 0 : offsets[number] - offsets[0]
    position = zip(first, plane).map { $0 + $1.normal * offset }
    positionUnit = dataSet.pointUnit
    let stated = try dataSet.scaling(path: path)
    scaling = try dataSet.doseScaling(path: path) ?? stated
    var attributes = dataSet.attributes([
      (.temporalPosition, .temporalPositionIdentifier), (.echo, .echoNumbers), (.echoTime, .echoTime),
      (.bValue, .diffusionBValue), (.triggerTime, .triggerTime), (.frameReferenceTime, .frameReferenceTime),
      (.acquisition, .acquisitionNumber), (.acquisitionTime, .acquisitionTime), (.contentTime, .contentTime),
      (.instance, .instanceNumber),
    ])
    attributes[.gradient] = gradient(dataSet)
    self.attributes = attributes
    unusableAttributes = dataSet.unusableAttributes([
      (.temporalPosition, .temporalPositionIdentifier), (.echo, .echoNumbers), (.echoTime, .echoTime),
      (.bValue, .diffusionBValue), (.triggerTime, .triggerTime), (.frameReferenceTime, .frameReferenceTime),
      (.acquisition, .acquisitionNumber), (.instance, .instanceNumber),
    ])
    imageType = dataSet.text(.imageType) ?? ""
    sliceSpacing = dataSet.sliceSpacing
    (sliceDistance, sliceThickness) = (dataSet.sliceDistance, dataSet.sliceThickness)
    unusableThickness = dataSet.unusableThickness
    stackID = nil
    segmentNumber = nil
  }

  /// The most dimensions that distinguish frames, above those of any image.
  private static let maximumDimensionCount = 16

  /// A frame with functional groups, its own and those that all frames share.
  private init(
    number: Int, of dataSet: DicomDataSet, groups: DicomDataSet, shared: DicomDataSet?, path: String
  ) throws(InputError) {
    func group(_ tag: DicomTag) -> DicomDataSet? { groups.item(tag) ?? shared?.item(tag) }
    self.number = number
    let measures = group(.pixelMeasuresSequence)
    do throws(InputError) {
      let stated = try dataSet.scaling(path: path)
      plane = try dataSet.plane(
        orientation: group(.planeOrientationSequence), measures: measures, path: path)
      position = try (group(.planePositionSequence) ?? dataSet).point(path: path)
      positionUnit = (group(.planePositionSequence) ?? dataSet).pointUnit
      scaling = try group(.pixelValueTransformationSequence)?.scaling(path: path) ?? stated
    } catch {
      throw InputError(
        path, "frame \(number): \(error.problem)", found: error.found, expected: error.expected)
    }
    let content = group(.frameContentSequence)
    let diffusion = group(.diffusionSequence)
    var attributes =
      content?.attributes([
        (.temporalPosition, .temporalPositionIndex), (.acquisition, .frameAcquisitionNumber),
      ]) ?? [:]
    attributes[.echoTime] = group(.echoSequence)?.number(.effectiveEchoTime)
    attributes[.bValue] = diffusion?.number(.diffusionBValue)
    attributes[.gradient] = diffusion?.item(.diffusionGradientDirectionSequence).flatMap { gradient($0) }
    attributes[.triggerTime] = group(.cardiacSynchronizationSequence)?.number(.nominalCardiacTriggerDelayTime)
    for (index, value) in (content?.numbers(.dimensionIndexValues) ?? []).prefix(Self.maximumDimensionCount)
      .enumerated()
    {
      attributes[.dimension(index)] = value
    }
    let ofFile = dataSet.attributes([
      (.acquisition, .acquisitionNumber), (.acquisitionTime, .acquisitionTime),
      (.acquisitionTime, .acquisitionDateTime), (.contentTime, .contentTime), (.instance, .instanceNumber),
    ])
    attributes.merge(ofFile) { own, _ in own }
    self.attributes = attributes
    // Those of the file do not distinguish its frames.
    unusableAttributes = []
    let types: [DicomTag] = [.mrImageFrameTypeSequence, .ctImageFrameTypeSequence, .petFrameTypeSequence]
    imageType =
      types.lazy.compactMap { group($0)?.text(.frameType) }.first ?? dataSet.text(.imageType) ?? ""
    let stated = measures ?? dataSet
    sliceSpacing = stated.sliceSpacing
    (sliceDistance, sliceThickness) = (stated.sliceDistance, stated.sliceThickness)
    unusableThickness = stated.unusableThickness
    stackID = content?.text(.stackID)
    segmentNumber = group(.segmentIdentificationSequence)?.integer(.referencedSegmentNumber)
  }
}

/// A number that differs between the gradient directions of a diffusion series; nil where no direction is stated.
private func gradient(_ dataSet: DicomDataSet) -> Double? {
  let direction = dataSet.numbers(.diffusionGradientOrientation)
  return direction.count == 3 ? direction[0] + 3.7 * direction[1] + 13.1 * direction[2] : nil
}

/// Both values; nil where one of them is nil.
private func zip<One, Other>(_ one: One?, _ other: Other?) -> (One, Other)? {
  if let one, let other { (one, other) } else { nil }
}
