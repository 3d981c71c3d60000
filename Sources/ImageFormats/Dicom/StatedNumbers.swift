import Foundation
import Volumes
import Work

/// The slope and intercept of a slice as its file states them, at least one of them.
struct StatedScaling: Hashable, Sendable {
  var slope, intercept: Double?

  /// The scaling with slope 1 and intercept 0 where one of them is not stated.
  var scaling: VoxelScaling { VoxelScaling(slope: slope ?? 1, intercept: intercept ?? 0) }
}

/// Numbers that determine values or geometry. One that is stated but not usable is an error, because a default
/// instead would give wrong values that nobody notices.
extension DicomDataSet {
  /// Whether an attribute has a value; an empty one has none.
  func isStated(_ tag: DicomTag) -> Bool {
    guard case .bytes(let bytes, _)? = values[tag] else { return false }
    return bytes.contains { $0 != 0x20 && $0 != 0 } || !(bytes.isEmpty || isText(tag))
  }

  private func isText(_ tag: DicomTag) -> Bool {
    if case .bytes(_, .text)? = values[tag] { return true }
    if case .bytes(_, .decimalText)? = values[tag] { return true }
    return false
  }

  /// The value of an attribute as an error shows it, at most 60 characters.
  func shown(_ tag: DicomTag) -> String {
    let text = isText(tag) ? text(tag) ?? "" : numbers(tag).map { significant($0) }.joined(separator: "\\")
    return String(text.printableLine.prefix(60))
  }

  /// The numbers of an attribute; nil where it is missing or empty.
  /// - Throws: ``InputError`` for another count than `count`, and for a value that is no finite decimal number.
  func statedNumbers(
    _ name: String, _ tag: DicomTag, count: Int, path: String
  ) throws(InputError) -> [Double]? {
    guard isStated(tag) else { return nil }
    let numbers = numbers(tag)
    let isDecimal = !isText(tag) || (text(tag) ?? "").utf8.allSatisfy { Self.decimalBytes.contains($0) }
    guard numbers.count == count, isDecimal else {
      throw InputError(
        path, "\(name) \(tag) is not usable", found: shown(tag),
        expected: count == 1 ? "one finite number" : "\(count) finite numbers")
    }
    return numbers
  }

  /// The characters of decimal numbers (PS3.5 6.2), and the backslash between them.
  private static let decimalBytes = Set("0123456789+-.eE \\".utf8)

  /// The number of an attribute; nil where it is missing or empty.
  /// - Throws: ``InputError`` where it is not exactly one finite number.
  func statedNumber(_ name: String, _ tag: DicomTag, path: String) throws(InputError) -> Double? {
    try statedNumbers(name, tag, count: 1, path: path)?[0]
  }

  /// The plane of ImageOrientationPatient and PixelSpacing; nil where one of them is missing.
  /// - Throws: ``InputError`` where one of them is not usable.
  func plane(
    orientation: DicomDataSet?, measures: DicomDataSet?, path: String
  ) throws(InputError) -> FramePlane? {
    let (orientation, measures) = (orientation ?? self, measures ?? self)
    let cosines = try orientation.statedNumbers(
      "ImageOrientationPatient", .imageOrientation, count: 6, path: path)
    let spacing = try measures.statedNumbers("PixelSpacing", .pixelSpacing, count: 2, path: path)
    if let spacing, !spacing.allSatisfy({ (1e-6...1e6).contains($0) }) {
      throw InputError(
        path, "PixelSpacing (0028,0030) is not usable", found: measures.shown(.pixelSpacing),
        expected: spacing.contains { $0 <= 0 } ? "two lengths above 0 mm" : "two lengths from 1e-6 to 1e6 mm")
    }
    guard let cosines else { return nil }
    let rowDirection = SIMD3(cosines[0], cosines[1], cosines[2])
    let columnDirection = SIMD3(cosines[3], cosines[4], cosines[5])
    // Rounded cosines are accepted as they are, so that the affine is what the file states.
    guard [rowDirection, columnDirection].allSatisfy({ Swift.abs(length($0) - 1) < 0.01 }),
      Swift.abs(dot(rowDirection, columnDirection)) < 0.01
    else {
      throw InputError(
        path, "ImageOrientationPatient (0020,0037) is not usable",
        found: orientation.shown(.imageOrientation),
        expected: "two perpendicular unit vectors")
    }
    return spacing.map {
      FramePlane(
        rowDirection: rowDirection, columnDirection: columnDirection, columnSpacing: $0[1], rowSpacing: $0[0])
    }
  }

  /// ImagePositionPatient (LPS, mm); nil where it is missing.
  /// - Throws: ``InputError`` where it is not usable, as with a coordinate of 1e6 mm or more.
  func point(path: String) throws(InputError) -> SIMD3<Double>? {
    let numbers = try statedNumbers("ImagePositionPatient", .imagePosition, count: 3, path: path)
    guard let numbers else { return nil }
    guard numbers.allSatisfy({ Swift.abs($0) < 1e6 }) else {
      throw InputError(
        path, "ImagePositionPatient (0020,0032) is not usable", found: shown(.imagePosition),
        expected: "coordinates below 1 km")
    }
    return SIMD3(numbers[0], numbers[1], numbers[2])
  }

  /// The unit of the last stated digit of each coordinate of ImagePositionPatient: 0.1 for "7.5", 1 for "7"; 0 for another
  /// notation, and where it is missing.
  var pointUnit: SIMD3<Double> {
    let units = texts(.imagePosition).map { text -> Double in
      let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      guard text.utf8.allSatisfy({ "0123456789+-.".utf8.contains($0) }) else { return 0 }
      return parts.count == 2 ? pow(10, -Double(parts[1].count)) : 1
    }
    return units.count == 3 ? SIMD3(units[0], units[1], units[2]) : SIMD3(repeating: 0)
  }

  /// SpacingBetweenSlices, else SliceThickness, in millimetres; nil where neither is a valid length.
  var sliceSpacing: Double? { sliceDistance ?? sliceThickness }

  /// SpacingBetweenSlices in millimetres, which may have a sign; nil where it is not a valid length.
  var sliceDistance: Double? {
    number(.spacingBetweenSlices).map { Swift.abs($0) }.flatMap { $0 > 0 && $0 < 1e6 ? $0 : nil }
  }

  /// SliceThickness in millimetres; nil where it is not a valid length.
  var sliceThickness: Double? { number(.sliceThickness).flatMap { $0 > 0 && $0 < 1e6 ? $0 : nil } }

  /// SliceThickness as it is stated, where it is no length; nil for a length, and where it is missing or empty.
  var unusableThickness: String? {
    guard isStated(.sliceThickness) else { return nil }
    let isUsable = number(.sliceThickness).map { $0 > 0 && $0 < 1e6 } ?? false
    return isUsable ? nil : shown(.sliceThickness)
  }

  /// RescaleSlope and RescaleIntercept; nil where neither is stated.
  ///
  /// A slope of 0 is read as 1; ``statesZeroSlope`` says so.
  /// - Throws: ``InputError`` where one of them is not exactly one number that float32 holds.
  func scaling(path: String) throws(InputError) -> StatedScaling? {
    let slope = try factor("RescaleSlope", .rescaleSlope, path: path)
    let intercept = try factor("RescaleIntercept", .rescaleIntercept, path: path)
    guard slope != nil || intercept != nil else { return nil }
    return StatedScaling(slope: slope.map { $0 == 0 ? 1 : $0 }, intercept: intercept)
  }

  /// A number with which voxels are scaled; nil where it is missing or empty.
  /// - Throws: ``InputError`` where it is not exactly one number, or beyond the range of float32, in which scaled values
  ///   are computed.
  private func factor(_ name: String, _ tag: DicomTag, path: String) throws(InputError) -> Double? {
    let range = Double(Float.leastNormalMagnitude)...Double(Float.greatestFiniteMagnitude)
    guard let number = try statedNumber(name, tag, path: path) else { return nil }
    guard number == 0 || range.contains(Swift.abs(number)) else {
      throw InputError(
        path, "\(name) \(tag) is not usable", found: shown(tag), expected: "a number in the range of float32")
    }
    return number
  }

  /// The scaling of RT Dose; nil where DoseGridScaling is missing.
  /// - Throws: ``InputError`` where it is not one number above 0.
  func doseScaling(path: String) throws(InputError) -> StatedScaling? {
    let slope = try factor("DoseGridScaling", .doseGridScaling, path: path)
    guard let slope else { return nil }
    guard slope > 0 else {
      throw InputError(
        path, "DoseGridScaling (3004,000e) is not usable", found: shown(.doseGridScaling),
        expected: "a number above 0")
    }
    return StatedScaling(slope: slope, intercept: 0)
  }

  /// Whether both RescaleSlope and RescaleIntercept are stated for all frames.
  var statesScaling: Bool { isStated(.rescaleSlope) && isStated(.rescaleIntercept) }

  /// Whether RealWorldValueMappingSequence maps stored numbers to other values than the scaling does that is used, for all
  /// frames or for one.
  ///
  /// Of several mappings, which are for several units, one is enough that maps them to the same values.
  var statesOtherRealWorldValues: Bool {
    let shared = item(.sharedFunctionalGroups)
    let groups = items(.perFrameFunctionalGroups)
    return (groups.isEmpty ? [DicomDataSet()] : groups).contains { group in
      let mappings =
        [group, shared, self].compactMap { $0?.items(.realWorldValueMappingSequence) }
        .first { !$0.isEmpty } ?? []
      let own = [group, shared].compactMap { $0?.item(.pixelValueTransformationSequence) }.first ?? self
      let (slope, intercept) = (own.number(.rescaleSlope) ?? 1, own.number(.rescaleIntercept) ?? 0)
      func isNear(_ one: Double?, _ other: Double) -> Bool {
        // Slope and intercept are decimal texts, those of mappings binary numbers.
        one.map { Swift.abs($0 - other) <= 1e-6 * Swift.abs(other) } ?? false
      }
      return !mappings.isEmpty
        && !mappings.contains {
          isNear($0.number(.realWorldValueSlope), slope)
            && isNear($0.number(.realWorldValueIntercept), intercept)
        }
    }
  }

  /// Whether RescaleSlope is 0, for all frames or for one.
  var statesZeroSlope: Bool {
    let groups = items(.sharedFunctionalGroups) + items(.perFrameFunctionalGroups)
    let transformations = groups.compactMap { $0.item(.pixelValueTransformationSequence) }
    return ([self] + transformations).contains { $0.number(.rescaleSlope) == 0 }
  }
}
